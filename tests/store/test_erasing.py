"""What the database itself holds to when a person is forgotten."""

import errno
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.audit import duties
from journeys.domain.commands import OptOut
from journeys.domain.directory import PartnerErased, StaffErased
from journeys.domain.rota import Shift
from journeys.issuing import issue
from journeys.store import (
    accounts,
    contact_erasing,
    erasing,
    mentors,
    partners,
    people,
    rota,
    sessions,
    staff,
    staff_letters,
)
from journeys.store.directory import AlreadyThere, By, Forgotten, NotFound, names_of
from journeys.store.signing import KeyRing

BY = By(actor="system", role="system", at=datetime.now(UTC))
ZOE = people.Details(first_name="Zoé", last_name="Canari", phone="+33612345678")


async def registered(pool: Any) -> str:
    person = str(uuid4())
    await people.register(pool, person, ZOE, BY)
    return person


async def test_nothing_goes_of_whom_nobody_ordered_it(pool: Any, owner: Any) -> None:
    person, other = await registered(pool), await registered(pool)
    await erasing.order(pool, other, "person-asked", BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await erasing.delete(pool, person)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("DELETE FROM parts")
    held = await erasing.survey(pool, person)
    # Without the guard all of it would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_person'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await erasing.delete(pool, person)
    assert held.parts > 0 and (await erasing.survey(pool, person)).parts == 0


async def test_from_the_order_on_nothing_is_written_of_the_person_and_a_second_order_is_the_first(pool: Any) -> None:
    person = await registered(pool)
    known = await erasing.order(pool, person, "person-asked", BY)
    assert await erasing.order(pool, person, "ordered", BY) == known
    assert await erasing.under_way(pool) == [known]
    for late in (
        people.change(pool, person, people.Details(first_name="Zoé", last_name="Autre"), BY),
        people.note_export(pool, person, 0, 0, BY),
    ):
        with pytest.raises(Forgotten):
            await late
    facts = await pool.fetchval("SELECT count(*) FROM events WHERE stream = $1", f"person-{person}")
    ring = KeyRing("k1", {"k1": b"1" * 32})
    asked = issue(ring, stream=f"person-{person}", body=OptOut(), actor=person, roles=("participant",), now=BY.at)
    with pytest.raises(Forgotten):
        await people.obey(pool, ring, asked, BY.at)
    assert await pool.fetchval("SELECT count(*) FROM events WHERE stream = $1", f"person-{person}") == facts
    assert await people.duplicates(pool, ZOE) == [], "who comes again is somebody new"
    with pytest.raises(NotFound):
        await erasing.order(pool, str(uuid4()), "person-asked", BY)
    with pytest.raises(NotFound):
        await erasing.certify(pool, person, BY)
    await erasing.note(pool, person, await erasing.survey(pool, person))
    await erasing.delete(pool, person)
    await erasing.note(pool, person, await erasing.survey(pool, person))
    seq = await erasing.certify(pool, person, BY)
    assert await erasing.certify(pool, person, BY) == seq
    known = (await erasing.erasures(pool))[0]
    event = await erasing.certificate(pool, known)
    assert event is not None and event.data.held.parts == 5, "as it was before"  # type: ignore[attr-defined]


def lina(**known: Any) -> mentors.Mentor:
    return mentors.Mentor(
        id=str(uuid4()), name="Lina Canari", email="lina@example.org", phone="+33612", language="fr", site="nord",
        capacity=2, place="Lille", **known,
    )  # fmt: skip


async def test_a_mentor_is_in_no_list_from_the_order_on_and_nothing_is_left_but_the_certificate(
    pool: Any, owner: Any
) -> None:
    mentor, other = lina(), lina()
    for each in (mentor, other):
        await mentors.add(pool, each, BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await contact_erasing.delete(pool, "mentor", mentor.id)
    held = await contact_erasing.survey(pool, "mentor", mentor.id)
    assert held.parts == 6 and await contact_erasing.found_by(pool, "mentor", mentor.id) == (
        mentor.name, mentor.email, mentor.phone,
    )  # fmt: skip
    known = await contact_erasing.order(pool, "mentor", mentor.id, "person-asked", BY)
    assert await contact_erasing.order(pool, "mentor", mentor.id, "ordered", BY) == known and known.kind == "mentor"
    assert await erasing.under_way(pool) == [known] and await erasing.ordered(pool, mentor.id) is None
    assert await mentors.mentors(pool) == [other] and await mentors.mentor(pool, mentor.id) is None
    assert await names_of(pool, [mentor.id]) == {}
    for change in (
        mentors.describe(pool, mentor, BY),
        mentors.change(pool, mentor.id, capacity=1, available=True, by=BY),
    ):
        with pytest.raises(NotFound):
            await change
    with pytest.raises(NotFound):
        await contact_erasing.order(pool, "mentor", str(uuid4()), "person-asked", BY)
    for _ in range(2):
        await erasing.note(pool, mentor.id, await contact_erasing.survey(pool, "mentor", mentor.id), "mentor")
        await erasing.destroy(pool.keys, await erasing.keys_of(pool, mentor.id, "mentor"), None)
        await contact_erasing.delete(pool, "mentor", mentor.id)
        seq = await erasing.certify(pool, mentor.id, BY, "mentor")
    [known] = await erasing.erasures(pool)
    event = await erasing.certificate(pool, known)
    assert known.certificate == seq and event is not None and event.stream == f"mentor-{mentor.id}"
    assert (event.data.held, event.data.keys) == (held, (f"mentor-{mentor.id}",))  # type: ignore[attr-defined]
    assert await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", f"mentor-{mentor.id}") == 0
    assert await owner.fetchval("SELECT sealed FROM mentors WHERE id = $1", mentor.id) is None
    assert (await contact_erasing.survey(pool, "mentor", other.id)).parts == 6
    with pytest.raises(AlreadyThere):
        await mentors.add(pool, mentor, BY)
    # Without the guard anybody's would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_mentor'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await contact_erasing.delete(pool, "mentor", other.id)
    assert (await contact_erasing.survey(pool, "mentor", other.id)).parts == 0


async def test_a_restored_record_forgets_the_mentor_again(pool: Any, tmp_path: Path) -> None:
    mentor, listed = lina(), tmp_path / "destroyed-keys"
    await mentors.add(pool, mentor, BY)
    await erasing.destroy(pool.keys, [f"mentor-{mentor.id}"], listed)
    assert await contact_erasing.order_again(pool, listed, BY.at) == [mentor.id]
    assert await contact_erasing.order_again(pool, listed, BY.at) == []
    assert [each.reason for each in await erasing.under_way(pool)] == ["restored"]


async def test_a_mentor_on_call_is_not_forgotten_and_no_shift_is_left_of_one_who_is(pool: Any) -> None:
    mentor = lina()
    await mentors.add(pool, mentor, BY)
    for days in (-2, 2):
        begins = BY.at + timedelta(days=days)
        shift = Shift(str(uuid4()), "duty", None, mentor.id, begins, begins + timedelta(hours=12))
        await rota.add(pool, [shift], "+33612", BY)
    with pytest.raises(contact_erasing.StillNeeded, match="on-call"):
        await contact_erasing.order(pool, "mentor", mentor.id, "person-asked", BY)
    assert await mentors.mentors(pool) == [mentor], "nothing has changed"
    await rota.drop(pool, shift.id, BY)
    await contact_erasing.order(pool, "mentor", mentor.id, "person-asked", BY)
    await contact_erasing.delete(pool, "mentor", mentor.id)
    assert await pool.fetchval("SELECT count(*) FROM shifts") == 0


def noor(**known: Any) -> staff.Member:
    return staff.Member(
        id=str(uuid4()), handle="noor.haddad", name="Noor Haddad", email="noor@example.org", phone="+33612345678",
        language="fr", roles=("referent",), sites=("lyon",), active=True, **known,
    )  # fmt: skip


async def test_a_member_who_left_is_forgotten_whole_and_the_facts_keep_their_role(pool: Any, owner: Any) -> None:
    member, other = noor(), replace(noor(), handle="autre")
    for each in (member, other):
        await staff.add(pool, each, BY)
    with pytest.raises(contact_erasing.StillNeeded, match="active"):
        await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)
    await staff.set_active(pool, member.id, False, replace(BY, at=BY.at + timedelta(hours=1)))
    await accounts.set_password(pool, member.id, "un mot de passe assez long")
    token = await sessions.open_session(pool, member.id, "password")
    await sessions.keep_form(pool, token, "texte=vu")
    today = BY.at.date()
    await staff.set_absence(pool, staff.Absence(member.id, today, today, None), BY)
    await staff.set_absence(pool, staff.Absence(other.id, today, today, member.id), BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await contact_erasing.delete(pool, "staff", member.id)

    known = await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)
    assert await contact_erasing.order(pool, "staff", member.id, "ordered", BY) == known
    assert await names_of(pool, [member.id]) == {} and await staff.member(pool, member.id) is None
    assert [each.id for each in await staff.members(pool)] == [other.id]
    with pytest.raises(NotFound):
        await staff.set_active(pool, member.id, True, BY)
    held = await contact_erasing.survey(pool, "staff", member.id)
    await erasing.note(pool, member.id, held, "staff")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, member.id, "staff"), None)
    await contact_erasing.delete(pool, "staff", member.id)
    seq = await erasing.certify(pool, member.id, BY, "staff")
    [order] = await erasing.erasures(pool)
    event = await erasing.certificate(pool, order)
    assert event is not None and (event.seq, event.stream) == (seq, f"staff-{member.id}")
    assert isinstance(event.data, StaffErased) and event.data.keys == (f"staff-{member.id}",) and held.parts == 4
    row = await owner.fetchrow("SELECT * FROM staff WHERE id = $1", member.id)
    assert row["sealed"] is None and "noor" not in row["handle"] and row["roles"] == ["referent"]
    for table in ("accounts", "sessions", "tokens", "identities"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table} WHERE staff = $1", member.id) == 0, table
    assert await owner.fetchval("SELECT count(*) FROM kept_forms") == 0
    assert [(a.staff, a.deputy) for a in await staff.absences(pool, today)] == [(other.id, None)]
    [career] = (await duties.careers(pool, [member.id])).values()
    assert career.held("referent", BY.at) and not career.held("supervisor", BY.at)
    assert (await contact_erasing.survey(pool, "staff", other.id)).parts == 4
    await staff.add(pool, noor(), BY)
    # Without the guard anybody's would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_staff'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await contact_erasing.delete(pool, "staff", other.id)
    assert (await contact_erasing.survey(pool, "staff", other.id)).parts == 0


STAYS = {"id", "handle", "language", "roles", "sites", "funds", "active", "erasing"}
"""Columns of a forgotten member: who acted had these roles and sites; the handle is a number from then on."""
GOES = {"sealed", "mail_failed", "mail_failed_at", "mail_returned"}
ACTS = {("links", "issued_by"), ("feeds", "issued_by"), ("feed_ends", "ended_by")}
"""Where an id says who did something: without the key it names nobody."""


async def test_nothing_of_a_member_is_left_wherever_a_later_table_has_it(pool: Any, owner: Any) -> None:
    member, today = noor(), BY.at.date()
    await staff.add(pool, member, BY)
    await staff.mail_failed(pool, member.id, "mail-bounced", BY, returned=True)
    await staff_letters.note(pool, str(uuid4()), member.id, [staff_letters.About(f"journey-{uuid4()}", effect=3)])
    await accounts.set_password(pool, member.id, "un mot de passe assez long")
    await sessions.open_session(pool, member.id, "password")
    await staff.set_absence(pool, staff.Absence(member.id, today, today, None), BY)
    assert (await owner.fetchrow("SELECT mail_failed FROM staff"))["mail_failed"] == "mail-bounced"
    await staff.set_active(pool, member.id, False, BY)
    await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)
    await contact_erasing.delete(pool, "staff", member.id)
    row = dict(await owner.fetchrow("SELECT * FROM staff WHERE id = $1", member.id))
    assert row.keys() == STAYS | GOES and not any(row[column] for column in GOES)
    leading = await owner.fetch(
        "SELECT c.conrelid::regclass::text AS of, a.attname::text AS by FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND c.confrelid = 'staff'::regclass"
    )
    assert {*ACTS, ("staff_letters", "staff"), ("sessions", "staff")} <= {(row["of"], row["by"]) for row in leading}
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_staff'::regproc)")
    for of, by in {(row["of"], row["by"]) for row in leading} - ACTS:
        assert await owner.fetchval(f"SELECT count(*) FROM {of} WHERE {by} = $1", member.id) == 0, of
        assert f" {of} " in body, f"{of} is named where a member is forgotten"


async def test_a_member_for_whom_something_waits_is_not_forgotten(pool: Any, owner: Any) -> None:
    member = noor()
    await staff.add(pool, member, BY)
    await staff.set_active(pool, member.id, False, BY)
    begins = BY.at + timedelta(days=2)
    shift = Shift(str(uuid4()), "duty", None, member.id, begins, begins + timedelta(hours=12))
    await rota.add(pool, [shift], None, BY)
    with pytest.raises(contact_erasing.StillNeeded, match="on-call"):
        await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)
    await rota.drop(pool, shift.id, BY)

    journey, board = str(uuid4()), json.dumps({"board": [{"kind": "escalation", "id": "e", "held_by": member.id}]})
    await owner.execute(
        "INSERT INTO journeys (id, person, programme, status, seq, summary, referent)"
        " VALUES ($1, $2, 'auxilia', 'active', 1, $4, $3)", journey, str(uuid4()), member.id, board,
    )  # fmt: skip
    assert await contact_erasing.led_by(pool, member.id) == [f"journey-{journey}"]
    assert await contact_erasing.decided_by(pool, member.id) == [f"journey-{journey}"]
    with pytest.raises(contact_erasing.StillNeeded, match="counted-on"):
        await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)
    # In a copy that was put back they stand as they did, and nobody can end them any more.
    certified = "INSERT INTO erasures VALUES ((SELECT person FROM journeys), 1, 'ordered', now(), 'x', '{}', now(), 2)"
    await owner.execute(certified)
    assert await contact_erasing.led_by(pool, member.id) == []
    assert await contact_erasing.decided_by(pool, member.id) == []
    await owner.execute("DELETE FROM erasures")
    await owner.execute("UPDATE journeys SET status = 'closed', summary = '{}'")
    assert await contact_erasing.led_by(pool, member.id) == [], "a closed journey does not wait"
    assert await contact_erasing.decided_by(pool, member.id) == []
    assert (await contact_erasing.order(pool, "staff", member.id, "person-asked", BY)).stream == f"staff-{member.id}"


async def test_a_restored_record_forgets_the_member_again(pool: Any, tmp_path: Path) -> None:
    member, listed = noor(), tmp_path / "destroyed-keys"
    await staff.add(pool, member, BY)
    listed.write_text(f"staff-{member.id}\n")
    assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [member.id]), "though they seem to work here"
    assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [])
    assert [(each.kind, each.reason) for each in await erasing.under_way(pool)] == [("staff", "restored")]


def house(name: str = "Foyer (Léa Canari)") -> partners.Partner:
    return partners.Partner(
        id=str(uuid4()), name=name, kind="housing", email="lea@example.org", phone="+33612345678", language="fr",
        site=None, place="Lyon",
    )  # fmt: skip


async def test_a_partner_who_takes_nobody_any_more_is_forgotten_with_their_contact(
    pool: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner, other = house(), house("Foyer (Nora)")
    for each in (partner, other):
        await partners.add(pool, each, BY)
    with pytest.raises(contact_erasing.StillNeeded, match="active"):
        await contact_erasing.order(pool, "partner", partner.id, "person-asked", BY)
    await partners.leave(pool, partner.id, BY)

    async def two(*_: Any) -> dict[str, int]:
        return {partner.id: 2}

    with monkeypatch.context() as patch:
        patch.setattr(partners, "taken", two)
        with pytest.raises(contact_erasing.StillNeeded, match="counted-on"):
            await contact_erasing.order(pool, "partner", partner.id, "person-asked", BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await contact_erasing.delete(pool, "partner", partner.id)
    known = await contact_erasing.order(pool, "partner", partner.id, "person-asked", BY)
    assert await contact_erasing.order(pool, "partner", partner.id, "ordered", BY) == known
    assert await names_of(pool, [partner.id]) == {} and await partners.partner(pool, partner.id) is None
    assert [each.id for each in await partners.partners(pool)] == [other.id]
    held = await contact_erasing.survey(pool, "partner", partner.id)
    assert held.parts >= 3 and await contact_erasing.found_by(pool, "partner", partner.id) == (
        "lea@example.org",
        "+33612345678",
    )
    await erasing.note(pool, partner.id, held, "partner")
    await erasing.destroy(pool.keys, await erasing.keys_of(pool, partner.id, "partner"), None)
    assert await contact_erasing.found_by(pool, "partner", partner.id) == ()
    await contact_erasing.delete(pool, "partner", partner.id)
    await erasing.certify(pool, partner.id, BY, "partner")
    [order] = await erasing.erasures(pool)
    event = await erasing.certificate(pool, order)
    assert event is not None and isinstance(event.data, PartnerErased)
    assert event.data.keys == (f"partner-{partner.id}",)
    assert (await contact_erasing.survey(pool, "partner", partner.id)).parts == 0
    assert await owner.fetchval("SELECT sealed FROM partners WHERE id = $1", partner.id) is None
    # Without the guard anybody's would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_partner'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await contact_erasing.delete(pool, "partner", other.id)
    assert (await contact_erasing.survey(pool, "partner", other.id)).parts == 0


async def test_a_restored_record_forgets_the_partner_again(pool: Any, tmp_path: Path) -> None:
    partner, listed = house(), tmp_path / "destroyed-keys"
    await partners.add(pool, partner, BY)
    listed.write_text(f"partner-{partner.id}\n")
    assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [partner.id])
    assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [])


async def test_what_a_restored_copy_brings_back_goes_again_and_a_mentor_is_known_until_their_letters_went(
    pool: Any, tmp_path: Path
) -> None:
    person, mentor, listed = await registered(pool), lina(), tmp_path / "destroyed-keys"
    await mentors.add(pool, mentor, BY)
    unknown = f"mentor-{uuid4()}"
    await pool.keys.ready([unknown])
    listed.write_text(f"person-{person}\nmentor-{mentor.id}\n{unknown}\n")
    assert await contact_erasing.put_right(pool, listed, BY.at) == (2, [person, mentor.id])
    assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [])
    keys = {f"person-{person}", f"mentor-{mentor.id}", unknown}
    assert await pool.keys.destroyed(keys) == keys - {f"mentor-{mentor.id}"}
    assert "Lina Canari" in await contact_erasing.found_by(pool, "mentor", mentor.id)
    # Once its own workflow has destroyed it, another copy of the keys brings it back for nobody.
    await erasing.note(pool, mentor.id, await contact_erasing.survey(pool, "mentor", mentor.id), "mentor")
    await erasing.certify(pool, mentor.id, BY, "mentor")
    assert await contact_erasing.put_right(pool, listed, BY.at) == (1, [])
    assert await contact_erasing.found_by(pool, "mentor", mentor.id) == ()


async def test_where_the_list_was_lost_the_database_of_keys_says_who_was_forgotten(pool: Any, tmp_path: Path) -> None:
    person, mentor, other = await registered(pool), lina(), await registered(pool)
    await mentors.add(pool, mentor, BY)
    await erasing.destroy(pool.keys, [f"person-{person}", f"mentor-{mentor.id}"], None)
    for listed in (None, tmp_path / "destroyed-keys"):
        assert await contact_erasing.put_right(pool, listed, BY.at) == (0, [] if listed else [person, mentor.id])
    assert await erasing.ordered(pool, other) is None


def test_a_list_of_destroyed_keys_is_whole_after_half_a_line_and_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, first, second = tmp_path / "destroyed-keys", f"person-{uuid4()}", f"finance-{uuid4()}"
    listed.write_text("person-01a2")
    write, room = os.write, [7, 11, 0]

    def short(descriptor: int, data: bytes) -> int:
        left = room.pop(0) if room else len(data)
        if not left:
            raise OSError(errno.ENOSPC, "no space left on device")
        return write(descriptor, data[:left])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="no space"):
        erasing._list(listed, [first])
    assert erasing._read(listed) == set()
    erasing._list(listed, [first, second])
    erasing._list(listed, [first])
    assert erasing._read(listed) == {first, second}
    assert listed.read_text().split()[2:] == sorted([first, second])


async def test_a_letter_to_an_address_of_before_is_still_known(pool: Any) -> None:
    member = noor()
    await staff.add(pool, member, BY)
    await staff.change(pool, member.id, name=member.name, email="n.haddad@example.org", phone=None, by=BY)
    assert await contact_erasing.found_by(pool, "staff", member.id) == (
        "n.haddad@example.org", "noor@example.org", "+33612345678",
    )  # fmt: skip
    await staff_letters.note(pool, letter := str(uuid4()), member.id, [staff_letters.About(f"journey-{uuid4()}")])
    assert await contact_erasing.letters_owed(pool, "staff", member.id) == [letter]
    assert await contact_erasing.letters_owed(pool, "mentor", member.id) == []
    await pool.keys.destroy([f"staff-{member.id}"])
    assert await contact_erasing.found_by(pool, "staff", member.id) == ()
