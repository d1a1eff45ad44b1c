"""The settings: read once from the environment, checked, frozen; what is wrong is said by variable.

Variables begin with JOURNEYS_; a part of a group follows two underscores (JOURNEYS_SMTP__HOST). DATABASE_URL,
TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE keep the names that their tools know. A secret may stand in a
file: NAME_FILE holds its path. An empty variable counts as absent. Temporal's other variables are read in
journeys.temporal.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from journeys.settings.groups import (
    LABEL,
    MAIL_ADDRESS,
    AccountSettings,
    OidcSettings,
    ProviderSettings,
    SmsSettings,
    SmtpSettings,
)
from journeys.settings.keys import (
    SigningKeys,
    check_key_id,
    key_bytes,
    key_id_of,
    other_key_files,
    read_key,
    read_or_make_key,
    secret_bytes,
)
from journeys.settings.problems import (
    FILE_SUFFIX,
    PREFIX,
    Language,
    Problem,
    SettingsError,
    missing_key,
    problem,
    unparsable,
)
from journeys.settings.variables import SecretFiles, secret_variables, variables

__all__ = [
    "PREFIX",
    "Language",
    "OidcSettings",
    "Problem",
    "Settings",
    "SettingsError",
    "SmsSettings",
    "load_settings",
    "unknown_variables",
]

# Read elsewhere than here (journeys.clock), so no typing error when present.
_READ_ELSEWHERE: Final = frozenset({"JOURNEYS_CLOCK_OFFSET"})
_PUBLIC: Final = re.compile(rf"(https://(?:{LABEL}\.)*{LABEL}|http://(localhost|127\.0\.0\.1))(:\d{{1,5}})?/?")
_HOST: Final = re.compile(rf"(?:{LABEL}\.)*{LABEL}(?::\d{{1,5}})?")


def _public(url: str | None, problem: str) -> str | None:
    if url is not None and not _PUBLIC.fullmatch(url):
        raise ValueError(problem)
    return url.rstrip("/") if url is not None else None


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

    keys_dsn: SecretStr | None = None
    """postgresql://… of the database of keys; None: `journeys_keys`, on the server of the journal."""

    sealing_key: SecretStr | None = None
    """64 hexadecimal digits, under which keys are kept; None means the key file of the data directory."""

    sealing_key_id: str | None = None
    """The id of `sealing_key`; by default it is derived from the key."""

    sealing_old_keys: dict[str, SecretStr] = Field(default_factory=dict)
    """Keys under which some keys are still kept, by id, as `signing_old_keys`."""

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

    sms: SmsSettings = Field(default_factory=SmsSettings)

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

    reads_kept_months: int = Field(default=12, ge=6, le=36)
    """For how many months it is known who opened whose file."""

    retention: Path | None = None
    """The file that says for how long what is kept is kept; None: the one that is shipped."""

    reads_an_hour: int = Field(default=60, ge=1, le=100_000)
    """Files that one person opens in an hour before `doctor` and the page of looks say so."""

    link: str = "journeys show {journey}"
    """Where staff look a journey up; `{journey}` stands for its id."""

    temporal_ui: str | None = None
    """https://… of Temporal's own pages, from where alone (beside ours) payloads may be opened; None: from nowhere."""

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
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("data_dir", "outbox_dir", "retention")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path is not None else None

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("database_url")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, url: str | None) -> str | None:
        return _public(url, "public_url")

    @field_validator("temporal_ui")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        return _public(url, "temporal_ui")

    @field_validator("temporal_address")
    @classmethod
    def _has_a_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("host_port")
        return address

    @field_validator("keys_dsn")
    @classmethod
    def _is_a_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("database_url")
        return url

    @field_validator("signing_key", "checkpoint_key", "sealing_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            key_bytes(key.get_secret_value())
        return key

    @field_validator("signing_old_keys", "sealing_old_keys")
    @classmethod
    def _are_keys(cls, keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in keys.items():
            check_key_id(key_id)
            key_bytes(key.get_secret_value())
        return keys

    @field_validator("signing_key_id", "sealing_key_id")
    @classmethod
    def _is_a_key_id(cls, key_id: str | None) -> str | None:
        if key_id is not None:
            check_key_id(key_id)
        return key_id

    @field_validator("checkpoint_webhook_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            secret_bytes(secret.get_secret_value())
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
        if not all(MAIL_ADDRESS.fullmatch(address) for address in addresses):
            raise ValueError("address")
        return addresses

    @field_validator("duty_address")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        if address is not None and not MAIL_ADDRESS.fullmatch(address):
            raise ValueError("address")
        return address

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

    @property
    def destroyed_file(self) -> Path:
        """Where this machine lists the keys that were destroyed: no backup of a database brings it back.

        Its worker adds to it and obeys it; so do `journeys sync --all` and `journeys retention apply` run on it.
        """
        return self.data_dir / "destroyed-keys"

    def signing_keys(self) -> SigningKeys:
        """The keys that sign and verify commands.

        Without JOURNEYS_SIGNING_KEY the key is that of `key_file`, made (0600) at the first use of an
        embedded stack; with DATABASE_URL an existing file is used but none is made: each machine would sign
        with a key of its own. Other `*.key` files beside it verify only: to change keys, rename the file.

        Raises:
            SettingsError: no key, a key file that cannot be read or made, or that others can read.
        """
        return self._ring(self.signing_key, self.signing_key_id, self.signing_old_keys, self.key_file, "SIGNING")

    @property
    def sealing_file(self) -> Path:
        """Where the data directory's own key-encryption key is kept."""
        return self.data_dir / "sealing" / "sealing.key"

    def sealing_keys(self) -> SigningKeys:
        """The key-encryption keys, under which the keys of people, money and staff are kept; as `signing_keys`."""
        return self._ring(self.sealing_key, self.sealing_key_id, self.sealing_old_keys, self.sealing_file, "SEALING")

    def sealing_keys_there(self) -> SigningKeys | None:
        """The same; None where `sealing_keys` would make a key. Raises SettingsError."""
        made = self.sealing_key is None and self.embedded and not self.sealing_file.exists()
        return None if made else self.sealing_keys()

    def _ring(
        self, stated: SecretStr | None, id: str | None, former: Mapping[str, SecretStr], file: Path, name: str
    ) -> SigningKeys:
        old = {key_id: key_bytes(key.get_secret_value()) for key_id, key in former.items()}
        variable = f"{PREFIX}{name}_KEY"
        if stated is not None:
            current, kept = key_bytes(stated.get_secret_value()), {}
        else:
            if not self.embedded and not file.exists():
                raise SettingsError(missing_key(variable))
            current = read_or_make_key(file, variable)
            kept = {key_id_of(key): key for key in (read_key(path, variable) for path in other_key_files(file))}
        current_id = id or key_id_of(current)
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
            return key_bytes(self.checkpoint_key.get_secret_value())
        if not self.embedded and not self.checkpoint_file.exists():
            return None
        return read_or_make_key(self.checkpoint_file, "JOURNEYS_CHECKPOINT_KEY")

    @property
    def checkpoint_webhook_keys(self) -> tuple[bytes, ...]:
        """What checkpoints to systems elsewhere are signed with; none without a secret."""
        secret = self.checkpoint_webhook_secret
        return (secret_bytes(secret.get_secret_value()),) if secret is not None else ()


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` (by field name) win over the environment.

    Raises:
        SettingsError: with one problem for each wrong variable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [problem(detail) for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        raise SettingsError(*problems) from None
    except UnreadableVariable as error:
        raise SettingsError(unparsable(error)) from None


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """Variables that begin like ours but that nothing reads, each with the one probably meant."""
    known = {*variables(Settings, PREFIX), *_READ_ELSEWHERE}
    known |= {name + FILE_SUFFIX for name, _, _ in secret_variables(Settings, PREFIX)}
    strangers = [
        name
        for name in sorted(environ)
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not name.upper().startswith(("JOURNEYS_SIGNING_OLD_KEYS__", "JOURNEYS_SEALING_OLD_KEYS__"))
    ]
    return {name: next(iter(difflib.get_close_matches(name.upper(), known, n=1)), None) for name in strangers}
