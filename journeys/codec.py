"""What Temporal gets to see of a payload: ciphertext under the key of the person whose journey it is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from journeys.store.keys import HOUSE, Keys, Lost

ENCODING: Final = b"binary/encrypted"

_ENCODING: Final = "encoding"
_KEY: Final = "key"
_WORKFLOW: Final = "workflow"


class Unreadable(Exception):
    """A payload cannot be read: its key was destroyed, or it is not what was sealed for its workflow."""


@dataclass(frozen=True, slots=True)
class SealingCodec(PayloadCodec, WithSerializationContext):
    """Seals payloads under the key that their workflow's id leads to; what was never sealed is read as it is.

    The housekeeping, the control and the telling of webhooks carry ids only; theirs is the key of the house.
    """

    keys: Keys
    workflow: str | None = None
    """Id of the workflow that the payloads are of."""

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self.keys, getattr(context, "workflow_id", None))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises Unreadable without a workflow; NoKey: nobody said whose journey this is, or its key was destroyed."""
        if self.workflow is None:
            raise Unreadable("of which workflow a payload is was not said: it is sealed under no key")
        if not payloads:
            return []
        id = await self.keys.key_of(self.workflow) if self.workflow.startswith("journey-") else HOUSE
        place = _place(self.workflow)
        sealed = await self.keys.seal_all([(id, each.SerializeToString(), place) for each in payloads])
        names = {_ENCODING: ENCODING, _KEY: id.encode(), _WORKFLOW: self.workflow.encode()}
        return [Payload(metadata=names, data=each) for each in sealed]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises Unreadable."""
        closed = [each for each in payloads if each.metadata.get(_ENCODING) == ENCODING]
        opened = iter(await self.keys.unseal_all([(each.data, _place(self._of(each))) for each in closed]))
        return [_read(next(opened)) if each.metadata.get(_ENCODING) == ENCODING else each for each in payloads]

    def _of(self, payload: Payload) -> str:
        """The workflow that a payload says it is of; a journey reads its own only."""
        said = payload.metadata.get(_WORKFLOW, b"").decode(errors="replace")
        if self.workflow is not None and self.workflow.startswith("journey-") and said != self.workflow:
            raise Unreadable(f"{self.workflow} cannot read what was sealed for another workflow")
        return said


def _place(workflow: str) -> str:
    return f"payload/{workflow}"


def _read(plain: bytes | Lost) -> Payload:
    match plain:
        case Lost.ERASED:
            raise Unreadable("the key of this payload was destroyed")
        case Lost.ALTERED:
            raise Unreadable("this payload is not what was sealed")
        case _:
            payload = Payload()
            payload.ParseFromString(plain)
            return payload
