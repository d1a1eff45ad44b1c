"""Who may import whom: the house has rooms, and the arrows run one way. docs/overview shows the picture."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent.parent
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "contract": {"domain"},
    "settings": set(),
    "telemetry": set(),
    "i18n": {"domain"},
    "clock": {"settings"},
    "leaving": set(),
    "garbage": set(),
    "identifiers": {"domain"},
    "issuing": {"contract", "domain", "store", "identifiers"},
    "authoring": {"domain", "settings", "channels"},
    "channels": {"domain"},
    "evidence": set(),
    "store": {"domain", "contract", "evidence", "settings"},
    "codec": {"store"},
    "temporal": {"codec", "contract", "domain", "settings", "store"},
    "narration": {"domain", "i18n"},
    "simulation": {"domain", "authoring", "i18n", "indicators", "narration"},
    "indicators": {"domain", "i18n"},
    "documents": {"domain", "narration", "i18n"},
    "audit": {"contract", "domain", "evidence", "store", "temporal", "narration", "i18n"},
    "workflows": {"contract", "domain"},
    "activities": {
        "audit", "contract", "domain", "store", "channels", "telemetry", "identifiers", "indicators", "issuing",
        "evidence",
    },
    "local": {
        "contract", "domain", "store", "temporal", "authoring", "narration", "audit", "i18n", "settings", "clock",
        "channels", "telemetry", "identifiers", "issuing",
    },
    "app": {
        "contract", "domain", "store", "temporal", "audit", "authoring", "narration", "i18n", "settings", "telemetry",
        "clock", "leaving", "identifiers", "issuing", "documents", "simulation", "indicators", "channels",
    },
    "app.web": {
        "contract", "domain", "store", "temporal", "audit", "authoring", "narration", "i18n", "settings", "telemetry",
        "clock", "leaving", "garbage", "identifiers", "issuing", "app", "simulation",
        "indicators", "codec",
    },
    "app.cli": {
        "contract", "domain", "store", "temporal", "audit", "authoring", "narration", "i18n", "settings", "telemetry",
        "clock", "leaving", "identifiers", "issuing", "documents", "app", "local", "activities", "workflows",
        "channels", "app.web", "simulation", "indicators", "evidence",
    },
}  # fmt: skip
"""Room by room, what it may import besides itself."""

FORBIDDEN_MODULES = frozenset(
    {"os", "random", "asyncio", "time", "secrets", "socket", "subprocess", "threading", "temporalio"}
)
FORBIDDEN_CALLS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "open", "print", "input"})


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("journeys", "workflows", "activities", include_external_packages=True)


def room_of(module: str) -> str:
    """The room in which a module lies."""
    for entry in ("app.cli", "app.web"):
        if module == f"journeys.{entry}" or module.startswith(f"journeys.{entry}."):
            return entry
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "journeys" and rest else top


def ours(module: str) -> bool:
    return module.partition(".")[0] in ("journeys", "workflows", "activities")


def test_every_import_is_allowed(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in sorted(graph.modules)
        if ours(module)
        for imported in sorted(graph.find_modules_directly_imported_by(module))
        if ours(imported)
        and imported != "journeys"
        and room_of(module) not in ("journeys", room_of(imported))
        and room_of(imported) not in ALLOWED[room_of(module)]
    ]
    assert wrong == []


def test_nobody_imports_an_entry_point(graph: grimp.ImportGraph) -> None:
    for entry, allowed in {"worker": {"app.cli"}, "journeys.app.cli": {"app.cli"}}.items():
        importers = graph.find_modules_that_directly_import(entry) if entry in graph.modules else set()
        assert {room_of(module) for module in importers} <= allowed


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("journeys", "workflows", "activities", exclude_type_checking_imports=True)
    arrows = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(arrows).prepare()


def test_every_room_is_on_the_plan(graph: grimp.ImportGraph) -> None:
    assert {room_of(module) for module in graph.modules if ours(module)} - {"journeys"} <= ALLOWED.keys()


def test_the_core_imports_only_the_standard_library_and_pydantic(graph: grimp.ImportGraph) -> None:
    outside = {
        imported
        for module in graph.modules
        if room_of(module) == "domain"
        for imported in graph.find_modules_directly_imported_by(module)
        if not ours(imported)
    }
    assert outside & FORBIDDEN_MODULES == set()
    assert {name for name in outside if name.startswith("pydantic")} <= {"pydantic", "pydantic_core"}
    assert {name.partition(".")[0] for name in outside} - {"pydantic", "pydantic_core"} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "journeys" / "domain").rglob("*.py")), ROOT / "workflows" / "journey.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_replays_reads_no_clock_and_draws_no_chance(path: Path) -> None:
    """The sandbox does not watch the core and the journey's workflow, which are passed through it: this test does."""
    assert forbidden_calls(path.read_text()) == []


def test_the_workflow_of_a_journey_reaches_for_nothing_outside(graph: grimp.ImportGraph) -> None:
    imported = graph.find_modules_directly_imported_by("workflows.journey")
    assert {name for name in imported if not ours(name)} == {
        "asyncio",
        "dataclasses",
        "datetime",
        "temporalio",
        "typing",
    }


def forbidden_calls(source: str) -> list[str]:
    """Calls by name that a pure function cannot make, with their lines; `workflow.now()` is the journey's own time."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of = node.func.value if isinstance(node.func, ast.Attribute) else None
            if name in FORBIDDEN_CALLS and not (isinstance(of, ast.Name) and of.id == "workflow"):
                found.append(f"line {node.lineno}: {name}()")
    return found


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "date.today()", "uuid4()", "uuid.uuid4()", "open('x')"])
def test_the_guard_bites(line: str) -> None:
    assert forbidden_calls(f"def decide():\n    return {line}\n") != []
