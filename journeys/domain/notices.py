"""What a provider says of a payment of its own accord: whether it is news, and whether its turn has come."""

from typing import Final, Literal

from journeys.domain.state import PaymentStatus

Said = Literal["accepted", "close", "no-match", "unchecked", "settled", "rejected", "returned"]
"""As a journey is told of it (`record-receipt`)."""

ORDER: Final[tuple[Said, ...]] = ("accepted", "close", "no-match", "unchecked", "settled", "rejected", "returned")
"""Of several things said of one payment, the first is told first, in whatever order they came."""

Turn = Literal["tell", "wait", "known", "contradicted"]

_PAID: Final = frozenset({PaymentStatus.SETTLED, PaymentStatus.BY_HAND})
_NEVER: Final = frozenset({PaymentStatus.CANCELLED, PaymentStatus.BLOCKED})


def turn(said: Said, status: PaymentStatus) -> Turn:
    """What to do with a notice about a payment that stands so.

    Returns:
        `tell` its journey; `wait`: the journey has not heard yet what must have been before (that it was instructed;
        that the money which comes back has left); `known` already, or overtaken; `contradicted` by what is known.
    """
    if status in _NEVER:
        return "contradicted"
    if status is PaymentStatus.RESERVED:
        return "wait"
    match said:
        case "accepted":
            return "tell" if status in (PaymentStatus.INSTRUCTED, PaymentStatus.UNKNOWN) else "known"
        case "close" | "no-match" | "unchecked":
            return "tell" if status.open else "known"
        case "settled":
            return _turn(status, known=status in _PAID or status is PaymentStatus.RETURNED)
        case "rejected":
            return _turn(status, known=status is PaymentStatus.REJECTED)
        case "returned":
            if status.open:
                return "wait"
            if status in _PAID:
                return "tell"
            return "known" if status is PaymentStatus.RETURNED else "contradicted"


def _turn(status: PaymentStatus, *, known: bool) -> Turn:
    if status.open:
        return "tell"
    return "known" if known else "contradicted"
