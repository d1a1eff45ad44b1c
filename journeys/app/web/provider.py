"""The identity provider: where a login is sent, and who comes back (OpenID Connect, authorization code with PKCE)."""

import base64
import hmac
import json
import secrets
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.house import House
from journeys.settings import OidcSettings

with warnings.catch_warnings():
    # It says at each start, to whoever serves the pages, that its authors will take another client one day.
    warnings.filterwarnings("ignore", "The httpx module is deprecated")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

FLOW_SECONDS: Final = 600
"""How long somebody may take at the provider's page."""
PATIENCE_SECONDS: Final = 5.0
REMEMBERED_SECONDS: Final = 3600.0
LEEWAY_SECONDS: Final = 60
_ASYMMETRIC: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A login under way: what must come back, and where it goes on. Kept in the browser, sealed."""

    state: str
    nonce: str
    verifier: str
    back: str
    again: str
    """The key of a filled form that waits for the proof; empty: none."""
    proving: str | None
    """The member whose proof is asked for anew; None: a login."""
    began: int
    """Seconds of the wall clock."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who came back: an account of the provider."""

    issuer: str
    subject: str
    verified_email: str | None


class Provider:
    """One provider, met at the first login; its description is remembered for an hour."""

    def __init__(self, settings: OidcSettings, seal: bytes) -> None:
        assert settings.issuer is not None and settings.client_id is not None
        self.issuer: Final = settings.issuer
        self.label: Final = settings.label or urlsplit(settings.issuer).netloc
        self._client_id: Final = settings.client_id
        secret = settings.client_secret
        self._client_secret: Final = secret.get_secret_value() if secret is not None else None
        self._seal: Final = hmac.digest(seal, b"login flow", "sha256")
        self._known: dict[str, Any] = {}
        self._until = 0.0

    @classmethod
    def of(cls, house: House) -> Self | None:
        """The provider of the settings; None where there is none."""
        if house.settings.oidc.issuer is None:
            return None
        return cls(house.settings.oidc, house.ring.keys[house.ring.current_id])

    @property
    def origins(self) -> frozenset[str]:
        """Where a form of ours may lead."""
        known = [self._known.get(each, "") for each in ("authorization_endpoint", "end_session_endpoint")]
        parts = [urlsplit(each) for each in (self.issuer, *known) if each]
        return frozenset(f"{part.scheme}://{part.netloc}" for part in parts)

    async def begin(
        self, redirect_uri: str, back: str, *, again: str = "", proving: str | None = None
    ) -> tuple[str, Flow]:
        """The provider's address for a login, and what must be kept until it returns. Raises Failure."""
        flow = Flow(
            state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48),
            back=back, again=again, proving=proving, began=int(time.time()),
        )  # fmt: skip
        more = {"prompt": "login", "max_age": "0"} if proving is not None else {}
        described = await self._described()
        async with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                described["authorization_endpoint"], state=flow.state, nonce=flow.nonce, code_verifier=flow.verifier,
                **more,
            )  # fmt: skip
        return url, flow

    async def finish(self, flow: Flow, redirect_uri: str, query: Mapping[str, str]) -> Subject:
        """Who came back with this query. Raises Failure: interrupted, refused there, not to be believed."""
        if not hmac.compare_digest(query.get("state", "").encode(), flow.state.encode()):
            raise interrupted()
        if "error" in query or not query.get("code"):
            structlog.get_logger().info("the provider refused a login", error=query.get("error", "")[:80])
            raise interrupted()
        described = await self._described()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    described["token_endpoint"], code=query["code"], code_verifier=flow.verifier
                )
                claims = await self._claims(client, token, flow)
                if "email" not in claims and described.get("userinfo_endpoint"):
                    answer = (await client.get(described["userinfo_endpoint"])).raise_for_status().json()
                    if answer.get("sub") == claims["sub"]:
                        claims = {**answer, **claims}
        except (httpx.HTTPError, OSError) as error:
            raise self._silent(error) from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            structlog.get_logger().warning("a login at the provider is not to be believed", why=repr(error)[:300])
            raise interrupted() from None
        email = claims.get("email")
        verified = claims.get("email_verified") in (True, "true")
        return Subject(self.issuer, str(claims["sub"]), str(email) if verified and email else None)

    async def leaving(self, to: str) -> str | None:
        """Where the provider's own session ends, back to `to` afterwards; None when it has no such page."""
        try:
            end = (await self._described()).get("end_session_endpoint")
        except Failure:
            return None
        asked = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": to})
        return f"{end}{'&' if '?' in end else '?'}{asked}" if end else None

    def sealed(self, flow: Flow) -> str:
        """The flow as a cookie, which only this application can have made."""
        body = base64.urlsafe_b64encode(json.dumps(asdict(flow)).encode())
        return f"{body.decode()}.{hmac.new(self._seal, body, 'sha256').hexdigest()}"

    def unsealed(self, cookie: str) -> Flow:
        """The flow that a cookie holds. Raises Failure: none, not ours, or too old."""
        body, _, seal = cookie.partition(".")
        made = hmac.new(self._seal, body.encode(), "sha256").hexdigest()
        if not hmac.compare_digest(made.encode(), seal.encode()):
            raise interrupted()
        flow = Flow(**json.loads(base64.urlsafe_b64decode(body)))
        if time.time() > flow.began + FLOW_SECONDS:
            raise interrupted()
        return flow

    async def _claims(self, client: AsyncOAuth2Client, token: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
        """What the identity token says, its signature, issuer, audience, age and nonce checked."""
        described = await self._described()
        allowed = sorted(_ASYMMETRIC & set(described.get("id_token_signing_alg_values_supported") or ["RS256"]))
        keys = KeySet.import_key_set(await self._fetched(client, described["jwks_uri"]))
        read = jwt.decode(token["id_token"], keys, registry=JWSRegistry(algorithms=allowed, strict_check_header=False))
        expected = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        claims = CodeIDToken(
            read.claims, read.header, expected,
            {"nonce": flow.nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
        )  # fmt: skip
        claims.validate(leeway=LEEWAY_SECONDS)
        if flow.proving is not None and int(claims["auth_time"]) < flow.began - LEEWAY_SECONDS:
            raise ValueError("the provider did not ask anew")
        return dict(claims)

    async def _described(self) -> Mapping[str, Any]:
        if time.monotonic() < self._until:
            return self._known
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
                found = await self._fetched(client, address)
            if found["issuer"] != self.issuer:
                raise ValueError(f"it calls itself {found['issuer']}")
            self._known = {**found, "token_endpoint": found["token_endpoint"], "jwks_uri": found["jwks_uri"],
                           "authorization_endpoint": found["authorization_endpoint"]}  # fmt: skip
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._silent(error) from None
        self._until = time.monotonic() + REMEMBERED_SECONDS
        return self._known

    async def _fetched(self, client: Any, address: str) -> Any:
        more = {"withhold_token": True} if isinstance(client, AsyncOAuth2Client) else {}
        return (await client.request("GET", address, **more)).raise_for_status().json()

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client_id, self._client_secret, scope="openid email", redirect_uri=redirect_uri,
            code_challenge_method="S256", timeout=PATIENCE_SECONDS,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
        )  # fmt: skip

    def _silent(self, error: Exception) -> Failure:
        structlog.get_logger().error("the identity provider gives no use", issuer=self.issuer, why=repr(error)[:300])
        return Failure(
            Exit.UNREACHABLE, "no-provider",
            Said(f"{self.label} ne répond pas ; personne n'a été connecté",
                 f"{self.label} does not answer; nobody was logged in"),
            Said("réessayez dans un instant, ou connectez-vous par mot de passe si vous en avez un",
                 "try again in a moment, or log in with a password if you have one"),
        )  # fmt: skip


def interrupted() -> Failure:
    """A login that came back too late, twice, from elsewhere, or refused."""
    return Failure(
        Exit.REFUSED, "login-interrupted",
        Said("la connexion a été interrompue ou a pris trop de temps", "the login was interrupted or took too long"),
        Said("recommencez depuis la page de connexion", "begin again from the login page"),
    )  # fmt: skip
