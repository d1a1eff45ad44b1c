"""Whoever asks a gateway waits for its turn, or is told when to come back."""

from dataclasses import dataclass, field, replace

from journeys.channels.letter import Fate
from journeys.channels.sms import Gateway, Own
from tests.channels.test_sms import letter


@dataclass
class One:
    """One turn, for whoever asks first."""

    asked: list[bool] = field(default_factory=list)

    async def turn(self, *, ahead: bool) -> tuple[bool, float]:
        self.asked.append(ahead)
        return len(self.asked) == 1, 0.0 if len(self.asked) == 1 else 20.0


async def test_a_gateway_that_is_asked_too_fast_is_not_asked() -> None:
    """Nobody listens at this address: whoever had a turn found that out."""
    texter = Gateway(Own("http://127.0.0.1:1", "t"), pace=(pace := One()))
    first, second = [await texter.send(replace(letter(), ahead=ahead)) for ahead in (True, False)]
    assert (first.fate, first.reason) == (Fate.NOTHING_LEFT, "sms-unreachable")
    assert (second.fate, second.reason, second.after_seconds) == (Fate.NOTHING_LEFT, "sms-paced", 20.0)
    assert pace.asked == [True, False]
