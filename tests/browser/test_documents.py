"""A document chosen on a person's own machine, with and without JavaScript, and the papers of the page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.conftest import Enter
from tests.browser.test_paths import begin, unique

Look = Callable[[Page, str], None]


def downloaded(page: Page, name: str, folder: Path) -> bytes:
    """What a link hands over, under the name it suggests."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).first.click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file.read_bytes()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_scan_is_shown_for_a_milestone_and_taken_back(
    enter: Enter, looked_at: Look, tmp_path: Path, scripts: bool
) -> None:
    page = enter("aline", scripts=scripts)
    address = begin(page, unique("Diallo"))
    page.goto(address)
    scan, wrong = tmp_path / "Plan signé.pdf", tmp_path / "page.pdf"
    scan.write_bytes(b"%PDF-1.7 signed by hand")
    wrong.write_bytes(b"<html>not a scan")
    row = page.get_by_role("row", name="Plan de sortie")
    row.get_by_role("link", name="Ajouter une pièce").click()
    expect(page.get_by_label("L’étape")).to_have_value("exit-plan")
    page.get_by_label("Ce que c’est").fill("Signé avec la CPIP.")
    page.get_by_label("Le document").set_input_files(wrong)
    if scripts:
        looked_at(page, "document-form")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("ni un PDF, ni une photo")
    expect(page.locator("#h-document")).to_contain_text("choisissez-le de nouveau")
    expect(page.get_by_label("Ce que c’est")).to_have_value("Signé avec la CPIP.")
    if scripts:
        looked_at(page, "document-errors")
    page.get_by_label("Le document").set_input_files(scan)
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("Joindre une pièce")
    documents = page.locator("#documents")
    expect(documents.get_by_role("row", name="Plan signé.pdf")).to_contain_text("Aline Roux")
    assert downloaded(page, "Plan signé.pdf", tmp_path / "..") == scan.read_bytes()
    if scripts:
        looked_at(page, "person-documents")
        page.set_viewport_size({"width": 320, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        looked_at(page, "person-documents-320")
    made = downloaded(page, "Synthèse du parcours, avec ce que chacun a écrit", tmp_path)
    (tmp_path / "made.pdf").write_bytes(made)
    text = " ".join(each.extract_text() for each in PdfReader(tmp_path / "made.pdf").pages)
    assert "Signé avec la CPIP." in " ".join(text.split()) and address


def test_far_too_large_is_told_to_a_browser_that_is_still_sending(
    enter: Enter, looked_at: Look, tmp_path: Path
) -> None:
    page = enter("aline")
    address = begin(page, unique("Weber"))
    film = tmp_path / "film.pdf"
    for megabytes, told in ((12, "pèse 12,0 Mo"), (60, "trop gros")):
        with film.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        page.goto(f"{address}/agir/add-note")
        page.get_by_label("Le texte").fill("Ce que je voulais dire.")
        page.get_by_label("Le document").set_input_files(film)
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_role("alert")).to_contain_text(told)
    looked_at(page, "document-too-large")
    page.go_back()
    expect(page.get_by_label("Le texte")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_letters_for_who_has_no_mail(enter: Enter, looked_at: Look, scripts: bool) -> None:
    page = enter("aline", scripts=scripts)
    address = begin(page, unique("Lettres"))
    at = (datetime.now() + timedelta(days=5)).strftime("%Y-%m-%dT10:00")
    page.goto(f"{address}/agir/book-appointment")
    page.locator("#f-at").fill(at)
    page.get_by_role("button", name="Enregistrer").click()
    with page.expect_download() as waited:
        page.get_by_role("link", name="Lettre pour confirmer le rendez-vous").click()
    assert waited.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("link", name="Écrire une lettre").click()
    if scripts:
        looked_at(page, "letter")
    page.get_by_label("Objet").fill("Votre place au foyer")
    page.get_by_role("button", name="Faire la lettre (PDF)").click()
    expect(page.locator("#e-text")).to_be_visible()
    expect(page.get_by_label("Objet")).to_have_value("Votre place au foyer")
    if scripts:
        looked_at(page, "letter-errors")
    page.get_by_label("Le texte").fill("Une place vous attend dès le premier soir.")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Faire la lettre (PDF)").click()
    assert waited.value.path().read_bytes().startswith(b"%PDF")
    page.goto(address)
    expect(page.locator("#personne")).to_contain_text("Votre place au foyer")
    expect(page.locator("#personne")).not_to_contain_text("dès le premier soir")
