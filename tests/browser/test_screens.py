"""The other screens as a person meets them: login, proof before money, lists, audit, each looked at with axe."""

import hashlib
import json
import os
import signal
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from journeys.authoring.reading import read_programme
from journeys.channels.letter import Letter, compose
from journeys.channels.outbox import SUFFIX, lay
from journeys.local.record import read_record
from journeys.settings import load_settings
from journeys.store.keys import Keys
from journeys.store.letters import seal_letter
from tests.browser.conftest import OF_COLOUR, PASSWORD, Enter, Look, Site, apart, execute
from tests.browser.test_paths import ask_grant, begin, unique
from tests.days import paris_today


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_logging_in_and_out(site: Site, chromium: Browser, looked_at: Look, scripts: bool) -> None:
    context = chromium.new_context(base_url=site.url, java_script_enabled=scripts, locale="fr-FR")
    page = context.new_page()
    page.goto("/alertes")
    expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
    page.get_by_label("Identifiant").fill("bob")
    page.get_by_label("Mot de passe").fill("pas le bon mot")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_contain_text("Identifiant")
    expect(page.get_by_label("Identifiant")).to_have_value("bob")
    if scripts:
        looked_at(page, "login-error")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Alertes")).to_be_visible()
    page.goto("/compte")
    if scripts:
        looked_at(page, "account")
    page.get_by_role("button", name="Mettre fin à toutes mes sessions, celle-ci comprise").click()
    expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
    context.close()


def test_money_is_approved_only_after_a_fresh_proof(site: Site, enter: Enter, looked_at: Look) -> None:
    aline, fin, name = enter("aline"), enter("fin"), unique("Gomes")
    address = begin(aline, name)
    ask_grant(aline, address, "700")
    execute(site, "UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
    fin.goto("/accords")
    fin.locator("li.item", has_text=name).get_by_role("link", name="Décider").click()
    fin.get_by_role("button", name="Donner mon accord").click()
    expect(fin.get_by_role("heading", name="Confirmez que c’est vous")).to_be_visible()
    looked_at(fin, "confirm")
    fin.get_by_label("Mot de passe").fill(PASSWORD)
    fin.get_by_role("button", name="Confirmer").click()
    looked_at(fin, "confirmed")
    fin.get_by_role("button", name="Continuer").click()
    expect(fin.get_by_role("status")).to_contain_text("Donner son accord")


def test_lists_and_search(enter: Enter, looked_at: Look) -> None:
    page, name = enter("aline"), unique("Éçoù")
    begin(page, name)
    page.goto("/parcours")
    expect(page.get_by_role("table")).to_contain_text(name)
    looked_at(page, "caseload")
    page.get_by_role("searchbox", name="Nom", exact=True).fill(name[:6].lower())
    page.get_by_role("button", name="Filtrer").click()
    expect(page.get_by_role("table")).to_contain_text(name)
    assert "texte=" in page.url
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Télécharger ce tableau").click()
    text = downloading.value.path().read_text("utf-8-sig")
    assert name in text and text.startswith("Personne;")
    page.get_by_role("searchbox", name="Rechercher une personne").fill(name.upper().replace("É", "E"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Élodie {name}")).to_be_visible()
    page.goto("/recherche?q=personne+ici")
    looked_at(page, "search")
    page.goto("/agenda")
    looked_at(page, "week")


def test_the_audit_goes_through_time_and_compares_the_accounts(enter: Enter, looked_at: Look) -> None:
    aline, aude = enter("aline"), enter("aude")
    address = begin(aline, unique("Dia"))
    aude.goto(f"{address}/audit")
    aude.get_by_role("link", name="Fait précédent").click()
    looked_at(aude, "audit")
    aude.get_by_role("link", name="Ce qui était dû").click()
    expect(aude.get_by_role("table", name="Recalculé")).to_be_visible()
    looked_at(aude, "owed")
    aude.goto(f"{address}/roles")
    looked_at(aude, "duties")
    aude.goto(f"{address}/audit")
    aude.get_by_role("link", name="Entre deux moments").click()
    aude.get_by_label("Premier moment").fill("2020-01-01T09:00")
    aude.get_by_role("button", name="Comparer").click()
    expect(aude.get_by_role("region", name="Ce qui a changé")).to_contain_text("parcours")
    looked_at(aude, "differences")
    aude.goto("/controle")
    looked_at(aude, "control")
    aude.set_viewport_size({"width": 320, "height": 900})
    assert aude.evaluate("document.documentElement.scrollWidth") <= 320
    aude.set_viewport_size({"width": 1280, "height": 900})
    aude.goto(f"/controle/export?parcours={address.rpartition('/')[2]}")
    looked_at(aude, "control-export")
    aude.goto("/controle/consultations")
    expect(aude.get_by_role("row", name="le contrôle").first).to_contain_text("(audit)")
    looked_at(aude, "reads")
    aude.goto("/controle/conservation")
    expect(aude.get_by_role("table", name="Les durées, et d’où elles viennent")).to_contain_text("2023-095")
    looked_at(aude, "retention")
    aude.set_viewport_size({"width": 320, "height": 900})
    assert aude.evaluate("document.documentElement.scrollWidth") <= 320
    aude.set_viewport_size({"width": 1280, "height": 900})
    aude.goto(f"{address}/audit")
    aude.goto(f"{address}/audit?n=1&vue=vrai")
    expect(aude.get_by_role("heading", name="Fait 1,")).to_be_visible()
    aude.get_by_role("link", name="Comparer aussi avec le moteur").click()
    rows = aude.get_by_role("table").get_by_role("row")
    for account in ("Journal", "Listes", "Réponse du moteur", "Historique du moteur"):
        row = rows.filter(has=aude.get_by_role("rowheader", name=account, exact=True))
        expect(row).to_contain_text("d’accord")
        expect(row).not_to_contain_text("PAS")
    looked_at(aude, "audit-accounts")


def test_the_whole_house_is_verified_and_replayed_from_its_pages(enter: Enter, looked_at: Look) -> None:
    aline, aude = enter("aline"), enter("aude")
    name = unique("Tous")
    begin(aline, name)
    aude.goto("/controle")
    aude.get_by_role("button", name="Tout vérifier maintenant").click()
    expect(aude.get_by_role("status")).to_contain_text("La vérification a commencé")
    aude.goto("/controle/rejeux")
    looked_at(aude, "house-replays-none")
    aude.get_by_role("button", name="Tout rejouer maintenant").click()
    expect(aude.get_by_role("status")).to_contain_text("C’est demandé")
    # The page shows the first of what all journeys owe, its file all of it.
    for _ in range(60):
        if name in aude.request.get("/controle/echeances.csv?issue=toutes").text():
            break
        aude.wait_for_timeout(2_000)
    else:
        pytest.fail("the journey was not verified")
    aude.goto("/controle/echeances?issue=toutes")
    looked_at(aude, "house-owed")
    narrow(aude)
    aude.goto("/controle/aides?tout=1")
    looked_at(aude, "house-duties")
    narrow(aude)
    reopen(aude, "/controle/rejeux", "Tous les historiques prennent le même chemin")
    looked_at(aude, "house-replays")
    narrow(aude)


def reopen(page: Page, path: str, told: str) -> None:
    """Open a page again and again until a worker has done what it shows."""
    for _ in range(60):
        page.goto(path)
        if page.get_by_text(told).count():
            return
        page.wait_for_timeout(2_000)
    expect(page.get_by_text(told).first).to_be_visible()


def narrow(page: Page) -> None:
    """On a phone nothing is cut off sideways."""
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 900})


def test_an_appointment_is_booked_and_stands_in_the_week(enter: Enter, looked_at: Look) -> None:

    page, name = enter("aline"), unique("Lopez")
    address = begin(page, name)
    day = paris_today() + timedelta(days=7 - paris_today().weekday() + 1)
    page.goto(f"{address}/agir/book-appointment")
    page.get_by_label("Jour et heure locale").fill(f"{day}T14:30")
    page.get_by_label("Durée en minutes").fill("45")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("Fixer un rendez-vous")
    page.goto(f"/agenda?semaine={day}")
    expect(page.locator("li.item", has_text=name)).to_contain_text("14")
    looked_at(page, "week-filled")


@pytest.fixture(scope="module")
def town(site: Site) -> str:
    """Somebody of each kind that the lists show; the handle of whoever sees them all."""
    site.journeys("partner", "add", "Foyer des Lilas", "--kind", "housing", "--email", "foyer@example.org")
    site.journeys("mentor", "add", "Mona Petit", "--capacity", "2", "--phone", "0612345678")
    site.journeys("staff", "absence", "bob", "--from", paris_today().isoformat(), "--deputy", "aline")
    return "sam"


def test_where_a_partner_declines_the_page_leads_to_the_next(site: Site, enter: Enter, looked_at: Look) -> None:
    for name in ("Gîte Premier", "Gîte Second"):
        site.journeys("partner", "add", name, "--kind", "gite", "--places", "2")
    page, name = enter("aline"), unique("Sow")
    address = begin(page, name)
    page.goto(f"{address}/agir/send-referral?purpose=gite")
    offered = page.get_by_label("Le partenaire")
    expect(offered.locator("option").nth(1)).to_contain_text("Gîte Premier — places libres")
    offered.select_option(index=1)
    looked_at(page, "referral-form")
    page.get_by_role("button", name="Enregistrer").click()
    journey = address.rpartition("/")[2]
    site.journeys("do", journey, "decline-referral", "--reason", "complet", "--as", "aline")
    page.goto(address)
    expect(page.locator("main")).to_contain_text("Orientation sans suite")
    offered = page.get_by_role("link", name="Orienter vers Gîte Second")
    expect(offered).to_be_visible()
    looked_at(page, "next-partner")
    offered.click()
    expect(page.get_by_label("Le partenaire").locator("option:checked")).to_contain_text("Gîte Second")
    expect(page.get_by_label("Le partenaire").locator("option", has_text="Gîte Premier")).to_contain_text("a décliné")


def test_releases_show_what_is_not_ready_and_act_on_it(enter: Enter, looked_at: Look) -> None:
    page, name = enter("aline"), unique("Diallo")
    begin(page, name)
    page.get_by_role("navigation", name="Autres pages").get_by_role("link", name="Sorties à venir").click()
    line = page.locator("li.release", has_text=name)
    expect(line).to_contain_text("prévue")
    looked_at(page, "releases")
    before = line.locator(".lacking > li").count()
    assert before > 0
    line.get_by_role("button", name="Fait").first.click()
    expect(page.get_by_role("status")).to_contain_text("Noter une étape comme faite")
    expect(page.locator("li.release", has_text=name).locator(".lacking > li")).to_have_count(before - 1)
    page.get_by_label("Site").fill("nulle part")
    page.get_by_role("button", name="Filtrer").click()
    expect(page.locator("main")).to_contain_text("Aucune sortie ne répond à ces filtres.")
    looked_at(page, "releases-none")


def test_a_programme_is_dated_for_the_day_chosen(enter: Enter, looked_at: Look) -> None:
    page = enter("aline", scripts=False)
    page.goto("/programmes")
    page.locator('a[href="/programmes/auxilia"]').click()
    page.get_by_label("Levée d’écrou").or_(page.get_by_label("Levée d'écrou")).fill("2030-05-15")
    page.get_by_role("button", name="Dater le programme").click()
    expect(page.get_by_role("table", name="Les phases")).to_contain_text("mercredi 15 mai 2030")
    expect(page.get_by_role("img", name="Le programme le long du temps")).to_be_visible()
    with_scripts = enter("aline")
    with_scripts.goto(page.url)
    looked_at(with_scripts, "programme")


def test_an_absence_is_noted_in_the_pages(enter: Enter, looked_at: Look, town: str) -> None:
    page = enter(town)
    page.goto("/equipe")
    looked_at(page, "team")
    page.get_by_label("Qui est absent").select_option(label="Aline Roux")
    page.get_by_label("Premier jour").fill("2031-05-12")
    page.get_by_label("Dernier jour").fill("2031-05-10")
    page.get_by_role("button", name="Noter l’absence").click()
    expect(page.locator("#erreurs")).to_be_focused()
    expect(page.locator("#e-last")).to_contain_text("vant le premier jour")
    expect(page.get_by_label("Premier jour")).to_have_value("2031-05-12")
    looked_at(page, "team-errors")
    page.locator("#erreurs a").click()
    expect(page.get_by_label("Dernier jour")).to_be_focused()
    page.get_by_label("Dernier jour").fill("2031-05-20")
    page.get_by_role("button", name="Noter l’absence").click()
    expect(page.get_by_role("status")).to_contain_text("L’absence est notée")
    page.get_by_role("button", name="Supprimer l’absence de Aline Roux").click()
    expect(page.get_by_role("status")).to_contain_text("supprimée")


def test_a_form_without_an_answer_is_kept_and_sent_again(site: Site, enter: Enter, looked_at: Look) -> None:
    page = enter("aline")
    address = begin(page, unique("Muet"))
    page.goto(f"{address}/agir/add-note")
    page.get_by_label("Le texte").fill("Écrit pendant que le moteur se taisait.")
    found = read_record(site.data_dir)
    assert found is not None
    os.kill(found.pids["temporal"], signal.SIGSTOP)
    try:
        page.get_by_role("button", name="Enregistrer").click(timeout=30_000)
        expect(page.get_by_role("alert")).to_contain_text("On ne sait pas", ignore_case=True, timeout=25_000)
    finally:
        os.kill(found.pids["temporal"], signal.SIGCONT)
    expect(page.locator("main")).to_contain_text("Écrit pendant que le moteur se taisait.")
    looked_at(page, "no-answer")
    page.get_by_role("button", name="Renvoyer la même demande").click()
    expect(page.get_by_role("status")).to_contain_text("Écrire une note", timeout=25_000)
    expect(page.locator("#personne .story").get_by_text("Écrit pendant que le moteur se taisait.")).to_have_count(1)


def test_who_acts_second_reads_what_changed(enter: Enter, looked_at: Look) -> None:
    aline, sam = enter("aline"), enter("sam")
    address = begin(aline, unique("Double"))
    for page, words in ((aline, "Écrit avant de savoir."), (sam, "Elle a appelé ce matin.")):
        page.goto(f"{address}/agir/move-date?date=release")
        page.locator("[name=on]").fill("2099-06-01" if page is sam else "2099-07-01")
        page.locator("[name=reason]").fill(words)
    sam.get_by_role("button", name="Enregistrer").click()
    expect(sam.get_by_role("status")).to_be_visible()
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("region", name="Ce qui a changé depuis")).to_contain_text("Samia Kaci")
    expect(aline.get_by_role("region", name="Ce qui a changé depuis")).to_contain_text("Elle a appelé ce matin.")
    expect(aline.locator("[name=reason]")).to_have_value("Écrit avant de savoir.")
    looked_at(aline, "changed")


def test_a_shared_day_is_moved_for_all(site: Site, enter: Enter, looked_at: Look) -> None:
    name, jury = unique("Promotion"), paris_today() + timedelta(days=40)
    site.journeys("cohort", "open", name, "-p", "actice", "--places", "1", "--date", f"jury={jury}",
                  "--date", f"opening={jury + timedelta(days=20)}", "--as", "sam")  # fmt: skip
    for last_name in (unique("Dedans"), unique("Attend")):
        site.journeys("start", "-p", "actice", "--person", f"Inès {last_name}", "--cohort", name, "--as", "aline")
    page = enter("sam")
    page.goto("/promotions")
    expect(page.get_by_role("row", name=name)).to_contain_text("complet")
    looked_at(page, "cohorts")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("region", name="Liste d’attente")).to_contain_text("Inès")
    looked_at(page, "cohort")
    page.get_by_label("Nouveau jour").fill("2020-01-01")
    page.get_by_role("button", name="Voir ce que cela change").click()
    expect(page.get_by_role("alert")).to_contain_text("déjà passé")
    page.get_by_label("Nouveau jour").fill(f"{jury + timedelta(days=7)}")
    page.get_by_role("button", name="Voir ce que cela change").click()
    expect(page.locator("main")).to_contain_text("1 parcours change de jour")
    looked_at(page, "cohort-move")
    page.get_by_role("button", name="Déplacer pour toute la promotion").click()
    expect(page.get_by_role("status")).to_contain_text("La date est déplacée")
    expect(page.get_by_role("region", name="Dans la promotion")).to_contain_text("celles de la promotion")
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Retirer").first.click()
    expect(page.get_by_role("status")).to_contain_text("donnée à la première personne")


def a_letter(site: Site) -> str:
    """A letter about nobody's journey that waits in the outbox; its id."""
    letter = Letter(id=str(uuid.uuid4()), to="garde@example.org", subject="Contrôle du jour", body="Rien à signaler.\n",
                    lang="fr", at=datetime.now(UTC))  # fmt: skip
    keys = Keys.beside(site.database, load_settings(data_dir=site.data_dir))

    async def lay_it() -> None:
        sealed = await seal_letter(keys, letter, compose(letter, "journeys@localhost"))
        assert sealed is not None
        lay(site.data_dir / "outbox", f"{letter.id}{SUFFIX}", sealed)
        await keys.close()

    apart(lay_it())
    return letter.id


ON_PAPER: Final = ("person", "audit", "programme", "releases", "escalations", "team-error")
"""What axe looks at also on paper and enlarged; the width is looked at on every screen."""
PHONE: Final = 320
ALERT: Final = {
    "kind": "escalation", "id": "01a21169-ea00-7de2-a5e5-25f019c99f5d", "about": "milestone exit-plan",
    "at": "2031-01-06T08:00:00Z", "since": "2026-01-05T08:00:00Z", "role": "supervisor", "note": "follow-up",
    "then": "duty",
}  # fmt: skip


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_every_screen_on_a_phone_in_the_dark_enlarged_and_on_paper(
    site: Site, enter: Enter, looked_at: Look, town: str, width: int
) -> None:
    """200 % on a screen of 1,280 is a page of 640. Nothing is cut off sideways but what scrolls in its own frame.

    Two walks: each screen is opened on a phone; then on a screen in the dark, and as it stands enlarged and on paper.
    """
    page = enter(town, width=width)
    address = begin(page, unique("Partout"))
    id = address.rpartition("/")[2]
    letter = f"/messages-deposes/{a_letter(site)}"
    board = json.dumps([ALERT])
    execute(site, f"UPDATE journeys SET alerts = 1, summary = jsonb_set(summary, '{{board}}', summary -> 'board'"
                  f" || '{board}') WHERE id = '{id}'")  # fmt: skip
    execute(site, "DELETE FROM shifts")
    execute(site, "INSERT INTO shifts (id, role, staff, begins, ends) SELECT gen_random_uuid(), 'night', id, now(),"
                  " now() + interval '12 hours' FROM staff WHERE active LIMIT 1")  # fmt: skip
    screens = {
        "today": "/", "caseload": "/parcours", "person": address, "audit": f"{address}/audit",
        "owed": f"{address}/obligations", "messages": f"{address}/messages", "duties": f"{address}/roles",
        "approvals": "/accords",
        "escalations": "/alertes", "board": "/alertes/tableau", "rota": "/astreintes", "week": "/agenda",
        "start": "/nouveau?programme=auxilia", "releases": "/sorties",
        "programmes": "/programmes", "programme": "/programmes/auxilia", "team": "/equipe", "mentors": "/mentors",
        "partners": "/partenaires", "account": "/compte", "form": f"{address}/agir/log-contact",
        "details": f"{address}/personne", "access": f"{address}/acces",
        "compare": "/programmes/auxilia/comparer?avec=concienta",
        "programme-error": "/programmes/auxilia?debut=hier", "no-page": "/nulle-part",
        "differences": f"{address}/differences", "outbox": "/messages-deposes", "letter": letter,
        "import": "/reprise", "indicators": "/indicateurs", "indicators-error": "/indicateurs?de=hier",
    }  # fmt: skip
    for name, path in screens.items():
        for mode in ("320",) if width == PHONE else ("dark", "zoom", "print"):
            turn_to(page, mode)
            if mode in ("320", "dark"):
                page.goto(path)
            wide = page.viewport_size["width"] if page.viewport_size else 0
            assert page.evaluate("document.documentElement.scrollWidth") <= wide, (mode, path)
            if mode in ("320", "dark") or name in ON_PAPER:
                looked_at(page, f"{name}-{mode}", OF_COLOUR if mode == "dark" else None)
            if name == "escalations":
                line = page.locator("li.item", has_text="Partout").first
                expect(line).to_contain_text("étape manquée « plan de sortie")
                expect(line).to_contain_text("alerte transmise (astreinte du siège)")
                expect(line.get_by_role("link", name="Confier")).to_have_count(1 if mode != "print" else 0)
            if mode == "print":
                expect(page.get_by_role("navigation", name="Navigation principale")).to_be_hidden()
                expect(page.locator("footer")).to_be_hidden()


def turn_to(page: Page, mode: str) -> None:
    """Show what is open, or will be, as this mode does."""
    page.set_viewport_size({"width": {"320": PHONE, "zoom": 640}.get(mode, 1280), "height": 900})
    page.emulate_media(
        color_scheme="dark" if mode == "dark" else "light", media="print" if mode == "print" else "screen"
    )
    # Colours pass into each other; what is looked at is where they end.
    page.evaluate("for (const each of document.getAnimations()) each.finish()")


def choose_rules(page: Page, name: str) -> None:
    """By the programme's present text, as the list holds it."""
    text = read_programme(name).text
    page.get_by_label("Le nouveau programme").select_option(hashlib.sha256(text.encode()).hexdigest())


def test_other_rules_are_seen_compared_tried_and_given(enter: Enter, site: Site, looked_at: Look) -> None:
    page, name = enter("sam"), unique("Autrement")
    address = begin(page, name)
    page.goto(f"{address}/effacement")
    page.get_by_role("button", name="Effacer pour de bon").click()
    expect(page.get_by_role("alert")).to_contain_text("Dites pourquoi")
    looked_at(page, "erasing")
    site.journeys("mentor", "add", unique("Lina "))
    page.goto("/mentors")
    page.get_by_role("link", name="Effacer les données de").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Effacer les données de ")
    looked_at(page, "erasing-mentor")
    page.goto(address)
    page.get_by_role("link", name="Changer de programme").click()
    looked_at(page, "change")
    choose_rules(page, "concienta")
    page.get_by_role("button", name="Voir ce que cela changerait").click()
    expect(page.get_by_role("note")).to_contain_text("Ce changement serait refusé")
    looked_at(page, "change-refused")
    page.locator("[name^=dates-]").first.fill(f"{paris_today() + timedelta(days=20)}")
    page.get_by_role("button", name="Voir ce que cela changerait").click()
    expect(page.get_by_role("heading", name="Ce qui prend fin")).to_be_visible()
    looked_at(page, "change-seen")
    page.get_by_role("link", name="Ce que les deux programmes disent autrement").click()
    looked_at(page, "compare")
    page.go_back()
    page.get_by_label("La raison").fill("Elle rejoint le centre.")
    page.get_by_role("button", name="Changer de programme").click()
    expect(page.get_by_role("status")).to_contain_text("Changer de programme")
    expect(page.locator("#personne")).to_contain_text("Concienta")
    page.goto("/programmes/concienta/changer")
    choose_rules(page, "benevolat")
    page.get_by_role("button", name="Voir ce que cela changerait").click()
    expect(page.get_by_role("row", name=f"Élodie {name}")).to_be_visible()
    looked_at(page, "change-all")
    page.get_by_label("La raison").fill("Le centre ferme.")
    page.get_by_role("button", name="Changer les parcours cochés").click()
    expect(page.locator("li.item", has_text=name)).to_contain_text("Suit maintenant")
    looked_at(page, "changed")
    page.goto("/essai?programme=auxilia")
    page.get_by_label("Personnes imaginaires").fill("1000")
    page.get_by_role("button", name="Lancer la simulation").click()
    expect(page.locator("#erreurs")).to_be_focused()
    page.get_by_label("Personnes imaginaires").fill("40")
    page.get_by_role("button", name="Lancer la simulation").click()
    expect(page.get_by_role("img", name="Charge de travail par semaine")).to_be_visible(timeout=40_000)
    looked_at(page, "trial")


def test_money_stopped_counted_and_justified(site: Site, enter: Enter, looked_at: Look) -> None:
    aline = enter("aline")
    address = begin(aline, unique("Justifie"))
    journey = address.rpartition("/")[2]
    execute(site, "UPDATE journeys SET money = true WHERE id = $1::uuid", journey)
    execute(
        site, "INSERT INTO receipts (id, stream, payment, grant_id, fund, person, amount, due, submitted, submitted_at,"
        " submitted_seq, moved) SELECT gen_random_uuid(), 'journey-' || $1, gen_random_uuid(), gen_random_uuid(),"
        " 'parvis-solidaire', gen_random_uuid(), 30000, now() + at * interval '1 day',"
        " CASE WHEN at < 0 THEN 12000 END, CASE WHEN at < 0 THEN now() + at * interval '1 day' END, 1, 1"
        " FROM (VALUES (-4), (9)) AS told (at)", journey,
    )  # fmt: skip
    fin = enter("fin")
    fin.goto("/arret")
    fin.get_by_role("button", name="Arrêter tous les versements").click()
    expect(fin.get_by_role("alert")).to_contain_text("dites pourquoi", ignore_case=True)
    looked_at(fin, "stopping-error")
    fin.get_by_label("Pourquoi tout arrêter").fill("Deux virements en double, on regarde.")
    fin.get_by_role("button", name="Arrêter tous les versements").click()
    try:
        expect(fin.get_by_role("status")).to_contain_text("Plus aucun versement ne part")
        aline.reload()
        expect(aline.locator("header")).to_contain_text("Deux virements en double, on regarde.")
        screens = {
            "stopped": "/arret", "funds": "/fonds", "fund": "/fonds/parvis-solidaire",
            "fund-error": "/fonds/parvis-solidaire?de=hier", "fund-new": "/nouveau-fonds",
            "fund-rules": "/fonds/parvis-solidaire/regles", "fund-gift": "/fonds/parvis-solidaire/don",
            "fund-closing": "/fonds/parvis-solidaire/cloture",
            "receipts": "/justificatifs?etat=tous",
        }  # fmt: skip
        for name, path in screens.items():
            fin.goto(path)
            expect(fin.locator("header")).to_contain_text("Tous les versements sont arrêtés")
            looked_at(fin, name)
            fin.set_viewport_size({"width": 320, "height": 900})
            assert fin.evaluate("document.documentElement.scrollWidth") <= 320, path
            fin.set_viewport_size({"width": 1280, "height": 900})
        row = fin.get_by_role("row", name="Justifie").filter(has_text="120,00")
        expect(row.get_by_role("button", name="Accepter")).to_have_count(1)
        row.get_by_role("link", name="À compléter").click()
        expect(fin.locator("h1")).to_contain_text("justificatif")
    finally:
        fin.goto("/arret")
        fin.get_by_label("Pourquoi les versements peuvent repartir").fill("C'était le même virement, vu deux fois.")
        fin.get_by_role("button", name="Laisser repartir les versements").click()
    expect(fin.get_by_role("status")).to_contain_text("Les versements repartent")
    expect(fin.locator("header")).not_to_contain_text("arrêtés depuis")


def test_what_messages_say_is_read_and_tried(enter: Enter, looked_at: Look) -> None:
    sam = enter("sam")
    for name, path in {
        "templates": "/modeles", "template": "/modeles/appointment-near", "posting": "/courriers",
    }.items():  # fmt: skip
        sam.goto(path)
        looked_at(sam, name)
        sam.set_viewport_size({"width": 320, "height": 900})
        assert sam.evaluate("document.documentElement.scrollWidth") <= 320, path
        sam.set_viewport_size({"width": 1280, "height": 900})
    sam.goto("/modeles/appointment-near/modifier")
    sam.get_by_label("Objet, en français").first.fill("Le SPIP vous attend")
    sam.get_by_role("button", name="Voir l’aperçu").click()
    expect(sam.get_by_role("alert")).to_contain_text("SPIP")
    looked_at(sam, "template-error")
    sam.get_by_label("Objet, en français").first.fill("Le {{ date }} à {{ time }}")
    sam.get_by_role("button", name="Voir l’aperçu").click()
    expect(sam.get_by_role("status")).to_contain_text("Rien n’est encore enregistré")
    looked_at(sam, "template-edit")
