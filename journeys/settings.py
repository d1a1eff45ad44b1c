"""The settings: read once from the environment, checked, frozen; what is wrong is said by variable.

Variables begin with JOURNEYS_; a part of a group follows two underscores (JOURNEYS_SMTP__HOST). DATABASE_URL,
TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE keep the names that their tools know. A secret may stand in a
file: NAME_FILE holds its path. An empty variable counts as absent. Temporal's other variables are read in
journeys.temporal.
"""

import base64
import difflib
import hashlib
import ipaddress
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as UnreadableVariable,
)

Language: TypeAlias = Literal["fr", "en"]

PREFIX: Final = "JOURNEYS_"
FILE_SUFFIX: Final = "_FILE"
KEY_BYTES: Final = 32

# Read elsewhere than here (journeys.clock), so no typing error when present.
_READ_ELSEWHERE: Final = frozenset({"JOURNEYS_CLOCK_OFFSET"})
_KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ISSUER: Final = re.compile(r"(https://[^\s/?#;,']+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)(/[^\s?#]*)?")
_PROVIDER: Final = re.compile(
    rf"(https://(?:{_LABEL}\.)*{_LABEL}|http://(localhost|127\.0\.0\.1|\[::1\]))(:\d{{1,5}})?(/[^\s?#]*)?"
)
_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
_PUBLIC: Final = re.compile(rf"(https://(?:{_LABEL}\.)*{_LABEL}|http://(localhost|127\.0\.0\.1))(:\d{{1,5}})?/?")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}(?::\d{{1,5}})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong setting: the variable, and in each language what is wrong and what to write instead."""

    variable: str
    fr: str
    en: str

    def text(self, lang: Language = "fr") -> str:
        """One line; never the value of a secret."""
        match lang:
            case "fr":
                return f"{self.variable} : {self.fr}"
            case "en":
                return f"{self.variable}: {self.en}"


class SettingsError(Exception):
    """Settings that cannot be used; `problems` in the order of the variables, at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    def text(self, lang: Language = "fr") -> str:
        """One line a problem, ready to be shown."""
        return "\n".join(problem.text(lang) for problem in self.problems)

    def __str__(self) -> str:
        return self.text()


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SmtpSettings(_Group):
    """How mail leaves. Without a host nothing is sent by mail: messages go to the outbox on disk."""

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: str = "journeys@localhost"
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)

    @model_validator(mode="before")
    @classmethod
    def _without_the_file(cls, values: Any) -> Any:
        """JOURNEYS_SMTP__PASSWORD_FILE is read by `_SecretFiles`; here it would be an unknown name."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name != "password_file"}

    @field_validator("sender")
    @classmethod
    def _has_an_address(cls, sender: str) -> str:
        if not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+", sender):
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
        """JOURNEYS_OIDC__CLIENT_SECRET_FILE is read by `_SecretFiles`; here it would be an unknown name."""
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


class ProviderSettings(_Group):
    """Who pays what programmes pay by `http`. Without a URL nobody does, or the simulation, as `bank` says."""

    url: str | None = None
    """https://…, under which it takes payments (http:// on this machine only)."""
    token: SecretStr | None = None
    key_hours: float = Field(default=24.0, ge=2, le=8_784)
    """How long it knows a key again: a payment sent twice within is paid once."""
    visible_seconds: float = Field(default=60.0, ge=0, le=86_400)
    """How long after it was told it may still not find a payment."""
    notice_secret: SecretStr | None = None
    """`whsec_…`, with which it signs what it says later; without one nothing of it is believed."""
    notice_old_secret: SecretStr | None = None
    """The one before, while both are in use."""

    @model_validator(mode="before")
    @classmethod
    def _without_the_files(cls, values: Any) -> Any:
        """JOURNEYS_PROVIDER__…_FILE are read by `_SecretFiles`; here they would be unknown names."""
        if not isinstance(values, dict):
            return values
        files = {"token_file", "notice_secret_file", "notice_old_secret_file"}
        return {name: value for name, value in values.items() if name not in files}

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not _PROVIDER.fullmatch(url):
            raise ValueError("provider_url")
        return url.rstrip("/") if url is not None else None

    @field_validator("notice_secret", "notice_old_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _secret_bytes(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _url_with_token(self) -> Self:
        if (self.url is None) != (self.token is None):
            raise ValueError("provider_token")
        return self

    @property
    def notice_secrets(self) -> tuple[bytes, ...]:
        """What a notice may be signed with, the newest first."""
        known = (self.notice_secret, self.notice_old_secret)
        return tuple(_secret_bytes(each.get_secret_value()) for each in known if each is not None)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The keys that sign and verify commands: 32 bytes each, by id. Only `current` signs."""

    current: str
    by_id: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"SigningKeys(current={self.current!r}, ids={sorted(self.by_id)!r})"

    @property
    def key(self) -> bytes:
        """The key that signs."""
        return self.by_id[self.current]


def _default_data_dir() -> Path:
    stated = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(stated):
        return Path(stated) / "journeys"
    try:
        return Path.home() / ".local" / "share" / "journeys"
    except RuntimeError:
        raise SettingsError(
            Problem(
                variable="JOURNEYS_DATA_DIR",
                fr="cet utilisateur n'a pas de dossier personnel ; indiquez le dossier des données",
                en="this user has no home directory; name the directory of the data",
            )
        ) from None


class Settings(BaseSettings):
    """All settings. Build them with `load_settings()`, which turns what is wrong into a SettingsError."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    """Where the embedded stack, the keys and the outbox are kept.

    By default $XDG_DATA_HOME/journeys, that is ~/.local/share/journeys where XDG_DATA_HOME is not set.
    """

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    """postgresql://… of a PostgreSQL that is run elsewhere; None means the embedded one."""

    temporal_address: str = Field(default="127.0.0.1:7233", validation_alias="TEMPORAL_ADDRESS")
    """host:port of the Temporal server; used only where no embedded one runs."""

    temporal_namespace: str = Field(default="default", validation_alias="TEMPORAL_NAMESPACE")

    lang: Language = "fr"
    """The language of texts for people where neither an option nor the recipient says otherwise."""

    task_queue: str = Field(default="journeys", min_length=1, max_length=200)

    signing_key: SecretStr | None = None
    """64 hexadecimal digits; None means the key file of the data directory (`signing_keys()`)."""

    signing_key_id: str | None = None
    """The id of `signing_key`; by default it is derived from the key."""

    signing_old_keys: dict[str, SecretStr] = Field(default_factory=dict)
    """Keys that still verify, by id: JSON, or JOURNEYS_SIGNING_OLD_KEYS__<ID>=<hex>. Ids are lower case."""

    checkpoint_key: SecretStr | None = None
    """64 hexadecimal digits: the private key that signs the log's checkpoints; None means the file beside the signing
    key (`checkpoint_seed()`)."""

    checkpoint_directories: Annotated[tuple[str, ...], NoDecode] = ()
    """Directories (absolute paths, commas between) that others keep, into which each checkpoint is laid."""

    checkpoint_mails: Annotated[tuple[str, ...], NoDecode] = ()
    """Mail addresses (commas between) that get a checkpoint a day."""

    checkpoint_webhooks: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses (https://…, commas between; their hosts in `webhook_hosts`) that get a checkpoint an hour."""

    checkpoint_webhook_secret: SecretStr | None = None
    """`whsec_…`, with which these are signed."""

    smtp: SmtpSettings = Field(default_factory=SmtpSettings)

    oidc: OidcSettings = Field(default_factory=OidcSettings)

    bank: Literal["simulated", "file"] = "simulated"
    """Where transfers go: to the simulation, which pays nobody, or into the file that somebody brings to the bank."""

    provider: ProviderSettings = Field(default_factory=ProviderSettings)
    account: AccountSettings = Field(default_factory=AccountSettings)

    outbox_dir: Path = Field(default_factory=lambda data: data["data_dir"] / "outbox")
    """Where messages are laid as files when no SMTP host is set."""

    http_check_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts (host or host:port, commas between) that a milestone's HTTP check may call; none by default."""

    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts (host or host:port, commas between) that webhooks may tell; none by default."""

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")
    """Addresses and networks (commas between) of relays that may say in X-Forwarded-… who asked, and by https."""

    control_hour: int = Field(default=7, ge=0, le=23)
    """The hour (of Paris) at which the money is controlled every day."""

    duty_address: str | None = None
    """The mail address of last resort, where no member of staff holds the role `duty`. Never vacant."""

    association: str = ""
    """How messages are signed."""

    largest_document_mb: int = Field(default=10, ge=1, le=100)
    """Megabytes (of 1,000,000 bytes) that a document may have."""

    link: str = "journeys show {journey}"
    """Where staff look a journey up; `{journey}` stands for its id."""

    public_url: str | None = None
    """https://… under which people outside reach the application; None: messages carry no one-time link."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @field_validator("data_dir", "outbox_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("database_url")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, url: str | None) -> str | None:
        if url is not None and not _PUBLIC.fullmatch(url):
            raise ValueError("public_url")
        return url.rstrip("/") if url is not None else None

    @field_validator("temporal_address")
    @classmethod
    def _has_a_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("host_port")
        return address

    @field_validator("signing_key", "checkpoint_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            _key_bytes(key.get_secret_value())
        return key

    @field_validator("signing_old_keys")
    @classmethod
    def _are_keys(cls, keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in keys.items():
            _check_key_id(key_id)
            _key_bytes(key.get_secret_value())
        return keys

    @field_validator("signing_key_id")
    @classmethod
    def _is_a_key_id(cls, key_id: str | None) -> str | None:
        if key_id is not None:
            _check_key_id(key_id)
        return key_id

    @field_validator("checkpoint_webhook_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _secret_bytes(secret.get_secret_value())
        return secret

    @field_validator("checkpoint_directories", "checkpoint_mails", "checkpoint_webhooks", mode="before")
    @classmethod
    def _listed(cls, named: object) -> object:
        return tuple(each.strip() for each in named.split(",") if each.strip()) if isinstance(named, str) else named

    @field_validator("checkpoint_directories")
    @classmethod
    def _are_absolute(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if not all(os.path.isabs(path) for path in paths):
            raise ValueError("directories")
        return paths

    @field_validator("checkpoint_mails")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+", address) for address in addresses):
            raise ValueError("address")
        return addresses

    @field_validator("http_check_hosts", "webhook_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, hosts: object) -> object:
        return (
            tuple(host.strip().lower() for host in hosts.split(",") if host.strip())
            if isinstance(hosts, str)
            else hosts
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(each)) if "/" in each else str(ipaddress.ip_address(each))
                         for each in proxies)  # fmt: skip
        except ValueError:
            raise ValueError("networks") from None

    @field_validator("http_check_hosts", "webhook_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("hosts")
        return hosts

    @property
    def largest_document(self) -> int:
        """Bytes that a document may have."""
        return self.largest_document_mb * 1_000_000

    @property
    def embedded(self) -> bool:
        """True when PostgreSQL and Temporal are those that `journeys up` runs under `data_dir`."""
        return self.database_url is None

    @property
    def key_file(self) -> Path:
        """Where the data directory's own signing key is kept."""
        return self.data_dir / "keys" / "signing.key"

    def signing_keys(self) -> SigningKeys:
        """The keys that sign and verify commands.

        Without JOURNEYS_SIGNING_KEY the key is that of `key_file`, made (0600) at the first use of an
        embedded stack; with DATABASE_URL an existing file is used but none is made: each machine would sign
        with a key of its own. Other `*.key` files beside it verify only: to change keys, rename the file.

        Raises:
            SettingsError: no key, a key file that cannot be read or made, or that others can read.
        """
        old = {key_id: _key_bytes(key.get_secret_value()) for key_id, key in self.signing_old_keys.items()}
        if self.signing_key is not None:
            current, kept = _key_bytes(self.signing_key.get_secret_value()), {}
        else:
            if not self.embedded and not self.key_file.exists():
                raise SettingsError(_missing_key())
            current = _read_or_make_key(self.key_file)
            kept = {key_id_of(key): key for key in map(_read_key, _other_key_files(self.key_file))}
        current_id = self.signing_key_id or key_id_of(current)
        return SigningKeys(current=current_id, by_id={**kept, **old, current_id: current})

    @property
    def checkpoint_file(self) -> Path:
        """Where the data directory's own key of checkpoints is kept."""
        return self.data_dir / "keys" / "checkpoint.seed"

    def checkpoint_seed(self) -> bytes | None:
        """The 32 bytes that sign the log's checkpoints; None where this process has none.

        Without JOURNEYS_CHECKPOINT_KEY they are those of `checkpoint_file`, made (0600) at the first use of an embedded
        stack; with DATABASE_URL none is made.

        Raises:
            SettingsError: a key file that cannot be read or made, or that others can read.
        """
        if self.checkpoint_key is not None:
            return _key_bytes(self.checkpoint_key.get_secret_value())
        if not self.embedded and not self.checkpoint_file.exists():
            return None
        return _read_or_make_key(self.checkpoint_file, "JOURNEYS_CHECKPOINT_KEY")

    @property
    def checkpoint_webhook_keys(self) -> tuple[bytes, ...]:
        """What checkpoints to systems elsewhere are signed with; none without a secret."""
        secret = self.checkpoint_webhook_secret
        return (_secret_bytes(secret.get_secret_value()),) if secret is not None else ()


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` (by field name) win over the environment.

    Raises:
        SettingsError: with one problem for each wrong variable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        raise SettingsError(*problems) from None
    except UnreadableVariable as error:
        raise SettingsError(_unparsable(error)) from None


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """Variables that begin like ours but that nothing reads, each with the one probably meant."""
    known = {*_variables(Settings, PREFIX), *_READ_ELSEWHERE}
    known |= {name + FILE_SUFFIX for name, _, _ in _secret_variables(Settings, PREFIX)}
    strangers = [
        name
        for name in sorted(environ)
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not name.upper().startswith("JOURNEYS_SIGNING_OLD_KEYS__")
    ]
    return {name: next(iter(difflib.get_close_matches(name.upper(), known, n=1)), None) for name in strangers}


def key_id_of(key: bytes) -> str:
    """The id of a key that was given none: it tells keys apart and says nothing about them."""
    return "k-" + hashlib.sha256(b"journeys key id\0" + key).hexdigest()[:12]


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files: for each secret NAME, the file whose path NAME_FILE holds."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for variable, path, _ in _secret_variables(self.settings_cls, PREFIX):
            named = os.environ.get(variable + FILE_SUFFIX, "")
            if not named:
                continue
            if os.environ.get(variable):
                raise SettingsError(_said_twice(variable))
            group = values
            for part in path[:-1]:
                group = group.setdefault(part, {})
            group[path[-1]] = _read_secret(variable, Path(named).expanduser())
        return values


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, FieldInfo]]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        yield (alias if isinstance(alias, str) else prefix + name.upper()), name, field


def _group_of(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for variable, _, field in _fields(model, prefix):
        yield variable
        if group := _group_of(field):
            yield from _variables(group, variable + "__")


def _secret_variables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, tuple[str, ...], FieldInfo]]:
    """(variable, where it goes in the input of the settings, field) of each secret."""
    for variable, name, field in _fields(model, prefix):
        if group := _group_of(field):
            for inner, path, inner_field in _secret_variables(group, variable + "__"):
                yield inner, (name, *path), inner_field
        elif field.annotation == SecretStr | None or name == "database_url":
            yield variable, (variable if field.validation_alias else name,), field


def _read_secret(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(_unreadable_file(variable + FILE_SUFFIX, path, error)) from None


def _key_bytes(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ValueError("key") from None
    if len(key) != KEY_BYTES:
        raise ValueError("key")
    return key


def _secret_bytes(text: str) -> bytes:
    """The bytes of a secret of Standard Webhooks."""
    try:
        found = base64.b64decode(text.removeprefix("whsec_"), validate=True) if _SECRET.fullmatch(text) else b""
    except ValueError:
        found = b""
    if not 24 <= len(found) <= 64:
        raise ValueError("notice_secret")
    return found


def _check_key_id(key_id: str) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("key_id")


def _other_key_files(current: Path) -> list[Path]:
    return sorted(path for path in current.parent.glob("*.key") if path != current)


def _read_or_make_key(path: Path, variable: str = "JOURNEYS_SIGNING_KEY") -> bytes:
    try:
        if not path.exists():
            _make_key(path)
    except OSError as error:
        raise SettingsError(_unreadable_file("JOURNEYS_DATA_DIR", path, error)) from None
    return _read_key(path, variable)


def _make_key(path: Path) -> None:
    """Written aside and linked: two first starts at once end with one key, a full disk with none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        aside.unlink()


def _read_key(path: Path, variable: str = "JOURNEYS_SIGNING_KEY") -> bytes:
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(_unreadable_file(variable, path, error)) from None
    if mode & 0o077:
        raise SettingsError(
            Problem(
                variable=variable,
                fr=f"d'autres utilisateurs peuvent lire la clé {path} (droits {mode:o}) ; faites : chmod 600 {path}",
                en=f"other users can read the key {path} (mode {mode:o}); run: chmod 600 {path}",
            )
        )
    try:
        return _key_bytes(text)
    except ValueError:
        fr, en = _TEXTS["key"]
        raise SettingsError(Problem(variable=str(path), fr=fr, en=en)) from None


_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "address": (
        "écrivez une adresse, comme suivi@exemple.fr",
        "write an address, such as follow-up@example.org",
    ),
    "smtp_login": (
        "nom d'utilisateur et mot de passe vont ensemble ; indiquez JOURNEYS_SMTP__USER et "
        "JOURNEYS_SMTP__PASSWORD, ou aucun des deux",
        "user and password go together; set JOURNEYS_SMTP__USER and JOURNEYS_SMTP__PASSWORD, or neither",
    ),
    "iban": (
        "ce n'est pas un IBAN ; recopiez-le du relevé d'identité bancaire (la clé ne correspond pas)",
        "this is not an IBAN; copy it from the bank's own statement (its key does not fit)",
    ),
    "bic": (
        "un BIC a 8 ou 11 lettres majuscules et chiffres, comme AGRIFRPP ; recopiez-le, ou retirez la variable",
        "a BIC has 8 or 11 capital letters and digits, such as AGRIFRPP; copy it, or unset the variable",
    ),
    "account": (
        "le compte a un titulaire et un IBAN ; indiquez JOURNEYS_ACCOUNT__NAME et JOURNEYS_ACCOUNT__IBAN, "
        "ou aucun des deux",
        "an account has a holder and an IBAN; set JOURNEYS_ACCOUNT__NAME and JOURNEYS_ACCOUNT__IBAN, or neither",
    ),
    "issuer": (
        "écrivez l'adresse du fournisseur d'identité, qui commence par https:// "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the address of the identity provider, which begins with https:// "
        "(http:// is taken on this machine only: localhost)",
    ),
    "public_url": (
        "écrivez l'adresse publique de l'application, comme https://parcours.exemple.fr, sans chemin "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the public address of the application, such as https://journeys.example.org, without a path "
        "(http:// is taken on this machine only: localhost)",
    ),
    "provider_url": (
        "écrivez l'adresse du prestataire de paiement, qui commence par https:// "
        "(http:// ne vaut que sur cette machine : localhost)",
        "write the address of the payment provider, which begins with https:// "
        "(http:// is taken on this machine only: localhost)",
    ),
    "provider_token": (
        "adresse et jeton vont ensemble ; indiquez JOURNEYS_PROVIDER__URL et JOURNEYS_PROVIDER__TOKEN, "
        "ou aucun des deux",
        "address and token go together; set JOURNEYS_PROVIDER__URL and JOURNEYS_PROVIDER__TOKEN, or neither",
    ),
    "notice_secret": (
        "un secret commence par whsec_ et tient 24 à 64 octets en base64, tel que le prestataire le donne",
        "a secret begins with whsec_ and holds 24 to 64 bytes in base64, as the provider gives it",
    ),
    "oidc_client": (
        "fournisseur et client vont ensemble ; indiquez JOURNEYS_OIDC__ISSUER et JOURNEYS_OIDC__CLIENT_ID, "
        "ou aucun des deux",
        "issuer and client go together; set JOURNEYS_OIDC__ISSUER and JOURNEYS_OIDC__CLIENT_ID, or neither",
    ),
    "database_url": (
        "écrivez une adresse qui commence par postgresql:// "
        "(postgresql://utilisateur:motdepasse@hôte:5432/journeys), ou retirez la variable "
        "pour utiliser la base embarquée",
        "write a URL that begins with postgresql:// (postgresql://user:password@host:5432/journeys), "
        "or unset the variable to use the embedded database",
    ),
    "host_port": ("écrivez hôte:port, comme 127.0.0.1:7233", "write host:port, such as 127.0.0.1:7233"),
    "key": (
        "une clé a 64 chiffres hexadécimaux ; faites-en une par : openssl rand -hex 32",
        "a key has 64 hexadecimal digits; make one by: openssl rand -hex 32",
    ),
    "key_id": (
        "un nom de clé a 1 à 32 lettres minuscules, chiffres, points ou tirets, comme 2027-01",
        "a key id has 1 to 32 lower case letters, digits, dots or dashes, such as 2027-01",
    ),
    "directories": (
        "écrivez des chemins complets, qui commencent par /, séparés par des virgules",
        "write whole paths, which begin with /, separated by commas",
    ),
    "networks": (
        "écrivez des adresses ou des réseaux, séparés par des virgules (127.0.0.1,172.16.0.0/12)",
        "write addresses or networks, separated by commas (127.0.0.1,172.16.0.0/12)",
    ),
    "hosts": (
        "écrivez des noms d'hôtes, avec un port au besoin, séparés par des virgules (emploi.exemple.fr,127.0.0.1:8080)",
        "write host names, with a port where needed, separated by commas (jobs.example.org,127.0.0.1:8080)",
    ),
}


def _problem(detail: ErrorDetails) -> Problem:
    fr, en = _explain(detail)
    return Problem(variable=_variable_at(detail["loc"]), fr=fr, en=en)


def _explain(detail: ErrorDetails) -> tuple[str, str]:
    context = detail.get("ctx", {})
    code = str(context.get("error", ""))
    if code in _TEXTS:
        return _TEXTS[code]
    match detail["type"]:
        case "literal_error":
            allowed = str(context["expected"]).replace(" or ", ", ").replace("'", "")
            return f"écrivez l'une de ces valeurs : {allowed}", f"write one of: {allowed}"
        case "int_parsing" | "int_type" | "float_parsing" | "float_type":
            return "écrivez un nombre", "write a number"
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            sign, bound = next((sign, context[key]) for key, sign in _BOUNDS.items() if key in context)
            return f"écrivez un nombre {sign} {bound}", f"write a number {sign} {bound}"
        case "extra_forbidden":
            return (
                "cette variable n'existe pas ; vérifiez son nom",
                "there is no such variable; check its name",
            )
        case _:
            return f"valeur refusée ({detail['msg']})", f"value refused ({detail['msg']})"


_BOUNDS: Final = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


def _variable_at(location: tuple[int | str, ...]) -> str:
    first, *rest = (str(part) for part in location)
    name = first if first in ("DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE") else PREFIX + first
    return "__".join((name, *rest)).upper()


def _unparsable(error: UnreadableVariable) -> Problem:
    """pydantic-settings names the field, not the variable, when a JSON value cannot be read."""
    field = re.search(r'field "(\w+)"', str(error))
    return Problem(
        variable=PREFIX + (field[1].upper() if field else "…"),
        fr='ce n\'est pas du JSON ; écrivez un objet comme {"nom": "valeur"}',
        en='this is not JSON; write an object such as {"name": "value"}',
    )


def _missing_key() -> Problem:
    return Problem(
        variable="JOURNEYS_SIGNING_KEY",
        fr="avec DATABASE_URL, toutes les machines signent avec la même clé et il n'y en a pas ici ; "
        "faites-en une par « openssl rand -hex 32 » et donnez-la à chacune, ou son fichier "
        "par JOURNEYS_SIGNING_KEY_FILE",
        en="with DATABASE_URL all machines sign with the same key and there is none here; make one by "
        '"openssl rand -hex 32" and give it to each, or its file by JOURNEYS_SIGNING_KEY_FILE',
    )


def _said_twice(variable: str) -> Problem:
    return Problem(
        variable=variable,
        fr=f"donnée deux fois ; gardez {variable} ou {variable}{FILE_SUFFIX}, pas les deux",
        en=f"given twice; keep {variable} or {variable}{FILE_SUFFIX}, not both",
    )


def _unreadable_file(variable: str, path: Path, error: OSError | UnicodeDecodeError) -> Problem:
    reason = error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8"
    return Problem(
        variable=variable,
        fr=f"le fichier {path} ne peut pas être lu ou écrit ({reason}) ; vérifiez le chemin et les droits",
        en=f"the file {path} cannot be read or written ({reason}); check the path and the permissions",
    )
