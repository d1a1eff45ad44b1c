"""Coming in, proving it again, and being shown out."""

import pyotp
import pytest

from journeys.store import accounts, staff
from tests.web.conftest import BY, PASSWORD, Ground, form


async def test_a_password_opens_a_session_and_the_page_that_was_asked_for(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    async with ground.browser() as browser:
        asked = await browser.get("/alertes?qui=moi")
        assert (asked.status_code, asked.headers["location"]) == (303, "/connexion?suite=/alertes%3Fqui%3Dmoi")
        answer = await browser.post(
            "/connexion", data=form(None, handle=" Aline", password=PASSWORD, suite="/alertes?qui=moi")
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/alertes?qui=moi")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
        assert (await browser.get("/")).status_code == 200


async def test_over_tls_the_cookie_is_bound_to_this_host(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    async with ground.browser() as browser:
        answer = await browser.post(
            "https://here.test/connexion", data=form(None, handle="aline", password=PASSWORD),
            headers={"Origin": "https://here.test"},
        )  # fmt: skip
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=") and "Secure" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("handle", ["aline", "nobody"])
async def test_what_was_wrong_is_not_told_apart(ground: Ground, handle: str) -> None:
    await ground.member("aline", "referent", password=True)
    async with ground.browser() as browser:
        answer = await browser.post("/connexion", data=form(None, handle=handle, password="faux mot de passe"))
    assert answer.status_code == 422 and "set-cookie" not in answer.headers
    assert "ne vont pas ensemble" in answer.text and f'value="{handle}"' in answer.text


async def test_after_several_failures_the_account_stays_closed_even_to_the_right_password(ground: Ground) -> None:
    id = await ground.member("aline", "referent", password=True)
    for _ in range(accounts.FAILURES):
        assert (await accounts.check(ground.house.writing, "aline", "faux")).staff is None
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD)).staff is None
    await ground.house.writing.execute("UPDATE accounts SET locked_until = clock_timestamp() WHERE staff = $1", id)
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD)).staff == id


async def test_a_code_opens_once(ground: Ground) -> None:
    id = await ground.member("aline", "referent", password=True)
    secret = accounts.fresh_secret()
    assert not await accounts.set_code(ground.house.writing, id, secret, "000000")
    assert await accounts.set_code(ground.house.writing, id, secret, pyotp.TOTP(secret).now())
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD)).wants_code
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD, pyotp.TOTP(secret).now())).staff is None
    await ground.house.writing.execute("UPDATE accounts SET totp_step = totp_step - 3")
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD, pyotp.TOTP(secret).now())).staff == id
    assert (await accounts.check(ground.house.writing, "aline", PASSWORD, pyotp.TOTP(secret).now())).staff is None


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE sessions SET seen_at = clock_timestamp() - interval '46 minutes'",
        "UPDATE sessions SET ends_at = clock_timestamp()",
        "DELETE FROM sessions",
        "UPDATE staff SET active = false",
    ],
    ids=["idle", "too-long", "revoked", "left"],
)
async def test_a_session_that_has_ended_opens_nothing(ground: Ground, ended: str) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        assert (await browser.get("/")).status_code == 200
        await ground.house.writing.execute(ended)
        answer = await browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/connexion?suite=/")


async def test_a_right_that_was_taken_stops_the_next_request(ground: Ground) -> None:
    id = await ground.member("sam", "referent", "supervisor")
    async with ground.browser(await ground.session(id)) as browser:
        assert (await browser.get("/accords")).status_code == 200
        await staff.take_role(ground.house.writing, id, "supervisor", BY)
        assert (await browser.get("/accords")).status_code == 403


async def test_leaving_ends_the_session_in_the_database(ground: Ground) -> None:
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        await browser.post("/deconnexion", data=form(token))
    async with ground.browser(token) as again:
        assert (await again.get("/")).status_code == 303


async def test_proving_it_again_changes_the_token_and_the_old_one_opens_nothing(ground: Ground) -> None:
    id = await ground.member("sam", "supervisor", password=True)
    token = await ground.session(id)
    async with ground.browser(token) as browser:
        wrong = await browser.post("/confirmer", data=form(token, password="faux", suite="/accords"))
        assert wrong.status_code == 422
        answer = await browser.post("/confirmer", data=form(token, password=PASSWORD, suite="/accords"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/accords")
        assert (await browser.get("/accords")).status_code == 200
    async with ground.browser(token) as old:
        assert (await old.get("/accords")).status_code == 303


async def test_a_way_back_leads_nowhere_else(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    for elsewhere in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb"):
        async with ground.browser() as browser:
            answer = await browser.post(
                "/connexion", data=form(None, handle="aline", password=PASSWORD, suite=elsewhere)
            )
        assert answer.headers["location"] == "/", elsewhere


async def test_a_changed_password_ends_the_other_sessions(ground: Ground) -> None:
    id = await ground.member("aline", "referent", password=True)
    here, other = await ground.session(id), await ground.session(id)
    async with ground.browser(here) as browser:
        short = await browser.post("/compte/mot-de-passe", data=form(here, present=PASSWORD, fresh="court"))
        assert short.status_code == 422
        answer = await browser.post(
            "/compte/mot-de-passe", data=form(here, present=PASSWORD, fresh="une autre phrase de passe")
        )
        assert answer.status_code == 303
        assert (await browser.get("/")).status_code == 200
    async with ground.browser(other) as old:
        assert (await old.get("/")).status_code == 303
