"""Messages déposés: what left by which channel, and the letters that a machine without a mail server has laid down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Exit, Failure, Said
from journeys.app.outbox import Laid, Lying, listed, opened
from journeys.app.web.pages.documents import handed_over
from journeys.app.web.policy import POSTING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.i18n import N_
from journeys.store import attempts, letters, views
from journeys.store.attempts import Left
from journeys.store.keys import HOUSE, key_of_stream
from journeys.store.reads import Read
from journeys.store.staff import stream_of

router = APIRouter()

HERE: Final = "/messages-deposes"
A_PAGE: Final = 100
DAYS: Final = 30
_MOST_JOURNEYS: Final = 20
"""Of one person."""

_CHANNELS: Final = {
    "outbox": N_("déposé sur cette machine"), "mail": N_("courriel"), "sms": N_("SMS"), "letter": N_("courrier"),
}  # fmt: skip
_FATES: Final = {
    "sent": (N_("partis"), "done"), "nothing-left": (N_("pas partis, retentés"), "soon"),
    "refused": (N_("refusés"), "late"), "unknown": (N_("sans nouvelle"), "late"), None: (N_("sans nouvelle"), "late"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """A letter as the list shows it."""

    letter: Lying
    journeys: Sequence[tuple[str, str | None]]
    """Those that it may tell of and that the visitor sees: id and name."""
    opens: bool


@router.get(HERE)
async def screen(visit: Visit = door(POSTING)) -> Response:
    """No letter is opened here: whom it tells of is known by the key that seals it."""
    settings = visit.house.settings
    every = await listed(settings.outbox_dir)
    people = {each.person for each in every[:A_PAGE] if each.person is not None}
    seen = {person: await _journeys(visit, person) for person in sorted(people)}
    await visit.done()
    tells = await letters.journeys_of(visit.house.writing, [each.id for each in every[:A_PAGE]], people)
    lines = []
    for each in every[:A_PAGE]:
        journeys = _told_of(each, seen.get(each.person or "", ()), tells)
        lines.append(_Line(each, journeys, bool(journeys) or _open_to(visit, each)))
    left = await attempts.by_channel(visit.house.writing, DAYS)
    return page(
        visit, "outbox.html", lines=lines, more=len(every) - len(lines), days=DAYS, posted=settings.smtp.host is None,
        left=[_left(visit, each) for each in left],
    )  # fmt: skip


@router.get(f"{HERE}/{{letter}}")
async def read(letter: str, visit: Visit = door(POSTING)) -> Response:
    """One letter in plain; that it was opened is noted."""
    found = await _opened(visit, letter)
    return page(visit, "outbox-letter.html", letter=found)


@router.get(f"{HERE}/{{letter}}/message.eml")
async def file(letter: str, visit: Visit = door(POSTING)) -> Response:
    """The same for a mail program."""
    found = await _opened(visit, letter)
    return handed_over(found.whole, f"message-{found.id[:8]}.eml", "message/rfc822")


async def _opened(visit: Visit, id: str) -> Laid:
    """A letter of a journey that they see, of nobody, or to them. Raises Failure: no such one."""
    folder = visit.house.settings.outbox_dir
    letter = next((each for each in await listed(folder) if each.id == id), None)
    journeys = await _journeys(visit, letter.person) if letter is not None and letter.person is not None else ()
    await visit.done()
    if letter is not None and letter.person is not None:
        tells = await letters.journeys_of(visit.house.writing, [letter.id], [letter.person])
        journeys = _told_of(letter, journeys, tells)
    found = None
    if letter is not None and (journeys or _open_to(visit, letter)):
        found = await opened(folder, visit.house.writing.keys, id)
    if found is None:
        raise Failure(
            Exit.NOT_FOUND, "no-letter",
            Said("il n'y a pas de message à cette adresse que vous puissiez lire",
                 "there is no message at this address that you can read"),
            Said("il a pu être effacé avec la personne, ou parler d'un parcours qui ne vous est pas ouvert",
                 "it may have been erased with the person, or tell of a journey that is not open to you"),
        )  # fmt: skip
    looked: list[str | None] = [each for each, _ in journeys]
    for journey in looked or [None]:
        visit.house.looked(Read(visit.visitor.id, tuple(visit.visitor.roles), journey, "letters", "web"))
    return found


def _open_to(visit: Visit, letter: Lying) -> bool:
    """Whether a letter of no one person opens: what tells a member of staff of several journeys, to them alone."""
    return letter.key in (HOUSE, key_of_stream(stream_of(visit.visitor.id)))


def _told_of(
    letter: Lying, seen: Sequence[tuple[str, str | None]], tells: Mapping[str, str]
) -> Sequence[tuple[str, str | None]]:
    """Of the journeys of its person, the one that a letter to them tells of; all where that is not on record."""
    stream = tells.get(letter.id)
    return seen if stream is None else [each for each in seen if f"journey-{each[0]}" == stream]


async def _journeys(visit: Visit, person: str) -> Sequence[tuple[str, str | None]]:
    rows = await views.journeys(visit.connection, person=person, limit=_MOST_JOURNEYS)
    return [(row.id, row.name) for row in rows]


def _left(visit: Visit, each: Left) -> tuple[str, str, str, Left]:
    """Its channel, what became of it and the tone of that, in words."""
    word, tone = _FATES.get(each.fate, _FATES[None])
    return visit.say(_CHANNELS.get(each.channel, each.channel)), visit.say(word), tone, each
