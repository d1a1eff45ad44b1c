"""Programmes that people write: those that can run, and what those that cannot are told."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.authoring.findings import MOST_FINDINGS, Finding
from journeys.authoring.reading import (
    PROGRAMMES,
    ProgrammeInvalid,
    ProgrammeNotFound,
    check_programme,
    programme_names,
    programme_text,
    read_programme,
)
from journeys.authoring.wording import REMEDIES, WORDING
from journeys.authoring.yaml_text import LARGEST_FILE
from journeys.domain.programme import compile_programme

OURS = Path(__file__).parent / "programmes"
EXAMPLES = PROGRAMMES / "examples"
ALL = [*sorted(PROGRAMMES.glob("*.yaml")), *sorted(EXAMPLES.glob("*.yaml")), *sorted(OURS.glob("*.yaml"))]

BASE = """\
programme: essai
label: {fr: Essai, en: Trial}
roles:
  peer: {fr: pair, en: peer, rights: mentor}
clock: {zone: Europe/Paris, opens: "09:00"}
dates:
  release: {label: {fr: sortie, en: release}, missed: follow-up}
active_from: release
ends: 6 months after release
phases:
  inside: {label: {fr: dedans, en: inside}, enter: at start, leave: at release}
  outside: {label: {fr: dehors, en: outside}, enter: 1 week after release, leave: 5 months after release}
  work: {label: {fr: travail, en: work}, enter_when: [meeting]}
milestones:
  plan: {label: {fr: plan, en: plan}, phase: inside, due: 10 working days before release,
         roll: back, missed: follow-up}
  meeting: {label: {fr: entretien, en: meeting}, due: 3 days after release}
  cv:
    label: {fr: CV, en: CV}
    phase: outside
    due: 2 months after release
    needs: [meeting]
    check: evidence
    evidence: [cv]
    remind: [{to: participant, when: 7 days before, template: deadline-near}]
  home: {label: {fr: logement, en: home}, check: situation, situation: housing, good: [own], kept: 30 days}
contacts:
  weekly: {label: {fr: suivi, en: support}, start: at release,
           cadence: [every 1 week until 1 month], by: referent}
ladders:
  follow-up:
    steps:
      - {to: referent, after: 0 hours, fallback: [supervisor]}
      - {to: supervisor, after: 3 working days}
      - {to: duty, after: 8 working days, repeat: 10 working days, times: 6}
grants:
  help:
    label: {fr: aide, en: help}
    fund: main
    cap: 1200 EUR
    purposes: [training]
    levels:
      - {up_to: 300 EUR, approvals: [supervisor]}
      - {approvals: [supervisor, finance]}
    instalments: [{share: 50}, {share: 50, when: 1 month after release}]
situations: {housing: [none, own]}
measures:
  housed: {label: {fr: logé, en: housed}, situation: housing, good: [own], at: [at release]}
"""


@dataclass(frozen=True)
class Broken:
    """In BASE, `old` becomes `new`: `code` at `path`, on the line that holds `line`, says `remedy`."""

    old: str
    new: str
    line: str
    path: str
    code: str
    remedy: str


BROKEN = [
    # The file
    Broken("label: {fr: CV, en: CV}", "\tlabel: x", "\tlabel", "", "yaml-tab", "espaces"),
    Broken("label: {fr: CV, en: CV}", "label: CV: ici", "CV: ici", "", "yaml-colon", "entre guillemets"),
    Broken("evidence: [cv]", "evidence: [cv", "remind:", "", "yaml-bracket", "fermez-le"),
    Broken("active_from: release", "active_from: &a release", "&a", "", "yaml-alias", "en entier"),
    Broken("active_from: release", "active_from: *a", "*a", "", "yaml-alias", "en entier"),
    Broken(
        "active_from: release",
        "active_from: !!python/name:os.system x",
        "!!python",
        "",
        "yaml-tag",
        "retirez",
    ),
    Broken("situations:", "clock: {}\nsituations:", "clock: {}", "clock", "key-twice", "l’une des deux"),
    Broken("situations:", "---\nsituations:", "---", "", "several-documents", "un seul"),
    Broken("cap: 1200 EUR", "cap: [[[[[[[[[[[[[1]]]]]]]]]]]]]", "[[[[", "", "too-deep", "crochets"),
    # The shape
    Broken(
        "    needs: [meeting]",
        "    need: [meeting]",
        "need:",
        "milestones.cv.need",
        "unknown-key",
        "« needs »",
    ),
    Broken(
        "phase: outside\n    due",
        "phase: outside\n    couleur: bleu\n    due",
        "couleur",
        "milestones.cv.couleur",
        "unknown-key",
        "Clés possibles : label, phase, due",
    ),
    Broken(
        "due: 2 months after release",
        "échéance: 2 months after release",
        "échéance",
        "milestones.cv.échéance",
        "unknown-key",
        "« due » ? Clés possibles",
    ),
    Broken(
        "label: {fr: CV, en: CV}",
        "label: {fr: CV, puis lettre, en: CV}",
        "puis lettre",
        "milestones.cv.label.puis lettre",
        "text-cut",
        '"…, puis lettre"',
    ),
    Broken(
        "label: {fr: CV, en: CV}", "label: {fr: ' ', en: CV}", "fr: ' '", "milestones.cv.label.fr", "text-empty", "lire"
    ),
    Broken("{fr: pair, en: peer, ", "{fr: pair, en: '', ", "en: ''", "roles.peer.en", "text-empty", "lire"),
    Broken("    fund: main\n", "", "  help:", "grants.help.fund", "missing-key", "« fund: »"),
    Broken("    fund: main\n", "    fund:\n", "fund:", "grants.help.fund", "empty-value", "retirez la ligne"),
    Broken(
        "due: 2 months after release",
        "due: soon",
        "due: soon",
        "milestones.cv.due",
        "bad-moment",
        "10 working days before release",
    ),
    Broken(
        "due: 2 months after release",
        "due: 2 mois après la release",
        "2 mois",
        "milestones.cv.due",
        "bad-moment",
        "« 2 months after release » ? Écrivez",
    ),
    Broken(
        "due: 2 months after release",
        "due: 2027-05-12",
        "2027-05-12",
        "milestones.cv.due",
        "moment-is-day",
        "« dates »",
    ),
    Broken("kept: 30 days", "kept: 30 jours", "30 jours", "milestones.home.kept", "bad-duration", "« 30 days »"),
    Broken("kept: 30 days", "kept: 30", "kept: 30", "milestones.home.kept", "bad-duration", "10 working days"),
    Broken("kept: 30 days", "kept: 99999 days", "kept:", "milestones.home.kept", "bad-duration", "5000"),
    Broken(
        "when: 7 days before,",
        "when: 7 days,",
        "when: 7",
        "milestones.cv.remind[1].when",
        "bad-lead",
        "7 days before",
    ),
    Broken(
        "every 1 week until 1 month",
        "every week",
        "every week",
        "contacts.weekly.cadence[1]",
        "bad-stretch",
        "every 1 week until",
    ),
    Broken("cap: 1200 EUR", "cap: -1200", "cap:", "grants.help.cap", "bad-amount", "1200 EUR"),
    Broken(
        "up_to: 300 EUR",
        "up_to: 300 dollars",
        "300 dollars",
        "grants.help.levels[1].up_to",
        "bad-amount",
        "1200 EUR",
    ),
    Broken('opens: "09:00"', "opens: 25:00", "25:00", "clock.opens", "bad-time", "09:00"),
    Broken('opens: "09:00"', "opens: 9h", "9h", "clock.opens", "bad-time", "09:00"),
    Broken('opens: "09:00"', "calendar: France", "France", "clock.calendar", "bad-calendar", "FR"),
    Broken("  cv:\n", "  Bilan à 3 mois:\n", "Bilan", "milestones.Bilan à 3 mois", "bad-code", "bilan-a-3-mois"),
    Broken("needs: [meeting]", "needs: meeting", "needs:", "milestones.cv.needs", "not-list", "[meeting]"),
    Broken(
        "label: {fr: CV, en: CV}",
        "label: 12",
        "label: 12",
        "milestones.cv.label",
        "not-group",
        "fr: …, en: …",
    ),
    Broken(
        "label: {fr: CV, en: CV}",
        "label: {fr: 12, en: CV}",
        "fr: 12",
        "milestones.cv.label.fr",
        "not-text",
        "guillemets",
    ),
    Broken(
        "label: {fr: CV, en: CV}",
        "label: {fr: CV}",
        "fr: CV",
        "milestones.cv.label.en",
        "missing-key",
        "« en: »",
    ),
    Broken("roll: back", "roll: backward", "backward", "milestones.plan.roll", "not-choice", "« back »"),
    Broken(
        "check: situation",
        "check: situatoin",
        "situatoin",
        "milestones.home.check",
        "not-choice",
        "« situation »",
    ),
    Broken(
        "needs: [meeting]",
        "required: peut-être",
        "peut-être",
        "milestones.cv.required",
        "not-yes-no",
        "true ou false",
    ),
    Broken("times: 6", "times: 600", "600", "ladders.follow-up.steps[3].times", "too-big", "100"),
    Broken("times: 6", "times: six", "six", "ladders.follow-up.steps[3].times", "not-number", "nombre entier"),
    Broken("purposes: [training]", "purposes: []", "purposes", "grants.help.purposes", "too-few", "complétez"),
    Broken("programme: essai", "programme: essai\nformat: 2", "format: 2", "format", "not-choice", "1"),
    # Names
    Broken(
        "needs: [meeting]",
        "needs: [meting]",
        "meting",
        "milestones.cv.needs[1]",
        "unknown-milestone",
        "« meeting »",
    ),
    Broken(
        "phase: outside",
        "phase: outsid",
        "phase: outsid\n",
        "milestones.cv.phase",
        "unknown-phase",
        "« outside »",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after relase",
        "relase",
        "milestones.meeting.due",
        "unknown-date",
        "« release »",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after cv",
        "after cv",
        "milestones.meeting.due",
        "bare-milestone",
        "cv reached",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after inside",
        "after inside",
        "milestones.meeting.due",
        "bare-phase",
        "phase inside",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after home due",
        "home due",
        "milestones.meeting.due",
        "anchor-without-due",
        "home reached",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after phase indoors",
        "indoors",
        "milestones.meeting.due",
        "unknown-phase",
        "inside",
    ),
    Broken("active_from: release", "active_from: exit", "exit", "active_from", "unknown-date", "start, release"),
    Broken(
        "roll: back, missed: follow-up",
        "roll: back, missed: folow-up",
        "folow-up",
        "milestones.plan.missed",
        "unknown-ladder",
        "« follow-up »",
    ),
    Broken(
        "to: participant, when",
        "to: participants, when",
        "participants",
        "milestones.cv.remind[1].to",
        "unknown-role",
        "« participant »",
    ),
    Broken(
        "template: deadline-near",
        "template: deadline-far",
        "deadline-far",
        "milestones.cv.remind[1].template",
        "unknown-template",
        "« deadline-near »",
    ),
    Broken(
        "to: participant, when: 7 days before, template: deadline-near",
        "to: peer, when: 7 days before, template: meeting-near",
        "meeting-near",
        "milestones.cv.remind[1].template",
        "reminder-without-words",
        "deadline-near",
    ),
    Broken(
        "template: deadline-near",
        "template: grant-refused",
        "grant-refused",
        "milestones.cv.remind[1].template",
        "unknown-template",
        "partent d’eux-mêmes",
    ),
    Broken(
        "situation: housing, good: [own], kept",
        "situation: house, good: [own], kept",
        "house,",
        "milestones.home.situation",
        "unknown-situation",
        "housing",
    ),
    Broken(
        "good: [own], kept",
        "good: [owned], kept",
        "owned",
        "milestones.home.good[1]",
        "unknown-value",
        "none, own",
    ),
    Broken(
        "good: [own], at",
        "good: [unknown], at",
        "[unknown]",
        "measures.housed.good[1]",
        "unknown-is-good",
        "none, own",
    ),
    Broken(
        "situation: housing, good: [own], at",
        "situation: job, good: [own], at",
        "situation: job",
        "measures.housed.situation",
        "unknown-situation",
        "housing",
    ),
    Broken(
        "evidence: [cv]",
        "evidence: [cv]\n    closes: done",
        "closes",
        "milestones.cv.closes",
        "unknown-closing",
        "completed",
    ),
    Broken("by: referent", "by: mentors", "mentors", "contacts.weekly.by", "unknown-role", "« mentor »"),
    Broken("zone: Europe/Paris", "zone: Europe/Pariss", "Pariss", "clock.zone", "unknown-zone", "Europe/Paris"),
    Broken("zone: Europe/Paris", "spread: 3 days", "spread", "clock.spread", "spread-too-long", "30 minutes"),
    Broken("zone: Europe/Paris", 'digest: "18:30"', "digest", "clock.digest", "digest-out-of-hours", "09:30"),
    Broken('opens: "09:00"', "calendar: FR-ZZ", "FR-ZZ", "clock.calendar", "unknown-calendar", "FR-974"),
    # What cannot work
    Broken(
        "needs: [meeting]",
        "needs: [cv]",
        "needs: [cv]",
        "milestones.cv.needs[1]",
        "depends-on-itself",
        "liens",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after cv reached",
        "3 days after cv",
        "milestones.meeting.due",
        "depends-on-itself",
        "liens",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days after release, phase: work",
        "phase: work",
        "milestones.meeting.phase",
        "depends-on-itself",
        "liens",
    ),
    Broken(
        "due: 2 months after release",
        "due: 2 days after release",
        "2 days after",
        "milestones.cv.due",
        "due-before-phase",
        "plus tardive",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 months after release",
        "due: 2 months",
        "milestones.cv.due",
        "dues-contradict",
        "inversez",
    ),
    Broken(
        "phase: outside\n    due: 2 months",
        "phase: outside\n    required: false\n    due: 6 months",
        "due: 6 months",
        "milestones.cv.due",
        "due-after-phase",
        "avancez",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days before start",
        "before start",
        "milestones.meeting.due",
        "before-start",
        "at start",
    ),
    Broken(
        "due: 3 days after release",
        "due: 3 days before plan reached",
        "before plan",
        "milestones.meeting.due",
        "before-fact",
        "avant une échéance",
    ),
    Broken(", enter_when: [meeting]}", "}", "  work:", "phases.work", "phase-never-begins", "enter_when"),
    Broken(
        "leave: 5 months after release",
        "leave: 5 days after release",
        "leave: 5 days",
        "phases.outside.leave",
        "phase-ends-before",
        "plus tardive",
    ),
    Broken("evidence: [cv]\n", "evidence: []\n", "  cv:", "milestones.cv", "check-needs", "evidence:"),
    Broken(", kept: 30 days", "", "  home:", "milestones.home", "check-needs", "kept:"),
    Broken("check: evidence\n    evidence: [cv]", "check: http", "  cv:", "milestones.cv", "check-needs", "url:"),
    Broken(
        "check: evidence\n    evidence: [cv]",
        'check: http\n    url: "file:///etc/passwd"',
        "url:",
        "milestones.cv.url",
        "url-not-web",
        "https://",
    ),
    Broken("rights: mentor", "rights: null", "peer:", "roles.peer", "role-without-rights", "rights:"),
    Broken('opens: "09:00"', 'closes: "08:00"', "08:00", "clock.closes", "closes-before-opens", "plus tardive"),
    Broken('opens: "09:00"', 'cut_off: "19:00"', "19:00", "clock.cut_off", "cut-off-outside", "entre les deux"),
    Broken(
        "{to: duty, after",
        "{to: finance, after",
        "finance, after",
        "ladders.follow-up.steps[3]",
        "no-last-resort",
        "duty",
    ),
    Broken(
        "after: 3 working days",
        "after: 9 working days",
        "8 working days",
        "ladders.follow-up.steps[3].after",
        "steps-not-increasing",
        "plus tôt",
    ),
    Broken(
        "grants:\n",
        "appointments: {missed: [{do: escalation, within: 2 days}]}\ngrants:\n",
        "appointments",
        "appointments.missed[1].within",
        "chase-ignores",
        "do",
    ),
    Broken(
        "grants:\n",
        "appointments: {missed: [{do: escalation}, {do: call}]}\ngrants:\n",
        "appointments",
        "appointments.missed[1].do",
        "escalation-not-last",
        "en dernier",
    ),
    Broken(
        "grants:\n",
        "appointments: {missed: [{do: call, within: 4 hours}]}\ngrants:\n",
        "appointments",
        "appointments.missed[1].within",
        "chase-in-hours",
        "jours",
    ),
    Broken(
        "grants:\n",
        "appointments: {summons_missed: gone}\ngrants:\n",
        "appointments",
        "appointments.summons_missed",
        "unknown-ladder",
        "follow-up",
    ),
    Broken(", times: 6", "", "to: duty", "ladders.follow-up.steps[3].repeat", "repeat-without-bound", "times: 6"),
    Broken(
        "after: 3 working days",
        "after: 3 working days, times: 2",
        "times: 2",
        "ladders.follow-up.steps[2].times",
        "times-without-repeat",
        "repeat",
    ),
    Broken(
        "after: 3 working days",
        "after: 3 working days, times: 2, repeat: 1 day",
        "repeat: 1 day",
        "ladders.follow-up.steps[2].repeat",
        "repeat-not-last",
        "dernier pas",
    ),
    Broken(
        "repeat: 10 working days",
        "repeat: 0 days",
        "repeat: 0",
        "ladders.follow-up.steps[3].repeat",
        "repeat-at-once",
        "au moins 1",
    ),
    Broken(
        "{to: supervisor, after",
        "{to: participant, after",
        "participant, after",
        "ladders.follow-up.steps[2].to",
        "step-not-staff",
        "referent",
    ),
    Broken(
        "approvals: [supervisor]",
        "approvals: [referent]",
        "[referent]",
        "grants.help.levels[1].approvals[1]",
        "cannot-approve",
        "supervisor, finance",
    ),
    Broken(
        "{up_to: 300 EUR, approvals: [supervisor]}",
        "{approvals: [supervisor]}",
        "{approvals: [supervisor]}",
        "grants.help.levels[1]",
        "level-without-bound",
        "up_to",
    ),
    Broken(
        "up_to: 300 EUR",
        "up_to: 0 EUR",
        "up_to: 0",
        "grants.help.levels[1].up_to",
        "levels-not-increasing",
        "plus petit",
    ),
    Broken(
        "{approvals: [supervisor, finance]}",
        "{up_to: 1000 EUR, approvals: [finance]}",
        "1000 EUR",
        "grants.help.levels[2].up_to",
        "last-level-bounded",
        "retirez",
    ),
    Broken(
        "{share: 50, when",
        "{share: 40, when",
        "share: 40",
        "grants.help.instalments",
        "shares-not-100",
        "share",
    ),
    Broken(
        "[every 1 week until 1 month]",
        "[every 1 week until 1 month, every 2 weeks until 3 weeks]",
        "3 weeks]",
        "contacts.weekly.cadence[2]",
        "cadence-stands-still",
        "rangez",
    ),
    Broken(
        "[every 1 week until 1 month]",
        "[every 2 months until 1 month]",
        "2 months until",
        "contacts.weekly.cadence[1]",
        "cadence-no-window",
        "raccourcissez",
    ),
    Broken(
        "[every 1 week until 1 month]",
        "[every 1 minute until 5000 months]",
        "1 minute",
        "contacts.weekly.cadence",
        "too-many-windows",
        "espacez",
    ),
    Broken(
        "check: situation, situation: housing, good: [own], kept: 30 days",
        "remind: [{to: peer, when: 1 day before, template: deadline-near}]",
        "  home:",
        "milestones.home.remind",
        "remind-without-due",
        "due:",
    ),
    Broken(
        "situations: {housing: [none, own]}",
        "situations: {housing: [none, own], job: []}",
        "job: []",
        "situations.job",
        "empty-list",
        "au moins une",
    ),
    Broken(
        "  release: {",
        "  start: {label: {fr: d, en: b}}\n  release: {",
        "  start:",
        "dates.start",
        "reserved-name",
        "autre nom",
    ),
    Broken(
        "    purposes: [training]",
        "    purposes: [training]\n    requested_by: [auditor]",
        "[auditor]",
        "grants.help.requested_by[1]",
        "unknown-role",
        "referent",
    ),
    Broken(
        "    purposes: [training]",
        "    purposes: [training]\n    requested_by: [participant]",
        "[participant]",
        "grants.help.requested_by[1]",
        "cannot-request",
        "referent, supervisor",
    ),
]

WARNED = [
    Broken(
        "label: {fr: CV, en: CV}",
        "label: CV",
        "label: CV",
        "milestones.cv.label",
        "one-language",
        "{fr: …, en: …}",
    ),
    Broken("by: referent", "by: peer", "by: peer", "contacts.weekly.by", "mentor-never-sought", "check: mentor"),
    Broken("ends: 6 months after release\n", "", "programme:", "", "never-ends", "closes: completed"),
    Broken("due: 2 months", "due: 8 months", "due: 8", "milestones.cv.due", "due-after-end", "ends"),
    Broken(
        "due: 3 days after release",
        "due: 3 days after release, kept: 3 days",
        "kept: 3",
        "milestones.meeting.kept",
        "check-ignores",
        "check",
    ),
    Broken(
        "up_to: 300 EUR",
        "up_to: 1200 EUR",
        "[supervisor, finance]",
        "grants.help.levels[2]",
        "level-never-used",
        "up_to",
    ),
]


def broken(case: Broken) -> str:
    assert BASE.count(case.old) == 1, f"{case.old!r} stands {BASE.count(case.old)} times in BASE"
    return BASE.replace(case.old, case.new)


def findings_of(raw: bytes) -> list[Finding]:
    with pytest.raises(ProgrammeInvalid) as caught:
        check_programme(raw, Path("essai.yaml"))
    return list(caught.value.findings)


def earlier(number: int) -> list[str]:
    return [f"m{before}" for before in range(max(0, number - 20), number)]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_base_of_these_tables_is_sound() -> None:
    assert check_programme(BASE.encode(), Path("essai.yaml")).findings == ()


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.code}-{case.path}")
def test_a_broken_programme_is_refused_with_line_path_and_remedy(case: Broken) -> None:
    text = broken(case)
    found = {one.code: one for one in findings_of(text.encode())}
    assert case.code in found, [one.as_json() for one in found.values()]
    one = found[case.code]
    assert one.severity == "error"
    assert one.path == case.path
    assert one.line == line_of(text, case.line)
    assert case.remedy in one.remedy("fr")
    assert one.message("en") and one.remedy("en") and one.message("fr") != one.message("en")


@pytest.mark.parametrize("case", WARNED, ids=lambda case: case.code)
def test_a_doubtful_programme_runs_and_is_warned_about(case: Broken) -> None:
    text = broken(case)
    found = check_programme(text.encode(), Path("essai.yaml")).findings
    assert [(one.code, one.path, one.line, one.severity) for one in found] == [
        (case.code, case.path, line_of(text, case.line), "warning")
    ]
    assert case.remedy in found[0].remedy("fr")


def test_one_slip_is_one_finding() -> None:
    for case in BROKEN:
        if case.code in (
            "bad-code",
            "bad-time",
            "missing-key",
            "too-few",
            "bad-amount",
            "not-choice",
            "unknown-key",
        ):
            assert len(findings_of(broken(case).encode())) == 1, case


def test_no_english_of_pydantic_reaches_a_person() -> None:
    for case in BROKEN:
        for one in findings_of(broken(case).encode()):
            for said in (one.message("fr"), one.message("en"), one.remedy("fr"), one.remedy("en")):
                assert "nput should" not in said and "Value error" not in said and "pydantic" not in said


def test_every_sentence_has_both_languages_and_can_be_written() -> None:
    assert WORDING.keys() == REMEDIES.keys()
    tested = {case.code for case in (*BROKEN, *WARNED)}
    elsewhere = {
        "file-too-large",
        "not-utf-8",
        "utf-16",
        "not-text-file",
        "odd-space",
        "control-character",
        "empty-file",
        "more-findings",
        "text-too-long",
        "too-small",
        "too-many",
        "key-not-text",
        "yaml-quote",
        "yaml-indent",
        "yaml-syntax",
        "not-accepted",
        "bad-text",
        "no-grant-to-settle",
        "age-without-date",
        "before-the-digest",
        "reminds-nobody",
        "bad-date",
        "unknown-rule",
        "law-without-rule",
        "rules-are-elsewhere",
    }
    beside = ("template-", "rule-", "retention-")  # In the tests of templates, rules and retention.
    assert {code for code in WORDING if not code.startswith(beside)} == tested | elsewhere


# Files that are no programmes


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"", "empty-file", 1),
        (b"# only a comment\n", "empty-file", 1),
        (b"just a text\n", "not-group", 1),
        (b"- a\n- b\n", "not-group", 1),
        (BASE.replace("Essai", "Libéré").encode("latin-1", "replace"), "not-utf-8", 2),
        (BASE.encode("utf-16"), "utf-16", 1),
        (BASE.encode("utf-16-le"), "utf-16", 1),
        (BASE.encode("utf-16-be"), "utf-16", 1),
        (BASE.encode("utf-32"), "utf-16", 1),
        (b"\0" * 1_000, "not-text-file", 1),
        (b"PK\x03\x04\x14\0\x08\0" + bytes(range(256)), "not-text-file", 1),
        (b"%PDF-1.7\n\xe2\xe3\x01", "not-text-file", 1),
        ("programme: x\nlabel:\n\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}fr: a\n".encode(), "odd-space", 3),
        (b"programme: x\nlabel: a\x07b\n", "control-character", 2),
        (b'programme: x\nlabel: "a\\0b"\n', "control-character", 2),
        (b'programme: x\nlabel: "\\uD800"\n', "control-character", 2),
        (b'programme: "\\UFFFFFFFF"\n', "yaml-syntax", 1),
        (b"%YAML " + b"9" * 5_000 + b".1\n---\na: 1\n", "yaml-syntax", 1),
        (b"programme: x\n? [a]\n: b\n", "key-not-text", 2),
        (b"programme: x\nlabel: 'open\n", "yaml-quote", 3),
        (b"programme: x\n   label: y\n  z: 1\n", "yaml-colon", 2),
        (b"programme: x\nmilestones:\n    a: {}\n  b: {}\n", "yaml-indent", 4),
        (b"programme: x\nlabel: @x\n", "yaml-syntax", 2),
    ],
)
def test_a_file_that_is_no_programme(raw: bytes, code: str, line: int) -> None:
    found = findings_of(raw)
    assert (found[0].code, found[0].line) == (code, line)


def test_a_byte_order_mark_and_windows_lines_are_accepted() -> None:
    plain = check_programme(BASE.encode(), Path("essai.yaml"))
    from_windows = check_programme(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode(), Path("essai.yaml"))
    assert from_windows.text == plain.text


def test_bombs_are_refused_at_once() -> None:
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    begun = time.monotonic()
    assert findings_of(laughs.encode())[0].code == "yaml-alias"
    assert findings_of(b"<<: *x\n")[0].code == "yaml-alias"
    assert findings_of(b"a: " + b"[" * 200_000)[0].code == "too-deep"
    assert findings_of(b"{a: " * 50_000)[0].code == "too-deep"
    assert findings_of(b"x" * (LARGEST_FILE + 1))[0].code == "file-too-large"
    assert time.monotonic() - begun < 5


def test_thousands_of_errors_are_told_in_a_page() -> None:
    wrong = "programme: x\nlabel: {fr: a, en: b}\n" + "".join(f"clef{n}: 1\n" for n in range(2_000))
    found = findings_of(wrong.encode())
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1].code == "more-findings" and "1950" in found[-1].message("fr")
    assert [one.line for one in found] == sorted(one.line for one in found)


@pytest.mark.parametrize("count", [300, 301])
def test_at_most_three_hundred_milestones(count: int) -> None:
    text = "programme: x\nlabel: {fr: a, en: b}\nends: 1 month after start\nmilestones:\n" + "".join(
        f"  m{n}: {{label: {{fr: a, en: b}}, needs: [{', '.join(earlier(n))}]}}\n" for n in range(count)
    )
    if count == 300:
        assert check_programme(text.encode(), Path("x")).findings == ()
    else:
        assert [one.code for one in findings_of(text.encode())] == ["too-many"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_are_refused_with_findings_and_nothing_else(raw: bytes) -> None:
    assert findings_of(raw)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(BASE) - 1),
    st.integers(1, 12),
    st.sampled_from(["", ":", "{", "]", "'", "-", " ", "é", "null", "\n"]),
)
def test_a_slip_anywhere_is_read_or_refused_with_a_place(at: int, length: int, typed: str) -> None:
    text = BASE[:at] + typed + BASE[at + length :]
    try:
        check_programme(text.encode(), Path("essai.yaml"))
    except ProgrammeInvalid as refused:
        for one in refused.findings:
            assert 1 <= one.line <= text.count("\n") + 2
            assert one.message("fr") and one.remedy("fr") and one.message("en") and one.remedy("en")


# Those that can run


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.stem)
def test_shipped_and_foreign_programmes_are_valid_without_a_warning(source: Path) -> None:
    assert read_programme(source).findings == ()


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.stem)
def test_the_stored_text_gives_the_same_programme_in_the_same_order(source: Path) -> None:
    read = read_programme(source)
    again = compile_programme(read.text)
    assert again == read.programme
    for kind in (
        "phases",
        "milestones",
        "contacts",
        "ladders",
        "grants",
        "roles",
        "closings",
        "measures",
        "situations",
    ):
        assert list(getattr(again, kind)) == list(getattr(read.programme, kind))
    assert programme_text(again) == read.text
    assert len(read.sha256) == 64 and json.loads(read.text)["format"] == 1


def test_order_is_that_of_the_file_and_changes_the_text() -> None:
    first, second = "  inside: {label", "  outside: {label"
    lines = BASE.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(first))
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    swapped = check_programme("".join(lines).encode(), Path("x"))
    assert list(swapped.programme.phases)[:2] == ["outside", "inside"] and lines[at].startswith(second)
    assert swapped.sha256 != check_programme(BASE.encode(), Path("x")).sha256


def test_comments_and_spaces_change_nothing_that_is_stored() -> None:
    commented = "# by hand\n" + BASE.replace("cap: 1200 EUR", "cap: 1200    # per person")
    assert check_programme(commented.encode(), Path("x")).text == check_programme(BASE.encode(), Path("x")).text


def test_by_name_by_path_and_not_at_all(tmp_path: Path) -> None:
    assert {"auxilia", "concienta"} <= set(programme_names())
    assert read_programme("auxilia").programme.programme == "auxilia"
    assert read_programme(str(PROGRAMMES / "auxilia.yaml")).sha256 == read_programme("auxilia").sha256
    with pytest.raises(ProgrammeNotFound) as caught:
        read_programme("auxila")
    assert "« auxilia »" in caught.value.remedy("fr") and "concienta" in caught.value.remedy("en")
    with pytest.raises(ProgrammeNotFound) as caught:
        read_programme(tmp_path)
    assert "est un dossier" in caught.value.message("fr") and "is a folder" in caught.value.message("en")


def test_the_two_shapes_differ() -> None:
    auxilia, concienta = read_programme("auxilia").programme, read_programme("concienta").programme
    assert list(auxilia.dates) == ["release"] and "release" not in concienta.dates
    assert auxilia.grants["bourse"].cap == 1200_00 and not concienta.grants
    assert not set(auxilia.phases) & set(concienta.phases)
    assert concienta.phases["care"].enter is not None and str(concienta.phases["care"].enter) == "at arrival"
