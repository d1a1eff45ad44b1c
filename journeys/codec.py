"""What Temporal gets to see of a payload: ciphertext under the key of the person whose journey it is of."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from journeys.store.database import LOST
from journeys.store.keys import HOUSE, Keys, Lost

T = TypeVar("T")

PATIENCE_SECONDS: Final = 4.0
"""How long keys are asked for again while their database is away; less than a workflow task may take (5 s). A task
that fails for them is counted, and after three the server turns every command of its journey away for a while."""
_PAUSE_SECONDS: Final = 0.1

ENCODING: Final = b"binary/encrypted"
PACKED: Final = b"binary/zlib"
"""Inside the seal: a large payload is compressed, because history and worker keep it as long as its journey runs."""
PACKED_FROM_BYTES: Final = 4_096
"""Smaller ones gain little: a command and its answer are some 2,000 bytes."""

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
        id, sealed = await _patiently(lambda: self._sealed(self.workflow or "", payloads))
        names = {_ENCODING: ENCODING, _KEY: id.encode(), _WORKFLOW: self.workflow.encode()}
        return [Payload(metadata=names, data=each) for each in sealed]

    async def _sealed(self, workflow: str, payloads: Sequence[Payload]) -> tuple[str, list[bytes]]:
        id = await self.keys.key_of(workflow) if workflow.startswith("journey-") else HOUSE
        place = _place(workflow)
        return id, await self.keys.seal_all([(id, _packed(each), place) for each in payloads])

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises Unreadable."""
        closed = [each for each in payloads if each.metadata.get(_ENCODING) == ENCODING]
        asked = [(each.data, _place(self._of(each))) for each in closed]
        opened = iter(await _patiently(lambda: self.keys.unseal_all(asked)))
        return [_read(next(opened)) if each.metadata.get(_ENCODING) == ENCODING else each for each in payloads]

    def _of(self, payload: Payload) -> str:
        """The workflow that a payload says it is of; a journey reads its own only."""
        said = workflow_of(payload) or ""
        if self.workflow is not None and self.workflow.startswith("journey-") and said != self.workflow:
            raise Unreadable(f"{self.workflow} cannot read what was sealed for another workflow")
        return said


def workflow_of(payload: Payload) -> str | None:
    """The workflow that a sealed payload says it is of; None for one that is not sealed. Opening it proves it."""
    if payload.metadata.get(_ENCODING) != ENCODING:
        return None
    return payload.metadata.get(_WORKFLOW, b"").decode(errors="replace")


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the keys, and again while their database gives no answer. Raises what the last asking raised."""
    clock = asyncio.get_running_loop().time
    until = clock() + PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except LOST:
            if clock() >= until:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


def _place(workflow: str) -> str:
    return f"payload/{workflow}"


def _read(plain: bytes | Lost) -> Payload:
    match plain:
        case Lost.ERASED:
            raise Unreadable("the key of this payload was destroyed")
        case Lost.NO_KEY:
            raise Unreadable("the key of this payload is not in the database of keys")
        case Lost.ALTERED:
            raise Unreadable("this payload is not what was sealed")
        case _:
            payload = Payload.FromString(plain)
            return Payload.FromString(zlib.decompress(payload.data)) if _is_packed(payload) else payload


def _packed(payload: Payload) -> bytes:
    plain = payload.SerializeToString()
    if len(plain) < PACKED_FROM_BYTES:
        return plain
    return Payload(metadata={_ENCODING: PACKED}, data=zlib.compress(plain, 1)).SerializeToString()


def _is_packed(payload: Payload) -> bool:
    return payload.metadata.get(_ENCODING) == PACKED
