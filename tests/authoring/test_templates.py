"""Message templates: neutral, in both languages, and harmless."""

import ast
from pathlib import Path

import pytest

import activities
import journeys.domain
from journeys.authoring.reading import PROGRAMMES, read_programme
from journeys.authoring.templates import (
    REMINDERS,
    VARIABLES,
    TemplateInvalid,
    TemplateUnknown,
    VariableMissing,
    check_edit,
    check_template,
    preview,
    read_template,
    render,
    template_names,
    variables,
)
from journeys.channels.segments import length, plain
from journeys.channels.wording import TEMPLATES, Audience, ShortTexts, label_of, read_text, template_text, wording_of
from journeys.domain import messages
from journeys.domain.neutral import NOT_NEUTRAL, tells_why

ENGINE_NEEDS: set[tuple[str, Audience]] = {
    ("deadline-near", "participant"), ("deadline-near", "staff"),
    ("appointment-near", "participant"), ("appointment-outcome", "staff"), ("appointment-other-time", "staff"),
    ("appointment-chosen", "staff"), ("appointment-missed", "participant"),
    ("appointment-changed", "participant"), ("appointment-cancelled", "participant"),
    ("appointment-times", "participant"), ("escalation", "on_call"),
    ("appointment-declined", "staff"), ("summons-near", "participant"), ("summons-unreminded", "staff"),
    ("approval-wanted", "staff"), ("grant-refused", "staff"), ("grant-returned", "staff"),
    ("receipt-submitted", "staff"), ("receipt-refused", "staff"), ("receipt-in-part", "staff"),
    ("mentor-proposed", "volunteer"), ("mentor-wanted", "staff"),
    ("referral-sent", "volunteer"), ("referral-declined", "staff"),
    ("transfer-asked", "staff"), ("transfer-declined", "staff"),
    ("closing-wanted", "staff"), ("escalation", "staff"), ("erasure-asked", "staff"),
}  # fmt: skip
"""What the rules of the domain send, and to whom."""
EACH: list[tuple[str, Audience]] = [
    (name, audience)
    for name in sorted(template_names())
    for audience in VARIABLES
    if read_template(name).for_(audience) is not None
]

GOOD = """\
template: note
participant:
  subject: {fr: "Bonjour", en: "Hello"}
  body: {fr: "Bonjour {{ first_name }}{% if place %}, {{ place }}{% endif %}", en: "Hello {{ first_name }}"}
"""


def checked(text: str) -> list[str]:
    try:
        check_template(text.encode(), Path("note.yaml"))
    except TemplateInvalid as refused:
        return [f"{one.code} {one.path} {one.line}" for one in refused.findings]
    return []


def test_what_the_engine_and_the_programmes_name_exists() -> None:
    for name, reader in ENGINE_NEEDS:
        assert read_template(name).for_(reader) is not None, (name, reader)
    for source in PROGRAMMES.glob("*.yaml"):
        programme = read_programme(source).programme
        for milestone in programme.milestones.values():
            for reminder in milestone.remind:
                audience: Audience = "participant" if reminder.to == "participant" else "staff"
                assert read_template(reminder.template).for_(audience) is not None


NAMED_IN: dict[str, int] = {"messages.owe": 3, "owe": 3, "_tell": 2, "_owe_the_change": 3}
"""Calls in the domain that owe a message, and which argument names its template."""
TOLD_ELSEWHERE = {"escalation", "channel-silent", "webhook-stopped"}
"""What leaves beside the record of a journey's messages: alerts, and what is told of channels."""


def test_every_template_leaves_on_an_occasion_and_every_message_has_one() -> None:
    owed: set[str] = set()
    for source in Path(journeys.domain.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (place := NAMED_IN.get(ast.unparse(call.func))) is not None:
                owed |= _named(call.args[place]) if len(call.args) > place else set()
    assert owed | TOLD_ELSEWHERE | REMINDERS == template_names()
    assert not REMINDERS & owed, "what has its own occasion is no reminder"
    told = "".join(file.read_text(encoding="utf-8") for file in Path(activities.__file__).parent.glob("*.py"))
    assert all(f'"{name}"' in told for name in TOLD_ELSEWHERE)


def _named(written: ast.expr) -> set[str]:
    """The templates that an argument may name."""
    match written:
        case ast.Constant(value=str(name)):
            return {name}
        case ast.IfExp(body=one, orelse=other):
            return _named(one) | _named(other)
        case ast.Attribute(attr=name) | ast.Name(id=name) if name.isupper():
            return {getattr(messages, name)}
        case _:
            return set()


@pytest.mark.parametrize("name", sorted(template_names()))
def test_each_template_has_a_name_for_people_in_both_languages(name: str) -> None:
    label = read_template(name).label
    assert label is not None and label.fr != label.en and name not in (label.fr, label.en)
    assert not any(NOT_NEUTRAL.search(text) or "{" in text for text in (label.fr, label.en))


def test_what_a_template_is_called_is_no_part_of_its_words() -> None:
    known = read_template("escalation")
    assert wording_of(known) == wording_of(known.model_copy(update={"label": None}))
    own = known.model_copy(update={"label": ShortTexts(fr="À voir", en="To see")})
    assert wording_of(own) != wording_of(known)
    assert read_text("escalation", template_text(own)).label == own.label
    assert label_of("meeting-of-ours") is None


@pytest.mark.parametrize(("name", "audience"), EACH)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_each_message_is_whole_short_and_neutral(name: str, audience: Audience, lang: str) -> None:
    values = {key: f"<{key}>" for key in variables(name, audience)}
    message = render(name, audience, lang, values)
    assert message.subject and "\n" not in message.subject and len(message.subject) < 90
    assert message.body.endswith("\n") and len(message.body) < 700
    assert "{{" not in message.body and "{%" not in message.body
    assert not NOT_NEUTRAL.search(message.subject + message.body)


def test_a_message_to_a_participant_names_neither_the_step_nor_the_journey() -> None:
    for name, audience in EACH:
        if audience not in ("staff", "on_call"):
            assert not variables(name, audience) & {
                "milestone",
                "contact",
                "reference",
                "programme",
                "reason",
            }


def test_an_empty_place_falls_away_and_a_missing_variable_is_named() -> None:
    values = {
        "first_name": "Lina",
        "date": "3 mai",
        "time": "10 h",
        "referent": "Sam",
        "association": "A",
        "place": "",
        "answer": "",
    }
    assert "10 h." in render("appointment-near", "participant", "fr", values).body
    assert "10 h, gare." in render("appointment-near", "participant", "fr", values | {"place": "gare"}).body
    del values["time"]
    with pytest.raises(VariableMissing) as caught:
        render("appointment-near", "participant", "fr", values)
    assert caught.value.name == "time"


@pytest.mark.parametrize("name", ["appointment-near", "appointment-changed", "appointment-times"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_is_answered_by_a_link_brings_it_in_two_segments(name: str, lang: str) -> None:
    """With an address of usual length, and one to reply STOP beside it."""
    values = {
        "first_name": "Lina", "date": "30 septembre 2027", "time": "10:30", "referent": "Sam", "association": "Auxilia",
        "place": "12 rue des Lilas, Nanterre", "answer": f"https://parcours.example.org/lien/{'x' * 48}",
    }  # fmt: skip
    told = render(name, "participant", lang, values)
    assert values["answer"] in told.body and values["answer"] in told.text
    assert length(plain(told.text)).segments <= 2
    assert "Sam" in render(name, "participant", lang, values | {"answer": ""}).text


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_new_hour_without_a_link_is_told_in_one_segment(lang: str) -> None:
    values = {
        "first_name": "Lina", "date": "30 septembre 2027", "time": "10:30", "referent": "Sam", "association": "Auxilia",
        "place": "12 rue des Lilas, Nanterre", "answer": "",
    }  # fmt: skip
    assert length(plain(render("appointment-changed", "participant", lang, values).text)).segments == 1


def test_what_is_not_known_is_given_empty_and_leaves_no_trace() -> None:
    for name in ("escalation", "mentor-proposed", "grant-refused", "transfer-asked"):
        for audience in VARIABLES:
            if read_template(name).for_(audience) is None:
                continue
            needed = variables(name, audience)
            values = {key: "" if key in ("date", "reason", "milestone", "contact") else "x" for key in needed}
            body = render(name, audience, "fr", values).body
            assert " ." not in body
            assert "  " not in body


def test_values_can_neither_add_a_header_nor_run() -> None:
    values = dict.fromkeys(variables("deadline-near", "participant"), "x")
    message = render("deadline-near", "participant", "fr", values | {"date": "3 mai\r\nBcc: all@example.org {{ 7*7 }}"})
    assert "\n" not in message.subject and "\r" not in message.subject
    assert "{{ 7*7 }}" in message.body and "49" not in message.body


def test_unknown_names_are_said_with_what_there_is() -> None:
    with pytest.raises(TemplateUnknown, match="deadline-near"):
        read_template("deadline-far")
    with pytest.raises(TemplateUnknown, match="participant"):
        render("escalation", "participant", "fr", {})
    with pytest.raises(TemplateUnknown):
        read_template("../programmes/auxilia")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("template: note", "template: other", "template-other-name template 1"),
        ("{{ first_name }}{%", "{{ frist_name }}{%", "template-variable participant.body.fr 4"),
        ("{{ first_name }}{%", "{{ milestone }}{%", "template-variable participant.body.fr 4"),
        ("{{ first_name }}{%", "{{ first_name.__class__ }}{%", "template-construct participant.body.fr 4"),
        ("{{ first_name }}{%", "{{ 'x' * 1000000000 }}{%", "template-construct participant.body.fr 4"),
        (
            "{{ first_name }}{%",
            "{% for a in place %}x{% endfor %}{%",
            "template-construct participant.body.fr 4",
        ),
        ("{{ first_name }}{%", "{{ first_name|upper }}{%", "template-construct participant.body.fr 4"),
        ("{{ first_name }}{%", "{% include 'x' %}{%", "template-construct participant.body.fr 4"),
        ("{% endif %}", "", "template-syntax participant.body.fr 4"),
        ("{{ first_name }}{%", "{% while place %}x{% endwhile %}{%", "template-syntax participant.body.fr 4"),
        ("{{ first_name }}{%", "{%if place%}" * 300 + "{%", "template-syntax participant.body.fr 4"),
        (
            "{{ first_name }}{%",
            "{%if place%}" * 120 + "x" + "{%endif%}" * 120 + "{%",
            "template-construct participant.body.fr 4",
        ),
        ("Hello {{", "After pri{# #}son {{", "template-word participant.body.en 4"),
        ("Hello {{", "After pri{% if place %}son{% endif %} {{", "template-word participant.body.en 4"),
        ("Hello {{", "After pri\u00adson {{", "template-word participant.body.en 4"),
        ('fr: "Bonjour"', 'fr: "En de\u0301tention"', "template-word participant.subject.fr 3"),
        ('fr: "Bonjour"', 'fr: "Bonjour\\rBcc: x"', "control-character  3"),
        ('fr: "Bonjour"', 'fr: "Bonjour\\u2028Bcc: x"', "template-subject-lines participant.subject.fr 3"),
        ("Hello {{", "After your release {{", "template-word participant.body.en 4"),
        ('fr: "Bonjour"', 'fr: "Le SPIP vous attend"', "template-word participant.subject.fr 3"),
        ('fr: "Bonjour"', 'fr: "Bonjour\\nBcc: x"', "template-subject-lines participant.subject.fr 3"),
        (', en: "Hello"', "", "missing-key participant.subject.en 3"),
        ("participant:", "participants:", "unknown-key participants 2"),
        ("template: note", "template: &a note", "yaml-alias  1"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_its_line(old: str, new: str, expected: str) -> None:
    assert checked(GOOD) == []
    assert GOOD.count(old) == 1
    assert expected in checked(GOOD.replace(old, new))


@pytest.mark.parametrize("word", [
    "prison", "probation", "offence", "offense", "détention", "detention", "SPIP", "écrou", "jail", "parole",
    "condamné", "judge", "CPIP", "parloir", "carcéral", "carceral", "univers carcéraux", "pénal", "pénale", "pénaux",
    "probatoire", "sursis", "semi-liberté", "semi liberté", "bracelet électronique", "surveillance électronique",
    "pénitentiaire", "penitentiary", "custody", "tribunal correctionnel", "remanded", "detainee", "electronic tag",
])  # fmt: skip
def test_no_message_says_why_somebody_is_accompanied(word: str) -> None:
    for piece in ('fr: "Bonjour"', 'en: "Hello"'):
        lang, _, said = piece.partition(": ")
        assert checked(GOOD.replace(piece, f'{lang}: {said[:-1]} {word.upper()} x"')), (word, lang)


@pytest.mark.parametrize("said", [
    "le suivi de votre semaine", "une semi-remorque", "des pénalités de retard", "un sursaut", "un bracelet",
    "le service pénible", "une correction", "liberté d’aller et venir", "la penalty",
])  # fmt: skip
def test_words_that_only_look_alike_may_be_said(said: str) -> None:
    assert tells_why(said) is None


def test_an_edit_writes_to_whomever_the_template_wrote_to() -> None:
    text = (TEMPLATES / "appointment-near.yaml").read_text()
    assert check_edit(text.encode(), "appointment-near") == read_template("appointment-near")
    with pytest.raises(TemplateInvalid) as caught:
        check_edit(text[: text.index("volunteer:")].encode(), "appointment-near")
    assert {finding.path for finding in caught.value.findings} == {"volunteer", "staff"}
    with pytest.raises(TemplateInvalid) as caught:
        check_edit(GOOD.encode(), "note")
    assert [finding.code for finding in caught.value.findings] == ["template-recipient"] * 2


@pytest.mark.parametrize(("name", "audience"), EACH)
def test_previews_say_everything_with_its_length(name: str, audience: Audience) -> None:
    message = read_template(name).for_(audience)
    assert message is not None
    for lang in ("fr", "en"):
        shown = preview(message, lang, audience)
        assert "{{" not in shown.subject + shown.body + shown.text
        assert (shown.length is None) == (message.text is None)
        assert shown.length is None or (shown.length.alphabet == "gsm-7" and shown.length.segments <= 3)


def test_shipped_templates_are_what_is_checked() -> None:
    assert len(EACH) > 30 and all((TEMPLATES / f"{name}.yaml").is_file() for name, _ in EACH)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("le {{ date }} à {{ time }}{% if place", "le {{ date }}{% if place"),
        ("le {{ date }} à {{ time }}{% if place", "le {{ date }}{% if place %} à {{ time }}{% endif %}{% if place"),
        ("le {{ date }} à {{ time }}{% if place", "le {{ time and date }}{% if place"),
    ],
)
def test_a_reminder_of_an_appointment_always_says_the_hour(tmp_path: Path, old: str, new: str) -> None:
    """A system that left it out sent people on the right day at no hour."""
    text = (TEMPLATES / "appointment-near.yaml").read_text()
    assert old in text
    file = tmp_path / "appointment-near.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(TemplateInvalid) as caught:
        read_template("appointment-near", tmp_path)
    assert [finding.code for finding in caught.value.findings] == ["template-hour"]
