"""The fingerprint of everything that decides between a timer, an append and an activity.

A journey under way for a year replays its whole history with today's code. What may differ from yesterday's is
free in `decide` (replay folds recorded answers), but not here. `python -m tests.replay.fingerprint` writes it anew.
"""

import ast
import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COVERED = ("workflows/journey.py", "journeys/domain/agenda.py", "workflows/webhooks.py")
FILE = Path(__file__).with_name("fingerprint.json")


def fingerprint() -> dict[str, str]:
    """SHA-256 of each covered file's syntax, without comments, docstrings and layout."""
    return {path: _digest((ROOT / path).read_text()) for path in COVERED}


def _digest(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not _is_text(child)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    FILE.write_text(json.dumps(fingerprint(), indent=2) + "\n")
    print(f"written: {FILE.relative_to(ROOT)}")
