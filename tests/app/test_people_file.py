"""A file of people as spreadsheets write it, and what is wrong in it by line and column."""

from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from journeys.app.failures import Failure
from journeys.app.people_file import PeopleFile, read_people
from journeys.app.web.api.bodies import PersonSent
from journeys.settings.groups import MAIL_ADDRESS


def read(tmp_path: Path, content: str | bytes, *, needs_referent: bool = False) -> PeopleFile:
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_people(path, ("release",), needs_referent)


FRENCH = "Prénom;Nom;Date de naissance;Référence;Sortie\nÉloïse;Du Pré;02/04/1999;A1;12/05/2027\n"


@pytest.mark.parametrize(
    "raw",
    [
        FRENCH.encode(),
        b"\xef\xbb\xbf" + FRENCH.encode(),
        FRENCH.replace("\n", "\r\n").encode("utf-8-sig"),
        FRENCH.encode("utf-16"),
        FRENCH.encode("cp1252"),
        FRENCH.replace(";", "\t").encode(),
        FRENCH.replace("1999;", "1999 00:00:00;").encode(),
        b"first_name,last name,Birth date,reference,release\n"
        + '"Éloïse","Du Pré",1999-04-02,A1,2027-05-12\n'.encode(),
    ],
)
def test_every_way_a_spreadsheet_writes_it(tmp_path: Path, raw: bytes) -> None:
    (row,) = read(tmp_path, raw).rows
    assert row.failure is None and row.details is not None
    assert (row.details.first_name, row.details.last_name) == ("Éloïse", "Du Pré")
    assert row.details.birth_date == date(1999, 4, 2)
    assert (row.details.reference, row.dates, row.line) == ("A1", {"release": date(2027, 5, 12)}, 2)


def test_a_file_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    assert "UTF-8" in read(tmp_path, FRENCH.encode("cp1252")).notes[0].fr


def test_quoted_cells_keep_separators_and_line_ends_and_rows_keep_their_line(tmp_path: Path) -> None:
    text = 'prénom;nom;référence\n"Anne\n";Un;"a;b"\n\nZoé;Deux;\n'
    first, second = read(tmp_path, text).rows
    assert first.details is not None and first.details.reference == "a;b"
    assert (first.line, second.line) == (2, 5)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        read(tmp_path, "prenoms;née le\nA;2000-01-01\n", needs_referent=True)
    assert refused.value.code == "missing-columns"
    assert refused.value.more["columns"] == ["first_name", "last_name", "referent"]
    assert "prénom, nom, référent" in refused.value.what.fr


def test_bad_rows_say_line_and_column_and_good_ones_stay(tmp_path: Path) -> None:
    text = (
        "prénom;nom;date de naissance;courriel;langue\n"
        "A;Un;1999-02-30;;\n"
        ";Deux;;;\n"
        "C;Trois;2000-01-01;pas-une-adresse;\n"
        "D;Quatre;2000-01-01;;de\n"
        "E;Cinq;01/01/3000;;\n"
        "F;Six;2000-01-01;f@example.org;en\n"
        "G;Sept;2000-01-01;;;;trop\n"
        "H\x07;Huit;2000-01-01;;\n"
    )
    rows = read(tmp_path, text).rows
    assert [(row.line, row.failure.field) for row in rows if row.failure] == [
        (2, "date de naissance"),
        (3, "prénom"),
        (4, "courriel"),
        (5, "langue"),
        (6, "date de naissance"),
        (8, None),
        (9, "prénom"),
    ]
    assert [row.label for row in rows if row.failure is None] == ["F Six"]


def test_a_birth_date_as_a_spreadsheet_shortens_it_is_asked_for_whole(tmp_path: Path) -> None:
    for typed, told in (("03/04/96", "quatre chiffres"), ("35158", "tableur")):
        (row,) = read(tmp_path, f"prénom;nom;né le\nA;Un;{typed}\n").rows
        assert row.failure is not None and told in row.failure.what.fr


@pytest.mark.parametrize(
    ("phone", "good"),
    [
        ("06 12 34 56 78", True), ("+33 6 12 34 56 78", True), ("0033612345678", True), ("3949", True),
        ("06.12.34.56.78 (mère)", True), ("12", False), ("06 12 34 56 7", False), ("061234567890", False),
        ("+33 6", False), ("06 12 34 56 78 / 01 02 03 04 05", False), ("allo", False),
    ],
)  # fmt: skip
def test_what_is_a_telephone_number(tmp_path: Path, phone: str, good: bool) -> None:
    (row,) = read(tmp_path, f"prénom;nom;portable\nA;Un;{phone}\n").rows
    assert (row.failure is None) == good
    assert good or (row.failure is not None and row.failure.code == "not-a-phone")


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("eloise.du-pre+suivi@x.asso.fr", True), ("bob@asso.fr.", False), ("awa.@x.fr", False), ("a..b@x.fr", False),
        ("a@x..fr", False), ("bob", False), ("bob@", False), ("bob @x.fr", False), ("bob@x.fr, awa@x.fr", False),
        ("élo@x.fr", False),
    ],
)  # fmt: skip
def test_what_is_a_mail_address_to_files_the_api_and_the_settings(tmp_path: Path, address: str, good: bool) -> None:
    (row,) = read(tmp_path, f'prénom;nom;courriel\nA;Un;"{address}"\n').rows
    assert (row.failure is None) == good
    assert good or (row.failure is not None and row.failure.code == "not-an-address")
    sent = {"first_name": "A", "last_name": "Un", "email": address}
    with nullcontext() if good else pytest.raises(ValidationError):
        PersonSent.model_validate(sent)
    assert bool(MAIL_ADDRESS.fullmatch(address)) == good


def test_only_a_column_that_nobody_knows_is_said_to_be_another(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        read(tmp_path, "nom;préno\nDu Pré;Anne\n")
    assert refused.value.remedy is not None and "renommez « préno »" in refused.value.remedy.fr
    with pytest.raises(Failure) as refused:
        read(tmp_path, "nom;naissance\nDu Pré;01/01/2000\n")
    assert refused.value.remedy is not None and "renommez" not in refused.value.remedy.fr


def test_twins_in_the_file(tmp_path: Path) -> None:
    text = (
        "prénom;nom;date de naissance;référence\nAnne;Du Pré;2000-01-01;R1\nANNE;du pre;01/01/2000;R2\n"
        "Zoé;Autre;2001-01-01;R1\nAnne;Du Pré;;\n"
    )
    first, same_name, same_reference, unknown_birth = read(tmp_path, text).rows
    assert first.failure is None and unknown_birth.failure is None
    for twin in (same_name, same_reference):
        assert twin.failure is not None and twin.failure.code == "duplicate" and "2" in twin.failure.what.fr


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty-file"),
        ("\n\n", "empty-file"),
        ("prénom;nom\n;\n", "no-rows"),
        (b"PK\x03\x04\x00\x00", "not-a-table"),
        ('prénom;nom\n"ouvert;Un\n', "not-a-table"),
        ("prénom;nom;nom\nA;B;C\n", "column-twice"),
        (b"a" * 10_000_001, "file-too-large"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, content: str | bytes, code: str) -> None:
    with pytest.raises(Failure) as refused:
        read(tmp_path, content)
    assert refused.value.code == code


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        read_people(tmp_path / "none.csv", (), False)
    assert refused.value.code == "unreadable-file"


def test_strange_columns_are_left_out_and_said(tmp_path: Path) -> None:
    file = read(tmp_path, "prénom;nom;couleur\nA;B;bleu\n")
    assert "couleur" in file.notes[0].fr
