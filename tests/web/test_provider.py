"""Login through an identity provider: a real one, in its own process on a loopback port."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio

from journeys.app.failures import Failure
from journeys.app.web import provider as providers
from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.app.web.serving import server_of
from journeys.settings import SettingsError, load_settings
from journeys.store import sessions, staff
from tests.web.browser import Browser
from tests.web.conftest import BY, Ground
from tests.web.pace import Unhurried

ALINE = {"email": "Aline@example.org", "email_verified": True}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://localhost:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest_asyncio.fixture
async def ground(database_url: str, tmp_path: Path, issuer: str) -> AsyncIterator[Ground]:
    oidc = {"issuer": issuer, "client_id": "journeys", "client_secret": "not so secret", "label": "Fédération"}
    settings = load_settings(data_dir=tmp_path, signing_key="ab" * 32, oidc=oidc)
    async with open_house(settings, database_url, "127.0.0.1:1") as house:
        yield Ground(house, make_application(house, pace=Unhurried()), database_url)


async def at_the_provider(url: str, subject: str, claims: dict[str, object]) -> str:
    """Log in on the provider's own page; returns the path to which it sends the browser back."""
    async with httpx.AsyncClient() as client:
        home = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        (await client.put(f"{home}/users/{subject}", json=claims)).raise_for_status()
        answer = await client.post(url, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert (back.netloc, back.path) == ("here.test", "/connexion/retour")
    return f"{back.path}?{back.query}"


async def log_in(browser: Browser, subject: str, claims: dict[str, object], suite: str = "/compte") -> httpx.Response:
    away = await browser.get(f"/connexion/fournisseur?suite={suite}")
    return await browser.get(await at_the_provider(away.headers["location"], subject, claims))


async def test_a_member_comes_in_by_verified_address_then_by_account(ground: Ground, issuer: str) -> None:
    id = await ground.member("aline", "referent", email="aline@example.org")
    browser = ground.person()
    shown = await browser.get("/connexion?suite=/compte")
    assert "Fédération" in shown.text and "journeys staff password" not in shown.text
    away = await browser.get("/connexion/fournisseur?suite=/compte")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= asked.keys() and "prompt" not in asked
    flow = next(each for each in away.headers.get_list("set-cookie") if each.startswith("flow="))
    assert "HttpOnly" in flow and "Max-Age=600" in flow
    path = await at_the_provider(away.headers["location"], "a-1", ALINE)
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    assert "fournisseur d’identité" in (await browser.get("/compte")).text and browser.cookie("flow") is None

    await staff.change(ground.house.writing, id, name="Aline", email="other@example.org", phone=None, by=BY)
    assert (await log_in(ground.person(), "a-1", ALINE)).headers["location"] == "/compte", "now known by account"
    await staff.set_active(ground.house.writing, id, False, BY)
    assert (await log_in(ground.person(), "a-1", ALINE)).status_code == 403
    assert await ground.house.writing.fetchval("SELECT count(*) FROM staff") == 1, "nobody signs up"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "aline@example.org"}, "not verified"),
        ({"email": "aline@example.org", "email_verified": False}, "not verified"),
        ({"email": "nobody@example.org", "email_verified": True}, "nobody's"),
        ({"email": "two@example.org", "email_verified": True}, "of two members"),
        ({"email": "left@example.org", "email_verified": True}, "of one who left"),
        ({}, "no address"),
    ],
)
async def test_who_is_not_on_the_staff_stays_out(ground: Ground, claims: dict[str, object], why: str) -> None:
    await ground.member("aline", "referent", email="aline@example.org")
    await ground.member("paul", "finance", email="two@example.org")
    await ground.member("sam", "finance", email="two@example.org")
    left = await ground.member("marc", "referent", email="left@example.org")
    await staff.set_active(ground.house.writing, left, False, BY)
    browser = ground.person()
    answer = await log_in(browser, f"s-{why.replace(' ', '-')}-{len(claims)}", claims)
    assert answer.status_code == 403 and "Fédération" in answer.text and browser.cookie() is None, why
    assert await ground.house.writing.fetchval("SELECT count(*) FROM identities") == 0


async def test_a_second_account_with_the_same_address_is_not_tied(ground: Ground) -> None:
    await ground.member("aline", "referent", email="aline@example.org")
    assert (await log_in(ground.person(), "first", ALINE)).status_code == 303
    assert (await log_in(ground.person(), "second", ALINE)).status_code == 403


async def test_a_way_back_that_this_browser_did_not_begin_opens_nothing(ground: Ground) -> None:
    await ground.member("aline", "referent", email="aline@example.org")
    one, two = ground.person(), ground.person()
    away = (await one.get("/connexion/fournisseur")).headers["location"]
    path = await at_the_provider(away, "a-2", ALINE)
    assert (await two.get(path)).status_code == 403, "no flow in this browser"
    await two.get("/connexion/fournisseur")
    assert (await two.get(path)).status_code == 403, "another flow's state"
    assert (await one.get(path.replace("state=", "state=x"))).status_code == 403
    assert (await one.get(re.sub("code=[^&]+", "error=access_denied", path))).status_code == 403
    assert (await one.get(path)).status_code == 303
    assert (await one.get(path)).status_code == 403, "a code opens once"


async def test_a_flow_is_sealed_and_grows_old(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = ground.application.state.provider
    _, flow = await provider.begin("http://here.test/connexion/retour", "/compte")
    sealed = provider.sealed(flow)
    assert provider.unsealed(sealed) == flow
    for broken in ("", ".", "x.y", sealed[:-1] + ("0" if sealed[-1] != "0" else "1"), "A" + sealed):
        with pytest.raises(Failure):
            provider.unsealed(broken)
    monkeypatch.setattr(providers, "FLOW_SECONDS", -1)
    with pytest.raises(Failure):
        provider.unsealed(sealed)


async def test_the_token_must_answer_this_very_login(ground: Ground) -> None:
    """An identity token made for another login, or for a login before the proof was asked, is not believed."""
    provider, back = ground.application.state.provider, "http://here.test/connexion/retour"

    async def returned(proving: str | None) -> tuple[providers.Flow, dict[str, str]]:
        url, flow = await provider.begin(back, "/", proving=proving)
        query = parse_qs(urlsplit(await at_the_provider(url, "a-3", ALINE)).query)
        return flow, {name: value[0] for name, value in query.items()}

    flow, query = await returned(None)
    with pytest.raises(Failure):
        await provider.finish(replace(flow, nonce="another"), back, query)
    flow, query = await returned("somebody")
    with pytest.raises(Failure):
        await provider.finish(replace(flow, began=flow.began + 1_000), back, query)
    flow, query = await returned("somebody")
    assert (await provider.finish(flow, back, query)).subject == "a-3"


async def test_the_proof_goes_by_the_provider_and_is_the_same_member_s(ground: Ground) -> None:
    await ground.member("aline", "referent", email="aline@example.org")
    browser = ground.person()
    await log_in(browser, "a-4", ALINE)
    await ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
    assert (await browser.get("/compte/code")).headers["location"] == "/confirmer?suite=/compte/code"
    shown = await browser.get("/confirmer?suite=/compte/code")
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(ground.application.state.provider.issuer))
    assert f"form-action 'self' {origin}" in shown.headers["content-security-policy"]
    away = await browser.send("/connexion/fournisseur")
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["prompt"] == ["login"] and asked["max_age"] == ["0"]
    before = browser.cookie()
    await ground.member("paul", "finance", email="paul@example.org")
    paul = await at_the_provider(away.headers["location"], "p-1", {"email": "paul@example.org", "email_verified": True})
    assert (await browser.get(paul)).status_code == 403 and browser.cookie() == before, "somebody else's proof"
    answer = await browser.get(await at_the_provider(away.headers["location"], "a-4", ALINE))
    assert answer.headers["location"] == "/compte/code" and browser.cookie() not in (None, before)
    assert (await browser.get("/compte/code")).status_code == 200


async def test_a_long_form_waits_here_for_the_proof_and_comes_back_once(ground: Ground) -> None:
    """More than a cookie holds: it is kept with the session, for ten minutes, and given back once."""
    await ground.member("fin", "finance", email="fin@example.org")
    claims: dict[str, object] = {"email": "fin@example.org", "email_verified": True}
    browser, action = ground.person(), "/compte/code"
    await log_in(browser, "f-1", claims)
    await ground.house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
    await browser.get("/compte")
    reason = "Une raison longue, avec des accents. " * 400
    asked = await browser.post(action, {**browser.hidden("/deconnexion"), "reason": reason})
    assert asked.status_code == 403 and "Fédération" in asked.text, asked.text[:2000]
    away = await browser.send("/connexion/fournisseur")
    flow = next(each for each in away.headers.get_list("set-cookie") if each.startswith("flow="))
    assert len(flow) < 4_096 and reason not in flow
    key = ground.application.state.provider.unsealed(browser.cookie("flow").strip(chr(34))).again
    other = await ground.session(await ground.member("bob", "finance"))
    assert await sessions.take_form(ground.house.writing, other, key) == "", "another session's"
    back = await browser.get(await at_the_provider(away.headers["location"], "f-1", claims))
    assert "dernier bouton" in back.text and browser.hidden(action)["reason"] == reason
    assert await ground.house.writing.fetchval("SELECT count(*) FROM kept_forms") == 0
    token = browser.cookie()
    key = await sessions.keep_form(ground.house.writing, token, "a form")
    owner = await asyncpg.connect(ground.owner)
    await owner.execute("UPDATE kept_forms SET kept_at = kept_at - interval '11 minutes'")
    await owner.close()
    assert await sessions.take_form(ground.house.writing, token, key) == "", "too old"
    await sessions.keep_form(ground.house.writing, token, "a form")
    await sessions.close(ground.house.writing, token)
    assert await ground.house.writing.fetchval("SELECT count(*) FROM kept_forms") == 0, "gone with the session"


async def test_leaving_ends_the_provider_s_session_too(ground: Ground, issuer: str) -> None:
    await ground.member("aline", "referent", email="aline@example.org")
    browser = ground.person()
    await log_in(browser, "a-5", ALINE)
    await browser.get("/compte")
    answer = await browser.send("/deconnexion")
    assert answer.headers["location"].startswith(f"{issuer}/oauth2/end_session?")
    assert "post_logout_redirect_uri=http%3A%2F%2Fhere.test%2Fconnexion" in answer.headers["location"]
    assert browser.cookie() is None and (await browser.get("/compte")).status_code == 303


async def test_a_provider_that_is_away_is_said(database_url: str, tmp_path: Path) -> None:
    oidc = {"issuer": "http://localhost:9", "client_id": "journeys"}
    settings = load_settings(data_dir=tmp_path, signing_key="ab" * 32, oidc=oidc)
    async with open_house(settings, database_url, "127.0.0.1:1") as house:
        ground = Ground(house, make_application(house), database_url)
        answer = await ground.person().get("/connexion/fournisseur")
        assert answer.status_code == 503 and "localhost:9 ne répond pas" in answer.text.lower()


def test_the_settings_of_a_provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden\n")
    monkeypatch.setenv("JOURNEYS_OIDC__ISSUER", "https://id.example.org/realm")
    with pytest.raises(SettingsError, match="JOURNEYS_OIDC__CLIENT_ID"):
        load_settings()
    monkeypatch.setenv("JOURNEYS_OIDC__CLIENT_ID", "journeys")
    monkeypatch.setenv("JOURNEYS_OIDC__CLIENT_SECRET_FILE", str(secret))
    known = load_settings().oidc
    assert known.client_secret is not None and known.client_secret.get_secret_value() == "hidden"
    monkeypatch.setenv("JOURNEYS_OIDC__ISSUER", "http://id.example.org")
    with pytest.raises(SettingsError, match="https://"):
        load_settings()


class Relay:
    """What stands before the application and speaks TLS: it says so in headers, and passes the host on."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        body = await reader.readexactly(int(length[1])) if length else b""
        inner, out = await asyncio.open_connection("127.0.0.1", self._to)
        added = b"X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n"
        out.write(line + b"\r\n" + added + re.sub(rb"connection: [^\r]*\r\n", b"", rest, flags=re.I) + body)
        while data := await inner.read(65_536):
            writer.write(data)
        writer.close()
        out.close()


@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.1", "https"), ("10.0.0.0/8", "http")])
async def test_behind_a_relay_that_speaks_tls(ground: Ground, trusted: str, scheme: str) -> None:
    """Only a relay of the settings is believed: then links, cookies and headers are those of https."""
    settings = ground.house.settings.model_copy(update={"trusted_proxies": (trusted,)})
    server = server_of(replace(ground.house, settings=settings), "127.0.0.1", 0)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"host": "parcours.example.org", "accept-language": "fr"}
    try:
        async with Relay(port) as relay, httpx.AsyncClient(headers=headers) as client:
            shown = await client.get(f"http://127.0.0.1:{relay.port}/connexion")
            away = await client.get(f"http://127.0.0.1:{relay.port}/connexion/fournisseur")
            plain = await client.get(f"http://127.0.0.1:{port}/connexion")
    finally:
        server.should_exit = True
        await serving
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{scheme}://parcours.example.org/connexion/retour"]
    flow = away.headers["set-cookie"]
    if scheme == "https":
        assert flow.startswith("__Host-flow=") and "Secure" in flow and "Path=/" in flow and "Domain" not in flow
        assert shown.headers["strict-transport-security"] == "max-age=31536000"
    else:
        assert flow.startswith("flow=") and "Secure" not in flow
        assert "strict-transport-security" not in shown.headers
    assert "strict-transport-security" not in plain.headers, "plain http says nothing about tomorrow"


def test_relays_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().trusted_proxies == ("127.0.0.1", "::1")
    monkeypatch.setenv("JOURNEYS_TRUSTED_PROXIES", "10.1.0.0/16, 192.0.2.7")
    assert load_settings().trusted_proxies == ("10.1.0.0/16", "192.0.2.7")
    for wrong in ("*", "proxy.example.org", "10.1.0.9/16"):
        monkeypatch.setenv("JOURNEYS_TRUSTED_PROXIES", wrong)
        with pytest.raises(SettingsError, match="JOURNEYS_TRUSTED_PROXIES"):
            load_settings()
