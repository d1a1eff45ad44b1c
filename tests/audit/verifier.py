"""The verifier as the one file that it is, and a verdict of it."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.audit.corrupting import vkey

VERIFIER = Path(__file__).parents[2] / "verifier" / "verify_export.py"


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("verify_export", VERIFIER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_export"] = module
    spec.loader.exec_module(module)
    return module


VERIFY = _loaded()


def verified(folder: Path, *held: str, keys: Sequence[str] | None = None, revoked: Sequence[str] = ()) -> Any:
    """The verdict under these keys, by default that of the log, and what was held."""
    if keys is None:
        keys = [vkey(json.loads((folder / "manifest.json").read_bytes()).get("origin", "x"))]
    trust = VERIFY.Trust([VERIFY.read_key(each) for each in keys], [VERIFY.read_note(each, "held") for each in held])
    trust.revoked = {VERIFY.read_key(each).public for each in revoked}
    return VERIFY.verify(folder, trust)
