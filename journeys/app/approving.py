"""What somebody sees before approving a grant: everything that the approval is bound to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeys.app.failures import Lang, Said
from journeys.app.finding import Loaded, load
from journeys.app.inbox import label, role_label
from journeys.app.reading import ZONE
from journeys.domain import events as e
from journeys.domain.moments import parse_moment
from journeys.domain.payee import Payee, read_payee
from journeys.domain.record import Part
from journeys.domain.state import GrantKnown
from journeys.i18n import format_instant, format_money
from journeys.identifiers import short
from journeys.narration import moment_words, spoken
from journeys.store import journal, staff
from journeys.store.database import Pool
from journeys.store.views import JourneyRow


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    """Somebody set the payee anew after the request."""

    at: datetime
    by: str
    """Their name."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A grant that waits for approvals. `payee` is None once its text was deleted."""

    journey: JourneyRow
    id: str
    grant: GrantKnown
    payee: Payee | None
    changed: PayeeChanged | None
    """The last change of the payee: an approver looks twice."""
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
            "journey": self.journey.id,
            "grant": self.id,
            "kind": grant.kind,
            "purpose": grant.purpose,
            "amount": grant.amount,
            "pay_by": grant.pay_by,
            "payee": self.payee.name if self.payee is not None else None,
            "iban": self.payee.iban if self.payee is not None else None,
            "payee_changed_at": self.changed.at.isoformat() if self.changed is not None else None,
            "payee_changed_by": self.changed.by if self.changed is not None else None,
            "pay_from": grant.pay_from.isoformat() if grant.pay_from is not None else None,
            "digest": grant.digest,
            "decide_by": grant.decide_by.isoformat(),
            "instalments": [{"amount": each.amount, "when": each.when} for each in grant.instalments],
            "needed": list(grant.needed),
            "given": [each.stands_for for each in grant.approvals],
            "requester": grant.requester,
        }

    def lines(self, lang: Lang) -> list[str]:
        """For a person, line by line."""
        grant, programme = self.grant, self.loaded.book.programme
        amounts = " + ".join(format_money(each.amount, lang) + self._on(each.when, lang) for each in grant.instalments)
        wanted = list(grant.needed)
        for each in grant.approvals:
            wanted.remove(each.stands_for)
        fields = {
            "id": short(self.id),
            "journey": short(self.journey.id),
            "name": self.journey.name or "—",
            "kind": label(grant.kind, lang, programme),
            "amount": format_money(grant.amount, lang),
            "purpose": spoken(grant.purpose, lang),
            "pay_by": spoken(grant.pay_by, lang),
            "amounts": amounts,
            "payee": self.payee.text if self.payee is not None else _DELETED.in_(lang),
            "changed": self._changed(lang),
            "requester": self.requester,
            "given": _GIVEN.in_(lang).format(names=", ".join(self.given)) if self.given else "",
            "wanted": ", ".join(role_label(role, lang, programme) for role in wanted) or "—",
            "decide_by": format_instant(grant.decide_by, lang, ZONE),
            "digest": grant.digest,
        }
        return _SHOWN.in_(lang).format_map(fields).split("\n")

    def _changed(self, lang: Lang) -> str:
        """That the payee was changed, by whom, and from when money may go there; empty where nobody did."""
        if self.changed is None:
            return ""
        told = _CHANGED.in_(lang).format(at=format_instant(self.changed.at, lang, ZONE), by=self.changed.by)
        if self.grant.pay_from is not None:
            told += _PAY_FROM.in_(lang).format(at=format_instant(self.grant.pay_from, lang, ZONE))
        return told

    def _on(self, when: str | None, lang: Lang) -> str:
        """When an instalment is paid, if not at once."""
        return f" ({moment_words(parse_moment(when), self.loaded.book, lang)})" if when is not None else ""


_SHOWN = Said(
    "{id}  {name} · {kind} · {amount}\n"
    "    pour {purpose}, {pay_by} : {amounts}\n"
    "    bénéficiaire : {payee}{changed}\n"
    "    demandé par {requester}{given} · manque : {wanted}\n"
    "    expire le {decide_by} · journeys show {journey}\n"
    "    empreinte {digest}",
    "{id}  {name} · {kind} · {amount}\n"
    "    for {purpose}, {pay_by}: {amounts}\n"
    "    payee: {payee}{changed}\n"
    "    asked by {requester}{given} · wanted: {wanted}\n"
    "    expires on {decide_by} · journeys show {journey}\n"
    "    digest {digest}",
)
_CHANGED = Said("\n    ! modifié le {at} par {by}", "\n    ! changed on {at} by {by}")
_PAY_FROM = Said(" ; rien n'est versé avant le {at}", "; nothing is paid before {at}")
_GIVEN = Said(" · accord de {names}", " · approved by {names}")
_DELETED = Said("effacé", "deleted")


async def sight(pool: Pool, row: JourneyRow, grant: str, loaded: Loaded | None = None) -> Sight:
    """Everything about a grant. Raises KeyError for one that the journey does not have."""
    known = loaded or await load(pool, row)
    asked = known.state.grants[grant]
    names = {member.id: member.name for member in await staff.members(pool)}
    given = tuple(names.get(each.actor, "—") for each in asked.approvals)
    return Sight(
        row,
        grant,
        asked,
        await _payee(pool, row, asked.payee),
        _changed(known, grant, names),
        names.get(asked.requester, "—"),
        given,
        known,
    )


def _changed(loaded: Loaded, grant: str, names: Mapping[str, str]) -> PayeeChanged | None:
    for event in reversed(loaded.events):
        data = event.data
        if isinstance(data, e.GrantChanged | e.GrantReopened) and data.grant == grant and data.payee_changed:
            return PayeeChanged(event.recorded_at, names.get(event.actor, "—"))
    return None


async def _payee(pool: Pool, row: JourneyRow, commitment: str) -> Payee | None:
    """What the grant's commitment stands for."""
    for stored in await journal.parts(pool, row.stream):
        if stored.name == "payee" and Part(text=stored.text, salt=stored.salt.hex()).commitment() == commitment:
            return read_payee(stored.text)
    return None
