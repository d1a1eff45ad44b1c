"""Coming in, staying in, and being put out."""

import asyncio
import time

import pyotp
import pytest

from journeys.app.failures import Failure
from journeys.app.passwords import refuse_weak
from journeys.app.web import visit as visits
from journeys.store import accounts, staff
from tests.web.conftest import BY, PASSWORD, Ground, form

ERROR = "identifiant, mot de passe ou code"


async def test_the_right_password_opens_and_leads_back(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    browser = ground.person()
    asked = await browser.get("/compte")
    assert (asked.status_code, asked.headers["location"]) == (303, "/connexion?suite=/compte")
    answer = await browser.log_in(" Aline ", PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    shown = await browser.get("/compte")
    assert shown.status_code == 200 and "Aline" in shown.text and shown.headers["cache-control"] == "no-store"
    assert (await browser.get("/connexion")).headers["location"] == "/"


async def test_one_text_for_whatever_is_wrong_and_the_handle_is_kept(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    for handle, password in (
        ("aline", "wrong"), ("nobody", PASSWORD), ("aline", ""), ("", ""), ("a\x00b", PASSWORD),
        ("aline", "x" * 100_000),
    ):  # fmt: skip
        what, browser = (handle, password[:20]), ground.person()
        answer = await browser.log_in(handle, password)
        assert answer.status_code == 422 and ERROR in answer.text.lower() and browser.cookie() is None, what
        if handle == "aline":
            assert 'value="aline"' in answer.text and 'name="password" value=""' in answer.text, what


async def test_who_has_left_or_has_no_password_does_not_come_in(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    left = await ground.member("marc", "referent", password=True)
    await staff.set_active(ground.house.writing, left, False, BY)
    await ground.member("paul", "finance")
    for handle in ("marc", "paul"):
        assert (await ground.person().log_in(handle, PASSWORD)).status_code == 422


async def test_five_wrong_answers_shut_the_account_even_all_at_once(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    tries = [ground.person().log_in("aline", "wrong") for _ in range(accounts.MOST_FAILURES)]
    assert {answer.status_code for answer in await asyncio.gather(*tries)} == {422}
    assert (await ground.person().log_in("aline", PASSWORD)).status_code == 422
    await ground.house.writing.execute("UPDATE accounts SET locked_until = clock_timestamp() - interval '1 second'")
    assert (await ground.person().log_in("aline", PASSWORD)).status_code == 303


async def test_without_the_lock_a_sixth_try_would_open(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.member("aline", "referent", password=True)
    monkeypatch.setattr(accounts, "MOST_FAILURES", 1_000)
    for _ in range(5):
        assert await accounts.check(ground.house.writing, "aline", "wrong", "") is None
    assert await accounts.check(ground.house.writing, "aline", PASSWORD, "") is not None


async def test_the_right_password_counts_as_wrong_without_its_code(ground: Ground) -> None:
    """Whoever holds a password cannot try codes for ever, nor learn from the answer that it is the right one."""
    id = await ground.member("aline", "referent", password=True)
    secret = accounts.new_secret()
    assert await accounts.set_totp(ground.house.writing, id, secret, pyotp.TOTP(secret).now())
    for _ in range(accounts.MOST_FAILURES):
        assert await accounts.check(ground.house.writing, "aline", PASSWORD, "") is None
    later = pyotp.TOTP(secret).at(int(time.time()) + 30)
    assert await accounts.check(ground.house.writing, "aline", PASSWORD, later) is None
    assert not await accounts.prove(ground.house.writing, id, "", later)
    await ground.house.writing.execute("UPDATE accounts SET locked_until = NULL")
    assert await accounts.prove(ground.house.writing, id, "", pyotp.TOTP(secret).at(int(time.time()) + 30))


async def test_a_refusal_costs_the_same_whoever_is_named(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash, and a wait to the next full step: known, unknown, or without a password."""
    await ground.member("aline", "referent", password=True)
    await ground.member("paul", "finance")
    hashed: list[str] = []
    verified = accounts._verified
    monkeypatch.setattr(accounts, "_verified", lambda *given: hashed.append(given[1]) or verified(*given))
    for handle in ("aline", "nobody", "paul"):
        hashed.clear()
        began = time.monotonic()
        assert await accounts.check(ground.house.writing, handle, "wrong", "") is None, handle
        assert hashed == ["wrong"] and time.monotonic() - began >= accounts.REFUSAL_SECONDS * 0.95, handle


async def test_a_code_is_asked_once_set_up_and_opens_once(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    await browser.get("/compte/code")
    assert "<svg" in browser.page
    hidden = browser.hidden("/compte/code")
    totp = pyotp.TOTP(hidden["secret"])
    wrong = await browser.send("/compte/code", code="000000" if totp.now() != "000000" else "111111")
    assert wrong.status_code == 422 and browser.hidden("/compte/code")["secret"] == hidden["secret"]
    # A code is drawn once: another look at the clock may be in the next half minute.
    first = totp.now()
    assert (await browser.send("/compte/code", code=first)).headers["location"] == "/compte?note=code"

    assert (await ground.person().log_in("aline", PASSWORD)).status_code == 422
    assert (await ground.person().log_in("aline", PASSWORD, first)).status_code == 422, "used at the set-up"
    code = totp.at(int(time.time()) + 30)
    assert (await ground.person().log_in("aline", PASSWORD, f"{code[:3]} {code[3:]}")).status_code == 303
    assert (await ground.person().log_in("aline", PASSWORD, code)).status_code == 422, "replayed"

    await ground.house.writing.execute("UPDATE accounts SET totp_step = 0, failures = 0")
    browser = ground.person()
    assert (await browser.log_in("aline", PASSWORD, totp.now())).status_code == 303
    await browser.get("/compte")
    assert (await browser.send("/compte/code/retirer")).headers["location"] == "/compte?note=sans-code"
    assert (await ground.person().log_in("aline", PASSWORD)).status_code == 303


async def test_a_session_ends_unused_and_with_the_day(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    for past in (
        "seen_at = clock_timestamp() - interval '46 minutes'", "ends_at = clock_timestamp()", "idle = interval '0'",
    ):  # fmt: skip
        browser = await ground.entered("aline")
        assert (await browser.get("/compte")).status_code == 200, past
        await ground.house.writing.execute(f"UPDATE sessions SET {past}")
        assert (await browser.get("/compte")).headers["location"].startswith("/connexion"), past


async def test_what_is_revoked_stops_the_next_request(ground: Ground) -> None:
    id = await ground.member("claire", "supervisor", password=True)
    browser = await ground.entered("claire")
    assert (await browser.get("/compte")).status_code == 200
    await staff.take_role(ground.house.writing, id, "supervisor", BY)
    assert (await browser.get("/compte")).status_code == 403
    await staff.give_role(ground.house.writing, id, "supervisor", BY)
    assert (await browser.get("/compte")).status_code == 200
    await staff.set_active(ground.house.writing, id, False, BY)
    assert (await browser.get("/compte")).headers["location"].startswith("/connexion")


async def test_sessions_end_here_everywhere_and_with_a_new_password(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    one, two = await ground.entered("aline"), await ground.entered("aline")
    await one.get("/compte")
    assert one.page.count("ailleurs") == 1
    stolen = one.cookie()
    assert (await one.send("/deconnexion")).headers["location"] == "/connexion" and one.cookie() is None
    one.client.cookies.set("session", stolen, domain="here.test")
    assert (await one.get("/compte")).status_code == 303

    three = await ground.entered("aline")
    await two.get("/compte")
    new = "quatre bateaux sous la lune"
    wrong = await two.send("/compte/mot-de-passe", old="wrong", new=new, repeated=new)
    assert wrong.status_code == 422 and 'id="e-old"' in wrong.text
    assert (await two.send("/compte/mot-de-passe", old=PASSWORD, new="court", repeated="court")).status_code == 422
    assert (await two.send("/compte/mot-de-passe", old=PASSWORD, new=new, repeated=new)).status_code == 303
    assert (await two.get("/compte")).status_code == 200 and (await three.get("/compte")).status_code == 303
    assert (await two.send("/compte/sessions")).headers["location"] == "/connexion"
    assert (await two.get("/compte")).status_code == 303
    assert (await ground.person().log_in("aline", new)).status_code == 303


async def test_the_token_changes_at_login_and_at_the_proof(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    first = browser.cookie()
    assert browser.cookie("before") is None
    await ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
    asked = await browser.get("/compte/code")
    assert asked.headers["location"] == "/confirmer?suite=/compte/code"
    await browser.get("/confirmer?suite=/compte/code")
    assert (await browser.send("/confirmer", password="wrong")).status_code == 422 and browser.cookie() == first
    assert (await browser.send("/confirmer", password=PASSWORD)).headers["location"] == "/compte/code"
    second = browser.cookie()
    assert second not in (None, first)
    assert (await browser.get("/compte/code")).status_code == 200
    old = ground.person()
    old.client.cookies.set("session", first, domain="here.test")
    assert (await old.get("/compte")).status_code == 303
    again = await ground.person().log_in("aline", PASSWORD)
    assert again.cookies["session"] != second


async def test_what_was_typed_waits_for_the_proof(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    await browser.get("/compte/code")
    code = pyotp.TOTP(browser.hidden("/compte/code")["secret"]).now()
    await ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
    asked = await browser.send("/compte/code", code=code)
    assert asked.status_code == 403 and await ground.house.writing.fetchval("SELECT totp FROM accounts") is None
    shown = await browser.send("/confirmer", password=PASSWORD)
    assert shown.status_code == 200 and browser.hidden("/compte/code")["code"] == code
    assert (await browser.send("/compte/code")).headers["location"] == "/compte?note=code"


async def test_cookies_are_for_us_alone(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    for here, name in (("http://here.test", "session"), ("https://here.test", "__Host-session")):
        browser = ground.person(here)
        await browser.get("/connexion")
        answer = await browser.send("/connexion", handle="aline", password=PASSWORD, code="")
        set_ = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}="))
        flags = {flag.strip().lower() for flag in set_.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= flags and not any(f.startswith("domain") for f in flags)
        assert ("secure" in flags) == here.startswith("https")


async def test_a_form_needs_its_token_and_its_origin(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.member("aline", "referent", password=True)
    login = {"handle": "aline", "password": PASSWORD, "code": ""}
    fresh = ground.person()
    assert (await fresh.post("/connexion", login)).status_code == 403, "a browser that never saw the form"
    guessed = login | {"csrf": visits.csrf_of("")}
    assert (await fresh.post("/connexion", guessed)).status_code == 403, "nor with the token of no token"
    one, two = ground.person(), ground.person()
    await one.get("/connexion"), await two.get("/connexion")
    theirs, ours = two.hidden("/connexion")["csrf"], one.hidden("/connexion")["csrf"]
    assert (await one.post("/connexion", login | {"csrf": theirs})).status_code == 403, "another browser's token"
    mine = login | {"csrf": ours}
    assert (await one.post("/connexion", mine, origin="https://evil.example")).status_code == 403
    assert (await one.post("/connexion", mine, **{"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await one.post("/connexion", mine)).status_code == 303

    assert (await one.post("/compte/sessions", {})).status_code == 403
    assert (await one.get("/compte")).status_code == 200

    async def unchecked(visit: visits.Visit) -> None:
        return None

    monkeypatch.setattr(visits, "_check_token", unchecked)
    assert (await one.post("/compte/sessions", {})).status_code == 303, "without the guard the form is taken"


async def test_the_way_back_stays_here(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    for suite in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = await ground.person().log_in("aline", PASSWORD, back=suite)
        assert answer.headers["location"] == "/", suite


async def test_without_any_way_in_the_page_says_what_to_do(ground: Ground) -> None:
    await ground.member("aline", "referent")
    assert "journeys staff password" in (await ground.person().get("/connexion")).text


@pytest.mark.parametrize(
    "weak", ["court", "aline aline aline", "motdepasse2026", "azertyuiop123", "aaaaaaaaaaaaaaaa", "une-ÉLOISE-au-bois",
             "123456789012", "x" * 2000],
)  # fmt: skip
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(Failure):
        refuse_weak(weak, "aline", "Éloïse Roux", "new")


def test_a_long_one_is_taken() -> None:
    refuse_weak(PASSWORD, "aline", "Éloïse Roux", "new")


async def test_leaving_ends_the_session_in_the_database(ground: Ground) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        await browser.post("/deconnexion", data=form(token))
    async with ground.browser(token) as again:
        assert (await again.get("/")).status_code == 303
