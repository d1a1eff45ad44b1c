"""Right of access: everything that is held about a person, as files to hand to them."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from journeys.app import papers
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded, load
from journeys.app.inbox import role_label
from journeys.app.reading import today_of
from journeys.app.registers import Sent, as_data, as_report, held_of, sent_of, words_of_messages
from journeys.app.telling import being_forgotten
from journeys.audit.narrating import Story, narrate
from journeys.audit.reading import read_names
from journeys.documents import Letter
from journeys.domain.document import KINDS, PART, read_document
from journeys.domain.record import SYSTEM, instant_text
from journeys.domain.rights import sees
from journeys.i18n import Lang, text
from journeys.store import journal, mentors, people, views
from journeys.store.database import Pool
from journeys.store.directory import names_of
from journeys.store.documents import content_of
from journeys.store.journal import StoredEvent, StoredPart
from journeys.store.people import Person
from journeys.store.signing import KeyRing

GIVES: Final = "supervisor"
"""The role in which somebody hands over what is held about a person."""
_MOST_JOURNEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Told:
    """A journey with its texts, who is named in it, and its story."""

    loaded: Loaded
    parts: list[StoredPart]
    names: dict[str, str]
    story: Story


async def journeys_of(pool: Pool, person: Person, actor: Actor) -> list[Loaded]:
    """Every journey of a person, for a supervisor who may look into all of them.

    Raises:
        Failure: refused; nothing of what is held was read out.
    """
    rows = await views.journeys(pool, person=person.id, limit=_MOST_JOURNEYS)
    found = [await load(pool, row) for row in rows]
    if person.erasing:
        raise being_forgotten()
    if GIVES not in actor.roles:
        raise _refused("remettre à une personne ce qui est gardé sur elle revient à un responsable",
                       "handing over what is held about a person is for a supervisor")  # fmt: skip
    if not all(sees(actor, each.state, each.book.programme) for each in found):
        raise _refused("un des parcours de cette personne est d'un site qui n'est pas le vôtre",
                       "one of this person's journeys is of a site that is not yours")  # fmt: skip
    return found


def _refused(fr: str, en: str) -> Failure:
    return Failure(
        Exit.REFUSED, "no-right", Said(fr, en),
        Said("demandez à un responsable de tous ces sites", "ask a supervisor of all these sites"),
    )  # fmt: skip


async def files_of(
    pool: Pool, person: Person, journeys: Sequence[Loaded], lang: Lang, at: datetime, *, sender: str, ring: KeyRing,
    outbox: Path,
) -> AsyncIterator[tuple[str, bytes]]:  # fmt: skip
    """Name and content of each file, one at a time: documents, the story of each journey, registers, all as data, a
    letter.

    Args:
        ring: the signing keys, under which what goes to a bank is sealed.
        outbox: the folder of letters that nobody has posted.

    Raises:
        Failure: a paper cannot be typeset.
    """
    held: list[dict[str, Any]] = []
    sent: list[Sent] = []
    for number, loaded in enumerate(journeys, start=1):
        told = await _told(pool, loaded, lang)
        documents: list[dict[str, Any]] = []
        for part in told.parts:
            document = read_document(part.text) if part.name == PART else None
            if document is None:
                continue
            content = await content_of(pool, loaded.row.stream, document.digest)
            name = f"document-{number}-{part.seq}{KINDS[document.kind].endings[0]}"
            documents.append(
                {"event": part.seq, **document.model_dump(mode="json"), "file": name if content is not None else None}
            )
            if content is not None:
                yield name, content
        yield (
            f"parcours-{number}.pdf",
            papers.summary(loaded, told.names, told.story, lang, at, sender=sender, notes=True),
        )
        sent += await sent_of(pool, loaded, told.names, lang)
        events = await journal.read_all(pool, loaded.row.stream)
        held.append({
            **told.story.as_json(), "programme": loaded.row.programme, "status": loaded.row.status,
            "events": _events(events, told.parts), "documents": documents,
        })  # fmt: skip
    # A volunteer who is accompanied too is one id on two streams.
    facts, as_mentor = [
        _events(await journal.read_all(pool, stream), await journal.parts(pool, stream))
        for stream in (people.stream_of(person.id), mentors.stream_of(person.id))
    ]
    noted = [*facts, *as_mentor]
    acted = await _acted(pool, person, [*noted, *(event for each in held for event in each["events"])], lang)
    registers = await held_of(pool, ring, outbox, person, journeys, noted, lang)
    data = {
        "made_at": instant_text(at),
        "person": {"id": person.id, **asdict(person.details)},
        "choices": {
            "channel": person.channel, "unreachable_by": person.dead,
            "opted_out": person.opted_out, "paused_until": person.paused_until, "died": person.died,
            "died_on": person.died_on, "erasure_requested": person.erasure_requested,
        },
        "facts": facts, "facts_as_mentor": as_mentor, "journeys": held, "acted": acted, **as_data(registers, lang),
    }  # fmt: skip
    zone = person.details.zone
    yield "messages.pdf", papers.typeset(words_of_messages(registers, person, lang, at, sender), lang, at, zone)
    yield "registres.pdf", papers.typeset(as_report(registers, sent, person, lang, sender=sender), lang, at, zone)
    yield "donnees.json", json.dumps(data, ensure_ascii=False, indent=1, default=str).encode()
    letter = _letter(person, held, acted, lang, at, sender)
    yield "lettre.pdf", papers.typeset(letter, lang, at, zone)


async def _told(pool: Pool, loaded: Loaded, lang: Lang) -> _Told:
    parts = await journal.parts(pool, loaded.row.stream)
    names = await read_names(pool, loaded.events)
    return _Told(loaded, parts, names, narrate(loaded.events, parts, names, loaded.book, lang, payees=True))


def _events(stored: Sequence[StoredEvent], parts: Sequence[StoredPart]) -> list[dict[str, Any]]:
    """Each event's header as recorded, with the texts that can be read; None for one that was deleted."""
    texts = {(part.seq, part.name): part.text for part in parts}
    headers = [event.read() for event in stored]
    return [
        {**header, "texts": {name: texts.get((header["seq"], name)) for name in header.get("parts", {})}}
        for header in headers
    ]


async def _acted(pool: Pool, person: Person, events: Sequence[dict[str, Any]], lang: Lang) -> list[dict[str, str]]:
    """Who recorded something, each once for each role, by name; neither the system nor the person."""
    pairs = {(event["actor"], event["role"]) for event in events} - {(SYSTEM, SYSTEM)}
    names = await names_of(pool, {actor for actor, _ in pairs})
    found = [
        {"name": names.get(actor, "—"), "role": role_label(role, lang)}
        for actor, role in pairs if actor not in (SYSTEM, person.id)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each["name"], each["role"]))


def _letter(
    person: Person, held: Sequence[dict[str, Any]], acted: Sequence[dict[str, str]], lang: Lang, at: datetime,
    sender: str,
) -> Letter:  # fmt: skip
    _, known = text(lang), person.details
    identity = (
        (_("Personne"), person.name),
        (_("Date de naissance"), str(known.birth_date or "")),
        (_("Référence"), known.reference or ""),
        (_("Courriel"), known.email or ""),
        (_("Téléphone"), known.phone or ""),
        (_("Ville"), known.place or ""),
        (_("Langues parlées"), known.languages or ""),
        (_("Centres d'intérêt"), known.interests or ""),
    )
    documents = [document for each in held for document in each["documents"]]
    missing = sum(document["file"] is None for document in documents)
    colon = ": " if lang == "en" else "\N{NO-BREAK SPACE}: "
    people_named = "\n".join(f"{each['name']} ({each['role']})" for each in acted)
    paragraphs = (
        _("Bonjour {name},").format(name=known.first_name),
        _("Vous avez le droit de savoir ce que nous gardons sur vous. Voici tout ce qui est gardé."),
        "\n".join(f"{label}{colon}{value}" for label, value in identity if value),
        _("Vos parcours : {count}. L'histoire de chacun, jour par jour, est dans un fichier « parcours » : rendez-vous,"
          " aides et versements, accords donnés, mentors, ce qui a été écrit.").format(count=len(held)),
        _("Documents déposés : {count}. Chacun est joint dans son propre fichier.").format(
            count=len(documents) - missing),
        _("Documents qui ne sont plus là ou ne sont plus intacts : {count}.").format(count=missing) if missing else "",
        _("Qui a noté quelque chose :") + "\n" + people_named if people_named else "",
        _("Le fichier « donnees.json » contient tout ce qui précède, et chaque fait tel qu'il a été noté, pour un"
          " programme."),
        _("Le fichier « registres » dit le reste : les messages et leurs essais d'envoi, les lettres sur papier, qui a"
          " ouvert votre dossier, vos versements tels que la banque les voit, les liens donnés. Le fichier « messages »"
          " donne les mots des messages qui sont gardés."),
        _("Tout n'est pas joint : « registres » dit ce qui ne l'est pas, et pourquoi. Vous pouvez nous interroger."),
        _("Vous pouvez demander de corriger ou d'effacer ce qui vous concerne. Les pièces de comptabilité se gardent"
          " dix ans, même après un effacement."),
    )  # fmt: skip
    return Letter(
        sender=sender, recipient=person.name, subject=_("ce que nous gardons sur vous"),
        paragraphs=tuple(filter(None, paragraphs)), day=today_of(at),
    )  # fmt: skip
