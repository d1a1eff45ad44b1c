"""An absence as an entry point notes it: days in their order, and somebody else who stands in."""

from datetime import date

from journeys.app.failures import usage
from journeys.store.staff import Absence, Member


def absence_of(
    member: Member, first: date, last: date | None, deputy: Member | None, *, called: tuple[str, str]
) -> Absence:
    """The absence of a member; without a last day it is one day long.

    Args:
        called: what the fields of the last day and of the deputy are named here.

    Raises:
        Failure: days backwards, or one's own deputy; it names the field.
    """
    until, stands_in = called
    if last is not None and last < first:
        raise usage(
            "absence-backwards", f"{until} : avant le premier jour", f"{until}: before the first day", field=until
        )
    if deputy is not None and deputy.id == member.id:
        raise usage(
            "own-deputy", f"{stands_in} : personne ne se remplace soi-même",
            f"{stands_in}: nobody stands in for themselves", field=stands_in,
        )  # fmt: skip
    return Absence(member.id, first, last or first, deputy.id if deputy is not None else None)
