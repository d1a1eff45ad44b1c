"""Settings that come in groups, by what they are for: mail, short messages, identities, payments, an account."""

import re
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from journeys.settings.keys import secret_bytes

LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
"""One label of the name of a host."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
MAIL_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""What `journeys.channels.letter` takes for an address; a test holds the two together."""

_ISSUER: Final = re.compile(r"(https://[^\s/?#;,']+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)(/[^\s?#]*)?")
_PROVIDER: Final = re.compile(
    rf"(https://(?:{LABEL}\.)*{LABEL}|http://(localhost|127\.0\.0\.1|\[::1\]))(:\d{{1,5}})?(/[^\s?#]*)?"
)
_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}|\+?[0-9]{3,15}")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _secrets(*known: SecretStr | None) -> tuple[bytes, ...]:
    return tuple(secret_bytes(each.get_secret_value()) for each in known if each is not None)


class SmtpSettings(_Group):
    """How mail leaves. Without a host nothing is sent by mail: messages go to the outbox on disk."""

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: str = "journeys@localhost"
    timeout_seconds: float = Field(default=20.0, gt=0, le=25)
    """A letter has twice that, and an attempt of the engine a minute with what is read and written beside it."""

    @model_validator(mode="before")
    @classmethod
    def _without_the_file(cls, values: Any) -> Any:
        """JOURNEYS_SMTP__PASSWORD_FILE is read by `SecretFiles`; here it would be an unknown name."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name != "password_file"}

    @field_validator("sender")
    @classmethod
    def _has_an_address(cls, sender: str) -> str:
        if not MAIL_ADDRESS.fullmatch(sender):
            raise ValueError("address")
        return sender

    @model_validator(mode="after")
    def _user_with_password(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("smtp_login")
        return self


class OidcSettings(_Group):
    """The identity provider that staff log in with. Without an issuer there are local accounts only."""

    issuer: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    label: str = ""
    """What the login page calls it."""

    @model_validator(mode="before")
    @classmethod
    def _without_the_file(cls, values: Any) -> Any:
        """JOURNEYS_OIDC__CLIENT_SECRET_FILE is read by `SecretFiles`; here it would be an unknown name."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name != "client_secret_file"}

    @field_validator("issuer")
    @classmethod
    def _is_an_issuer(cls, issuer: str | None) -> str | None:
        if issuer is not None and not _ISSUER.fullmatch(issuer):
            raise ValueError("issuer")
        return issuer

    @model_validator(mode="after")
    def _issuer_with_client(self) -> Self:
        if (self.issuer is None) != (self.client_id is None):
            raise ValueError("oidc_client")
        return self


class _Teller(_Group):
    """Somebody outside whom we ask with a token, and who tells later, signed, what became of it."""

    token: SecretStr | None = None
    notice_secret: SecretStr | None = None
    """`whsec_…`, with which it signs what it says later; without one nothing of it is believed."""
    notice_old_secret: SecretStr | None = None
    """The one before, while both are in use."""

    @model_validator(mode="before")
    @classmethod
    def _without_the_files(cls, values: Any) -> Any:
        """What ends in `_FILE` is read by `SecretFiles`; here it would be an unknown name."""
        if not isinstance(values, dict):
            return values
        files = {"token_file", "notice_secret_file", "notice_old_secret_file"}
        return {name: value for name, value in values.items() if name not in files}

    @field_validator("notice_secret", "notice_old_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            secret_bytes(secret.get_secret_value())
        return secret

    @property
    def notice_secrets(self) -> tuple[bytes, ...]:
        """What a notice may be signed with, the newest first."""
        return _secrets(self.notice_secret, self.notice_old_secret)


class ProviderSettings(_Teller):
    """Who pays what programmes pay by `http`. Without a URL nobody does, or the simulation, as `bank` says."""

    url: str | None = None
    """https://…, under which it takes payments (http:// on this machine only)."""
    key_hours: float = Field(default=24.0, ge=2, le=8_784)
    """How long it knows a key again: a payment sent twice within is paid once."""
    visible_seconds: float = Field(default=60.0, ge=0, le=86_400)
    """How long after it was told it may still not find a payment."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not _PROVIDER.fullmatch(url):
            raise ValueError("provider_url")
        return url.rstrip("/") if url is not None else None

    @model_validator(mode="after")
    def _url_with_token(self) -> Self:
        if (self.url is None) != (self.token is None):
            raise ValueError("provider_token")
        return self


class SmsSettings(_Teller):
    """Who sends short messages. Without a token nobody does: people are written to by mail."""

    vendor: Literal["http", "brevo", "ovh"] = "http"
    """How the gateway is spoken to: `http` as docs/gateways.md says, or as a vendor says."""
    url: str | None = None
    """https://… of the gateway (http:// on this machine only); a vendor's own by default."""
    account: str = ""
    """The name of the service, where a vendor asks for it."""
    sender: str = ""
    """What the phone shows: at most 11 letters and digits."""
    countries: tuple[str, ...] = ()
    """Regions (ISO 3166) whose mobiles are written to; none: France and overseas."""
    most_segments: int = Field(default=3, ge=1, le=10)
    """A text that would be cut into more does not leave."""
    per_second: float | None = Field(default=None, gt=0, le=1_000)
    """How many messages all workers together ask for in a second at most; None: as they come."""
    silent_hours: float = Field(default=24.0, gt=0, le=8_784)
    """After so long without a receipt a message is told of as silent."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not _PROVIDER.fullmatch(url):
            raise ValueError("gateway_url")
        return url.rstrip("/") if url is not None else None

    @property
    def answerable(self) -> bool:
        """Whether it is heard when a phone answers: not under a name, not by a vendor whose notices are not taken, and
        not without the secret by which they are believed."""
        numbered = not self.sender or self.sender.lstrip("+").isdigit()
        return numbered and self.vendor == "http" and bool(self.notice_secrets)

    @field_validator("sender")
    @classmethod
    def _fits_on_a_phone(cls, sender: str) -> str:
        if sender and not _SENDER.fullmatch(sender):
            raise ValueError("sms_sender")
        return sender

    @field_validator("countries")
    @classmethod
    def _are_regions(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Z]{2}", each) for each in countries):
            raise ValueError("regions")
        return countries

    @model_validator(mode="after")
    def _enough_for_its_vendor(self) -> Self:
        if self.vendor == "http" and (self.url is None) != (self.token is None):
            raise ValueError("gateway_token")
        if self.vendor != "http" and (self.token is None or not self.sender):
            raise ValueError("vendor_token")
        if self.vendor == "ovh" and (not self.account or self.token is None
                                     or self.token.get_secret_value().count(":") != 2):  # fmt: skip
            raise ValueError("ovh_account")
        return self


class AccountSettings(_Group):
    """The association's account, from which transfers leave. Without an IBAN no file for a bank is made or taken."""

    name: str = ""
    """As it stands in the contract with the bank."""
    iban: str | None = Field(default=None, repr=False)
    bic: str | None = None

    @field_validator("iban")
    @classmethod
    def _is_an_iban(cls, iban: str | None) -> str | None:
        if iban is None:
            return None
        from schwifty import IBAN, exceptions

        try:
            return str(IBAN(iban))
        except exceptions.SchwiftyException:
            raise ValueError("iban") from None

    @field_validator("bic")
    @classmethod
    def _is_a_bic(cls, bic: str | None) -> str | None:
        if bic is not None and not _BIC.fullmatch(bic):
            raise ValueError("bic")
        return bic

    @model_validator(mode="after")
    def _iban_with_name(self) -> Self:
        if (self.iban is None) != (not self.name.strip()):
            raise ValueError("account")
        return self
