"""A caseload is taken over: read by the cell, foreseen without a trace, carried out once, owing nothing of the past."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from journeys.app import entry, importing
from journeys.app.caseload import Caseload, columns_of, model_of, read_caseload
from journeys.app.publishing import Rules, read, rules
from journeys.app.reading import ZONE
from journeys.contract import Fate
from journeys.domain import commands as c
from journeys.domain import messages
from journeys.domain.decide import Outcome
from journeys.domain.offer import Offer
from journeys.domain.play import play
from journeys.domain.state import EffectKnown, State, load
from journeys.issuing import issue
from journeys.store.mentors import Mentor
from journeys.store.signing import KeyRing
from journeys.temporal import Unreachable

from .conftest import Journeys

SUPERVISOR = "018f0000-0000-7000-8000-0000000000bb"
TODAY = datetime.now(ZONE).date()
RELEASED = TODAY - timedelta(days=100)
MENTOR = Mentor(id="018f0000-0000-7000-8000-00000000000a", name="Nora M.", email=None, phone=None, language="fr",
                site=None, capacity=2)  # fmt: skip


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def auxilia(first: date = RELEASED) -> Rules:
    return rules(read("auxilia").text, TODAY, first)


def cases(tmp_path: Path, text: str, *, needs_referent: bool = False) -> Caseload:
    path = tmp_path / "suivis.csv"
    path.write_text("\ufeff" + text)
    return read_caseload(path, auxilia().programme, [MENTOR], TODAY, needs_referent=needs_referent)


# --- the file


def test_every_cell_is_read_in_french_and_in_english(tmp_path: Path) -> None:
    french = (
        "Prénom;Nom;Référence;Sortie;Premier entretien dehors;Conseil juridique proposé;Bilan à trois mois;"
        "Logement;Logement depuis;Suivi individuel;Mentor;Mentor depuis\n"
        f"Samir;Benali;A1;{RELEASED:%d/%m/%Y} 00:00:00;{ago(90):%d/%m/%Y};sans objet;à faire le {ago(-7):%d/%m/%Y};"
        f"Hébergement relais;{ago(60):%d/%m/%Y};{ago(5):%d/%m/%Y} téléphone;nora;{ago(40):%d/%m/%Y}\n"
    )
    english = (
        "first name,last name,reference,release,first meeting outside,legal advice offered,three-month review,"
        "housing,housing since,individual support,mentor,mentor since\n"
        f"Samir,Benali,A1,{RELEASED},{ago(90)},not needed,to do {ago(-7)},relay,{ago(60)},{ago(5)} phone,"
        f"Nora M.,{ago(40)}\n"
    )
    bodies = [
        c.ReachMilestone(milestone="first-meeting"),
        c.RecordSituation(situation="housing", value="relay", since=ago(60)),
        c.ProposeMentor(mentor=MENTOR.id),
        c.MatchMentor(mentor=MENTOR.id),
        c.LogContact(contact="support", means="phone"),
        c.WaiveMilestone(milestone="legal-advice"),
        c.RescheduleMilestone(milestone="review-3-months", on=ago(-7)),
    ]
    for text in (french, english):
        (case,) = cases(tmp_path, text).cases
        assert case.failure is None, case.failure.what.fr
        assert [fact.body for fact in case.facts] == bodies
        assert (case.happened, case.first_day) == (("release",), RELEASED)


@pytest.mark.parametrize(
    ("head", "cell", "field", "code"),
    [
        ("premier entretien dehors", "oui", "premier entretien dehors", "not-a-date"),
        ("premier entretien dehors", "31/02/2026", "premier entretien dehors", "no-such-date"),
        ("premier entretien dehors", "46523", "premier entretien dehors", "not-a-date"),
        ("premier entretien dehors", "12/05/26", "premier entretien dehors", "not-a-date"),
        ("premier entretien dehors", "01/01/2099", "premier entretien dehors", "in-the-future"),
        ("premier entretien dehors", "à faire le 01/01/2020", "premier entretien dehors", "in-the-past"),
        ("logement", "chez un ami", "logement", "unknown-value"),
        ("logement", "relay", "logement depuis", "missing-cell"),
        ("logement depuis", "01/01/2026", "logement", "missing-cell"),
        ("suivi individuel", "01/01/2026 pigeon", "suivi individuel", "unknown-value"),
        ("suivi individuel", "01/01/2026", "suivi individuel", "unknown-value"),
        ("mentor", "Personne", "mentor", "unknown-mentor"),
        ("sortie", "hier", "sortie", "not-a-date"),
        ("sortie faite", "oui", "sortie", "missing-cell"),
    ],
)
def test_a_bad_cell_says_its_column_and_what_to_write(
    tmp_path: Path, head: str, cell: str, field: str, code: str
) -> None:
    (case,) = cases(tmp_path, f"prénom;nom;référence;{head}\nSamir;Benali;A1;{cell}\n").cases
    assert case.failure is not None
    assert (case.failure.field, case.failure.code) == (field, code), case.failure.what.fr


@pytest.mark.parametrize(
    ("on", "said", "happened", "code"),
    [
        (ago(3), "", True, None), (ago(3), "oui", True, None), (ago(3), "non", None, "date-passed"),
        (ago(0), "", False, None), (ago(0), "oui", True, None), (ago(-3), "", False, None),
        (ago(-3), "non", False, None), (ago(-3), "oui", None, "in-the-future"),
        (ago(3), "peut-être", None, "not-yes-or-no"),
    ],
)  # fmt: skip
def test_whether_a_date_has_happened(
    tmp_path: Path, on: date, said: str, happened: bool | None, code: str | None
) -> None:
    (case,) = cases(tmp_path, f"prénom;nom;référence;sortie;sortie faite\nA;B;A1;{on:%d/%m/%Y};{said}\n").cases
    assert (case.failure.code if case.failure else None) == code
    assert code is not None or case.happened == (("release",) if happened else ())


def test_nobody_can_be_taken_for_two(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, f"prénom;nom;sortie\nSamir;Benali;{RELEASED}\n").cases
    assert case.failure is not None and case.failure.code == "unrecognisable"


def test_the_model_is_read_back_with_no_column_left_out(tmp_path: Path) -> None:
    for name in ("auxilia", "actice", "benevolat", "concienta", "sortie-seche"):
        programme = read(name).programme
        path = tmp_path / f"{name}.csv"
        path.write_text(model_of(programme) + "Samir;Benali\r\n")
        assert not read_caseload(path, programme, [], TODAY, needs_referent=True).notes
        assert len(model_of(programme).split(";")) == len(set(model_of(programme).split(";")))
        assert set(columns_of(programme)) > {f"milestone/{code}" for code in programme.milestones}


# --- the same journey, lived


@dataclass
class Lived:
    """What people did, day by day, with nothing left out; the world sends what it is asked to."""

    stream: str
    acts: list[tuple[datetime, c.AnyBody]]
    sent: list[str] = field(default_factory=list)
    ring: KeyRing = field(default_factory=lambda: KeyRing("k", {"k": b"0" * 32}))

    def when(self) -> datetime | None:
        return self.acts[0][0] if self.acts else None

    def take(self, state: State, at: datetime) -> Sequence[c.Command]:
        _, body = self.acts.pop(0)
        return [issue(self.ring, stream=self.stream, body=body, actor=SUPERVISOR, roles=("supervisor",), now=at)]

    def answer(self, state: State, seq: int, effect: EffectKnown, at: datetime) -> Outcome:
        self.sent.append(effect.kind)
        return Outcome(seq, "sent" if effect.kind == "deliver" else "told", "mail")

    def see(self, offer: Offer, at: datetime) -> None:
        assert all(one.refused is None for one in offer.decided), offer.decided


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


def lived(known: Rules, acts: list[tuple[date, c.AnyBody]], now: datetime) -> State:
    id = "018f0000-0000-7000-8000-0000000000aa"
    facts = Lived(f"journey-{id}", [(noon(day), body) for day, body in acts])
    state = State(stream=facts.stream)
    for moment in play(known.book, facts, state, now):
        state = moment.offer.state
    assert facts.sent, "a life leaves a trail of messages: what is compared with it has none"
    return state


def ahead(state: State) -> dict[str, object]:
    """What is owed from now on, beside the review, which each journey has from its own first day.

    All by the hour: within it each journey has its own minute, see `clock.spread`.
    """

    def hour(at: datetime) -> datetime:
        return at.replace(minute=0, second=0, microsecond=0)

    open_ones = {code: known for code, known in state.contacts.items() if known.open}
    return {
        "deadlines": {each.milestone: (hour(each.at), each.day) for each in state.deadlines.values()},
        "windows": {code: (known.window, hour(known.opens), hour(known.closes)) for code, known in open_ones.items()},
        "moments": {key: hour(at) for key, at in state.moments.items()},
        "settled": {code: each.on for code, each in state.milestones.items() if each.settled},
        "phases": {code: (each.entered, each.completed) for code, each in state.phases.items()},
        "status": state.status,
    }


# --- before the real servers


def sheet(tmp_path: Path, *rows: str, head: str) -> str:
    path = tmp_path / "suivis.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8-sig")
    return str(path)


@pytest.fixture
def three_months(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A file with one journey in the middle of its programme; the reference of its person."""
    reference = f"I-{datetime.now().timestamp()}"
    head = (
        "prénom;nom;référence;référent;début;sortie;premier entretien dehors;droits ouverts (santé, France Travail);"
        "plan de sortie signé;logement;logement depuis;suivi individuel;projet professionnel écrit"
    )
    row = (
        f"Samir;Repris;{reference};aline;{ago(130):%d/%m/%Y};{RELEASED:%d/%m/%Y};{ago(90):%d/%m/%Y};{ago(70):%d/%m/%Y};"
        f"{ago(120):%d/%m/%Y};Hébergement relais;{ago(80):%d/%m/%Y};{ago(1):%d/%m/%Y} téléphone;{ago(10):%d/%m/%Y}"
    )
    yield sheet(tmp_path, row, head=head), reference


def test_a_journey_lands_in_the_middle_and_nothing_of_the_past_is_asked(
    here: Journeys, three_months: tuple[str, str]
) -> None:
    file, reference = three_months
    tried = here("import", file, "-p", "auxilia", "--dry-run", "--json")
    assert tried.code == 0, tried
    [row] = tried.json["rows"]
    assert row["outcome"] == "imported" and row["told"] == [] and len(row["next"]) == 3
    assert "mentor-matched" in {each["milestone"] for each in row["unanswered"]}
    assert here("person", "list", reference, "--json").json["people"] == [], "nothing is written"

    done = here("import", file, "-p", "auxilia", "--json")
    assert done.code == 0, done
    [row] = done.json["rows"]
    journey = row["journey"]
    shown = here("show", journey, "--json").journey["state"]
    assert not shown["messages"] and not shown["escalations"] and not shown["left"]
    told = here("audit", "show", journey, "--json").out
    assert "MessageDue" not in told and "EscalationRaised" not in told
    acts: list[tuple[date, c.AnyBody]] = [
        (ago(130), c.Plan(person=journey, programme="0" * 64, calendar="1" * 64, referent=SUPERVISOR,
                          dates={"release": RELEASED})),
        (ago(120), c.AddEvidence(milestone="exit-plan", kind="exit-plan")),
        (ago(120), c.ReachMilestone(milestone="exit-plan")),
        (RELEASED, c.ConfirmDate(date="release")),
        (ago(90), c.ReachMilestone(milestone="first-meeting")),
        (ago(80), c.RecordSituation(situation="housing", value="relay", since=ago(80))),
        (ago(70), c.ReachMilestone(milestone="rights-open")),
        (ago(10), c.ReachMilestone(milestone="project-written")),
        (ago(1), c.LogContact(contact="support", means="phone")),
    ]  # fmt: skip
    normal = lived(auxilia(), acts, datetime.now(UTC))
    assert {"partner-met", "cv-workshop", "final-review"} <= {each.milestone for each in normal.deadlines.values()}
    assert ahead(load(shown)) == ahead(normal)


def test_the_same_file_twice_does_nothing_twice_and_a_changed_row_says_what_is_new(
    here: Journeys, tmp_path: Path, three_months: tuple[str, str]
) -> None:
    file, reference = three_months
    [first] = here("import", file, "-p", "auxilia", "--json").json["rows"]
    seq = here("show", first["journey"], "--json").journey["seq"]
    again = here("import", file, "-p", "auxilia", "--json")
    assert again.code == 0 and [row["outcome"] for row in again.json["rows"]] == ["known"], again
    assert here("show", first["journey"], "--json").journey["seq"] == seq

    head = "prénom;nom;référence;référent;sortie;premier entretien dehors;conseil juridique proposé"
    row = f"Samir;Repris;{reference};aline;{RELEASED};{ago(89)};{ago(20)}"
    [told] = here("import", sheet(tmp_path, row, head=head), "-p", "auxilia", "--json").json["rows"]
    assert (told["outcome"], told["facts"], told["differing"]) == ("completed", 1, ["premier entretien dehors"])
    shown = here("show", first["journey"], "--json").journey
    assert shown["state"]["milestones"]["legal-advice"]["on"] == str(ago(20))
    assert shown["state"]["milestones"]["first-meeting"]["on"] == str(ago(90)), "what differs is left as it is"
    verified = here("audit", "verify", first["journey"], "--strict", "--json")
    assert verified.code == 0 and verified.json["holds"] is True


def test_an_import_that_stopped_half_way_goes_on_where_it_stopped(
    here: Journeys, three_months: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = three_months
    sent = []

    async def give_three(*given: Any, **more: Any) -> Any:
        if len(sent) == 3:
            raise Unreachable("nobody", Fate.UNKNOWN)
        sent.append(given[2].id)
        return await entry.give(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "give", give_three)
        cut = here("import", file, "-p", "auxilia", "--json")
    assert cut.code == 7 and cut.json["rows"][0]["outcome"] == "unknown", cut
    [row] = here("import", file, "-p", "auxilia", "--json").json["rows"]
    assert (row["outcome"], row["facts"]) == ("completed", 6 - 2)
    [known] = here("import", file, "-p", "auxilia", "--json").json["rows"]
    assert known["outcome"] == "known"


def test_a_mentor_of_before_is_not_asked_again(here: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here("mentor", "add", "Nora Reprise", "--email", "nora@example.org", "--capacity", "2")
    head = "prénom;nom;référence;référent;sortie;mentor;mentor depuis"
    row = f"Ada;Suivie;I-{datetime.now().timestamp()};aline;{RELEASED};Nora Reprise;{ago(60)}"
    file = sheet(tmp_path, row, head=head)
    with monkeypatch.context() as patch:
        patch.setattr(messages, "is_history", lambda work: False)
        assert any(
            "mentor" in told
            for told in here("import", file, "-p", "auxilia", "--dry-run", "--json").json["rows"][0]["told"]
        )
    [row] = here("import", file, "-p", "auxilia", "--json").json["rows"]
    assert row["told"] == []
    state = here("show", row["journey"], "--json").journey["state"]
    assert state["match"]["since"] == str(ago(60)) and not state["messages"] and not state["left"]
    assert state["contacts"]["mentoring"]["open"]


def test_each_row_has_its_result_and_a_bad_one_touches_no_other(
    here: Journeys, tmp_path: Path, started: Callable[..., str]
) -> None:
    stamp = datetime.now().timestamp()
    head = "prénom;nom;référence;référent;sortie;premier entretien dehors"
    rows = [
        f"Bon;Un;B1-{stamp};aline;{RELEASED};{ago(90)}",
        f"Sans;Jour;B2-{stamp};aline;;",
        f"Mauvais;Référent;B3-{stamp};zoe;{RELEASED};",
        f"Bon;Deux;B4-{stamp};bob;{ago(-30)};",
        f"Bon;Encore;B1-{stamp};bob;{ago(-30)};",
        f"Mauvaise;Case;B5-{stamp};bob;{ago(-30)};oui",
    ]
    by_hand = here("show", started(name="Déjà Suivie"), "--json").journey
    reference = here("person", "list", "Déjà Suivie", "--json").json["people"][0]["reference"]
    rows.append(f"Déjà;Suivie;{reference};aline;{RELEASED};{ago(90)}")
    done = here("import", sheet(tmp_path, *rows, head=head), "-p", "auxilia", "--json")
    assert done.code == 1
    assert done.json["rows"][-1]["error"]["journey"] == by_hand["id"], "a journey that was begun here is left alone"
    assert here("show", by_hand["id"], "--json").journey["seq"] == by_hand["seq"]
    found = done.json["rows"]
    assert [row["outcome"] for row in found] == [
        "imported",
        "refused",
        "failed",
        "imported",
        "duplicate",
        "failed",
        "duplicate",
    ]
    assert [row["line"] for row in found] == [2, 3, 4, 5, 6, 7, 8]
    assert found[1]["error"]["code"] == "date-missing" and found[5]["error"]["field"] == "premier entretien dehors"
    text = here("import", sheet(tmp_path, *rows, head=head), "-p", "auxilia", "--dry-run").out
    assert "Rien n’a été écrit" in text and "déjà repris, rien de nouveau" in text
    assert here("import", "-p", "auxilia").code == 2
    assert here("import", str(tmp_path / "none.csv"), "-p", "auxilia").code == 3
    assert "premier entretien dehors" in here("import", "--model", "-p", "auxilia").out


def test_no_journey_begins_under_somebody_who_has_left(here: Journeys, tmp_path: Path) -> None:
    """Neither by hand, nor by a row of a file or of an import; nobody is registered, and the other rows go on."""
    stamp = datetime.now().timestamp()
    gone, release = f"g{int(stamp * 1000) % 10**9}", ago(-30).isoformat()
    assert here("staff", "add", gone, "--name", "Gaëlle Partie", "--role", "referent").code == 0
    assert here("staff", "change", gone, "--left").code == 0
    rows = f"Ada;Une;G1-{stamp};{gone};{release}", f"Bob;Deux;G2-{stamp};aline;{release}"
    file = sheet(tmp_path, *rows, head="prénom;nom;référence;référent;sortie")
    by_hand = ["--person", "Eva Trois", "--reference", f"G3-{stamp}", "--release", release, "--referent", gone]
    begun = here("start", "-p", "auxilia", *by_hand, "--json")
    assert (begun.code, begun.error["code"]) == (4, "has-left"), begun
    for how in (["import", file, "--dry-run"], ["import", file], ["start", "--file", file]):
        first, second = here(*how, "-p", "auxilia", "--json").json["rows"]
        assert (first["outcome"], first["error"]["code"]) == ("refused", "has-left"), first
        assert second["outcome"] in ("imported", "duplicate"), second
    for reference in (f"G1-{stamp}", f"G3-{stamp}"):
        assert here("person", "list", reference, "--json").json["people"] == []
