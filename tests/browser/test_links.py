"""One-time links as those without an account meet them: given by a caseworker, opened anywhere, answered once."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Enter, Site
from tests.browser.test_paths import begin, unique

Look = Callable[[Page, str], None]
Anyone = Callable[..., Page]


@pytest.fixture
def anyone(site: Site, chromium: Browser) -> Iterator[Anyone]:
    """A page of somebody who has never been here."""
    opened: list[BrowserContext] = []

    def come(*, scripts: bool = True, width: int = 320) -> Page:
        context = chromium.new_context(
            base_url=site.url, viewport={"width": width, "height": 700}, java_script_enabled=scripts, locale="fr-FR"
        )
        opened.append(context)
        return context.new_page()

    yield come
    for context in opened:
        context.close()


def send(page: Page, address: str, command: str, **fields: str) -> None:
    """Fill a command's form by its fields' names, and send it; of a list, the first line that says the value."""
    page.goto(f"{address}/agir/{command}")
    for name, value in fields.items():
        field = page.locator(f"#f-{name}")
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(field.locator("option", has_text=value).first.get_attribute("value"))
        else:
            field.fill(value)
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_be_visible()


def give(page: Page, address: str, what: str) -> str:
    """Make a link by hand for what this line says; its address."""
    page.goto(f"{address}/liens")
    page.locator("li.item", has_text=what).get_by_role("button", name="lien").first.click()
    return page.locator("code.address").inner_text()


def narrow(page: Page) -> None:
    """A page that a link opens: nothing is cut off sideways, and no script is there to be missed."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_mentor_says_yes_then_records_a_contact(
    site: Site, enter: Enter, anyone: Anyone, looked_at: Look, scripts: bool
) -> None:
    name = unique("Jeanne ")
    site.journeys("mentor", "add", name, "--email", "jeanne@example.org")
    aline = enter("aline", scripts=scripts)
    address = begin(aline, unique("Diallo"))
    send(aline, address, "propose-mentor", mentor=name)
    aline.goto(address)
    aline.get_by_role("link", name="Liens à donner").click()
    if scripts:
        looked_at(aline, "links")
    aline.goto("/mentors")
    line = aline.get_by_role("row", name=name)
    expect(line).to_contain_text("Dire oui ou non à l’accompagnement")
    if scripts:
        looked_at(aline, "mentors-links")
    line.get_by_role("button", name="Donner un lien").click()
    link = aline.locator("code.address").inner_text()
    if scripts:
        looked_at(aline, "link-given")
    jeanne = anyone(scripts=scripts)
    jeanne.goto(link)
    expect(jeanne.get_by_role("heading", name="Accompagner quelqu’un ?")).to_be_visible()
    expect(jeanne.locator("main")).not_to_contain_text("Élodie")
    if scripts:
        narrow(jeanne)
        looked_at(jeanne, "link-proposal")
    jeanne.get_by_role("button", name="Oui, je suis d’accord").click()
    expect(jeanne.get_by_role("heading", name="Vous avez dit oui")).to_be_visible()
    if scripts:
        looked_at(jeanne, "link-done")
    jeanne.goto(link)
    expect(jeanne.get_by_role("heading", name="Vous avez dit oui")).to_be_visible()

    jeanne.goto(give(aline, address, name))
    expect(jeanne.locator("main")).to_contain_text("Élodie")
    jeanne.get_by_role("button", name="Noter ce contact").click()
    expect(jeanne.get_by_role("alert")).to_contain_text("Choisissez dans la liste")
    if scripts:
        narrow(jeanne)
        looked_at(jeanne, "link-contact-errors")
    jeanne.get_by_label("Comment").select_option(label="Téléphone")
    jeanne.get_by_label("Un mot sur ce contact").fill("Elle cherche un logement.")
    jeanne.get_by_role("button", name="Noter ce contact").click()
    expect(jeanne.get_by_role("heading", name="Le contact est noté")).to_be_visible()
    aline.goto(address)
    expect(aline.locator("#personne")).to_contain_text("Elle cherche un logement.")


def test_a_partner_declines_and_says_why(site: Site, enter: Enter, anyone: Anyone, looked_at: Look) -> None:
    name = unique("Foyer ")
    site.journeys("partner", "add", name, "--kind", "housing", "--email", "foyer@example.org")
    aline = enter("aline")
    address = begin(aline, unique("Traoré"))
    send(aline, address, "send-referral", partner=name, purpose="Logement")
    foyer = anyone()
    aline.goto("/partenaires")
    looked_at(aline, "partners-links")
    aline.get_by_role("row", name=name).get_by_role("button", name="Donner un lien").click()
    foyer.goto(aline.locator("code.address").inner_text())
    expect(foyer.get_by_role("heading", name="Une demande vous est adressée")).to_be_visible()
    expect(foyer.locator("main")).not_to_contain_text("Élodie")
    foyer.get_by_role("button", name="Non, nous ne pouvons pas").click()
    expect(foyer.get_by_role("alert")).to_contain_text("Dites en quelques mots pourquoi")
    narrow(foyer)
    looked_at(foyer, "link-referral-errors")
    foyer.get_by_label("Un mot en retour").fill("Complet jusqu’en mars.")
    foyer.get_by_role("button", name="Non, nous ne pouvons pas").click()
    expect(foyer.get_by_role("heading", name="Vous avez décliné cette demande")).to_be_visible()
    aline.goto(address)
    expect(aline.locator("#personne")).to_contain_text("Complet jusqu’en mars.")


def test_the_person_asks_for_another_time_and_the_caseworker_sees_it(
    enter: Enter, anyone: Anyone, looked_at: Look
) -> None:
    aline, name = enter("aline"), unique("Sylla")
    address = begin(aline, name)
    at = (datetime.now() + timedelta(days=5)).strftime("%Y-%m-%dT10:00")
    send(aline, address, "book-appointment", at=at, place="12 rue des Lilas")
    link = give(aline, address, name)
    elodie = anyone()
    elodie.goto(link)
    expect(elodie.locator("main")).to_contain_text("12 rue des Lilas")
    expect(elodie.locator("main")).to_contain_text("10 h".replace(" ", "\xa0"))
    narrow(elodie)
    looked_at(elodie, "link-appointment")
    elodie.get_by_role("link", name="English").click()
    expect(elodie.get_by_role("heading", name="Your appointment")).to_be_visible()
    elodie.goto(link)
    elodie.get_by_label("Un mot, par exemple quand vous pouvez venir").fill("Plutôt l’après-midi.")
    wish = elodie.get_by_label("S’il vous faut une autre heure, laquelle ?")
    wish.fill("2020-03-12T15:00")
    elodie.get_by_role("button", name="Il me faut une autre heure").click()
    expect(elodie.get_by_role("alert")).to_contain_text("Cette heure est déjà passée")
    narrow(elodie)
    looked_at(elodie, "link-appointment-errors")
    wish.fill(at.replace("T10", "T15"))
    elodie.get_by_role("button", name="Il me faut une autre heure").click()
    expect(elodie.get_by_role("heading", name="Vous avez demandé une autre heure")).to_be_visible()
    aline.goto("/")
    line = aline.locator("li.item", has_text=name).filter(has_text="ne peut pas venir, propose")
    looked_at(aline, "today-other-time")
    line.get_by_role("link", name="Déplacer à cette heure…").click()
    expect(aline.locator("#f-at")).to_have_value(at.replace("T10", "T15"))
    looked_at(aline, "move-appointment")
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("status")).to_be_visible()
    aline.goto(address)
    expect(aline.locator("#personne")).to_contain_text("Plutôt l’après-midi.")
    expect(aline.locator("#personne")).to_contain_text("15 h".replace(" ", "\xa0"))


def test_the_person_moves_their_appointment_to_a_time_offered(enter: Enter, anyone: Anyone, looked_at: Look) -> None:
    aline, name = enter("aline"), unique("Keïta")
    address = begin(aline, name)
    day = datetime.now() + timedelta(days=6)
    aline.goto(f"{address}/agir/book-appointment")
    aline.locator("#f-at").fill(day.strftime("%Y-%m-%dT10:00"))
    others = aline.get_by_role("group", name="Autres heures possibles").locator("input")
    others.nth(0).fill(day.strftime("%Y-%m-%dT16:00"))
    others.nth(2).fill(day.strftime("%Y-%m-%dT14:30"))
    looked_at(aline, "book-appointment")
    aline.get_by_role("button", name="Enregistrer").click()
    expect(aline.get_by_role("status")).to_be_visible()
    elodie = anyone()
    link = give(aline, address, name)
    elodie.goto(link)
    taken = elodie.get_by_role("group", name="D’autres heures sont possibles").get_by_role("button")
    expect(taken).to_have_count(2)
    expect(taken.first).to_contain_text("14 h 30".replace(" ", "\xa0"))
    narrow(elodie)
    looked_at(elodie, "link-appointment-times")
    taken.last.click()
    expect(elodie.get_by_role("heading", name="Votre rendez-vous est déplacé")).to_be_visible()
    expect(elodie.locator("main")).to_contain_text("16 h".replace(" ", "\xa0"))
    narrow(elodie)
    looked_at(elodie, "link-appointment-moved")
    elodie.goto(link)
    expect(elodie.get_by_role("heading", name="Votre rendez-vous est déplacé")).to_be_visible()
    aline.goto(address)
    expect(aline.locator("#t-rdv ~ ul")).to_contain_text("16 h".replace(" ", "\xa0"))


def test_links_that_open_nothing_look_alike_on_a_phone(enter: Enter, anyone: Anyone, looked_at: Look) -> None:
    aline, name = enter("aline"), unique("Camara")
    address = begin(aline, name)
    send(aline, address, "book-appointment", at=(datetime.now() + timedelta(days=5)).strftime("%Y-%m-%dT10:00"))
    first = give(aline, address, name)
    second = give(aline, address, name)
    someone = anyone()
    someone.goto(first)
    expect(someone.get_by_role("heading", name="Ce lien a été remplacé ou retiré")).to_be_visible()
    looked_at(someone, "link-replaced")
    someone.goto(second[:-1] + ("A" if second[-1] != "A" else "B"))
    expect(someone.get_by_role("heading", name="Ce lien ne s’ouvre pas")).to_be_visible()
    narrow(someone)
    looked_at(someone, "link-unknown")
    someone.goto(second)
    aline.goto(f"{address}/liens")
    aline.get_by_role("button", name="Retirer").click()
    someone.get_by_role("button", name="Je viendrai").click()
    expect(someone.get_by_role("heading", name="Ce lien a été remplacé ou retiré")).to_be_visible()


def test_the_keyboard_alone_answers(enter: Enter, anyone: Anyone) -> None:
    aline, name = enter("aline"), unique("Barry")
    address = begin(aline, name)
    send(aline, address, "book-appointment", at=(datetime.now() + timedelta(days=5)).strftime("%Y-%m-%dT10:00"))
    someone = anyone()
    someone.goto(give(aline, address, name))
    someone.keyboard.press("Tab")
    expect(someone.get_by_role("link", name="Aller au contenu")).to_be_focused()
    while someone.evaluate("document.activeElement.textContent.trim()") != "Je viendrai":
        someone.keyboard.press("Tab")
    someone.keyboard.press("Enter")
    expect(someone.get_by_role("heading", name="Vous avez dit que vous viendrez")).to_be_visible()
