"""The other screens as a person meets them: login, proof before money, lists, audit, each looked at with axe."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.conftest import plain_environment
from tests.browser.conftest import PASSWORD, REPOSITORY, Enter, Site, execute
from tests.browser.test_paths import ask_grant, begin, unique

Look = Callable[[Page, str], None]


def give_password(site: Site, handle: str) -> None:
    """As whoever keeps the machine does."""
    done = subprocess.run(
        [sys.executable, "-m", "journeys.app.cli", "staff", "password", handle, "--stdin", "--as", "ada"],
        input=PASSWORD + "\n", capture_output=True, text=True, cwd=REPOSITORY, timeout=60,
        env=plain_environment(JOURNEYS_DATA_DIR=str(site.data_dir)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_logging_in_and_out(site: Site, chromium: Browser, looked_at: Look, scripts: bool) -> None:
    give_password(site, "bob")
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
    give_password(site, "fin")
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
    aude.goto(f"{address}/audit?n=1&vue=vrai")
    expect(aude.get_by_role("heading", name="Fait 1,")).to_be_visible()
    aude.get_by_role("link", name="Comparer aussi avec le moteur").click()
    rows = aude.get_by_role("table").get_by_role("row")
    for account in ("Journal", "Listes", "Réponse du moteur", "Historique du moteur"):
        row = rows.filter(has=aude.get_by_role("rowheader", name=account, exact=True))
        expect(row).to_contain_text("d’accord")
        expect(row).not_to_contain_text("PAS")
    looked_at(aude, "audit-accounts")


def test_an_appointment_is_booked_and_stands_in_the_week(enter: Enter, looked_at: Look) -> None:
    from datetime import date, timedelta

    page, name = enter("aline"), unique("Lopez")
    address = begin(page, name)
    day = date.today() + timedelta(days=7 - date.today().weekday() + 1)
    page.goto(f"{address}/agir/book-appointment")
    page.get_by_label("Jour et heure locale").fill(f"{day}T14:30")
    page.get_by_label("Durée en minutes").fill("45")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("Fixer un rendez-vous")
    page.goto(f"/agenda?semaine={day}")
    expect(page.locator("li.item", has_text=name)).to_contain_text("14")
    looked_at(page, "week-filled")


def test_dark_mode_has_contrast_enough(enter: Enter, looked_at: Look) -> None:
    page = enter("aline")
    page.emulate_media(color_scheme="dark")
    address = begin(page, unique("Noir"))
    for path, name in (("/", "today-dark"), (address, "person-dark"), (f"{address}/agir/log-contact", "form-dark")):
        page.goto(path)
        looked_at(page, name)
