"""The log from the command line, on a stack that is up: signed by the worker, verified, exported, checked elsewhere."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.app.conftest import REPOSITORY, Journeys, Up

VERIFIER = REPOSITORY / "verifier" / "verify_export.py"


def test_the_record_is_signed_verified_and_checked_by_somebody_else(
    here: Journeys, started: Callable[..., str], up: Up, tmp_path: Path
) -> None:
    life = started()
    made = here("audit", "checkpoint", "--json")
    assert made.code == 0 and made.json["size"] > 0, made.err
    key = here("audit", "key").out.strip()
    assert key == here("audit", "key", "--json").json["key"] and key.startswith("release-journeys/")
    assert (up.data_dir / "keys" / "checkpoint.seed").stat().st_mode & 0o777 == 0o600
    found = here("audit", "verify", "--all", "--json")
    assert (found.code, found.json["holds"], found.json["findings"]) == (0, True, [])
    held = tmp_path / "held"
    held.write_text(made.json["note"])
    assert "tout concorde" in here("audit", "verify", "--all", "--held", str(held)).out
    # Of another log, as far as anybody can tell: its key is not known.
    held.write_text(made.json["note"].replace(f"\n{made.json['size']}\n", f"\n{made.json['size'] + 1}\n"))
    said = here("audit", "checkpoint", "--held", str(held), "--json")
    assert (said.code, said.error["code"]) == (6, "unreadable-copy")
    assert here("audit", "verify", "--all", "--held", str(held)).code == 6
    checks = {each["name"]: each for each in here("doctor", "--json").json["checks"]}
    assert (checks["log"]["state"], checks["parties"]["state"]) == ("failed", "warning")
    assert here("audit", "checkpoint").code == 0
    checks = {each["name"]: each for each in here("doctor", "--json").json["checks"]}
    assert checks["log"]["state"] == checks["sealing"]["state"] == "ok"
    other = {"JOURNEYS_SEALING_KEY": "a1" * 32}
    checks = {each["name"]: each for each in here("doctor", "--json", **other).json["checks"]}
    assert checks["sealing"]["state"] == "failed" and "JOURNEYS_SEALING_KEY" in checks["sealing"]["remedy"]
    said = here("show", life, "--json", **other)
    assert (said.code, said.error["code"]) == (7, "wrong-sealing-key")
    for words, code in (
        (("audit", "checkpoint", "--held", str(tmp_path / "none")), 2),
        (("audit", "checkpoint", "--after-restore"), 2),
        (("audit", "checkpoint", "--after-restore", "--why", "essai"), 5),
        (("audit", "key", "--revoke", "x", "--why", "essai"), 3),
        (("audit", "verify", life, "--all"), 2),
    ):
        assert here(*words).code == code, words

    whole, one = tmp_path / "whole", tmp_path / "one"
    exported = here("audit", "export", str(whole), "--json").json
    assert exported["disclosed"] is False and Path(exported["verifier"]["file"]) == VERIFIER
    assert exported["verifier"]["sha256"] == hashlib.sha256(VERIFIER.read_bytes()).hexdigest()
    assert here("audit", "export", str(whole)).code == 2, "it is there already"
    assert here("audit", "export", str(one), "--journey", life, "--disclose", "--as", "sam").code == 4
    assert here("audit", "export", str(one), "--journey", life, "--disclose").code == 0
    assert here("audit", "export", str(tmp_path / "none"), "--journey", "nobody").code == 3
    assert not (tmp_path / "none").exists()
    for folder in (whole, one):
        checked = subprocess.run(
            [sys.executable, "-I", str(VERIFIER), str(folder), "--key", key, "--json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        found = json.loads(checked.stdout)
        # Another test of this house may have had somebody forgotten: the whole record says so, and holds.
        forgotten = folder == whole and {each["class"] for each in found["findings"]} == {"erased"}
        assert checked.returncode == (5 if forgotten else 0), checked.stdout
        assert json.loads(checked.stdout)["events"] > 0
