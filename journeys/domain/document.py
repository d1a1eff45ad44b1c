"""A document that somebody shows with a fact: what the journal keeps of it, as one part that can be deleted."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from journeys.domain.record import Digest, Frozen

PART: Final = "document"
"""The part that tells of a document. The bytes stand elsewhere, under the journey's stream and their digest."""

LONGEST_NAME: Final = 120

KindName = Literal["pdf", "jpeg", "png", "webp", "heic", "tiff", "docx", "odt"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken: what people call it, its media type, how its names end (the usual one first)."""

    label: str
    media_type: str
    endings: tuple[str, ...]


KINDS: Final[dict[KindName, Kind]] = {
    "pdf": Kind("PDF", "application/pdf", (".pdf",)),
    "jpeg": Kind("JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "png": Kind("PNG", "image/png", (".png",)),
    "webp": Kind("WebP", "image/webp", (".webp",)),
    "heic": Kind("HEIC", "image/heic", (".heic", ".heif")),
    "tiff": Kind("TIFF", "image/tiff", (".tif", ".tiff")),
    "docx": Kind("Word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",)),
    "odt": Kind("OpenDocument", "application/vnd.oasis.opendocument.text", (".odt",)),
}


class Document(Frozen):
    """What the journal says of a document."""

    digest: Digest
    """SHA-256 of its bytes."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
    kind: KindName
    size: Annotated[int, Field(gt=0)]
    """Bytes."""

    @property
    def label(self) -> str:
        return KINDS[self.kind].label

    @property
    def media_type(self) -> str:
        return KINDS[self.kind].media_type

    def as_part(self) -> str:
        """The text of the part."""
        return self.model_dump_json()


def read_document(text: str) -> Document | None:
    """The document that a part tells of; None when it is none."""
    try:
        return Document.model_validate_json(text)
    except ValidationError:
        return None
