"""Beginning a journey: who it is for, whether it is begun already, the plan tried against the rules, then sent."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple, cast

from journeys.app.allowing import has_left
from journeys.app.entry import Actor, give, make_command, must_be_trusted
from journeys.app.failures import Exit, Failure, Said
from journeys.app.publishing import Rules, keep
from journeys.app.reading import today_of
from journeys.app.telling import failure_of, refused_failure
from journeys.contract import Answer
from journeys.domain.calendar import is_zone
from journeys.domain.commands import Command, Plan
from journeys.domain.decide import Refused, decide
from journeys.domain.guards import date_wanted
from journeys.domain.programme import Programme
from journeys.domain.state import State
from journeys.identifiers import following_id, short, uuid7
from journeys.store import people, sites, views
from journeys.store.database import Pool
from journeys.store.directory import AlreadyThere, By
from journeys.store.people import Details, Person
from journeys.store.signing import KeyRing
from journeys.store.staff import Member
from journeys.store.vault import UNSAID_ZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is known of a journey before it begins."""

    details: Details
    referent: Member
    dates: dict[str, date] = field(default_factory=dict)
    start: date | None = None
    site: str | None = None
    watch_from: datetime | None = None
    happened: tuple[str, ...] = ()
    """Which of `dates` have happened already."""


class Enrolled(NamedTuple):
    """Somebody who is registered, or will be: by id, and where they live."""

    id: str
    zone: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A journey that has begun."""

    id: str
    person: str
    name: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Starter:
    """What starting journeys of one programme needs."""

    pool: Pool
    ring: KeyRing
    rules: Rules
    actor: Actor
    """Who plans."""

    def planned(
        self, wanted: Beginning, person: Enrolled, journey: str, now: datetime, id: str | None = None
    ) -> Command:
        """The signed plan.

        Raises:
            Failure: who is to lead it has left; or (usage) somebody so young does not begin without a date that says
                so.
        """
        if not wanted.referent.active:
            raise has_left(wanted.referent, "referent")
        self._must_tell_their_age(wanted, now)
        body = Plan(
            person=person.id,
            programme=self.rules.programme_hash,
            calendar=self.rules.calendar_hash,
            referent=wanted.referent.id,
            site=wanted.site or _only_site(wanted.referent),
            start=wanted.start,
            dates=wanted.dates,
            watch_from=wanted.watch_from,
            zone=_elsewhere(person.zone, self.rules.programme),
            happened=wanted.happened,
        )
        return make_command(self.ring, stream=f"journey-{journey}", body=body, actor=self.actor, now=now, id=id)

    def _must_tell_their_age(self, wanted: Beginning, now: datetime) -> None:
        """A programme that bars something of the young must know of whom: the date by which it does is to be given."""
        programme, born = self.rules.programme, wanted.details.birth_date
        missing = date_wanted(programme, born, wanted.start or today_of(now), frozenset(wanted.dates))
        if missing is not None:
            code, guard = missing
            label = programme.dates[code].label
            raise Failure(
                Exit.USAGE, "age-date-missing",
                Said(f"{wanted.details.first_name} a moins de {guard.under} ans : donnez la date « {label.fr} »",
                     f"{wanted.details.first_name} is under {guard.under}: give the date “{label.en}”"),
                Said(guard.says.fr, guard.says.en), field=f"date-{code}",
            )  # fmt: skip

    async def known(self, details: Details) -> Person | None:
        """The person in the store, if there is one. Raises Failure (conflict) when this programme accompanies them."""
        found = await people.duplicates(self.pool, details)
        for person in found:
            for row in await views.journeys(self.pool, person=person.id, open_only=True):
                if row.programme == self.rules.programme.programme:
                    raise already_begun(details, row.id, person)
        return found[0] if found else None

    def tried(self, wanted: Beginning, now: datetime) -> None:
        """Decide the plan without sending it, so that a refusal leaves nobody registered. Raises Failure."""
        command = self.planned(wanted, Enrolled(uuid7(now), wanted.details.zone), uuid7(now), now)
        decision = decide(State(stream=command.stream), command, now, self.rules.book)
        if isinstance(decision, Refused):
            raise refused_failure(decision.code, decision.details, self.rules.book)

    async def enrolled(self, wanted: Beginning, now: datetime, id: str | None = None) -> Enrolled:
        """The person, registered where needed, once the plan is known to hold and its rules are kept.

        Args:
            id: of the person, where the same start was perhaps given before; a new one is drawn otherwise.

        Raises:
            Failure: begun already, or the id is another start's (conflict), or refused by a rule or right; nothing was
                changed.
        """
        person = await self.known(wanted.details)
        wanted = await self.at_home(wanted, person)
        self.tried(wanted, now)
        await must_be_trusted(self.pool, self.ring)
        by = By(actor=self.actor.id, role=self.actor.roles[0] if self.actor.roles else "none", at=now)
        await keep(self.pool, self.rules, by)
        if person is not None:
            return Enrolled(person.id, person.details.zone)
        person_id = id or uuid7(now)
        try:
            await people.register(self.pool, person_id, wanted.details, by)
        except AlreadyThere as taken:
            if id is None or taken.field != "id":
                raise already_begun(wanted.details, None, None) from None
            # The same start was given before, and got as far as this; another one did not.
            there = await people.person(self.pool, person_id)
            if there is None or there.details != wanted.details:
                conflict = Answer(command=person_id, outcome="conflict", code="id-used")
                raise cast(Failure, failure_of(conflict, self.rules.book)) from None
        return Enrolled(person_id, wanted.details.zone)

    async def at_home(self, wanted: Beginning, person: Person | None) -> Beginning:
        """The same, where they live: who was known before where they do; who said nothing of it in the zone of their
        site, or of the programme where their site is not described."""
        zone = wanted.details.zone
        if person is not None:
            zone = person.details.zone
        elif zone == UNSAID_ZONE:
            code = wanted.site or _only_site(wanted.referent)
            site = await sites.site(self.pool, code) if code is not None else None
            zone = site.zone if site is not None else self.rules.programme.clock.zone
        return replace(wanted, details=replace(wanted.details, zone=zone))

    async def begin(
        self, client: object, task_queue: str, wanted: Beginning, now: datetime, id: str | None = None
    ) -> Begun:
        """Register the person where needed and plan the journey.

        Args:
            id: of the journey and of its plan, to begin again what got no answer; a new one is drawn otherwise.

        Raises:
            Failure: begun already (conflict), or refused by a rule or right; nothing was changed.
            Unreachable: nobody answered; the same start, given again under the same id, begins no second journey.
        """
        person = await self.enrolled(wanted, now, following_id(id, "person") if id is not None else None)
        journey = id or uuid7(now)
        command = self.planned(wanted, person, journey, now, id)
        answer = await give(self.pool, client, command, task_queue)  # type: ignore[arg-type]
        if (failure := failure_of(answer, self.rules.book)) is not None:
            raise failure
        return Begun(journey, person.id, f"{wanted.details.first_name} {wanted.details.last_name}", answer)


def already_begun(details: Details, journey: str | None, person: Person | None) -> Failure:
    """The same person twice."""
    name = f"{details.first_name} {details.last_name}"
    same_reference = (
        person is not None and details.reference is not None and person.details.reference == details.reference
    )
    why_fr = f"même référence {details.reference}" if same_reference else "même nom et même date de naissance"
    why_en = f"same reference {details.reference}" if same_reference else "same name and birth date"
    shown = f" ({short(journey)})" if journey else ""
    return Failure(
        Exit.CONFLICT,
        "duplicate",
        Said(
            f"{name} suit déjà ce programme{shown} : {why_fr}", f"{name} is in this programme already{shown}: {why_en}"
        ),
        Said(f"voyez « journeys show {short(journey)} »", f"see “journeys show {short(journey)}”") if journey else None,
        field="reference" if same_reference else "person",
        more={"journey": journey} if journey else None,
    )


def _elsewhere(zone: str, programme: Programme) -> str | None:
    """Where the person lives, when clocks there are not those of the programme."""
    return zone if zone != programme.clock.zone and is_zone(zone) else None


def _only_site(member: Member) -> str | None:
    return member.sites[0] if len(member.sites) == 1 else None
