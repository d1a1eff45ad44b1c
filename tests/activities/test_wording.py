"""The words of messages: every shipped template in every situation that it has words for, and no way to break out."""

from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from journeys.channels.wording import TEMPLATES, Audience, NoWording, worded

SHARED = ("first_name", "date", "time", "place", "referent", "mentor", "association", "amount", "link",
          "answer")  # fmt: skip
ON_CALL = (*SHARED, "reference", "reason", "step")
STAFF = (*ON_CALL, "milestone", "contact", "grant", "phase", "programme")
SHIPPED = [
    (path.stem, audience)
    for path in sorted(TEMPLATES.glob("*.yaml"))
    for audience in get_args(Audience)
    if audience in YAML(typ="safe", pure=True).load(path.read_bytes())
]


@pytest.mark.parametrize(("template", "audience"), SHIPPED)
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("value", ["", "valeur"])
def test_every_shipped_message_can_be_filled_in(template: str, audience: Audience, lang: str, value: str) -> None:
    names = {"staff": STAFF, "on_call": ON_CALL}.get(audience, SHARED)
    text = worded(template, audience, lang, dict.fromkeys(names, value))
    assert text.subject.strip()
    assert "{" not in text.subject + text.body
    assert "\n" not in text.subject


def write(folder: Path, body: str, subject: str = "x") -> None:
    text = f"template: t\nstaff:\n  subject: {{fr: '{subject}', en: x}}\n  body: {{fr: '{body}', en: x}}\n"
    (folder / "t.yaml").write_text(text)


def test_a_value_cannot_break_a_subject_or_run(tmp_path: Path) -> None:
    write(tmp_path, "{{ reason }}", "{{ reason }}")
    text = worded("t", "staff", "fr", {"reason": "a\r\nBcc: b\n{{ 7 * 7 }}"}, tmp_path)
    assert text.subject == "a Bcc: b {{ 7 * 7 }}"
    assert text.body == "a Bcc: b {{ 7 * 7 }}\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [("{{ unknown }}", "no-value"), ("{{", "bad-template"), ("{{ reason.__class__.__mro__ }}", "bad-template"),
     ("{% for x in range(9) %}", "bad-template")],
)  # fmt: skip
def test_a_faulty_template_is_refused_by_code(tmp_path: Path, body: str, code: str) -> None:
    write(tmp_path, body)
    with pytest.raises(NoWording) as caught:
        worded("t", "staff", "fr", {"reason": "x"}, tmp_path)
    assert caught.value.code == code or (code == "bad-template" and caught.value.code == "no-value")


def test_a_name_cannot_walk_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    write(tmp_path, "secret")
    with pytest.raises(NoWording, match="no-template"):
        worded("../t", "staff", "fr", {}, tmp_path / "inside")


def test_no_words_for_this_recipient(tmp_path: Path) -> None:
    write(tmp_path, "x")
    with pytest.raises(NoWording, match="no-audience"):
        worded("t", "participant", "fr", {}, tmp_path)
