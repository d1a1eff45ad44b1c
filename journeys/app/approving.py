"""What somebody sees before approving a grant: everything that the approval is bound to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeys.app.failures import Lang
from journeys.app.finding import Loaded, load
from journeys.app.identifiers import short
from journeys.app.inbox import label
from journeys.app.reading import ZONE
from journeys.domain.record import Part
from journeys.domain.state import GrantKnown
from journeys.i18n import format_instant, format_money
from journeys.narration import role_word, spoken
from journeys.store import journal, staff
from journeys.store.database import Pool
from journeys.store.views import JourneyRow


@dataclass(frozen=True, slots=True)
class Sight:
    """A grant that waits for approvals. `payee` is None once its text was deleted."""

    journey: JourneyRow
    id: str
    grant: GrantKnown
    payee: str | None
    requester: str
    given: tuple[str, ...]
    """Who approved already."""
    loaded: Loaded

    @property
    def decide_by(self) -> datetime:
        return self.grant.decide_by

    def as_json(self) -> dict[str, Any]:
        grant = self.grant
        return {
            "journey": self.journey.id, "grant": self.id, "kind": grant.kind, "purpose": grant.purpose, "amount": grant.amount,
            "pay_by": grant.pay_by, "payee": self.payee, "digest": grant.digest, "decide_by": grant.decide_by.isoformat(),
            "instalments": [{"amount": each.amount, "when": each.when} for each in grant.instalments],
            "needed": list(grant.needed), "given": [each.stands_for for each in grant.approvals], "requester": grant.requester,
        }  # fmt: skip

    def lines(self, lang: Lang) -> list[str]:
        """For a person, line by line."""
        en, grant, programme = lang == "en", self.grant, self.loaded.book.programme
        amounts = " + ".join(
            format_money(each.amount, lang) + (f" ({each.when})" if each.when else "") for each in grant.instalments
        )
        wanted = list(grant.needed)
        for each in grant.approvals:
            wanted.remove(each.stands_for)
        head = f"{short(self.id)}  {self.journey.name or '—'} · {label(grant.kind, lang, programme)} · {format_money(grant.amount, lang)}"
        return [
            head,
            f"    {'for' if en else 'pour'} {spoken(grant.purpose, lang)}, {spoken(grant.pay_by, lang)}: {amounts}",
            f"    {'payee' if en else 'bénéficiaire'} : {self.payee if self.payee is not None else ('deleted' if en else 'effacé')}",
            f"    {'asked by' if en else 'demandé par'} {self.requester}"
            + (f" · {'approved by' if en else 'accord de'} {', '.join(self.given)}" if self.given else "")
            + f" · {'wanted' if en else 'manque'} : {', '.join(role_word(role, lang) for role in wanted)}",
            f"    {'expires on' if en else 'expire le'} {format_instant(grant.decide_by, lang, ZONE)} · journeys show {short(self.journey.id)}",
            f"    {'digest' if en else 'empreinte'} {grant.digest}",
        ]


async def sight(pool: Pool, row: JourneyRow, grant: str, loaded: Loaded | None = None) -> Sight:
    """Everything about a grant. Raises KeyError for one that the journey does not have."""
    known = loaded or await load(pool, row)
    asked = known.state.grants[grant]
    names = {member.id: member.name for member in await staff.members(pool)}
    given = tuple(names.get(each.actor, each.actor) for each in asked.approvals)
    return Sight(row, grant, asked, await _payee(pool, row, asked.payee), names.get(asked.requester, asked.requester), given, known)


async def _payee(pool: Pool, row: JourneyRow, commitment: str) -> str | None:
    """The text that the grant's commitment stands for."""
    for stored in await journal.parts(pool, row.stream):
        if stored.name == "payee" and Part(text=stored.text, salt=stored.salt.hex()).commitment() == commitment:
            return stored.text
    return None
