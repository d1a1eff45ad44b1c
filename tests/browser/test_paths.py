"""The main paths of each role, from the first page to the result, with and without JavaScript."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, Site
from tests.days import paris_today

Look = Callable[[Page, str], None]


def unique(name: str) -> str:
    letters = "".join(chr(97 + byte % 26) for byte in os.urandom(6))
    return f"{name}{letters}"


def begin(page: Page, last_name: str) -> str:
    """Start a journey through the pages; its address."""
    page.goto("/nouveau?programme=auxilia")
    page.get_by_label("Prénom").fill("Élodie")
    page.get_by_label("Nom", exact=True).fill(last_name)
    page.get_by_label("Courriel").fill("elodie@example.org")
    page.get_by_label("Levée d’écrou").or_(page.get_by_label("Levée d'écrou")).fill(
        f"{paris_today() + timedelta(days=21)}"
    )
    page.get_by_role("button", name="Voir ce que le programme fera").click()
    expect(page.get_by_role("heading", name="Vérifiez avant de commencer")).to_be_visible()
    page.get_by_role("button", name="Commencer ce parcours").click()
    expect(page.get_by_role("status")).to_contain_text("C’est noté")
    return page.url.removesuffix("/debut")


def ask_grant(page: Page, address: str, amount: str) -> None:
    """Ask for money through the form, and leave what comes of it on the page."""
    page.goto(f"{address}/agir/request-grant")
    page.get_by_label("L’aide").select_option(index=1)
    page.get_by_label("L’objet").select_option(label="Formation")
    page.get_by_label("Montant en euros").fill(amount)
    page.get_by_label("À qui l’argent est versé").fill("Auto-école du Pont")
    page.get_by_label("L’IBAN").fill("FR76 3000 6000 0112 3456 7890 189")
    page.get_by_role("button", name="Enregistrer").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_caseworker_starts_a_journey_and_works_on_it(enter: Enter, looked_at: Look, scripts: bool) -> None:
    page, name = enter("aline", scripts=scripts), unique("Kaba")
    address = begin(page, name)
    page.reload()
    expect(page.get_by_role("heading", name="Parcours commencé")).to_be_visible()
    if scripts:
        looked_at(page, "start-receipt")
    page.emulate_media(media="print")
    expect(page.get_by_text("Numéro du parcours")).to_be_visible()
    expect(page.get_by_role("link", name="Voir la page de")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Voir la page de la personne").click()
    expect(page.get_by_role("heading", name=f"Élodie {name}")).to_be_visible()
    page.get_by_role("link", name="Écrire une note").first.click()
    page.get_by_label("Le texte").fill("Première rencontre au parloir.\nElle veut finir sa formation.")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("Écrire une note")
    expect(page.locator("#personne")).to_contain_text("Elle veut finir sa formation.")
    page.goto("/")
    expect(page.locator("#sorties li.item", has_text=name)).to_be_visible()
    page.goto(address)
    page.get_by_role("button", name="Fait").first.click()
    expect(page.get_by_role("status")).to_contain_text("Noter une étape comme faite")


def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_is_kept(enter: Enter, looked_at: Look) -> None:
    page = enter("aline")
    page.goto("/nouveau?programme=auxilia")
    looked_at(page, "start")
    page.get_by_label("Prénom").fill("Marc")
    page.get_by_label("Téléphone").fill("06 12 34 56 78")
    page.get_by_role("button", name="Voir ce que le programme fera").click()
    expect(page.get_by_role("alert")).to_contain_text("À corriger")
    expect(page.locator("#erreurs")).to_be_focused()
    expect(page.get_by_label("Prénom")).to_have_value("Marc")
    expect(page.get_by_label("Téléphone")).to_have_value("06 12 34 56 78")
    expect(page.locator("#f-last_name")).to_have_attribute("aria-invalid", "true")
    looked_at(page, "start-errors")


def test_two_approvals_and_never_ones_own(enter: Enter, site: Site, looked_at: Look) -> None:
    aline, sam, fin, name = enter("aline"), enter("sam"), enter("fin"), unique("Sarr")
    address = begin(aline, name)
    ask_grant(aline, address, "-5")
    expect(aline.locator("#e-amount")).to_contain_text("montant en euros")
    looked_at(aline, "command-errors")
    aline.get_by_label("Montant en euros").fill("600")
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("status")).to_contain_text("Demander une aide")

    for page, role in ((sam, "supervisor"), (fin, "finance")):
        page.goto("/accords")
        looked_at(page, f"approvals-{role}")
        page.locator("li.item", has_text=name).get_by_role("link", name="Décider").click()
        expect(page.get_by_role("heading", name="600,00")).to_be_visible()
        looked_at(page, f"decision-{role}")
        page.get_by_role("button", name="Donner mon accord").click()
        expect(page.get_by_role("status")).to_contain_text("Donner son accord")
    aline.goto(address)
    expect(aline.locator("#personne")).to_contain_text("accordée")
    sam.goto("/accords")
    expect(sam.get_by_role("table")).to_contain_text(name)


def test_a_supervisor_cannot_approve_what_she_asked_for(enter: Enter, looked_at: Look) -> None:
    aline, sam, name = enter("aline"), enter("sam"), unique("Ndiaye")
    address = begin(aline, name)
    ask_grant(sam, address, "200")
    sam.goto("/accords")
    sam.locator("li.item", has_text=name).get_by_role("link", name="Décider").click()
    expect(sam.get_by_role("note").filter(has_text="l’accord revient à quelqu’un d’autre")).to_be_visible()
    expect(sam.get_by_role("button", name="Donner mon accord")).to_have_count(0)
    looked_at(sam, "decision-own")


def test_the_second_of_two_sees_that_something_changed_and_decides_again(enter: Enter) -> None:
    aline, sam = enter("aline"), enter("sam")
    address = begin(aline, unique("Petit"))
    for page, why in ((aline, "Écrit avant de savoir."), (sam, "Le juge a appelé ce matin.")):
        page.goto(f"{address}/agir/move-date?date=release")
        page.locator("[name=on]").fill("2099-06-01" if page is sam else "2099-07-01")
        page.locator("[name=reason]").fill(why)
    sam.get_by_role("button", name="Enregistrer").click()
    expect(sam.get_by_role("status")).to_be_visible()
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("alert")).to_contain_text("quelqu’un a changé la même chose".capitalize())
    expect(aline.locator("#depuis")).to_contain_text("Le juge a appelé ce matin.")
    expect(aline.locator("[name=reason]")).to_have_value("Écrit avant de savoir.")
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("status")).to_be_visible()
    expect(aline.locator("#personne")).to_contain_text("Écrit avant de savoir.")


def test_what_another_does_appears_by_itself(enter: Enter) -> None:
    aline, sam = enter("aline"), enter("sam")
    address = begin(aline, unique("Vidal"))
    aline.goto(address)
    sam.goto(f"{address}/agir/add-note")
    sam.get_by_label("Le texte").fill("Vu par tous sans recharger.")
    sam.get_by_role("button", name="Enregistrer").click()
    expect(aline.locator("#personne")).to_contain_text("Vu par tous sans recharger.", timeout=15_000)


def test_a_colleagues_journey_is_not_open_to_a_caseworker(enter: Enter, looked_at: Look) -> None:
    aline, bob = enter("aline"), enter("bob")
    address = begin(aline, unique("Faure"))
    answer = bob.goto(address)
    assert answer is not None and answer.status == 404
    expect(bob.get_by_role("alert")).to_contain_text("ne vous est pas ouvert")
    looked_at(bob, "not-open")
    answer = bob.goto("/accords")
    assert answer is not None and answer.status == 403


def test_screens_hold_at_320_pixels_and_in_english(enter: Enter, looked_at: Look) -> None:
    page = enter("aline", width=320)
    address = begin(page, unique("Moreau"))
    for path, name in (("/", "today-320"), (address, "person-320"), ("/alertes", "alerts-320")):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        looked_at(page, name)
    page.goto("/langue?lang=en&suite=/")
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()


def test_the_keyboard_alone_reaches_the_content_and_acts(enter: Enter) -> None:
    page = enter("aline")
    address = begin(page, unique("Leroy"))
    page.goto(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Écrire une note").first).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Le texte").focus()
    page.keyboard.type("Au clavier.")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.textContent.trim()") != "Enregistrer":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Écrire une note")


def test_an_auditor_reads_all_and_changes_nothing(enter: Enter, looked_at: Look) -> None:
    aline, aude = enter("aline"), enter("aude")
    address = begin(aline, unique("Robin"))
    aude.goto(address)
    expect(aude.get_by_role("heading", name="Étapes")).to_be_visible()
    assert aude.locator("form[action*='/agir/']").count() == 0
    looked_at(aude, "person-auditor")
