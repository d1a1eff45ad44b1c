"""A document as it is brought in: what it is by its bytes, a name that harms nobody, and how large it may be."""

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from journeys.app.failures import Exit, Failure, Said, usage
from journeys.domain.document import KINDS, LONGEST_NAME, Document, KindName

TOO_LARGE: Final = "document-too-large"
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_UNWANTED: Final = frozenset('<>:"|?*/\\')
"""What a file's name may not hold on some machine or other."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A document that was taken: what the journal will say of it, and its bytes."""

    document: Document
    content: bytes


def attach(name: str, content: bytes, largest: int, field: str) -> Attached:
    """Look at what was brought.

    Args:
        name: as it came, with whatever stands in it. largest: bytes that a document may have.

    Raises:
        Failure: empty, too large, or of a kind that is not taken; it names the field.
    """
    if not content:
        raise _refused("empty-document", "ce fichier est vide", "this file is empty", field,
                       Said("choisissez-en un autre", "choose another one"))  # fmt: skip
    if len(content) > largest:
        raise too_large(len(content), largest, field)
    kind = kind_of(content)
    if kind is None:
        raise _refused(
            "unknown-kind",
            "ce fichier n'est ni un PDF, ni une photo, ni un document Word ou OpenDocument sans macros",
            "this file is no PDF, no photo, and no Word or OpenDocument document without macros", field,
            Said("enregistrez-le en PDF, ou photographiez la page, puis choisissez ce fichier",
                 "save it as PDF, or photograph the page, then choose that file"),
        )  # fmt: skip
    return Attached(
        Document(digest=hashlib.sha256(content).hexdigest(), name=clean_name(name, kind), kind=kind, size=len(content)),
        content,
    )


def too_large(size: int, largest: int, field: str) -> Failure:
    """A document with more bytes than it may have."""
    weighs, most = f"{size / 1e6:.1f}", f"{largest / 1e6:g}"
    return _refused(
        TOO_LARGE, f"ce fichier pèse {weighs.replace('.', ',')} Mo ; {most} Mo au plus",
        f"this file has {weighs} MB; {most} MB at most", field,
        Said("numérisez-le en noir et blanc ou en moindre qualité, ou déposez-le en plusieurs fois",
             "scan it in black and white or in lower quality, or bring it in parts"),
    )  # fmt: skip


def altered() -> Failure:
    """A document that is not, byte for byte, what was brought: it is not handed out."""
    return Failure(
        Exit.BROKEN, "document-altered",
        Said("ce document n'est plus celui qui a été déposé ; il n'est pas remis",
             "this document is not the one that was brought any more; it is not handed out"),
        Said("prévenez la personne qui tient la machine : il est à reprendre d'une copie saine",
             "tell whoever keeps the machine: it has to be taken from a sound copy"),
    )  # fmt: skip


def _refused(code: str, fr: str, en: str, field: str, remedy: Said) -> Failure:
    """An option of the command line stands in the sentence; a field of a page stands beside it."""
    fr, en = (f"{field} : {fr}", f"{field}: {en}") if field.startswith("--") else (fr, en)
    return usage(code, fr, en, field=field, remedy=remedy)


def kind_of(content: bytes) -> KindName | None:
    """What these bytes are, by what stands in them; None for everything that is not taken."""
    return next((kind for kind, holds in _SIGNS if holds(content)), None)


def clean_name(name: str, kind: KindName) -> str:
    """The last part of a path without signs that steer a terminal or a file system, ending as its kind does."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(" " if sign in _UNWANTED or not sign.isprintable() else sign for sign in last)
    plain = " ".join(plain.split()).rstrip(". ")
    stem, dot, ending = plain.rpartition(".")
    if dot and f".{ending}".lower() in KINDS[kind].endings:
        ending = f".{ending.lower()}"
    else:
        stem, ending = plain, KINDS[kind].endings[0]
    return (stem.strip(". ") or "document")[: LONGEST_NAME - len(ending)].rstrip() + ending


def _is_zip_of(first: bytes, *inside: bytes) -> Callable[[bytes], bool]:
    """A ZIP archive whose first member has this name, and which names these members (in clear, as ZIP does)."""

    def holds(content: bytes) -> bool:
        names = content.startswith(b"PK\x03\x04") and content[30 : 30 + len(first)] == first
        return names and all(each in content for each in inside) and b"vbaProject" not in content

    return holds


_SIGNS: Final[tuple[tuple[KindName, Callable[[bytes], bool]], ...]] = (
    ("pdf", lambda content: content.startswith(b"%PDF-")),
    ("jpeg", lambda content: content.startswith(b"\xff\xd8\xff")),
    ("png", lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    ("webp", lambda content: content.startswith(b"RIFF") and content[8:12] == b"WEBP"),
    ("heic", lambda content: content[4:8] == b"ftyp" and content[8:12] in _HEIC),
    ("tiff", lambda content: content.startswith((b"II*\x00", b"MM\x00*"))),
    ("odt", _is_zip_of(b"mimetypeapplication/vnd.oasis.opendocument.textPK")),
    ("docx", _is_zip_of(b"[Content_Types].xml", b"word/document.xml")),
)
"""How each kind is known. Macros are not taken."""
