"""What is answered through a one-time link, as the command that it stands for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from journeys.app.entry import Actor, clean_text, make_command
from journeys.app.failures import Failure, usage
from journeys.app.finding import Loaded
from journeys.app.reading import ZONE, read_day, read_instant, read_occurred
from journeys.domain import commands as c
from journeys.domain.commands import AnyBody, Command
from journeys.domain.links import Purpose, times_offered
from journeys.domain.record import instant_text
from journeys.store.links import Link, Opened
from journeys.store.signing import KeyRing

CHOICES: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.PROPOSAL: ("yes", "no"),
    Purpose.REFERRAL: ("yes", "no"),
    Purpose.CONTACT: ("made",),
    Purpose.APPOINTMENT: ("coming", "move", "other-time", "declined"),
    Purpose.MESSAGES: ("stop", "again"),
}
"""What may be answered, what is usually hoped for first; `move` is followed by one of the times offered."""
_WORD: Final[Mapping[tuple[Purpose, str], str]] = {
    (Purpose.PROPOSAL, "no"): "reason",
    (Purpose.REFERRAL, "yes"): "note",
    (Purpose.REFERRAL, "no"): "reason",
    (Purpose.CONTACT, "made"): "note",
    (Purpose.APPOINTMENT, "coming"): "note",
    (Purpose.APPOINTMENT, "move"): "reason",
    (Purpose.APPOINTMENT, "other-time"): "note",
    (Purpose.APPOINTMENT, "declined"): "note",
}
"""The part of the command that keeps what was written with an answer; a mentor's yes keeps nothing."""


def read_answer(
    link: Link, typed: Mapping[str, str], loaded: Loaded, zone: ZoneInfo, now: datetime
) -> tuple[dict[str, str], list[Failure]]:
    """The codes of a form's answer, and what is wrong with it, by field.

    Args:
        zone: the recipient's, in which hours are shown and written.
    """
    said, _, at = typed.get("answer", "").partition(" ")
    answer, wrong = {"answer": said}, _wrong_word(typed.get("word", ""))
    match link.purpose:
        case _ if said not in CHOICES[link.purpose] or (link.purpose is Purpose.MESSAGES and said != link.subject):
            wrong.append(usage("choose", "choisissez une réponse", "choose an answer", field="answer"))
        case Purpose.REFERRAL if said == "no" and not typed.get("word", "").strip():
            wrong.append(usage("missing", "dites en quelques mots pourquoi", "say in a few words why", field="word"))
        case Purpose.CONTACT:
            answer |= {"means": typed.get("means", ""), "on": typed.get("on", "").strip()}
            if answer["means"] not in loaded.book.programme.contacts[link.subject].means:
                wrong.append(usage("choose", "choisissez dans la liste", "choose from the list", field="means"))
            wrong += _wrong_day(answer["on"], now)
        case Purpose.APPOINTMENT if said in ("move", "declined") and is_summons(loaded, link.subject):
            wrong.append(usage("summons", "cette heure ne se change pas ici : demandez-en une autre, ou appelez",
                               "this time is not changed here: ask for another one, or call",
                               field="answer"))  # fmt: skip
        case Purpose.APPOINTMENT if said != "other-time" and typed.get("wish", "").strip():
            wrong.append(usage("two-times", "vous avez écrit une autre heure : effacez-la, ou demandez-la",
                               "you wrote another time: take it out, or ask for it", field="wish"))  # fmt: skip
        case Purpose.APPOINTMENT if said == "move":
            answer |= {"at": at, "zone": zone.key}
            if at not in map(instant_text, times_offered(loaded.state, link.subject, now)):
                wrong.append(usage(
                    "not-offered", "cette heure n'est plus proposée : choisissez-en une autre",
                    "that time is not offered any more: choose another one", field="answer",
                ))  # fmt: skip
        case Purpose.APPOINTMENT if said == "other-time" and typed.get("wish", "").strip():
            try:
                answer["wish"] = instant_text(_wish(typed["wish"], zone, now))
            except Failure as failure:
                wrong.append(failure.beside_its_field())
    return answer, wrong


def is_summons(loaded: Loaded, appointment: str) -> bool:
    """Whether an appointment is a summons: the person neither moves nor declines it."""
    known = loaded.state.appointments.get(appointment)
    return known is not None and known.summons


def _wish(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    wish = read_instant(text, "wish", zone)
    if wish <= now:
        raise usage("past", "cette heure est déjà passée", "that time has passed already", field="wish")
    return wish


def _wrong_word(word: str) -> list[Failure]:
    try:
        clean_text(word, "word")
    except Failure:
        return [usage("text", "ce texte est trop long, ou contient des signes qui ne peuvent pas être gardés",
                      "this text is too long, or holds signs that cannot be kept", field="word")]  # fmt: skip
    return []


def _wrong_day(on: str, now: datetime) -> list[Failure]:
    try:
        day = read_day(on, "on")
    except Failure as failure:
        return [failure]
    if day > now.astimezone(ZONE).date():
        return [usage("ahead", "ce jour n'est pas encore venu", "that day has not come yet", field="on")]
    return []


def command_of(ring: KeyRing, opened: Opened, word: str, now: datetime, id: str | None = None) -> Command:
    """The signed command of an answer that was taken: sent again it is the same.

    Args:
        opened: with the answer that counts, and when it was given. word: what was written with it. now: of the
            entry point's clock. id: where the link serves once more.

    Raises:
        Failure: a text that cannot be kept.
    """
    link, answer, at = opened.link, opened.answer, opened.at
    assert at is not None
    part = _WORD.get((link.purpose, answer["answer"]))
    occurred = read_occurred(answer["on"], "on", at) if "on" in answer else at
    return make_command(
        ring, stream=link.stream, body=_body(link, answer), actor=Actor(link.recipient, "", (link.role,)), now=now,
        texts={part: word.strip()} if part is not None and word.strip() else {}, id=id or link.command,
        occurred_at=min(occurred, at),
    )  # fmt: skip


def _body(link: Link, answer: Mapping[str, str]) -> AnyBody:
    said = answer["answer"]
    match link.purpose:
        case Purpose.PROPOSAL if said == "yes":
            return c.MatchMentor(mentor=link.recipient)
        case Purpose.PROPOSAL:
            return c.DeclineMentor(mentor=link.recipient)
        case Purpose.REFERRAL if said == "yes":
            return c.AcceptReferral(referral=link.subject)
        case Purpose.REFERRAL:
            return c.DeclineReferral(referral=link.subject)
        case Purpose.CONTACT:
            return c.LogContact(contact=link.subject, means=answer["means"])
        case Purpose.APPOINTMENT if said == "move":
            return c.MoveAppointment(appointment=link.subject, at=datetime.fromisoformat(answer["at"]))
        case Purpose.APPOINTMENT if said in ("coming", "declined"):
            return c.AnswerAppointment(appointment=link.subject, answer="coming" if said == "coming" else "declined")
        case Purpose.APPOINTMENT:
            wish = datetime.fromisoformat(answer["wish"]) if "wish" in answer else None
            return c.AnswerAppointment(appointment=link.subject, answer="other-time", wish=wish)
        case Purpose.MESSAGES:
            return c.OptOut() if said == "stop" else c.OptIn()
        case _:
            assert_never(link.purpose)
