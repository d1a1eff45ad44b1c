"""The guide for authors, as a person follows it: what is typed, what is shown; and its table of keys, written anew.

`python -m tests.authoring.guide` writes the reference at the end of both guides from the JSON Schema.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from journeys.authoring.schema import describe, programme_schema

ROOT: Final = Path(__file__).parents[2]
GUIDES: Final = {
    "fr": ROOT / "docs" / "guide" / "ecrire-un-programme.md",
    "en": ROOT / "docs" / "guide" / "writing-a-programme.md",
}
BEGIN: Final = "<!-- written by python -m tests.authoring.guide -->"
NOT_WRITTEN: Final = frozenset({"Programme.rules", "RuleVersion", "Saying"})
"""What the reader adds to a programme's text: nobody types it."""
SECTIONS: Final = {
    "Programme": "", "Label": "label:", "Role": "roles:", "DateRule": "dates:", "Phase": "phases:",
    "Milestone": "milestones:", "Reminder": "milestones: … remind:", "Contact": "contacts:",
    "Appointments": "appointments:", "Chase": "appointments: … missed:", "Ladder": "ladders:",
    "Step": "ladders: … steps:", "Grant": "grants:", "Level": "grants: … levels:",
    "Instalment": "grants: … instalments:", "Guard": "guards:", "Measure": "measures:", "Clock": "clock:",
    "Closing": "closings:", "Referrals": "referrals:", "Transfers": "transfers:",
}  # fmt: skip
"""Each group of keys, in the order of the guide, and where it is written."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: its language, the file that it belongs to (if any), its text, the line where it begins."""

    language: str
    file: str
    text: str
    line: int


def blocks(guide: Path) -> list[Block]:
    text = guide.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2].strip(), found[3], text[: found.start()].count("\n") + 1)
        for found in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    ]


def entered(before: str, added: str) -> str:
    """A file after one more block was typed into it: a key of the top replaces its line, a part below its part."""
    whole = _parts(before, "")
    for key, text in _parts(added, "").items():
        head, below = _head_and_below(text)
        if key in whole and below:
            old_head, old = _head_and_below(whole[key])
            whole[key] = old_head + "".join((_parts(old, "  ") | _parts(below, "  ")).values())
        else:
            whole[key] = head + below
    return "".join(whole.values())


def _parts(text: str, indent: str) -> dict[str, str]:
    """The keys at this indentation, each with its lines."""
    found: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        if begun := re.match(rf"{indent}([\w-]+):", line):
            key = begun[1]
            found[key] = ""
        found[key] += line
    return found


def _head_and_below(text: str) -> tuple[str, str]:
    head, _, below = text.partition("\n")
    return head + "\n", below


# The reference


def reference(lang: str) -> str:
    """A table for each group of keys: what each says, how it is written, and what holds without it."""
    whole = programme_schema(lang)
    models = {"Programme": whole, **whole["$defs"]}
    return "\n".join(line for name, place in SECTIONS.items() for line in _table(name, place, models, lang))


def keys_of_the_schema() -> set[str]:
    """Every key that an author may write, as `Milestone.due`."""
    whole = programme_schema()
    models = {"Programme": whole, **whole["$defs"]}
    named = {f"{name}.{key}" for name, model in models.items() for key in model.get("properties", {})}
    return {key for key in named if key not in NOT_WRITTEN and key.partition(".")[0] not in NOT_WRITTEN}


def _table(name: str, place: str, models: dict[str, Any], lang: str) -> Iterator[str]:
    french = lang == "fr"
    yield f"### {'La racine du fichier' if french else 'The top of the file'}" if not place else f"### `{place}`"
    yield ""
    yield (
        "| clé | ce qu’elle dit | s’écrit | sans elle |" if french else "| key | what it says | written | without it |"
    )
    yield "|---|---|---|---|"
    model = models[name]
    for key, node in model["properties"].items():
        if f"{name}.{key}" in NOT_WRITTEN:
            continue
        if key in model.get("required", ()):
            without = "obligatoire" if french else "required"
        else:
            without = _default(node.get("default"))
        yield f"| `{key}` | {describe(name, key, lang)} | {_form(node, models, lang)} | {without} |"
    yield ""


def _form(node: dict[str, Any], models: dict[str, Any], lang: str) -> str:
    if "anyOf" in node:
        return _form(next(one for one in node["anyOf"] if one.get("type") != "null"), models, lang)
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name in ("Label", "Saying"):
            return "`{fr: …, en: …}`"
        return _form(models[name], models, lang) if "enum" in models[name] else _group(name, lang)
    if "enum" in node or "const" in node:
        return ", ".join(f"`{one}`" for one in node.get("enum", [node.get("const")]))
    if "examples" in node:
        return f"`{node['examples'][0]}`"
    match node.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return f"{node['minimum']}–{node['maximum']}"
        case "array":
            item = _form(node["items"], models, lang)
            return f"[{item}, …]" if item.startswith("`") else f"[…] : {item}" if lang == "fr" else f"[…]: {item}"
        case "object":
            values = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties", {}))
            return f"`code:` {_form(values, models, lang)}"
    if r"\d{2}:" in node.get("pattern", ""):
        return '`"09:00"`'
    return "`code`" if node.get("pattern", "").startswith("^[a-z]") else "texte" if lang == "fr" else "text"


def _group(name: str, lang: str) -> str:
    return f"{'voir' if lang == 'fr' else 'see'} `{SECTIONS[name]}`"


def _default(value: Any) -> str:
    if value in (None, [], {}, ()):
        return "–"
    if isinstance(value, dict):
        return ", ".join(
            f"`{key}: {said}`" if isinstance(said, str) else f"`{key}`" for key, said in value.items() if said
        )
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_written(said)}' for key, said in value.items() if said is not None)}}}"
    return str(value)


def main() -> None:
    for lang, guide in GUIDES.items():
        before, _, _ = guide.read_text(encoding="utf-8").partition(BEGIN)
        guide.write_text(f"{before}{BEGIN}\n\n{reference(lang)}", encoding="utf-8")


if __name__ == "__main__":
    main()
