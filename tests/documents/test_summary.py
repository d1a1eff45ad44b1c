"""What a summary tells of a journey: everything that stands in the state, notes only when asked."""

from collections.abc import Callable
from datetime import date

import pytest

from journeys.documents import Summary, render
from journeys.domain import commands as c
from tests.audit.lives import FINANCE, MENTOR, NAMES, PERSON, REFERENT, SUPERVISOR, Life, book, day, whole_life
from tests.documents.papers import AT, flat, in_order, summary_of, text_of


@pytest.fixture(scope="module")
def whole() -> Life:
    return whole_life()


def begun(until: float = 0.0) -> Life:
    life = Life(book())
    life.do(
        0,
        c.Plan(
            person=PERSON, programme="0" * 64, calendar="1" * 64, referent=REFERENT,
            dates={"release": date(2027, 2, 15)},
        ),
    )  # fmt: skip
    life.until(day(until))
    return life


def out() -> Life:
    """Released, accompanied, with money asked for."""
    life = begun()
    life.do(5, c.AddEvidence(milestone="exit-plan", kind="exit-plan"), description="plan signé")
    life.do(6, c.ReachMilestone(milestone="exit-plan"))
    life.do(9, c.AddNote(), text="Vu au parloir, confiant.")
    life.do(43, c.ConfirmDate(date="release"))
    life.do(44, c.ProposeMentor(mentor=MENTOR))
    life.do(45, c.MatchMentor(mentor=MENTOR))
    life.do(46, c.RequestGrant(grant="bourse", purpose="training", amount=60_000), payee="FR7630001007941234567890185")
    life.do(47, c.BookAppointment(at=day(68), contact="support"), place="au café")
    life.do(48, c.RecordSituation(situation="housing", value="relay"))
    return life


def rows(summary: Summary, title: str) -> list[tuple[str, ...]]:
    """A table by its title, with the spaces and apostrophes of a keyboard."""
    (section,) = [each for each in summary.sections if each.title == title]
    return [tuple(plain(cell) for cell in row) for row in section.rows]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def facts(summary: Summary) -> dict[str, str]:
    return {plain(fact.label): plain(fact.value) for fact in summary.facts}


def test_the_head() -> None:
    summary = summary_of(out())
    assert summary.name == "Samir Haddad"
    assert facts(summary) == {
        "Programme": "Auxilia : agir dedans et dehors",
        "État": "en cours",
        "Référent": "Claire Dupont",
        "Mentor bénévole": "Hélène Blanc, depuis le 18 février 2027",
        "Début": "4 janvier 2027",
        "Levée d'écrou": "16 février 2027 (a eu lieu)",
        "Référence": out().state.stream.removeprefix("journey-"),
    }
    assert facts(summary_of(out(), site="Lyon"))["Site"] == "Lyon"
    assert facts(summary_of(out(), "en"))["Status"] == "under way"


def suspended() -> Life:
    life = out()
    life.do(72, c.Suspend(why="hospital"))
    return life


@pytest.mark.parametrize(
    ("made", "fr", "en"),
    [
        (begun, "prévu", "planned"),
        (
            suspended,
            "suspendu depuis le 17 mars 2027 (hospitalisation)",
            "suspended since 17 March 2027 (stay in hospital)",
        ),
        (whole_life, "clos le 25 juillet 2027 : décès", "closed on 25 July 2027: deceased"),
    ],
)
def test_the_status_in_words(made: Callable[[], Life], fr: str, en: str) -> None:
    life = made()
    assert facts(summary_of(life))["État"] == fr
    assert facts(summary_of(life, "en"))["Status"] == en


def test_a_name_that_is_not_known_is_not_an_id() -> None:
    summary = summary_of(out(), names={})
    assert summary.name == "Personne sans nom connu"
    assert facts(summary)["Référent"] == "une personne (référent)"
    assert PERSON not in flat(text_of(render(summary, "fr", AT)))


def test_what_comes_is_dated_and_the_rest_is_counted() -> None:
    summary = summary_of(out())
    assert len(summary.coming) == 12
    assert "autres échéances suivent" in summary.coming_later
    assert all("2027" in each for each in summary.coming)
    left = summary_of(whole_life()).coming
    assert len(left) == 2 and all("le justificatif du versement" in each for each in left), "closed: money only"


def test_milestones_with_their_state() -> None:
    told = {row[0]: row[1:] for row in rows(summary_of(out()), "Étapes")}
    assert told["Plan de sortie signé"] == ("faite", "10 janvier 2027")
    assert told["Suite de la formation prévue"] == ("reste à faire, échéance passée", "15 janvier 2027")
    assert told["Droits ouverts (santé, France Travail)"] == ("à faire", "16 mars 2027")
    assert told["Entreprise rencontrée"] == ("plus tard", "")
    early = {row[0]: row[1:] for row in rows(summary_of(begun()), "Étapes")}
    assert early["Bilan final"] == ("à faire", "16 août 2027, si la date est confirmée : levée d'écrou")
    late = {row[0]: row[1:] for row in rows(summary_of(whole_life()), "Étapes")}
    assert late["Demande d'hébergement déposée"] == ("dispensée", "")
    assert {row[0] for row in late.values()} == {"faite", "dispensée", "non faite"}


def test_appointments_contacts_situations() -> None:
    summary = summary_of(out())
    assert rows(summary, "Rendez-vous") == [
        ("Samedi 13 mars 2027 à 10 h", "60 min", "« suivi individuel »", "prévu"),
    ]
    assert rows(summary, "Situation") == [("Logement", "hébergement relais", "21 février 2027")]
    assert [row[0] for row in rows(summary, "Contacts")] == ["Suivi individuel", "Mentorat"]
    assert {row[2] for row in rows(summary, "Contacts")} <= {"à faire", "fait", "n'a pas eu lieu", "plus attendu"}
    assert rows(summary_of(whole_life()), "Rendez-vous")[0][3] == "a eu lieu"


def test_grants_with_their_money(whole: Life) -> None:
    asked = summary_of(out())
    ((kind, status, amount, paid),) = rows(asked, "Aides")
    assert (kind, amount, paid) == ("Bourse de projet (formation)", "600,00 €", "0,00 €")
    assert status.startswith("à décider avant le ")
    assert rows(asked, "Versements") == []
    paid_out = summary_of(whole)
    assert rows(paid_out, "Aides") == [
        ("Bourse de projet (formation)", "entièrement versée", "1 200,00 €", "1 200,00 €"),
    ]
    assert [row[:3] for row in rows(paid_out, "Versements")] == [
        (f"Bourse de projet (formation), versement {number} sur 2", "réglé", "600,00 €") for number in (1, 2)
    ]


def test_a_grant_that_was_not_given_is_not_in_the_sum() -> None:
    life = out()
    id, _ = life.grant()
    life.do(49, c.RefuseGrant(grant=id), SUPERVISOR, reason="autre financement")
    life.do(50, c.RequestGrant(grant="bourse", purpose="training", amount=60_000), payee="x")
    id, digest = life.grant()
    for number, approver in enumerate((REFERENT, SUPERVISOR, FINANCE)):
        life.do(51 + number / 10, c.ApproveGrant(grant=id, digest=digest), approver)
    life.until(day(53))
    told = rows(summary_of(life), "Aides")
    assert told[0][1:] == ("non accordée", "600,00 €", "0,00 €")
    assert told[1][2] == "600,00 €" and told[1][1] == "accordée"
    assert told[2] == ("Total, sans les demandes closes sans accord", "", "600,00 €", told[1][3])


def test_what_people_wrote_only_when_asked(whole: Life) -> None:
    secrets = ("Vu au parloir, confiant.", "jugement reporté", "au café", "Bonjour", "FR76")
    without, with_ = (text_of(render(summary_of(whole, notes=notes), "fr", AT)) for notes in (False, True))
    assert not any(secret in without for secret in secrets)
    assert all(secret in with_ for secret in secrets[:4])
    assert "FR76" not in with_, "where the money goes is never repeated"
    assert "a écrit une note" in without and "Note : Vu au parloir, confiant." in with_


def test_the_story_by_day_leaves_technical_details_out(whole: Life) -> None:
    summary = summary_of(whole)
    assert summary.days[0].title == "Lundi 4 janvier 2027"
    assert "a ouvert le parcours" in summary.days[0].lines[0].text
    assert [line.time for line in summary.days[0].lines[:2]] == ["10\u00a0h", ""], "an hour is said once"
    assert len(summary.days) == len({day.title for day in summary.days})


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("fr", ["Synthèse du parcours", "Ensuite, si personne n'agit", "Étapes", "Rendez-vous", "Contacts", "Aides",
                "Situation", "Rien n'est noté pour : versements.", "Ce qui s'est passé, jour par jour"]),
        ("en", ["Summary of the journey", "Next, if nobody acts", "Milestones", "Appointments", "Contacts", "Grants",
                "Situation", "Nothing is noted for: payments.", "What happened, day by day"]),
    ],
)  # fmt: skip
def test_the_paper_in_order(lang: str, wanted: list[str]) -> None:
    text = text_of(render(summary_of(out(), lang), lang, AT))
    in_order(text.replace(wanted[0].upper(), wanted[0]), *wanted[:3], *(f"\n{each}" for each in wanted[3:]))
    assert NAMES[PERSON] in text


def test_a_remark_stands_at_the_top() -> None:
    text = flat(text_of(render(summary_of(begun(), remark="date simulée : 12 mai 2027"), "fr", AT)))
    assert text.index("date simulée : 12 mai 2027") < text.index("Programme")
