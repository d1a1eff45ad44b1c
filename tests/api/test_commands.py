"""Commands of programs on a real installation: once for a key, seen or not, proved where it is about money."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pyotp
import pytest

from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.identifiers import following_id
from journeys.settings import load_settings
from journeys.store import accounts, mentors, partners, people, sites, treasury, views
from journeys.store.directory import By
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.people import Details
from journeys.store.views import JourneyRow
from tests.api.site import Site, fresh
from tests.web.office import PDF

PERSON = {"first_name": "Samir", "last_name": "Benali", "birth_date": "1999-04-02"}


def give(site: Site, id: str, command: str, role: str = "referent", key: str | None = None, seen: int | None = None,
         code: str | None = None, **body: Any) -> httpx.Response:  # fmt: skip
    headers = {"Idempotency-Key": key or fresh()}
    headers |= {"If-Match": f'"{seen}"'} if seen is not None else {}
    headers |= {"Journeys-Code": code} if code is not None else {}
    with site.client(role) as program:
        return program.post(f"/journeys/{id}/commands/{command}", json=body, headers=headers)


def seq(site: Site, id: str) -> int:
    with site.client() as program:
        answer = program.get(f"/journeys/{id}")
    assert answer.headers["etag"] == f'"{answer.json()["seq"]}"'
    return int(answer.json()["seq"])


def test_a_journey_begins_once_for_a_key(site: Site) -> None:
    key = fresh()
    body = {"programme": "auxilia", "person": {**PERSON, "reference": f"R-{key}"}, "referent": site.staff["referent"],
            "dates": {"release": "2099-09-15"}}  # fmt: skip
    with site.client() as program:
        sent = [program.post("/journeys", json=body, headers={"Idempotency-Key": key}) for _ in range(2)]
        assert [each.status_code for each in sent] == [201, 201], sent[1].text
        assert sent[0].json()["answer"] == sent[1].json()["answer"]
        assert sent[0].headers["location"] == f"/api/v1/journeys/{key}"
        other = program.post("/journeys", json={**body, "start": "2098-01-01"}, headers={"Idempotency-Key": key})
        assert (other.status_code, other.json()["code"]) == (409, "key-used")
        twin = program.post("/journeys", json=body, headers={"Idempotency-Key": fresh()})
        assert (twin.status_code, twin.json()["code"], twin.json()["journey"]) == (409, "duplicate", key)
    with site.client("supervisor") as another:
        foreign = another.post("/journeys", json=body, headers={"Idempotency-Key": key})
        assert (foreign.status_code, foreign.json()["code"]) == (409, "key-used")


def test_a_key_by_which_a_start_of_another_person_got_no_answer_begins_nothing(site: Site) -> None:
    planned, registered = fresh(), fresh()

    async def before(pool: Any) -> None:
        """The engine was away: all that is left of a start is whose the journey is, or the person."""
        await pool.keys.assign(f"journey-{planned}", fresh())
        by = By(actor="system", role="system", at=datetime.now(UTC))
        details = Details(first_name="Autre", last_name=f"N{registered}")
        await people.register(pool, following_id(registered, "person"), details, by)

    site.query(before)
    for key in (planned, registered):
        body = {"programme": "auxilia", "person": {"first_name": "Essai", "last_name": f"K{key}"},
                "referent": site.staff["referent"], "dates": {"release": "2099-09-15"}}  # fmt: skip
        with site.client() as program:
            answer = program.post("/journeys", json=body, headers={"Idempotency-Key": key})
            assert (answer.status_code, answer.json()["code"]) == (409, "key-used"), answer.text
            assert program.get(f"/journeys/{key}").status_code == 404


def test_the_same_key_has_one_effect_and_one_answer(site: Site) -> None:
    id, key = site.start(), str(uuid.uuid4())
    first = give(site, id, "add-note", key=key, text="rappelé hier")
    again = give(site, id, "add-note", key=key, text="rappelé hier")
    assert first.status_code == again.status_code == 200, again.text
    assert first.json() == again.json()
    assert first.headers["etag"] == f'"{first.json()["journey"]["seq"]}"'
    other = give(site, id, "add-note", key=key, text="autre chose")
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (409, "key-used", "Idempotency-Key")
    by_another = give(site, id, "add-note", "supervisor", key=key, text="rappelé hier")
    assert by_another.status_code == 409
    with site.client() as program:
        looked_up = program.get(f"/journeys/{id}/answers/{key}")
        assert looked_up.json() == first.json()["answer"]
        events = program.get(f"/journeys/{id}/events", params={"after": first.json()["answer"]["first"] - 1}).json()
        assert [(each["kind"], each["texts"]) for each in events["events"]] == [("NoteAdded", {"text": "rappelé hier"})]


def test_a_command_about_the_person_has_one_effect(site: Site) -> None:
    id, key = site.start(), fresh()
    first, again = (give(site, id, "opt-out", key=key) for _ in range(2))
    assert first.status_code == again.status_code == 200
    with site.client() as program:
        assert program.get(f"/journeys/{id}/answers/{key}").json()["outcome"] == "accepted"
        events = program.get(f"/journeys/{id}/events").json()["events"]
    assert [each["kind"] for each in events].count("OptedOut") == 1


def test_whoever_is_full_is_told_and_asked_all_the_same(site: Site) -> None:
    partner, mentor = fresh(), fresh()

    async def small(pool: Any) -> None:
        by = By(actor="system", role="system", at=datetime.now(UTC))
        house = Partner(id=partner, name="Foyer Plein", kind="housing", email=None, phone=None, language="fr",
                        site=None, places=1)  # fmt: skip
        await partners.add(pool, house, by)
        await mentors.add(pool, Mentor(id=mentor, name="Théo Occupé", email=None, phone=None, language="fr", site=None,
                                       capacity=0), by)  # fmt: skip

    site.query(small)
    first, second = site.start(), site.start()
    sending = {"partner": partner, "purpose": "housing"}
    key = fresh()
    for again in (give(site, first, "send-referral", key=key, **sending) for _ in range(2)):
        assert (again.status_code, again.json()["warning"]) == (200, None), "its own place is not taken"
    full = give(site, second, "send-referral", **sending)
    assert (full.status_code, full.json()["answer"]["outcome"]) == (200, "accepted")
    assert full.json()["warning"] == {"code": "no-place",
                                      "message": "Take care: Foyer Plein has no place left (1 of 1)."}  # fmt: skip
    busy = give(site, second, "propose-mentor", mentor=mentor)
    assert (busy.status_code, busy.json()["warning"]["code"]) == (200, "no-place"), busy.text
    with site.client(None) as program:
        shapes = program.get("/openapi.json").json()["components"]["schemas"]
    assert {"$ref": "#/components/schemas/Warning"} in shapes["Done"]["properties"]["warning"]["anyOf"]
    assert shapes["Warning"]["properties"]["code"]["enum"] == ["no-place", "mentor-away", "overlap"]


def test_an_appointment_at_the_time_of_another_of_the_person_or_of_whoever_leads_is_booked_and_told(site: Site) -> None:
    first, second = site.start(), site.start()
    at, key = "2031-05-12T14:30:00+02:00", fresh()
    for again in (give(site, first, "book-appointment", key=key, at=at, minutes=45) for _ in range(2)):
        assert (again.status_code, again.json()["warning"]) == (200, None), "it does not overlap itself"
    own = give(site, first, "book-appointment", at="2031-05-12T15:00:00+02:00")
    assert (own.status_code, own.json()["warning"]["code"]) == (200, "overlap"), own.text
    assert own.json()["warning"]["message"].startswith("Take care: the person has an appointment")
    other = give(site, second, "book-appointment", at="2031-05-12T14:00:00+02:00", minutes=60)
    assert "whoever leads this journey" in other.json()["warning"]["message"]
    after = give(site, second, "book-appointment", at="2031-05-12T17:00:00+02:00")
    assert after.json()["warning"] is None


def test_each_time_of_a_series_is_held_against_the_others(site: Site) -> None:
    first, second, key = site.start(), site.start(), fresh()
    weekly = {"at": "2032-05-10T09:00:00+02:00", "every": "week", "times": 3}
    for again in (give(site, first, "book-appointment", key=key, **weekly) for _ in range(2)):
        assert (again.status_code, again.json()["warning"]) == (200, None), "a series does not overlap itself"
    other = give(site, second, "book-appointment", at="2032-05-03T09:30:00+02:00", every="week", times=3)
    assert other.json()["warning"]["code"] == "overlap", "its second and third times do"


def test_a_series_keeps_its_hour_as_the_clocks_at_its_site_tell_it(site: Site) -> None:
    by = By(actor="system", role="system", at=datetime.now(UTC))
    far = sites.Site("cayenne", "Accueil", "1 rue du Port", "America/Cayenne")
    assert site.query(lambda pool: sites.describe(pool, far, by))
    id, weekly = site.start(site="cayenne"), {"at": "2032-03-23T09:00:00-03:00", "every": "week", "times": 2}
    assert give(site, id, "book-appointment", **weekly).status_code == 200
    with site.client() as program:
        met = program.get(f"/journeys/{id}").json()["state"]["appointments"].values()
    assert {each["at"] for each in met} == {"2032-03-23T12:00:00Z", "2032-03-30T12:00:00Z"}
    together = give(site, id, "book-appointment", at="2032-03-23T12:00:00Z").json()["warning"]["message"]
    assert "on 23 March 2032 at 09:00 (Cayenne time)" in together, "in the hour in which it was typed"


def test_a_place_that_would_tell_a_stranger_why_is_not_taken(site: Site) -> None:
    id, at = site.start(), "2033-05-12T14:30:00+02:00"
    wrong = give(site, id, "book-appointment", at=at, place="SPIP, 3 rue Haute")
    told = wrong.json()
    assert (wrong.status_code, told["code"], told["field"]) == (422, "not-neutral", "place"), told
    assert "SPIP" in told["detail"] and "the address alone" in told["remedy"]
    assert give(site, id, "book-appointment", at=at, place="3 rue de la Libération").status_code == 200


def test_a_refusal_is_named_and_on_record(site: Site) -> None:
    id, key = site.start(), fresh()
    refused = give(site, id, "reopen", key=key, reason="pour voir")
    told = refused.json()
    assert (refused.status_code, told["status"], told["command"]) == (403, 403, key)
    assert refused.headers["content-type"] == "application/problem+json"
    assert told["type"].endswith(told["code"]) and told["detail"]
    with site.client() as program:
        kept = program.get(f"/journeys/{id}/answers/{key}").json()
        assert (kept["outcome"], kept["code"]) == ("refused", told["code"])
        assert program.get(f"/journeys/{id}/answers/{fresh()}").json()["code"] == "no-answer"


def test_only_a_change_of_the_same_subject_is_a_conflict(site: Site) -> None:
    id = site.start()
    seen_first, key = seq(site, id), fresh()
    mine = {"date": "release", "on": "2099-09-20", "reason": "reporté", "seen": seen_first, "key": key}
    first = give(site, id, "move-date", **mine)
    assert first.status_code == 200, first.text
    seen = seq(site, id)
    moved = give(site, id, "move-date", "supervisor", date="release", on="2099-10-01", reason="reporté")
    assert moved.status_code == 200, moved.text
    elsewhere = give(site, id, "reach-milestone", milestone="lodging-asked", seen=seen)
    assert elsewhere.status_code == 200, elsewhere.text
    same = give(site, id, "move-date", date="release", on="2099-11-01", reason="encore", seen=seen)
    assert (same.status_code, same.json()["code"], same.json()["field"]) == (412, "changed", "If-Match")
    assert give(site, id, "add-note", text="sans rapport", seen=seen).status_code == 200
    after = give(site, id, "move-date", date="release", on="2099-11-01", reason="encore", seen=seq(site, id))
    assert after.status_code == 200
    again = give(site, id, "move-date", **mine)
    assert again.json()["answer"] == first.json()["answer"], "what was taken stays taken, whatever came after"


def waiting_in(program: httpx.Client) -> list[dict[str, Any]]:
    """The inbox of approvals, a line at a time: as it is told whole."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        page = program.get(
            "/approvals", params={"limit": 1, **({"cursor": page["next"]} if page["next"] else {})}
        ).json()
        found += page["approvals"]
    assert found == program.get("/approvals").json()["approvals"]
    return found


def test_money_wants_the_code_of_the_moment(site: Site) -> None:
    secret = accounts.new_secret()
    member = site.staff["supervisor"]

    async def with_codes(pool: Any) -> None:
        await pool.execute(
            "INSERT INTO accounts (staff, totp) VALUES ($1, $2)"
            " ON CONFLICT (staff) DO UPDATE SET totp = excluded.totp, totp_step = 0, failures = 0",
            member, secret,
        )  # fmt: skip

    site.query(with_codes)
    for id in (site.start(), site.start()):
        asked = give(site, id, "request-grant", grant="bourse", purpose="training", amount=60_000,
                     payee="Auto-école", iban="FR7630006000011234567890189")  # fmt: skip
        assert asked.status_code == 200, asked.text
    with site.client("supervisor") as program:
        waiting = next(each for each in waiting_in(program) if each["journey"] == id)
    bound = {"grant": waiting["grant"], "digest": waiting["digest"]}
    before, key = seq(site, id), fresh()
    for code in (None, "000000", "nonsense"):
        refused = give(site, id, "approve-grant", "supervisor", key=key, code=code, **bound)
        assert refused.status_code == 401, refused.text
        assert "insufficient_user_authentication" in refused.headers["www-authenticate"]
    assert seq(site, id) == before
    code = pyotp.TOTP(secret).now()
    given = give(site, id, "approve-grant", "supervisor", key=key, code=code, **bound)
    assert given.status_code == 200, given.text
    assert give(site, id, "approve-grant", "supervisor", code=code, **bound).json()["code"] == "wrong-proof"
    again = give(site, id, "approve-grant", "supervisor", key=key, **bound)
    assert again.json() == given.json(), "what was taken is answered without another proof, and has no second effect"
    unproved = give(site, id, "approve-grant", "finance", code="123456", **bound)
    assert (unproved.status_code, unproved.json()["code"]) == (401, "proof-wanted"), "without codes no money is moved"


@pytest.mark.parametrize(
    ("raw", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b'{"text": "a\\u0000b"}', "application/json", 422),
        (b'{"text": ["a"]}', "application/json", 422),
        (b'{"text": "a", "more": 1}', "application/json", 422),
        (b"{}", "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_what_cannot_be_read_changes_nothing(site: Site, raw: bytes, media: str, status: int) -> None:
    id = site.journeys[0]
    before = seq(site, id)
    with site.client() as program:
        answer = program.post(f"/journeys/{id}/commands/add-note", content=raw,
                              headers={"Idempotency-Key": fresh(), "Content-Type": media})  # fmt: skip
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    assert seq(site, id) == before


def test_a_whole_number_may_be_written_as_json_writes_it(site: Site) -> None:
    id = site.start()
    for minutes, status in ((45.0, 200), (45.5, 422), (True, 422), ("45", 422)):
        answer = give(site, id, "book-appointment", at="2099-05-12T14:30:00+02:00", minutes=minutes)
        assert answer.status_code == status, answer.text


def upload(site: Site, id: str, file: Any, key: str | None = None, role: str = "referent", **fields: str) -> Any:
    with site.client(role) as program:
        return program.post(
            f"/journeys/{id}/commands/add-evidence", data=fields, files={"document": file} if file else {"other": b"x"},
            headers={"Idempotency-Key": key or fresh()},
        )  # fmt: skip


def test_a_document_comes_with_its_fact_once_and_goes_back_as_it_was(site: Site) -> None:
    id, key, fields = site.start(), fresh(), {"milestone": "exit-plan", "kind": "exit-plan", "description": "signé"}
    sent = [upload(site, id, ("../plan\u202e.PDF", PDF, "text/html"), key, **fields) for _ in range(2)]
    assert [each.status_code for each in sent] == [200, 200], sent[0].text
    assert sent[0].json() == sent[1].json()
    other = upload(site, id, ("plan.pdf", PDF + b"x", "application/pdf"), key, **fields)
    assert (other.status_code, other.json()["code"]) == (409, "key-used")
    with site.client() as program:
        history = program.get(f"/journeys/{id}/events", params={"after": 1, "limit": 500}).json()["events"]
        (shown,) = [each for each in history if "document" in each["texts"]]
        document = json.loads(shown["texts"]["document"])
        assert (shown["texts"]["description"], document["name"]) == ("signé", "plan.pdf")
        back = program.get(f"/journeys/{id}/documents/{shown['seq']}")
        assert (back.content, back.headers["content-type"]) == (PDF, "application/pdf")
        assert back.headers["content-disposition"].startswith("attachment") and "sandbox" in str(back.headers)
        assert program.get(f"/journeys/{id}/documents/1").json()["code"] == "no-document"
    with site.client("administrator") as stranger:
        assert stranger.get(f"/journeys/{id}/documents/{shown['seq']}").status_code == 403


@pytest.mark.parametrize(
    ("file", "fields", "status", "code"),
    [
        (("a.pdf", b"", "application/pdf"), {}, 422, "empty-document"),
        (("a.pdf", b"MZ not a document", "application/pdf"), {}, 422, "unknown-kind"),
        (("a.pdf", PDF + bytes(20_000_000), "application/pdf"), {}, 413, "document-too-large"),
        (None, {}, 422, "missing"),
        (("a.pdf", PDF, "application/pdf"), {"milestone": ""}, 422, "bad-value"),
        (("a.pdf", PDF, "application/pdf"), {"more": "1"}, 422, "bad-value"),
        (("a.pdf", PDF, "application/pdf"), {"kind": "Not A Code"}, 422, "bad-value"),
        (("a.pdf", PDF, "application/pdf"), {"occurred_at": "yesterday"}, 422, "bad-value"),
        (("a.pdf", PDF, "application/pdf"), {"milestone": "nowhere"}, 403, "unknown-milestone"),
    ],
)
def test_what_is_no_document_is_not_taken(
    site: Site, file: Any, fields: dict[str, str], status: int, code: str
) -> None:
    id = site.journeys[0]
    kept = site.query(lambda pool: pool.fetchval("SELECT count(*) FROM documents"))
    answer = upload(site, id, file, **{"milestone": "exit-plan", "kind": "exit-plan", **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert site.query(lambda pool: pool.fetchval("SELECT count(*) FROM documents")) == kept


def test_only_a_command_that_may_bring_a_document_takes_a_form(site: Site) -> None:
    with site.client() as program:
        answer = program.post(f"/journeys/{site.journeys[0]}/commands/suspend", files={"document": ("a.pdf", PDF)},
                              headers={"Idempotency-Key": fresh()})  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (415, "not-json-media")


def test_other_times_are_offered_with_an_appointment_four_at_most_each_as_rfc_3339_has_it(site: Site) -> None:
    id, at = site.start(), "2099-05-12T14:30:00+02:00"
    for or_at, status in ((["2099-05-13 09:00+02:00"], 422), ([at] * 5, 422), ("2099-05-13T09:00:00+02:00", 422)):
        assert give(site, id, "book-appointment", at=at, or_at=or_at).status_code == status, or_at
    assert give(site, id, "book-appointment", at=at, or_at=["2099-05-13T09:00:00+02:00", at]).status_code == 200
    (waits,) = (each for each in whole(site, id)["waiting"] if each["kind"] == "appointment")
    wish = "2099-05-14T10:00:00+02:00"
    answered = give(site, id, "answer-appointment", appointment=waits["id"], answer="other-time", wish=wish)
    assert answered.status_code == 200, answered.text
    (waits,) = (each for each in whole(site, id)["waiting"] if each["kind"] == "appointment")
    assert waits["wish"] == "2099-05-14T08:00:00Z"


def whole(site: Site, id: str) -> dict[str, Any]:
    with site.client() as program:
        found: dict[str, Any] = program.get(f"/journeys/{id}").json()
        return found


async def test_a_journey_that_goes_on_while_it_is_read_is_answered_as_of_one_moment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, settings = site.start(), load_settings(data_dir=site.data_dir)
    read = views.journey

    async def then_it_goes_on(connection: Any, id: str) -> JourneyRow | None:
        row = await read(connection, id)
        assert give(site, id, "add-note", text="x").status_code == 200
        return row

    monkeypatch.setattr(views, "journey", then_it_goes_on)
    async with open_house(settings, site.database, "127.0.0.1:1") as house:
        transport = httpx.ASGITransport(make_application(house))
        headers = {"Authorization": f"Bearer {site.tokens['referent']}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://here.test/api/v1", headers=headers
        ) as program:
            answer = await program.get(f"/journeys/{id}")
    monkeypatch.undo()
    told = answer.json()
    assert (answer.headers["etag"], told["state"]["seq"]) == (f'"{told["seq"]}"', told["seq"])
    assert seq(site, id) > told["seq"], "the note was taken after the row was read"


async def test_without_an_engine_the_fate_is_said_and_the_number_given(site: Site) -> None:
    settings = load_settings(data_dir=site.data_dir)
    key, id = fresh(), site.journeys[0]
    async with open_house(settings, site.database, "127.0.0.1:1") as house:
        transport = httpx.ASGITransport(make_application(house))
        headers = {"Authorization": f"Bearer {site.tokens['referent']}", "Idempotency-Key": key}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://here.test/api/v1", headers=headers
        ) as program:
            answer = await program.post(f"/journeys/{id}/commands/add-note", json={"text": "x"})
            assert (answer.status_code, answer.json()["command"]) == (503, key), answer.text
            assert answer.headers["retry-after"]
            assert (await program.get(f"/journeys/{id}")).status_code == 200, "what can be read is read"
            assert (await program.get(f"/journeys/{id}/answers/{key}")).status_code == 404
    assert give(site, id, "add-note", key=key, text="x").status_code == 200


def test_blocked_payments_are_called_for_again_by_finance_alone(site: Site) -> None:
    def ask(role: str, **body: Any) -> httpx.Response:
        with site.client(role) as program:
            sent = {"why": "mended", **body}
            return program.post("/payments/retry", json=sent, headers={"Idempotency-Key": fresh()})

    assert ask("finance", reason="fund-cap").json() == {"payments": [], "taken": 0}
    assert ask("referent", reason="fund-cap").status_code == 403
    for body, code, name in (
        ({}, 422, "nothing-named"), ({"reason": "fund-cap", "payments": [fresh()]}, 422, "nothing-named"),
        ({"payments": [fresh()]}, 404, "unknown-payment"),
    ):  # fmt: skip
        said = ask("finance", **body)
        assert (said.status_code, said.json()["code"]) == (code, name), said.text


def test_a_parameter_that_an_address_does_not_have_is_refused(site: Site) -> None:
    with site.client("supervisor") as program:
        told = program.get("/openapi.json").json()["paths"]
        paths = [path for path, methods in told.items() if "get" in methods and "{" not in path]
        for path in paths:
            answer = program.get(f"{path}?late=true&latte=true" if path == "/journeys" else f"{path}?latte=true")
            assert answer.status_code == 422, path
            assert [each["field"] for each in answer.json()["errors"]] == ["latte"], path
        twice = program.get("/journeys?late=true&late=false")
        assert (twice.status_code, twice.json()["errors"][0]["code"]) == (422, "twice")
        assert program.get("/journeys?late=true").status_code == 200
    assert "/approvals" in paths and "/escalations" in paths and "/journeys" in paths


def test_a_key_of_a_time_that_no_calendar_has_is_a_key(site: Site) -> None:
    beyond = "ffffffff-ffff-7fff-bfff-" + fresh()[-12:]
    with site.client() as program:
        answer = program.post(
            f"/journeys/{site.journeys[0]}/commands/add-note", json={"text": "vu"}, headers={"Idempotency-Key": beyond}
        )
    assert answer.status_code == 200, answer.text


def test_every_answer_says_that_payments_are_stopped(site: Site) -> None:
    by = By(actor=site.staff["supervisor"], role="supervisor", at=datetime.now(UTC))
    id = site.start()

    def told() -> set[str | None]:
        with site.client() as program:
            answers = [program.get("/me"), program.get("/journeys/nothing"), give(site, id, "add-note", text="vu"),
                       give(site, id, "approve-grant", "finance", grant="none")]  # fmt: skip
        assert {each.status_code for each in answers} == {200, 404, 422}
        return {each.headers.get("payments-stopped") for each in answers}

    assert told() == {None}
    assert site.query(lambda pool: treasury.stop(pool, "Compte piraté", by))
    try:
        (since,) = told()
        assert since is not None and datetime.fromisoformat(since) <= datetime.now(UTC)
        with site.client(None) as stranger:
            assert "payments-stopped" not in stranger.get("/me").headers
    finally:
        assert site.query(lambda pool: treasury.resume(pool, "Mot de passe changé", by))
    assert told() == {None}
