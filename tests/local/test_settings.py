"""The settings: what is read from where, and what a person is told when a variable is wrong."""

import os
from pathlib import Path

import pytest

from journeys.settings import SettingsError, load_settings, unknown_variables

KEY = "0f" * 32
OLD = "a1" * 32


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("JOURNEYS_", "TEMPORAL_", "DATABASE_URL", "XDG_DATA_HOME")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JOURNEYS_DATA_DIR", str(tmp_path / "data"))


def test_without_variables_everything_is_embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JOURNEYS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings()
    assert settings.embedded and settings.lang == "fr" and settings.task_queue == "journeys"
    assert settings.data_dir == tmp_path / ".local/share/journeys"
    assert settings.outbox_dir == settings.data_dir / "outbox"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert load_settings().data_dir == tmp_path / "xdg" / "journeys"


def test_each_source_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "url").write_text("postgresql://a:b@c/d\n")
    for name, value in {
        "DATABASE_URL_FILE": str(tmp_path / "url"),
        "TEMPORAL_ADDRESS": "temporal:7233",
        "JOURNEYS_SMTP__HOST": "mail",
        "JOURNEYS_SMTP__USER": "u",
        "JOURNEYS_SMTP__PASSWORD_FILE": str(tmp_path / "password"),
        "JOURNEYS_SIGNING_KEY": KEY,
        "JOURNEYS_SIGNING_KEY_ID": "2027-01",
        "JOURNEYS_SIGNING_OLD_KEYS__2026-01": OLD,
        "JOURNEYS_HTTP_CHECK_HOSTS": "jobs.example.org, 127.0.0.1:8080",
        "JOURNEYS_PUBLIC_URL": "https://parcours.example.org:8443/",
        "JOURNEYS_LANG": "",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(task_queue="other")
    assert settings.database_url == "postgresql://a:b@c/d" and not settings.embedded
    assert settings.temporal_address == "temporal:7233" and settings.task_queue == "other"
    assert settings.smtp.host == "mail" and settings.smtp.password is not None
    assert settings.smtp.password.get_secret_value() == "s3cret"
    assert settings.http_check_hosts == ("jobs.example.org", "127.0.0.1:8080") and settings.lang == "fr"
    assert settings.public_url == "https://parcours.example.org:8443"
    keys = settings.signing_keys()
    assert keys.current == "2027-01" and keys.key == bytes.fromhex(KEY)
    assert keys.by_id == {"2027-01": bytes.fromhex(KEY), "2026-01": bytes.fromhex(OLD)}
    for shown in (repr(settings), repr(keys), str(settings)):
        assert not {"s3cret", KEY, OLD, "a:b"} & {text for text in ("s3cret", KEY, OLD, "a:b") if text in shown}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DATABASE_URL", "mysql://u:pw@h", "postgresql://"),
        ("TEMPORAL_ADDRESS", "temporal", "host:port"),
        ("JOURNEYS_LANG", "de", "fr, en"),
        ("JOURNEYS_SMTP__PORT", "twenty-five", "a number"),
        ("JOURNEYS_SMTP__PORT", "0", ">= 1"),
        ("JOURNEYS_SMTP__TLS", "ssl", "none, starttls, implicit"),
        ("JOURNEYS_SMTP__SENDER", "nobody", "an address"),
        ("JOURNEYS_SMTP__SENDER", "suivi..asso@example.org", "an address"),
        ("JOURNEYS_DUTY_ADDRESS", "astreinte@asso.example.", "an address"),
        ("JOURNEYS_SMTP__HOTS", "mail", "no such variable"),
        ("JOURNEYS_SIGNING_KEY", "not-a-secret-at-all", "openssl rand -hex 32"),
        ("JOURNEYS_SIGNING_KEY", "abcd", "openssl rand -hex 32"),
        ("JOURNEYS_SIGNING_KEY_ID", "Été", "lower case"),
        ("JOURNEYS_SIGNING_OLD_KEYS", "abc", "JSON"),
        ("JOURNEYS_HTTP_CHECK_HOSTS", "http://a/b", "host names"),
        ("JOURNEYS_WEBHOOK_HOSTS", "https://a/b", "host names"),
        ("JOURNEYS_CHECKPOINT_KEY", "abcd", "openssl rand -hex 32"),
        ("JOURNEYS_CHECKPOINT_DIRECTORIES", "/mnt/share,other", "begin with /"),
        ("JOURNEYS_CHECKPOINT_MAILS", "auditor", "an address"),
        ("JOURNEYS_CHECKPOINT_WEBHOOK_SECRET", "whsec_x", "24 to 64 bytes"),
        ("JOURNEYS_PUBLIC_URL", "http://parcours.example.org", "https://journeys.example.org"),
        ("JOURNEYS_PUBLIC_URL", "https://parcours.example.org/chemin", "without a path"),
    ],
)
def test_what_is_wrong_is_said_by_variable_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert [problem.variable for problem in refused.value.problems] == [variable]
    assert says in refused.value.text("en")
    assert value not in refused.value.text("en").replace("fr, en", "")
    assert str(refused.value).startswith(f"{variable} : ")


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYS_LANG", "de")
    monkeypatch.setenv("JOURNEYS_SMTP__PORT", "x")
    monkeypatch.setenv("JOURNEYS_SMTP__USER", "u")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert {problem.variable for problem in refused.value.problems} == {
        "JOURNEYS_LANG",
        "JOURNEYS_SMTP__PORT",
    }


def test_a_secret_comes_from_one_place_that_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOURNEYS_SIGNING_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=r"JOURNEYS_SIGNING_KEY_FILE.*missing"):
        load_settings()
    monkeypatch.setenv("JOURNEYS_SIGNING_KEY", KEY)
    with pytest.raises(SettingsError, match="deux fois"):
        load_settings()


def test_the_key_of_the_data_directory_is_made_once_and_changed_by_renaming(tmp_path: Path) -> None:
    settings = load_settings()
    first = settings.signing_keys()
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    assert settings.key_file.parent.stat().st_mode & 0o777 == 0o700
    assert load_settings().signing_keys() == first and first.by_id == {first.current: first.key}
    settings.key_file.rename(settings.key_file.with_name("2026.key"))
    second = settings.signing_keys()
    assert second.current != first.current and len(second.by_id) == 2
    assert second.by_id[first.current] == first.key


def test_the_key_of_checkpoints_is_another_and_made_for_an_embedded_stack_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings()
    seed = settings.checkpoint_seed()
    assert seed is not None and settings.checkpoint_file.stat().st_mode & 0o777 == 0o600
    assert seed not in settings.signing_keys().by_id.values() and load_settings().checkpoint_seed() == seed
    settings.checkpoint_file.chmod(0o644)
    with pytest.raises(SettingsError, match="JOURNEYS_CHECKPOINT_KEY"):
        settings.checkpoint_seed()
    settings.checkpoint_file.unlink()
    monkeypatch.setenv("DATABASE_URL", "postgresql:///journeys")
    assert load_settings().checkpoint_seed() is None, "each machine would sign with a key of its own"


def test_a_key_that_others_can_read_is_refused() -> None:
    settings = load_settings()
    settings.signing_keys()
    settings.key_file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        settings.signing_keys()


def test_a_key_is_never_made_for_a_database_shared_with_other_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedded = load_settings()
    monkeypatch.setenv("DATABASE_URL", "postgresql:///journeys")
    with pytest.raises(SettingsError, match="JOURNEYS_SIGNING_KEY"):
        load_settings().signing_keys()
    assert not embedded.key_file.exists()
    made = embedded.signing_keys()
    assert load_settings().signing_keys() == made  # as for the worker of the embedded stack


def test_variables_that_nothing_reads_are_found_with_the_one_meant() -> None:
    environ = {
        "JOURNEYS_DATADIR": "x",
        "JOURNEYS_SMTP__PASSWORD_FILE": "x",
        "JOURNEYS_CLOCK_OFFSET": "1",
        "JOURNEYS_SIGNING_OLD_KEYS__A": "x",
        "OTHER": "x",
    }
    assert unknown_variables(environ) == {"JOURNEYS_DATADIR": "JOURNEYS_DATA_DIR"}
