"""The main paths of each role from the login to the result, with and without JavaScript, and by the keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD, URGENT, Enter, Hand, Site, away, execute, id_of, keep_picture
from tests.browser.test_paths import begin, unique

Look = Callable[[Page, str], None]
both = pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])


def kept(page: Page, name: str, scripts: bool) -> None:
    """A picture of what was reached."""
    keep_picture(page, f"role-{name}{'' if scripts else '-without-javascript'}")


def proof_is_old(site: Site) -> None:
    execute(site, "UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")


def prove(page: Page) -> None:
    """Show again who one is, and go on with what was typed."""
    expect(page.get_by_role("heading", name="Confirmez que c’est vous")).to_be_visible()
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Confirmer").click()
    page.get_by_role("button", name="Continuer").click()


def row(page: Page, path: str, name: str, words: str = "") -> Locator:
    """The line about a person that says these words, asked again until what the engine does by itself is there."""
    found = page.locator("li.item", has_text=name).filter(has_text=words).first
    for _ in range(100):
        page.goto(path)
        while not found.count() and (further := page.get_by_role("link", name="Page suivante")).count():
            further.first.click()
        if found.count():
            return found
        page.wait_for_timeout(200)
    raise AssertionError(f"nothing about {name} {words} on {path}")


def rejected_payment(site: Site, name: str) -> str:
    """A journey of Léa's whose payment the bank refuses, so that somebody is called at any hour; its path."""
    lea, sam, fin = (Hand(site, handle) for handle in ("lea", "sam", "fin"))
    path = sam.begin(name, id_of(site, "lea"), URGENT)
    grant = lea.ask_grant(path, "600", "École SIM-REJECT, FR7630006000011234567890189")
    sam.approve(path, grant)
    fin.approve(path, grant)
    return path


@both
def test_a_caseworker_starts_acts_from_todays_row_and_reads_it_on_the_persons_page(enter: Enter, scripts: bool) -> None:
    page, name = enter("aline", scripts=scripts, by_password=True), unique("Sow")
    page.get_by_role("link", name="Commencer un parcours").click()
    begin(page, name)
    page.get_by_role("link", name="Aujourd’hui").first.click()
    line = row(page, "/?voir=semaine", name, "Fait")
    line.get_by_role("button", name="Fait").first.click()
    expect(page.get_by_role("status")).to_contain_text("Noter une étape comme faite")
    page.locator("main").get_by_role("link", name=name).first.click()
    expect(page.get_by_role("row", name="fait").first).to_be_visible()
    expect(page.locator("section", has_text="L’histoire").last).to_contain_text("Aline Roux")
    kept(page, "caseworker", scripts)


@both
def test_a_supervisor_returns_then_approves_with_proof(site: Site, enter: Enter, scripts: bool) -> None:
    name = unique("Diarra")
    aline = Hand(site, "aline")
    path = aline.begin(name, id_of(site, "aline"))
    aline.ask_grant(path, "250")
    sam = enter("sam", scripts=scripts, by_password=True)
    sam.get_by_role("link", name="À valider").first.click()
    sam.locator("li.item", has_text=name).get_by_role("link", name="Décider").click()
    sam.get_by_label("Renvoyer pour être revue").fill("Il manque le devis de l’école.")
    sam.get_by_role("button", name="Renvoyer").click()
    expect(sam.get_by_role("status")).to_contain_text("Renvoyer")
    page = enter("aline", scripts=scripts)
    row(page, "/?voir=jour", name, "Modifier").get_by_role("link", name="Modifier").click()
    page.get_by_label("Montant en euros").fill("240")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("Modifier une demande d’aide")
    row(sam, "/accords", name).get_by_role("link", name="Décider").click()
    expect(sam.get_by_role("heading", name="240,00")).to_be_visible()
    proof_is_old(site)
    sam.get_by_role("button", name="Donner mon accord").click()
    prove(sam)
    expect(sam.get_by_role("status")).to_contain_text("Donner son accord")
    sam.goto(path)
    expect(sam.locator("#personne")).to_contain_text("accordée")
    kept(sam, "supervisor", scripts)


@both
def test_a_supervisor_takes_an_alert_hands_it_on_and_settles_it(site: Site, enter: Enter, scripts: bool) -> None:
    name = unique("Traoré")
    with away(site, "fin", "lea"):
        rejected_payment(site, name)
        sam = enter("sam", scripts=scripts, by_password=True)
        line = row(sam, "/alertes?qui=moi", name)
    line.get_by_role("button", name="Je m’en charge").click()
    expect(sam.get_by_role("status")).to_contain_text("alerte")
    row(sam, "/alertes", name).get_by_role("link", name="Confier").click()
    expect(sam.get_by_label("À qui").locator("option", has_text="Bob Leduc")).to_have_count(0)
    sam.get_by_label("À qui").select_option(label="Astreinte")
    sam.get_by_role("button", name="Enregistrer").click()
    expect(sam.get_by_role("status")).to_contain_text("alerte")
    row(sam, "/alertes", name).get_by_role("link", name="Régler").click()
    sam.get_by_label("La raison").fill("Nouvel IBAN demandé à l’école.")
    kept(sam, "supervisor-alert", scripts)
    sam.get_by_role("button", name="Enregistrer").click()
    expect(sam.get_by_role("status")).to_contain_text("alerte")
    expect(sam.locator("li.item", has_text=name)).to_have_count(0)


@both
def test_finance_approves_once_notes_the_payment_and_accepts_the_receipt(
    site: Site, enter: Enter, scripts: bool
) -> None:
    name = unique("Ba")
    aline, sam = Hand(site, "aline"), Hand(site, "sam")
    path = aline.begin(name, id_of(site, "aline"))
    grant = aline.ask_grant(path, "800")
    fin = enter("fin", scripts=scripts, by_password=True)
    row(fin, "/accords", name).get_by_role("link", name="Décider").click()
    fin.get_by_role("button", name="Donner mon accord").click()
    expect(fin.get_by_role("status")).to_contain_text("Donner son accord")
    fin.goto(f"{path}/aides/{grant}")
    expect(fin.get_by_role("note")).to_contain_text("Vous avez déjà donné votre accord")
    expect(fin.get_by_role("button", name="Donner mon accord")).to_have_count(0)
    sam.approve(path, grant)
    row(fin, "/?voir=semaine", name, "Noter comme payé").get_by_role("link", name="Noter comme payé").click()
    fin.get_by_label("La raison").fill("Vu sur le relevé du jour.")
    proof_is_old(site)
    fin.get_by_role("button", name="Enregistrer").click()
    prove(fin)
    expect(fin.get_by_role("status")).to_contain_text("versement")
    page = enter("aline", scripts=scripts)
    page.goto(path)
    page.locator("#agir").get_by_role("link", name="ustificatif").click()
    page.get_by_label("Montant en euros").fill("400")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("justificatif")
    row(fin, "/?voir=jour", name, "Accepter").get_by_role("button", name="Accepter").click()
    expect(fin.get_by_role("status")).to_contain_text("justificatif")
    kept(fin, "finance", scripts)


@both
def test_the_duty_sees_and_takes_an_alert_for_which_nobody_else_is_there(
    site: Site, enter: Enter, scripts: bool
) -> None:
    name = unique("Cissé")
    with away(site, "fin", "lea", "sam"):
        rejected_payment(site, name)
        garde = enter("garde", scripts=scripts, by_password=True)
        line = row(garde, "/alertes?qui=moi", name)
    expect(line).to_contain_text("strein")
    line.get_by_role("button", name="Je m’en charge").click()
    expect(garde.get_by_role("status")).to_contain_text("alerte")
    expect(row(garde, "/alertes", name)).to_contain_text("prise en charge")
    kept(garde, "duty", scripts)


@both
def test_an_auditor_goes_through_time_and_prints(site: Site, enter: Enter, scripts: bool) -> None:
    name = unique("Konaté")
    path = Hand(site, "aline").begin(name, id_of(site, "aline"))
    Hand(site, "aline").send(f"{path}/agir/add-note", text="Première rencontre.")
    aude = enter("aude", scripts=scripts, by_password=True)
    aude.get_by_role("searchbox").fill(name)
    aude.keyboard.press("Enter")
    expect(aude.get_by_role("heading", name=f"Élodie {name}")).to_be_visible()
    aude.get_by_role("link", name="Contrôle : remonter le temps").click()
    slider = aude.get_by_role("slider")
    last = slider.get_attribute("max")
    slider.focus()
    slider.press("Home")
    aude.get_by_role("button", name="Aller").click()
    expect(aude.get_by_role("heading", name="Fait 1,")).to_be_visible()
    aude.get_by_role("link", name="Fait suivant").click()
    expect(aude.get_by_role("heading", name="Fait 2,")).to_be_visible()
    aude.get_by_label("ce qui était vrai").check()
    aude.get_by_role("slider").press("End")
    aude.get_by_role("button", name="Aller").click()
    expect(aude.get_by_role("heading", name=f"Fait {last},")).to_be_visible()
    aude.emulate_media(media="print")
    expect(aude.locator("form.slider")).to_be_hidden()
    expect(aude.get_by_role("heading", name="Ce qui était vrai")).to_be_visible()
    kept(aude, "auditor-print", scripts)


@both
def test_the_administrator_keeps_staff_and_opens_no_file(site: Site, enter: Enter, scripts: bool) -> None:
    name = unique("Sylla")
    path = Hand(site, "aline").begin(name, id_of(site, "aline"))
    ada = enter("ada", scripts=scripts, by_password=True)
    with away(site, "bob"):
        ada.goto("/equipe")
        expect(ada.get_by_role("row", name="Bob Leduc")).to_contain_text("absence en cours")
        kept(ada, "administrator", scripts)
    for closed, status in ((path, 404), ("/parcours", 403), ("/accords", 403)):
        answer = ada.goto(closed)
        assert answer is not None and answer.status == status, closed
        expect(ada.locator("body")).not_to_contain_text(name)
    ada.goto("/compte")
    ada.get_by_label("Mot de passe actuel").fill(PASSWORD)
    for label in ("Nouveau mot de passe", "Encore une fois"):
        ada.get_by_label(label).fill(PASSWORD)
    ada.get_by_role("button", name="Changer").first.click()
    expect(ada.get_by_role("status")).to_contain_text("vos autres sessions sont closes")


# --- by the keyboard alone


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says these words; the focus must show at each step."""
    for _ in range(150):
        page.keyboard.press("Tab")
        said, shows = page.evaluate(
            """() => {
                const it = document.activeElement, style = getComputedStyle(it);
                const named = it.labels && it.labels.length ? it.labels[0] : it;
                return [named.textContent.trim(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
            }"""
        )
        assert shows, f"the focus does not show on: {said}"
        if words in said:
            return
    raise AssertionError(f"Tab never comes to: {words}")


def test_a_caseworker_logs_in_and_acts_from_todays_row_by_keyboard(site: Site, enter: Enter) -> None:
    name = unique("Clavier")
    Hand(site, "bob").begin(name, id_of(site, "bob"))
    page = enter("bob")
    page.context.clear_cookies()
    page.goto("/")
    tab_to(page, "Identifiant")
    page.keyboard.type("bob")
    tab_to(page, "Mot de passe")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Aujourd’hui").first).to_be_visible()
    tab_to(page, f"Élodie {name}")
    tab_to(page, "Fait")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("Noter une étape comme faite")


def test_a_grant_is_decided_by_keyboard(site: Site, enter: Enter) -> None:
    name = unique("Touche")
    aline = Hand(site, "aline")
    aline.ask_grant(aline.begin(name, id_of(site, "aline")), "150")
    page = enter("sam")
    page.goto("/accords")
    tab_to(page, f"pour Élodie {name}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="150,00")).to_be_visible()
    tab_to(page, "Donner mon accord")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("Donner son accord")


def test_an_audit_is_read_by_keyboard(site: Site, enter: Enter) -> None:
    path = Hand(site, "aline").begin(unique("Lecture"), id_of(site, "aline"))
    page = enter("aude")
    page.goto(f"{path}/audit")
    tab_to(page, "Remonter le temps")
    page.keyboard.press("Home")
    tab_to(page, "Aller")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fait 1,")).to_be_visible()
