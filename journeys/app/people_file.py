"""A file of people, as spreadsheets write it: separators, encodings, French and English columns."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from journeys.app.entry import clean_text
from journeys.app.failures import Exit, Failure, Lang, Said, not_found, usage, why
from journeys.app.finding import nearest
from journeys.app.reading import read_day
from journeys.channels.letter import BadAddress, check_address
from journeys.domain.directory import search_form
from journeys.store.people import Details

LANGUAGES: Final[tuple[Lang, ...]] = ("fr", "en")
LARGEST_FILE: Final = 10_000_000
MOST_ROWS: Final = 20_000

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "first_name": ("prénom", "first name"),
    "last_name": ("nom", "last name", "nom de famille", "surname", "nom de naissance"),
    "birth_date": ("date de naissance", "birth date", "né le", "née le", "naissance", "born", "ddn"),
    "reference": ("référence", "reference", "numéro", "dossier", "id externe", "external reference"),
    "email": ("courriel", "email", "e-mail", "mail", "adresse mail"),
    "phone": ("téléphone", "phone", "portable", "mobile", "tel"),
    "language": ("langue", "language"),
    "place": ("ville", "town", "commune", "place"),
    "languages": ("langues parlées", "languages spoken", "langues"),
    "interests": ("centres d'intérêt", "interests", "intérêts"),
    "site": ("site", "établissement"),
    "referent": ("référent", "referent", "référente", "caseworker"),
    "release": ("sortie", "release", "levée d'écrou", "date de sortie", "release date"),
}
"""The names of each column, the French one that people are told first. Another date of a programme: its code."""

_MIDNIGHT: Final = re.compile(r"\s+00:00(:00)?$")
_SERIAL: Final = re.compile(r"\d{5}([.,]\d+)?")
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2}")

REQUIRED: Final = ("first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was brought: its name, for what is said of it, and its bytes."""

    name: str
    raw: bytes

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file. `failure` says why it cannot be used."""

    line: int
    details: Details | None
    dates: dict[str, date]
    referent: str | None
    site: str | None
    failure: Failure | None = None
    cells: dict[str, str] | None = None

    @property
    def label(self) -> str:
        """What a report calls it."""
        known = self.cells or {}
        return " ".join(filter(None, (known.get("first_name"), known.get("last_name")))) or f"#{self.line}"


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """All rows, and what was odd about the file itself."""

    rows: tuple[Row, ...]
    notes: tuple[Said, ...]
    heads: Mapping[str, str]
    """How the file names each column, by field."""


def read_people(
    path: Path | Sheet, dates: tuple[str, ...], needs_referent: bool, others: Mapping[str, str] | None = None,
) -> PeopleFile:  # fmt: skip
    """Read a file of people.

    Args:
        dates: the programme's dates, each a possible column. needs_referent: no referent was given for all.
        others: further columns, field by name; their cells are kept as they stand, in `Row.cells`.

    Raises:
        Failure: it cannot be read at all: absent, not a table, columns missing (each is named).
    """
    text, notes = text_of(path)
    table = list(_lines(path, text))
    if not table:
        raise usage("empty-file", f"{path} : le fichier est vide", f"{path}: the file is empty", field="--file")
    columns, strange = _columns(table[0][1], dates, others or {})
    required = [*REQUIRED, *(["referent"] if needs_referent else [])]
    if missing := [name for name in required if name not in columns.values()]:
        raise _missing(path, missing, table[0][1], columns)
    if len(table) == 1:
        raise usage("no-rows", f"{path} : personne sous la ligne des titres ; écrivez une personne par ligne",
                    f"{path}: nobody under the line of heads; write one person a line", field="--file")  # fmt: skip
    if strange:
        fr, en = (", ".join(each.in_(lang) for each in strange) for lang in LANGUAGES)
        notes.append(Said(f"colonnes ignorées : {fr}", f"columns left out: {en}"))
    if len(table) - 1 > MOST_ROWS:
        raise usage("too-many-rows", f"{path} : plus de {MOST_ROWS} lignes ; partagez le fichier",
                    f"{path}: more than {MOST_ROWS} rows; split the file", field="--file")  # fmt: skip
    rows = [
        _row(line, cells, columns, len(table[0][1]), dates)
        for line, cells in table[1:]
        if any(c.strip() for c in cells)
    ]
    heads = {field: table[0][1][nth].strip() for nth, field in columns.items()}
    return PeopleFile(tuple(_without_twins(rows)), tuple(notes), heads)


def text_of(path: Path | Sheet) -> tuple[str, list[Said]]:
    """A file as text, whatever its encoding, and what was odd about that. Raises Failure: it cannot be read."""
    try:
        if isinstance(path, Sheet):
            raw = path.raw
        else:
            with path.open("rb") as file:
                raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = why(error)
        raise not_found("unreadable-file", f"{path} ne peut pas être lu : {reason.fr}",
                        f"{path} cannot be read: {reason.en}", field="--file") from None  # fmt: skip
    if len(raw) > LARGEST_FILE:
        raise usage("file-too-large", f"{path} dépasse 10 Mo", f"{path} is larger than 10 MB", field="--file")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), []
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = Said(f"le fichier {path} n'est pas en UTF-8 : lu comme un fichier Windows, vérifiez les accents",
                    f"the file {path} is not UTF-8: read as a Windows file, check the accents")  # fmt: skip
        return raw.decode("cp1252", errors="replace"), [note]


def _lines(path: Path | Sheet, text: str) -> Iterator[tuple[int, list[str]]]:
    """(line of the file, cells)."""
    if "\0" in text:
        raise usage("not-a-table", f"{path} n'est pas un fichier CSV ; enregistrez la feuille en CSV",
                    f"{path} is not a CSV file; save the sheet as CSV", field="--file")  # fmt: skip
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        before = 0
        for cells in reader:
            # A quoted cell may hold line ends: the row is found where it begins.
            begins, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield begins, cells
    except csv.Error:
        raise usage(
            "not-a-table",
            f"{path}, à partir de la ligne {before + 1} : un guillemet ouvre une case et ne la referme pas",
            f"{path}, from line {before + 1} on: a quotation mark opens a cell and does not close it", field="--file",
            remedy=Said("retirez-le, ou refermez-le avant le séparateur ; dans un texte, doublez-le",
                        "take it out, or close it before the separator; within a text, double it"),
        ) from None  # fmt: skip


def _columns(head: list[str], dates: tuple[str, ...], others: Mapping[str, str]) -> tuple[dict[int, str], list[Said]]:
    """Which field each column holds, and the names that mean nothing here."""
    known = {search_form(name): field for field, names in COLUMNS.items() for name in (*names, field.replace("_", " "))}
    known |= {search_form(date): date for date in dates if date not in COLUMNS}
    known = {search_form(name): field for name, field in others.items()} | known
    found: dict[int, str] = {}
    strange: list[Said] = []
    for nth, name in enumerate(head):
        field = known.get(search_form(name))
        if field is None:
            strange.append(_strange(name.strip() or f"n° {nth + 1}", list(known)))
        elif field in found.values():
            raise usage("column-twice", f"la colonne « {name.strip()} » est donnée deux fois",
                        f"the column “{name.strip()}” is given twice", field=name.strip())  # fmt: skip
        else:
            found[nth] = field
    return found, strange


def _strange(name: str, known: list[str]) -> Said:
    near = nearest(search_form(name), known) or next((each for each in known if search_form(name) in each), "")
    return (
        Said(f"{name} (vouliez-vous dire « {near} » ?)", f"{name} (did you mean “{near}”?)")
        if near
        else Said(name, name)
    )


def _missing(path: Path | Sheet, missing: list[str], head: list[str], known: Mapping[int, str]) -> Failure:
    french, english = (", ".join(COLUMNS[name][at] for name in missing) for at in (0, 1))
    strange = [cell.strip().lower() for nth, cell in enumerate(head) if nth not in known]
    near = [found for name in missing if (found := nearest(COLUMNS[name][0], strange))]
    seen = ", ".join(cell.strip() for cell in head)[:200]
    return Failure(
        Exit.USAGE,
        "missing-columns",
        Said(f"{path}, ligne 1 : colonnes qui manquent : {french}", f"{path}, line 1: missing columns: {english}"),
        Said(f"colonnes lues : {seen}" + (f" ; renommez « {near[0]} » ?" if near else ""),
             f"columns read: {seen}" + (f"; rename “{near[0]}”?" if near else "")),
        field="--file",
        more={"columns": missing},
    )  # fmt: skip


def _row(line: int, cells: list[str], columns: dict[int, str], width: int, dates: tuple[str, ...]) -> Row:
    known = {field: cells[nth].strip() for nth, field in columns.items() if nth < len(cells)}
    try:
        if len(cells) > width:
            raise usage(
                "too-many-cells",
                f"{len(cells)} cases pour {width} colonnes ; mettez le texte entre guillemets",
                f"{len(cells)} cells for {width} columns; put the text between quotes",
            )
        days = {date: read_sheet_day(known[date], _called(date)) for date in dates if known.get(date)}
        return Row(line, _details(known), days, known.get("referent") or None, known.get("site") or None, cells=known)
    except Failure as failure:
        return Row(line, None, {}, None, None, failure, known)


def _details(known: dict[str, str]) -> Details:
    for name in REQUIRED:
        if not known.get(name):
            raise usage(
                "missing-cell", f"{_called(name)} : case vide", f"{_called(name)}: empty cell", field=_called(name)
            )
    if born := known.get("birth_date"):
        known = {**known, "birth_date": read_sheet_day(born, _called("birth_date")).isoformat()}
    return details_of(known)


def details_of(known: Mapping[str, str], called: dict[str, str] | None = None) -> Details:
    """The details of a person from typed texts, each checked. Raises Failure that names the field as `called`."""
    named = {field: (called or {}).get(field) or _called(field) for field in COLUMNS}
    clean = {field: one_line(text, named.get(field, field)) for field, text in known.items() if text}
    language = clean.get("language", "fr").lower()[:2]
    if language not in ("fr", "en"):
        raise usage("not-a-language", f"{named['language']} : écrivez fr ou en", f"{named['language']}: write fr or en",
                    field=named["language"])  # fmt: skip
    email = clean.get("email")
    if email is not None and not _is_mail_address(email):
        raise usage("not-an-address", f"{named['email']} : « {email} » n'est pas une adresse",
                    f"{named['email']}: “{email}” is not an address", field=named["email"])  # fmt: skip
    phone = clean.get("phone")
    if phone is not None and not _is_phone(phone):
        raise usage("not-a-phone", f"{named['phone']} : « {phone} » n'est pas un numéro de téléphone ; écrivez ses dix"
                    " chiffres, ou + et l'indicatif du pays",
                    f"{named['phone']}: “{phone}” is not a telephone number; write its ten digits, or + and the code of"
                    " the country", field=named["phone"])  # fmt: skip
    return Details(
        first_name=clean["first_name"],
        last_name=clean["last_name"],
        birth_date=_born(clean["birth_date"], named["birth_date"]) if clean.get("birth_date") else None,
        reference=clean.get("reference"),
        email=email,
        phone=phone,
        language=language,
        place=clean.get("place"),
        languages=clean.get("languages"),
        interests=clean.get("interests"),
    )


def wrong_in(known: Mapping[str, str], called: dict[str, str] | None = None) -> Iterator[Failure]:
    """Each typed text that `details_of` refuses, apart: the first that is wrong must not hide the others."""
    for field, text in known.items():
        try:
            details_of({**dict.fromkeys(REQUIRED, "?"), field: text}, called)
        except Failure as failure:
            yield failure


def _is_mail_address(text: str) -> bool:
    """Whether a letter can be sent there, as far as its shape tells."""
    try:
        check_address(text)
    except BadAddress:
        return False
    return True


def _is_phone(text: str) -> bool:
    """Ten digits after a 0; with the country's code eight to fifteen; else a short number, or one of elsewhere."""
    digits = "".join(sign for sign in text if sign.isdigit())
    if "+" in text or digits.startswith("00"):
        return 8 <= len(digits.removeprefix("00")) <= 15
    return len(digits) == 10 if digits.startswith("0") else 4 <= len(digits) <= 15


def _born(text: str, field: str) -> date:
    from journeys.app.reading import today_of
    from journeys.clock import now

    born = read_day(text, field)
    if not born.year >= 1900 or born > today_of(now()):
        raise usage("not-a-birth-date", f"{field} : personne n'est né le {born:%d/%m/%Y}",
                    f"{field}: nobody was born on {born}", field=field)  # fmt: skip
    return born


def read_sheet_day(text: str, head: str) -> date:
    """A day as spreadsheets write it: also with midnight behind it. Raises Failure (usage)."""
    text = _MIDNIGHT.sub("", text.strip())
    if _SERIAL.fullmatch(text):
        raise usage(
            "not-a-date", f"{head} : « {text} » est un jour tel que le tableur le compte",
            f"{head}: “{text}” is a day as the spreadsheet counts it", field=head,
            remedy=Said("mettez la colonne au format Date (jj/mm/aaaa), puis enregistrez de nouveau en CSV",
                        "give the column the format Date (dd/mm/yyyy), then save as CSV again"),
        )  # fmt: skip
    if _SHORT_YEAR.fullmatch(text):
        raise usage("not-a-date", f"{head} : « {text} » ; écrivez l'année en quatre chiffres",
                    f"{head}: “{text}”; write the year in four digits", field=head)  # fmt: skip
    return read_day(text, head)


def one_line(text: str, field: str) -> str:
    """A short text that was typed, fit to be kept. Raises Failure (usage)."""
    text = clean_text(text.strip(), field)
    if "\n" in text or "\t" in text or len(text) > 200:
        raise usage("not-one-line", f"{field} : une seule ligne de 200 caractères au plus",
                    f"{field}: one line of 200 characters at most", field=field)  # fmt: skip
    return text


def _called(field: str) -> str:
    return COLUMNS[field][0] if field in COLUMNS else field


def _without_twins(rows: list[Row]) -> Iterator[Row]:
    """The first of two rows of one person is kept."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        keys = [] if row.details is None else _keys(row.details)
        before = next((seen[key] for key in keys if key in seen), None)
        if before is None:
            seen |= dict.fromkeys(keys, row.line)
            yield row
            continue
        yield Row(
            row.line,
            None,
            {},
            None,
            None,
            Failure(
                Exit.CONFLICT,
                "duplicate",
                Said(f"même personne que la ligne {before}", f"same person as line {before}"),
                field="reference" if len(keys) and keys[0] in seen and keys[0][0] == "ref" else "person",
            ),
            row.cells,
        )


def _keys(details: Details) -> list[tuple[str, ...]]:
    keys: list[tuple[str, ...]] = []
    if details.reference:
        keys.append(("ref", details.reference))
    if details.birth_date:
        name = search_form(f"{details.last_name} {details.first_name}")
        keys.append(("name", name, details.birth_date.isoformat()))
    return keys
