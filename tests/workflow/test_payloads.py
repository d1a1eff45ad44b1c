"""In which context the payloads of a journey are written: that of its id, so that a codec may keep a key for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from journeys import temporal
from journeys.domain import commands as c
from tests.conftest import RealStack
from tests.workflow.conftest import make_engine


@dataclass
class Sealed(PayloadCodec, WithSerializationContext):
    """Writes the workflow's id on each payload, and reads only what bears its own."""

    context: SerializationContext | None = None
    read: list[str] = field(default_factory=list)

    def with_context(self, context: SerializationContext) -> "Sealed":
        return Sealed(context, self.read)

    @property
    def _id(self) -> str:
        return str(getattr(self.context, "workflow_id", None))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={**each.metadata, "of": self._id.encode()}, data=each.data) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for each in payloads:
            if each.metadata["of"].decode() != self._id:
                raise ValueError(f"{self._id} cannot read what was written for {each.metadata['of']!r}")
            self.read.append(self._id)
        return list(payloads)


async def test_client_workflow_and_activities_write_for_one_journey(stack: RealStack, journal_pool: Any) -> None:
    codec = Sealed()
    engine = await make_engine(stack, journal_pool)
    speaking = replace(temporal.DATA_CONVERTER, payload_codec=codec)
    spoken = {"plugins": [temporal.JourneysPlugin(speaking)]}
    sealed = replace(engine, client=Client(**{**engine.client.config(), **spoken}))
    async with sealed.worker():
        await sealed.plan(release_in_days=20)
        answer = await sealed.do(c.AddNote(), text="Vu au parloir")
    assert answer.outcome == "accepted"
    assert set(codec.read) == {engine.stream}
    assert len(codec.read) > 8
