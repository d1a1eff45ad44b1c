"""People, staff, mentors, partners, programmes: tables follow their streams, headers name nobody."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from journeys.domain.commands import OptOut, PauseMessages, RecordDeath
from journeys.domain.directory import Holder, reachable, search_form
from journeys.store import mentors, partners, people, sites, staff
from journeys.store.directory import AlreadyThere, By, NotFound
from journeys.store.journal import parts, read_all
from journeys.store.people import Details
from journeys.store.programmes import published, texts_of
from journeys.store.publishing import publish
from journeys.store.signing import KeyRing

from .samples import ACTOR, NOW, move, signed

pytestmark = pytest.mark.asyncio
BY = By(actor=ACTOR, role="administrator", at=NOW)
ELOISE = Details(
    first_name="Éloïse",
    last_name="D’Œuvre-Martin",
    birth_date=date(1990, 2, 3),
    reference="A-17",
    email="e@example.org",
)


def id() -> str:
    return str(uuid4())


def member(handle: str, *roles: str, sites: tuple[str, ...] = ()) -> staff.Member:
    return staff.Member(
        id=id(), handle=handle, name=f"Nom {handle}", email=f"{handle}@example.org", phone=None,
        language="fr", roles=roles, sites=sites, active=True,
    )  # fmt: skip


async def kinds(pool: Any, stream: str) -> list[str]:
    return [event.read()["kind"] for event in await read_all(pool, stream)]


async def test_a_person_is_stored_with_texts_in_parts_only(pool: Any) -> None:
    who = id()
    await people.register(pool, who, ELOISE, BY)
    stored = await people.person(pool, who)
    assert stored is not None and stored.details == ELOISE
    stream = people.stream_of(who)
    (event,) = await read_all(pool, stream)
    assert event.read()["data"] == {
        "fields": ["reference", "first_name", "last_name", "birth_date", "email", "language", "zone"]
    }
    for secret in ("lo", "uvre", "A-17", "1990", "example"):
        assert secret not in event.header.decode().replace("language", "").replace("zone", "")
    assert {part.name: part.text for part in await parts(pool, stream)}["last_name"] == "D’Œuvre-Martin"


async def test_a_reference_is_taken_once(pool: Any) -> None:
    await people.register(pool, id(), ELOISE, BY)
    other = id()
    with pytest.raises(AlreadyThere) as raised:
        await people.register(pool, other, replace(ELOISE, last_name="Autre"), BY)
    assert raised.value.field == "reference"
    assert await read_all(pool, people.stream_of(other)) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"reference": None, "first_name": "ELOISE", "last_name": "d'oeuvre  martin"}, True),
        ({"first_name": "Tout", "last_name": "Autre", "birth_date": None}, True),
        ({"reference": None, "birth_date": date(1990, 2, 4)}, False),
        ({"reference": None, "birth_date": None}, False),
        ({"reference": "A-18", "first_name": "Élodie"}, False),
    ],
)
async def test_duplicates(pool: Any, changes: dict[str, Any], found: bool) -> None:
    await people.register(pool, id(), ELOISE, BY)
    assert bool(await people.duplicates(pool, replace(ELOISE, **changes))) is found


async def test_search_takes_words_in_any_order_and_does_not_read_signs(pool: Any) -> None:
    await people.register(pool, id(), ELOISE, BY)
    for text in ("martin eloise", "ŒUVRE", "A-17"):
        assert len(await people.search(pool, text)) == 1, text
    for text in ("martin paul", "%", "_", "", "A-1"):
        assert await people.search(pool, text) == [], text


async def test_a_change_names_its_fields_and_nothing_changes_nothing(pool: Any) -> None:
    who = id()
    await people.register(pool, who, ELOISE, BY)
    changed = await people.change(pool, who, replace(ELOISE, email=None, phone="0102030405"), BY)
    assert changed == ("email", "phone")
    assert await people.change(pool, who, replace(ELOISE, email=None, phone="0102030405"), BY) == ()
    assert await kinds(pool, people.stream_of(who)) == ["PersonRegistered", "PersonChanged"]
    with pytest.raises(NotFound):
        await people.change(pool, id(), ELOISE, BY)


async def test_a_persons_choice_has_one_effect_for_each_command(pool: Any, ring: KeyRing) -> None:
    who = id()
    await people.register(pool, who, ELOISE, BY)
    stream = people.stream_of(who)
    command = signed(stream, ring, body=OptOut())
    answers = await asyncio.gather(*(people.obey(pool, ring, command, NOW) for _ in range(8)))
    assert {answer.model_dump_json() for answer in answers} == {answers[0].model_dump_json()}
    assert (answers[0].outcome, answers[0].first) == ("accepted", 2)
    assert await kinds(pool, stream) == ["PersonRegistered", "OptedOut"]
    stored = await people.person(pool, who)
    assert stored is not None and not stored.may_be_written_to(NOW)
    other = signed(stream, ring, id=command.id, body=RecordDeath())
    assert (await people.obey(pool, ring, other, NOW)).outcome == "conflict"
    forged = signed(stream, KeyRing("k1", {"k1": b"x" * 32}), body=OptOut())
    assert (await people.obey(pool, ring, forged, NOW)).outcome == "unsigned"
    with pytest.raises(ValueError, match="move-date"):
        await people.obey(pool, ring, signed(stream, ring, body=move()), NOW)


async def test_a_pause_ends_with_its_last_day_where_the_person_lives(pool: Any, ring: KeyRing) -> None:
    who = id()
    await people.register(pool, who, replace(ELOISE, zone="Indian/Reunion"), BY)
    command = signed(people.stream_of(who), ring, body=PauseMessages(until=date(2027, 6, 1)))
    await people.obey(pool, ring, command, NOW)
    stored = await people.person(pool, who)
    assert stored is not None
    assert stored.paused_until == datetime(2027, 6, 1, 20, tzinfo=UTC)
    assert not stored.may_be_written_to(datetime(2027, 6, 1, 19, 59, tzinfo=UTC))
    assert stored.may_be_written_to(datetime(2027, 6, 1, 20, tzinfo=UTC))


async def test_staff_roles_sites_and_their_events(pool: Any) -> None:
    leila = member("leila", "referent", sites=("lyon",))
    await staff.add(pool, leila, BY)
    assert await staff.by_handle(pool, "leila") == leila
    with pytest.raises(AlreadyThere) as raised:
        await staff.add(pool, member("leila"), BY)
    assert raised.value.field == "handle"
    assert await staff.give_role(pool, leila.id, "supervisor", BY)
    assert not await staff.give_role(pool, leila.id, "supervisor", BY)
    assert await staff.take_role(pool, leila.id, "referent", BY)
    assert not await staff.take_role(pool, leila.id, "referent", BY)
    await staff.set_sites(pool, leila.id, (), BY)
    await staff.set_funds(pool, leila.id, ("parvis-solidaire",), BY)
    assert await staff.set_active(pool, leila.id, False, BY)
    stored = await staff.member(pool, leila.id)
    assert stored == replace(leila, roles=("supervisor",), sites=(), funds=("parvis-solidaire",), active=False)
    stream = staff.stream_of(leila.id)
    assert await kinds(pool, stream) == ["StaffAdded", "RoleGiven", "RoleTaken", "SitesSet", "FundsSet", "StaffLeft"]
    assert not any(b"leila" in event.header for event in await read_all(pool, stream))
    with pytest.raises(NotFound):
        await staff.give_role(pool, id(), "supervisor", BY)


async def test_roles_given_at_once_are_all_kept(pool: Any) -> None:
    leila = member("leila")
    await staff.add(pool, leila, BY)
    await asyncio.gather(*(staff.give_role(pool, leila.id, f"role-{n}", BY) for n in range(8)))
    stored = await staff.member(pool, leila.id)
    assert stored is not None and len(stored.roles) == 8
    assert [event.seq for event in await read_all(pool, staff.stream_of(leila.id))] == list(range(1, 10))


async def test_who_is_reached_on_a_day(pool: Any) -> None:
    leila, marc, nina = (
        member("leila", "referent", sites=("lyon",)),
        member("marc", "referent"),
        member("nina"),
    )
    for each in (leila, marc, nina):
        await staff.add(pool, each, BY)
    away = staff.Absence(leila.id, date(2027, 5, 10), date(2027, 5, 14), nina.id)
    await staff.set_absence(pool, away, BY)
    there, before = await staff.roster(pool, date(2027, 5, 14)), await staff.roster(pool, date(2027, 5, 9))
    assert set(reachable(before, "referent", "lyon")) == {leila.id, marc.id}
    assert set(reachable(there, "referent", "lyon")) == {nina.id, marc.id}
    assert set(reachable(there, "referent", "lille")) == {marc.id}
    assert await staff.absences(pool, date(2027, 5, 14)) == [away]
    assert await staff.drop_absence(pool, leila.id, away.first_day, BY)
    assert not await staff.drop_absence(pool, leila.id, away.first_day, BY)
    await staff.set_active(pool, marc.id, False, BY)
    assert reachable(await staff.roster(pool, date(2027, 5, 14)), "referent", "lille") == ()


async def test_whoever_stands_in_does_so_from_midnight_wherever_they_are(pool: Any) -> None:
    leila, nina = member("leila", "referent"), member("nina", "referent")
    for each in (leila, nina):
        await staff.add(pool, each, BY)
    await staff.set_absence(pool, staff.Absence(leila.id, date(2027, 5, 10), date(2027, 5, 14), nina.id), BY)

    async def stands_in(at: str) -> bool:
        return await staff.stood_in_for(pool, nina.id, datetime.fromisoformat(at)) == (leila.id,)

    noumea, tahiti = "2027-05-10T07:30:00+11:00", "2027-05-14T22:00:00-10:00"
    assert await stands_in("2027-05-10T00:30:00+02:00"), "half past midnight in Paris"
    assert not await stands_in("2027-05-09T13:00:00+02:00") and not await stands_in("2027-05-15T00:30:00+02:00")
    assert not await stands_in(noumea) and not await stands_in(tahiti), "the house has no site there"
    for code, zone in (("noumea", "Pacific/Noumea"), ("papeete", "Pacific/Tahiti"), ("nowhere", "Nowhere/Near")):
        await sites.describe(pool, sites.Site(code, "Accueil", "1 rue du Port", zone), BY)
    assert await stands_in(noumea), "a morning there"
    assert await stands_in(tahiti), "an evening there"
    assert not await stands_in("2027-05-09T11:00:00+02:00") and not await stands_in("2027-05-15T13:00:00+02:00")


async def test_a_deputy_who_is_away_stands_in_for_nobody() -> None:
    roster = [
        Holder("a", frozenset({"duty"}), frozenset(), absent=True, deputy="b"),
        Holder("b", frozenset(), frozenset(), absent=True),
        Holder("c", frozenset({"duty"}), frozenset(), absent=True, deputy="gone"),
    ]
    assert reachable(roster, "duty", "lyon") == ()


async def test_mentors_and_partners(pool: Any) -> None:
    mentor = mentors.Mentor(id=id(), name="Ana", email=None, phone="0102030405", language="fr", site="lyon", capacity=2)
    await mentors.add(pool, mentor, BY)
    await mentors.change(pool, mentor.id, capacity=1, available=False, by=BY)
    assert await mentors.mentors(pool) == [replace(mentor, capacity=1, available=False)]
    partner = partners.Partner(
        id=id(), name="Toit", kind="housing", email="t@example.org", phone=None, language="fr", site=None
    )
    await partners.add(pool, partner, BY)
    await partners.leave(pool, partner.id, BY)
    assert await partners.partner(pool, partner.id) == replace(partner, active=False)
    for asked in (
        mentors.change(pool, id(), capacity=1, available=True, by=BY),
        partners.leave(pool, partner.id, BY),
    ):
        with pytest.raises(NotFound):
            await asked
    for again in (mentors.add(pool, mentor, BY), partners.add(pool, partner, BY)):
        with pytest.raises(AlreadyThere):
            await again


async def test_a_programme_is_published_once_for_each_text(pool: Any) -> None:
    first = await publish(pool, "auxilia", "name: auxilia", BY)
    assert await publish(pool, "auxilia", "name: auxilia", BY) == first
    second = await publish(pool, "auxilia", "name: auxilia # 2", BY)
    in_force = await published(pool, "auxilia")
    assert in_force is not None and in_force.sha256 == second
    assert len(await texts_of(pool, [first, second])) == 2
    assert await kinds(pool, "system") == ["ProgrammePublished", "ProgrammePublished"]
    assert await publish(pool, "auxilia", "name: auxilia", BY) == first
    assert len(await kinds(pool, "system")) == 3


async def test_publishing_at_once_keeps_one_chain_on_the_systems_stream(pool: Any) -> None:
    await asyncio.gather(*(publish(pool, f"p{n}", f"name: p{n}", BY) for n in range(8)))
    assert len(await kinds(pool, "system")) == 8


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Éloïse D’Œuvre", "eloise d oeuvre"),
        ("  Jean--Luc ", "jean luc"),
        ("Ağca İpek Straße", "agca ipek strasse"),
        ("", ""),
    ],
)
async def test_names_compare_without_case_accents_and_signs(text: str, form: str) -> None:
    assert search_form(text) == form


async def test_by_what_mentors_and_partners_are_proposed_is_kept_with_its_words_in_parts(pool: Any) -> None:
    volunteer = mentors.Mentor(
        id=id(), name="Jean", email=None, phone=None, language="fr", site=None, capacity=1, languages="français, wolof"
    )
    await mentors.add(pool, volunteer, BY)
    moved = replace(volunteer, place="Créteil", languages=None)
    await mentors.describe(pool, moved, BY)
    assert await mentors.mentor(pool, volunteer.id) == moved
    house = partners.Partner(
        id=id(), name="Foyer", kind="housing", email=None, phone=None, language="fr", site=None, place="Créteil",
        purposes=("housing", "meals"), places=4,
    )  # fmt: skip
    await partners.add(pool, house, BY)
    await partners.describe(pool, replace(house, places=None, purposes=()), BY)
    stored = await partners.partner(pool, house.id)
    assert stored is not None and (stored.places, stored.serves) == (None, ("housing",))
    assert await partners.taken(pool) == {}
    for stream in (mentors.stream_of(volunteer.id), partners.stream_of(house.id)):
        for event in await read_all(pool, stream):
            assert b"wolof" not in event.header and "Créteil".encode() not in event.header
    with pytest.raises(NotFound):
        await mentors.describe(pool, replace(moved, id=id()), BY)
    with pytest.raises(NotFound):
        await partners.describe(pool, replace(house, id=id()), BY)
