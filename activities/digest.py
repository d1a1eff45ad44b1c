"""What the daily control found, for finance: one letter a control, and only when it says something new."""

from typing import Final
from uuid import UUID, uuid5

from temporalio.exceptions import ApplicationError

from activities.failures import MAIL_UNAVAILABLE
from activities.letters import Addressee, staff_addressee
from activities.posting import Envelope, post
from activities.resources import Resources
from journeys.channels.control import counted
from journeys.channels.letter import Letter
from journeys.domain.programme import Label
from journeys.domain.recipients import DESK
from journeys.store import controlling, staff
from journeys.store.controlling import ALARMS, Code, Control, Finding

_TOLD: Final = frozenset[Code]((*ALARMS, "blocked", "held", "doubted", "bank-lines"))
"""What finance does something about; the control's other findings only say what waits."""

_SUBJECT: Final = Label(fr="Contrôle des versements : à voir", en="Control of payments: to look at")
_BODY: Final = Label(
    fr="Bonjour {name},\n\nle contrôle du {day} a trouvé :\n\n{found}\n\nVoyez {where}.\n\n{association}\n",
    en="Hello {name},\n\nthe control of {day} found:\n\n{found}\n\nSee {where}.\n\n{association}\n",
)
_WHERE: Final = Label(
    fr="la page « Fonds », ou « journeys payments control »", en="the page “Fonds”, or “journeys payments control”"
)


async def tell_finance(resources: Resources, run: str, found: Control) -> int:
    """Tell those of finance who answer for every fund (nobody: the desk) what is new; how many letters left.

    The same findings as those of the control before are not told again.

    Raises:
        ApplicationError: MailUnavailable, when nobody could be told for now.
    """
    wanted = [each for each in found.findings if each.code in _TOLD]
    before = await controlling.before(resources.pool, run, found.at)
    if not wanted or {*map(_said, wanted)} == {_said(each) for each in before if each.code in _TOLD}:
        return 0
    people = [each.id for each in await staff.members(resources.pool)
              if each.active and "finance" in each.roles and not each.funds]  # fmt: skip
    addressees = [await staff_addressee(resources, each) for each in people or [DESK]]
    envelopes = [_letter(resources, run, found, wanted, each) for each in addressees if each and each.address]
    done = await post(resources, envelopes)
    if done.again and not done.sent:
        raise ApplicationError("nobody could be told for now", type=MAIL_UNAVAILABLE)
    return len(done.sent)


def _said(finding: Finding) -> tuple[str, int, tuple[str, ...]]:
    return finding.code, finding.count, finding.about


def _letter(
    resources: Resources, run: str, found: Control, wanted: list[Finding], to: Addressee
) -> Envelope:  # fmt: skip
    lines = [f"- {counted(each.code, each.count, to.lang)}" for each in wanted]
    body = _BODY.in_(to.lang).format(
        name=to.first_name, day=found.at.strftime("%d/%m/%Y"), found="\n".join(lines), where=_WHERE.in_(to.lang),
        association=resources.association,
    )  # fmt: skip
    assert to.address is not None
    return Envelope(to, Letter(
        id=str(uuid5(_LETTERS, f"{run}/{to.key}")), to=to.address, subject=_SUBJECT.in_(to.lang), body=body,
        lang=to.lang, at=found.at,
    ))  # fmt: skip


_LETTERS: Final = UUID("5b0f3c52-6a0c-4f43-9d0f-0a6c3d3f1b11")
