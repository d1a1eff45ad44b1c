"""Every kind of event, every refusal and every rule has its words, in both languages and without codes."""

import ast
import re
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from journeys.domain import directory
from journeys.domain import events as e
from journeys.domain.agenda import DueKind, agenda
from journeys.domain.commands import BODIES
from journeys.domain.events import KINDS, Subject, envelope
from journeys.domain.evolve import evolve
from journeys.domain.moments import parse_moment
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.i18n import KEYWORDS, LANGS
from journeys.narration import moment_words, own_facts, refusal, rule_words, sentence, spoken, what_happens_next
from journeys.narration.refusals import SENTENCES
from journeys.narration.rules import RULES
from journeys.narration.telling import TELLERS
from journeys.narration.words import COMMANDS
from tests.audit.lives import JOURNEY, NAMES, PERSON, REFERENT, Life, book, id_of, whole_life
from tests.domain.given import house

DOMAIN = Path(__file__).parents[2] / "journeys" / "domain"
BOOK = book()
AT = datetime(2027, 3, 4, 8, 30, tzinfo=UTC)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}")

BY_NAME: dict[str, Any] = {
    "milestone": "exit-plan", "deadline": "exit-plan/1", "date": "release", "phase": "first-days", "contact": "support",
    "grant": id_of("g"), "measure": "housed", "outcome": "completed", "situation": "housing", "value": "own-home",
    "purpose": "driving-licence", "to": REFERENT, "referent": REFERENT, "before": REFERENT, "person": PERSON,
    "mentor": id_of("nobody"), "partner": id_of("partner"), "means": "meeting", "kind": "exit-plan", "why": "custody",
    "how": "grant settled", "reason": "too-late", "fund": "parvis-solidaire", "pay_by": "sepa",
    "name": "reach-milestone", "wording": "0a" * 32,
    "code": "evidence-missing", "ladder": "follow-up", "template": "deadline-near", "role": "referent",
    "stands_for": "supervisor", "channel": "mail", "site": "lyon-7", "awaits": "release", "url": "https://x.test/",
    "approvals": ("supervisor", "finance"), "fallback": ("supervisor",), "told": (REFERENT,),
    "found": ("past-its-end",),
    "details": {"milestone": "exit-plan", "evidence": "exit-plan"}, "about": Subject(kind="milestone", id="exit-plan"),
}  # fmt: skip


def filled(kind: type[Payload], late: bool) -> Payload:
    """One example of a kind; `late` takes the other of what may be absent or one of several."""
    values = {name: value_of(name, field.annotation, late) for name, field in kind.model_fields.items()}
    if kind is e.MilestoneCorrected and values["to"] == "reached":
        values["on"] = date(2027, 3, 2)
    return kind(**values)


def value_of(name: str, annotation: Any, late: bool) -> Any:
    options = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is Literal:
        return options[-1 if late else 0]
    if origin in (typing.Union, types.UnionType):
        return None if late and type(None) in options else value_of(name, options[0], late)
    if origin is typing.Annotated:
        return value_of(name, options[0], late)
    simple = {str: id_of(name), int: 2 if late else 1, bool: late, date: date(2027, 3, 2), datetime: AT}
    if name in BY_NAME and annotation not in (int, bool, date):
        return BY_NAME[name]
    if annotation in simple:
        return simple[annotation]
    return () if origin is tuple else {} if origin is dict else AT


def event_of(data: Payload, by_someone: bool) -> Event[Payload]:
    who = {"actor": REFERENT, "role": "referent", "command": id_of("c")} if by_someone else {
        "actor": "system", "role": "system", "rule": "plan",
    }  # fmt: skip
    return envelope(type(data))(
        stream=JOURNEY, seq=1, kind=type(data).__name__, kind_v=1, recorded_at=AT, occurred_at=AT, data=data, **who
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_in_plain_words(kind: str) -> None:
    told: dict[str, set[str]] = {lang: set() for lang in LANGS}
    for late in (False, True):
        data = filled(KINDS[kind], late)
        if isinstance(data, e.MessageDue | e.EscalationRaised | e.EscalationClimbed):
            data = data.model_copy(update={"to": "supervisor"})
        for by_someone in (False, True):
            for lang in LANGS:
                line = sentence(event_of(data, by_someone), BOOK, NAMES, lang)
                plain(line, kind)
                told[lang].add(line)
    assert not told["fr"] & told["en"]


def plain(line: str, kind: str = "") -> None:
    """A sentence for people: no event name, no id, no code, no empty place."""
    assert line[0] == line[0].upper()
    assert line[-1] in ".?!»”", line
    assert not UUID.search(line), line
    assert not re.search(r"[{}]|\bNone\b|_", line), line
    assert not (kind and kind in line), line
    assert not re.search(r"\b(exit-plan|first-days|driving-licence|past-its-end|too-late|own-home)\b", line), line


@pytest.mark.parametrize(
    ("data", "fr"),
    [
        (e.MessageSent(message=id_of("m"), channel="letter", effect=1), "Lettre prête, à imprimer et à poster\u00a0: "),
        (e.AppointmentAnswered(appointment=id_of("a"), answer="declined"), "ne viendra pas\u00a0: un rendez-vous"),
    ],
)
def test_a_letter_is_made_and_not_sent_and_who_declines_does_not_come(data: Payload, fr: str) -> None:
    assert fr in sentence(event_of(data, True), BOOK, NAMES, "fr")


def test_every_kind_has_one_teller() -> None:
    assert TELLERS.keys() == set(KINDS.values())


@pytest.fixture(scope="module")
def life() -> Life:
    return whole_life()


@pytest.mark.parametrize("lang", LANGS)
def test_a_whole_life_is_told_with_what_ids_stand_for(life: Life, lang: str) -> None:
    state, told = State(), {}
    for event in life.events:
        told[event.seq] = sentence(event, BOOK, NAMES, lang, state)
        plain(told[event.seq], event.kind)
        evolve(state, event)
    story = "\n".join(told.values())
    expected = {
        "fr": [
            "Claire Dupont (référent) a ouvert le parcours «\u00a0Auxilia",
            "Paul Martin (responsable) a donné son accord, au titre de responsable, pour l’aide de 1\u202f200,00",
            "Un versement de 600,00\u00a0€ est réservé",
            "Claire Dupont (référent) a noté que le rendez-vous du 13 mars 2027 à 10\u00a0h a eu lieu.",
            "orienté la personne vers Atelier du Pont (emploi)",
            "a confirmé Hélène Blanc comme mentor",
        ],
        "en": [
            "Paul Martin (supervisor) gave approval, as supervisor, for the grant of €1,200.00 (training).",
            "Claire Dupont (caseworker) recorded that the appointment of 13 March 2027 at 10:00 took place.",
            "the person to Atelier du Pont (job); answer expected",
        ],
    }
    for words in expected[lang]:
        assert words in story


def test_who_is_not_known_is_told_by_role() -> None:
    event = event_of(e.NoteAdded(note=id_of("n")), by_someone=True)
    assert sentence(event, BOOK, {}, "fr") == "Une personne (référent) a écrit une note."
    assert sentence(event, BOOK, {}, "en") == "A person (caseworker) wrote a note."


# --- facts of one's own


def test_each_fact_of_ones_own_stream_is_told_to_whoever_asks() -> None:
    begins = ("Person", "Channel", "Letter", "Mentor", "Shift")
    theirs = {kind for kind in directory.KINDS if kind.startswith(begins)}
    theirs |= {"MessagesPaused", "MessagesResumed", "OptedOut", "OptedIn", "WishesRecorded", "PersonDied",
               "ErasureRequested", "ErasureOrdered"}  # fmt: skip
    assert own_facts.KINDS.keys() == theirs
    data = {"fields": ["phone", "email"], "until": "2027-05-12T07:30:00.000000Z", "on": "2027-05-01", "site": "lyon",
            "available": True, "capacity": 2, "reason": None}  # fmt: skip
    told = own_facts.fact_words(data, {"phone": "06", "email": "", "place": None}, "fr", ZoneInfo("Europe/Paris"))
    assert told.replace("\u00a0", " ") == (
        "Téléphone : 06, Courriel : (retiré), Ville : (texte effacé), Jusqu’au : 12 mai 2027 à 9 h 30,"
        " Jour : 1er mai 2027, Site : lyon, Disponible : oui, Places : 2"
    )


# --- refusals


def refusals() -> Iterator[tuple[str, set[str], str]]:
    """Each code that the core refuses with: its details and where."""
    for file in sorted(DOMAIN.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                codes = [str(each.value) for each in _chosen(node.args[0])]
                assert codes, f"{file.name}:{node.lineno}: the code is not written there"
                for code in codes:
                    yield code, {k.arg or "" for k in node.keywords}, f"{file.name}:{node.lineno}"


def _chosen(code: ast.expr) -> list[ast.Constant]:
    """A code, or the two of a choice."""
    branches = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
    return [each for each in branches if isinstance(each, ast.Constant)]


def test_every_refusal_has_its_sentence_and_its_places() -> None:
    found = list(refusals())
    assert len(found) > 80
    lacking = [f"{code} ({where})" for code, _, where in found if code not in SENTENCES]
    assert lacking == [], "say these in journeys/narration/refusals.py"
    wrong = [
        f"{code} ({where}) lacks {place}"
        for code, details, where in found
        for place in set(re.findall(r"{(\w+)}", SENTENCES[code])) - details
    ]
    assert wrong == []


def test_no_sentence_for_a_refusal_that_is_gone() -> None:
    elsewhere = {"id-used", "unsigned", "payment-at-bank", "opted-out-since"}
    assert SENTENCES.keys() - {code for code, _, _ in refusals()} == elsewhere


@pytest.mark.parametrize(
    ("code", "details", "lang", "expected"),
    [
        ("over-cap", {"cap": 120_000, "already": 100_000, "amount": 50_000}, "fr",
         "Le montant demandé (500,00\u00a0€) dépasse le plafond\u00a0: 1\u202f200,00\u00a0€, "
         "dont 1\u202f000,00\u00a0€ déjà demandés ou accordés. Demandez moins."),
        ("date-passed", {"date": "release", "on": "2026-12-01"}, "en",
         "The date “release” has already passed (1 December 2026). "
         "Give a day to come, or take over a journey already begun."),
        ("unknown-milestone", {"milestone": "cv", "known": "exit-plan, job-kept"}, "fr",
         "L’étape «\u00a0cv\u00a0» n’est pas dans ce programme. Étapes du programme\u00a0: exit-plan, job-kept."),
        ("no-right", {"command": "approve-grant"}, "fr",
         "Votre rôle ne permet pas cette demande sur ce parcours (donner son accord à une aide). "
         "Demandez au référent du parcours ou au responsable."),
        ("closed", {"outcome": None}, "en",
         "The journey is closed (unknown). Ask the supervisor to reopen it, or correct a past fact."),
        ("of-a-later-version", {}, "fr", "Une règle s’y oppose (of a later version)."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(code: str, details: dict[str, Any], lang: str, expected: str) -> None:
    assert refusal(code, details, lang) == expected


def test_with_the_rules_at_hand_labels_stand_for_codes() -> None:
    told = refusal("evidence-missing", {"milestone": "exit-plan", "evidence": "exit-plan"}, "fr", BOOK)
    assert told.startswith("Il manque une pièce pour l’étape «\u00a0plan de sortie signé\u00a0»")
    assert "exit-plan" not in told


# --- rules, commands, words


def rules() -> set[str]:
    """The first word of each rule that the core names."""
    found = set()
    for file in sorted(DOMAIN.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) < 2:
                continue
            if node.func.attr in ("due", "follow"):
                found |= set(re.findall(r"'([a-z][a-z/-]*)", ast.unparse(node.args[1])))
    return {rule.rstrip("/").partition("/")[0] for rule in found}


def test_every_rule_has_its_words(life: Life) -> None:
    assert len(rules()) > 30
    assert rules() - RULES.keys() == set()
    in_life = {event.rule.partition("/")[0] for event in life.events if event.rule is not None}
    assert in_life <= RULES.keys()
    assert rule_words("ladder/follow-up", "en") == "whom to alert, and in which order"


def test_every_command_has_its_words() -> None:
    assert BODIES.keys() - COMMANDS.keys() == set()
    assert KEYWORDS.keys() >= {"_", "say"}


def test_an_unknown_code_is_read_as_it_is_spelt() -> None:
    assert spoken("stage-de-cuisine", "fr") == "stage de cuisine"
    for code in ("mail-550", "mail-5-1-1", "mail-5-2-2", "mail-no-answer", "mail-452", "sms-timeout", "sms-500",
                 "sms-429", "sms-402", "sms-404", "mail-4-4-7", "worker-lost", "mail-bounced"):  # fmt: skip
        for lang in ("fr", "en"):
            said = spoken(code, lang)
            assert said != code.replace("-", " ") and not any(sign.isdigit() for sign in said), code
    assert spoken("mail-sender", "fr") == "la messagerie refuse notre adresse d’expéditeur"
    assert spoken("fixed-term", "en") == "fixed-term contract"


# --- the future


@pytest.mark.parametrize("lang", LANGS)
def test_every_due_says_what_happens_next(lang: str) -> None:
    """Over a life watched after each event, every due that came up is told."""
    seen: dict[DueKind, str] = {}
    for state in _states():
        for due in agenda(state):
            if due.kind not in seen:
                seen[due.kind] = what_happens_next(due, state, BOOK, NAMES, lang)
                plain(seen[due.kind])
    assert len(seen) >= 16, set(DueKind) - seen.keys()
    if lang == "fr":
        assert "\u00a0: alerte (Claire Dupont, référent)." in seen[DueKind.DEADLINE]
        assert seen[DueKind.ESCALATION].endswith("sinon\u00a0: alerte (responsable).")
        assert seen[DueKind.DEADLINE].startswith(("Lundi ", "Mardi ", "Mercredi ", "Jeudi ", "Vendredi "))


def _states() -> Iterator[Any]:
    state = State()
    for event in whole_life().events:
        evolve(state, event)
        yield state


@pytest.mark.parametrize(
    ("written", "fr", "en"),
    [
        ("at start", "dès le début du parcours", "at the start of the journey"),
        ("1 month after release", "1 mois après «\u00a0levée d’écrou\u00a0»", "1 month after “release”"),
        ("10 working days before jury", "10 jours ouvrés avant «\u00a0jury\u00a0»", "10 working days before “jury”"),
        ("1 hour after visit reached", "1 heure après la réussite de «\u00a0visite\u00a0»",
         "1 hour after “visite” is reached"),
        ("2 days after visit due", "2 jours après l’échéance de «\u00a0visite\u00a0»",
         "2 days after the due date of “visite”"),
        ("3 weeks after phase project", "3 semaines après le début de la phase «\u00a0projet\u00a0»",
         "3 weeks after the beginning of phase “projet”"),
    ],
)  # fmt: skip
def test_a_moment_of_the_programme_is_told_in_words(written: str, fr: str, en: str) -> None:
    moment = parse_moment(written)
    assert [moment_words(moment, house(), lang) for lang in ("fr", "en")] == [fr, en]
