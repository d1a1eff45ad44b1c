"""What is held about a person beside their journal: messages, letters, looks, bank, links; told to them as a paper."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from journeys.app.finding import Loaded
from journeys.app.inbox import role_label
from journeys.app.outbox import Laid, listed, opened
from journeys.app.reading import ZONE, today_of
from journeys.app.seeing_reads import ENTRIES, WORDS
from journeys.audit.messages import sendings, told
from journeys.documents import Entry, Fact, Letter, Report, Section
from journeys.domain.messages import PARTICIPANT
from journeys.domain.record import instant_text
from journeys.i18n import N_, Lang, format_date, format_instant, format_money, text
from journeys.narration import spoken
from journeys.narration.bank_files import gone_said
from journeys.narration.own_facts import KINDS, fact_words
from journeys.narration.telling import Names, Speech
from journeys.store import attempts, bank_files, erasing, journal, people, reads
from journeys.store.database import Pool
from journeys.store.holding import Row, Whose, rows_of
from journeys.store.links import PATH as LINKS
from journeys.store.people import Person
from journeys.store.reads import Seen
from journeys.store.signing import KeyRing

NOT_HANDED: Final[Mapping[str, tuple[str, ...]]] = {
    N_("les fichiers échangés avec la banque : d'autres personnes y sont nommées ; vos propres lignes sont jointes"):
        ("batch_files",),
    N_("ce que la machine garde pour dérouler vos parcours : les mêmes faits, écrits pour elle"):
        ("history_files",),
    N_("ce qui permet de vous retrouver par votre nom ou votre numéro : des empreintes que personne ne peut lire"):
        ("person_tokens",),
    N_("ce qu'un collègue a commencé d'écrire sans l'envoyer : gardé quelques heures, rien ne dit de qui cela parle"):
        ("kept_forms",),
    N_("la place de chaque fait dans la preuve du journal : des numéros, sans un mot sur vous"):
        ("log_entries", "pending", "streams", "webhook_places"),
    N_("ce que trouvent les contrôles de chaque nuit : des listes de numéros de plusieurs dossiers à la fois"):
        ("controls", "replays", "verifications"),
    N_("les clés sous lesquelles est fermé ce qui est gardé sur vous, et la liste qui dit de qui est chaque parcours :"
       " elles servent à ouvrir, et ne disent rien de plus"): ("keys.journeys", "keys.keys"),
    N_("la banque simulée des démonstrations : les mêmes versements, sans nom ni compte, que personne n'a reçus"):
        ("bank.instructions", "bank.knocks", "bank.movements"),
    N_("ce que le parcours d'une autre personne dit de vous comme mentor : c'est le sien, et il parle d'elle"): (),
    N_("pourquoi un lot de virements a été retiré, ou reconnu comme une seule somme, et ce qui a été écrit de lignes de"
       " la banque dont personne ne sait si elles parlent de vous : d'autres personnes peuvent y être nommées"): (),
    N_("les noms de ceux qui ont ouvert votre dossier, et les adresses des messages envoyés à d'autres à votre sujet :"
       " ils les concernent, eux"): (),
    N_("qui a lu des tableaux de plusieurs dossiers à la fois : on ne sait pas si une ligne du vôtre y était"): (),
    N_("le texte des messages remis à un serveur de courriel ou de SMS : il n'est pas gardé"): (),
    N_("les liens personnels dans les messages : ils permettent de répondre à la place de qui les a reçus"): (),
    N_("les copies de sauvegarde et les journaux techniques : les premières contiennent ce qui est joint, les seconds"
       " ne nomment personne"): (),
}  # fmt: skip
"""What is held and not handed over, and why, with the tables in which it lies: of the journal, of its schema `bank`, of
the database `keys`."""

ABOUT_OTHERS: Final = frozenset({
    "absences", "accounts", "identities", "partners", "sessions", "staff", "staff_letters", "tokens",
})  # fmt: skip
"""Tables about those who work here, or with us."""

ABOUT_NOBODY: Final = frozenset({
    "bank_files", "bank_statements", "batch_givings", "batch_withdrawals", "batches", "channel_silences",
    "checkpoint_deliveries", "checkpoint_parties", "checkpoints", "cohorts", "digests", "edited_templates", "funds",
    "gateway_turns", "keys.migrations", "log_head", "log_tiles", "migrations", "programme_roles", "published",
    "rotas_ended", "signing_keys", "sites", "stops", "texts", "webhooks",
})  # fmt: skip
"""Tables of the house: rules, funds, files as a whole, keys, proofs."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the registers hold about a person."""

    rows: Mapping[str, Sequence[Row]]
    """By table."""
    looks: Sequence[Seen]
    letters: Sequence[Laid]
    """Of the outbox, to the person and to others about them; the oldest first."""
    own: Collection[str]
    """Ids of the letters to the person, whatever their address was then."""
    noted: Sequence[Mapping[str, Any]]
    """Headers of the facts on their own stream, and on that of the mentor who they are, each with its `texts`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a journey, in words: when, what it was about, and what became of it."""

    when: str
    about: str
    became: str


async def held_of(
    pool: Pool, ring: KeyRing, outbox: Path, person: Person, journeys: Sequence[Loaded],
    noted: Sequence[Mapping[str, Any]], lang: Lang,
) -> Held:  # fmt: skip
    """Read what the registers hold; one-time addresses stand in no letter of it.

    Args:
        outbox: the folder of letters that nobody has posted.
        noted: the facts of their own, as in Held.
    """
    whose = Whose(person.id, [each.row.id for each in journeys])
    known = await journal.read_all(pool, people.stream_of(person.id))
    looks = await reads.about(pool, whose.journeys, known[0].wall) if known else []
    lying = [each.id for each in await listed(outbox) if each.person == person.id]
    letters = [
        replace(letter, subject=_without_links(letter.subject, lang), text=_without_links(letter.text, lang), whole=b"")
        for id in lying if (letter := await opened(outbox, pool.keys, id)) is not None
    ]  # fmt: skip
    rows = await rows_of(pool, ring, whose)
    for row in rows["paper_letters"]:
        if row.get("words") is not None:
            row["words"] = {name: _without_links(said, lang) for name, said in row["words"].items()}
    own = frozenset(await erasing.letters_to(pool, person.id))
    return Held(rows, looks, sorted(letters, key=lambda each: (each.at, each.id)), own, noted)


_ADDRESS: Final = re.compile(rf"\S*{LINKS}\S*[\w-]")
"""Of a one-time link, of a feed, or of where messages are stopped: whoever has it answers as the one who got it."""


def _without_links(said: str, lang: Lang) -> str:
    _ = text(lang)
    return _ADDRESS.sub(_("[lien personnel retiré]"), said)


async def sent_of(pool: Pool, loaded: Loaded, names: Names, lang: Lang) -> list[Sent]:
    """The messages to the person of a journey, the first one first."""
    speech = Speech(loaded.book, names, lang, loaded.state)
    found = sendings(loaded.events, loaded.state, loaded.book, await attempts.of_journey(pool, loaded.row.stream))
    return [
        Sent(speech.when(each.at), f"{speech.spoken(each.purpose)}, {speech.about(each.about)}", told(each, speech))
        for each in reversed(found) if each.to == PARTICIPANT
    ]  # fmt: skip


def as_data(held: Held, lang: Lang) -> dict[str, Any]:
    """All of it for a program."""
    _ = text(lang)
    return {
        "registers": held.rows,
        "looks": [
            {"at": instant_text(each.at), "who": each.who, "roles": each.roles, "look": each.look, "by": each.entry,
             "all": each.all}
            for each in held.looks
        ],
        "letters": [
            {"id": each.id, "at": instant_text(each.at), "to": each.to if each.id in held.own else None,
             "subject": each.subject, "text": each.text}
            for each in held.letters
        ],
        "not_handed": [_(why) for why in NOT_HANDED],
    }  # fmt: skip


# --- as papers


def words_of_messages(held: Held, person: Person, lang: Lang, at: datetime, sender: str) -> Letter:
    """The words of each message and paper letter that are kept, one after the other."""
    _ = text(lang)
    mail = [
        (each.at, _("Message") if each.id in held.own else _("Message à quelqu'un d'autre, à votre sujet"),
         each.subject, each.text)
        for each in held.letters
    ]  # fmt: skip
    paper = [
        (_instant(row["at"]), _("Lettre sur papier"), row["words"]["subject"], row["words"]["body"])
        for row in held.rows["paper_letters"] if row.get("words") is not None
    ]  # fmt: skip
    told = sorted((*mail, *paper), key=lambda each: each[0])
    return Letter(
        sender=sender, recipient=person.name, subject=_("les mots de vos messages"), day=today_of(at),
        paragraphs=tuple(f"{kind}, {format_instant(when, lang, ZONE)}\n{subject}\n{words.strip()}"
                         for when, kind, subject, words in told)
        or (_("Aucun message n'est gardé avec ses mots."),),
    )  # fmt: skip


def as_report(held: Held, sent: Sequence[Sent], person: Person, lang: Lang, *, sender: str) -> Report:
    """The registers in words: a table each, and what is not handed over."""
    _ = text(lang)
    sections = [make(held, sent, lang) for make in _SECTIONS]
    counts = [(each.title, str(len(each.rows))) for each in sections]
    return Report(
        sender=sender, title=_("Ce que nous gardons d'autre sur vous"),
        facts=(Fact(_("Personne"), person.name), *(Fact(*each) for each in _choices(person, lang))),
        overview=Section(_("Ce qui suit"), (_("Quoi"), _("Combien")), tuple(counts), (3, 1)),
        entries=tuple(Entry(each.title, (), each) for each in sections if each.rows),
        method=tuple(f"– {_(why)}" for why in NOT_HANDED),
        entries_title=_("Une chose après l'autre"), method_title=_("Ce qui n'est pas joint, et pourquoi"),
    )  # fmt: skip


def _choices(person: Person, lang: Lang) -> list[tuple[str, str]]:
    _, yes, no = text(lang), text(lang)("oui"), text(lang)("non")
    reached = ", ".join(spoken(each, lang) for each in person.dead)
    return [
        (_("Moyen choisi"), spoken(person.channel, lang) if person.channel else "—"),
        (_("Langue des messages"), person.details.language),
        (_("Messages refusés"), yes if person.opted_out else no),
        (_("Messages en pause jusqu'au"),
         format_instant(person.paused_until, lang, person.details.zone) if person.paused_until else "—"),
        (_("Moyens qui ne vous atteignent plus"), reached or "—"),
        (_("Effacement demandé"), yes if person.erasure_requested else no),
    ]  # fmt: skip


def _messages(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    rows = tuple((each.when, each.about, each.became) for each in sent)
    return Section(_("Messages"), (_("Quand"), _("À quel sujet"), _("Ce qu'il en est")), rows, (2, 3, 3))


def _attempts(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    ends = {(each["message"], each["number"]): each for each in held.rows["message_ends"]}
    rows = []
    for each in sorted(held.rows["message_attempts"], key=lambda row: str(row["at"])):
        end = ends.get((each["message"], each["number"]))
        fate = _in_words(_FATES, end["fate"], lang) if end is not None else _("on ne sait pas")
        why = spoken(end["reason"], lang) if end is not None and end["fate"] != "sent" and end["reason"] else ""
        rows.append((_moment(each["at"], lang), spoken(each["channel"], lang), f"{fate} ({why})" if why else fate))
    return Section(_("Essais d'envoi"), (_("Quand"), _("Moyen"), _("Ce qu'il en est")), tuple(rows), (2, 2, 4))


def _receipts(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    said = [(row["at"], _in_words(_FATES, row["said"], lang)) for row in held.rows["message_receipts"]]
    wishes = [(row["at"], _in_words(_WISHES, row["wish"], lang)) for row in held.rows["message_replies"]]
    rows = tuple((_moment(at, lang), what) for at, what in sorted((*said, *wishes)))
    return Section(_("Accusés et réponses"), (_("Quand"), _("Quoi")), rows, (2, 4))


def _papers(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    days = {each["data"]["message"]: each["data"].get("on") for each in held.noted if each["kind"] == "LetterPosted"}
    rows = tuple(
        (_moment(row["at"], lang), (row.get("words") or {}).get("subject", "—"),
         _moment(days.get(row["message"]) or row["posted_at"], lang) if row["posted_at"] else _("pas encore"))
        for row in sorted(held.rows["paper_letters"], key=lambda row: str(row["at"]))
    )  # fmt: skip
    return Section(_("Lettres sur papier"), (_("Faite"), _("Objet"), _("Postée ou remise")), rows, (2, 3, 2))


def _looks(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    rows = tuple(
        (format_instant(each.at, lang, ZONE), _("personne {number}").format(number=each.who),
         ", ".join(role_label(role, lang) for role in each.roles) or "—", _look(each, lang), _(ENTRIES[each.entry]))
        for each in held.looks
    )  # fmt: skip
    heads = (_("Quand"), _("Qui"), _("Rôle"), _("Quoi"), _("Par où"))
    return Section(_("Qui a ouvert votre dossier"), heads, rows, (2, 2, 2, 2, 2))


def _look(seen: Seen, lang: Lang) -> str:
    _ = text(lang)
    return _("un export de tous les dossiers") if seen.all else _(WORDS[seen.look])


def _payments(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _, of = text(lang), held.rows
    payees = {row["payment"]: row["payee"] or gone_said(row.get("gone"), lang) for row in of["transfers"]}
    texts = {(row["file"], row["position"]): row for row in of["bank_texts"]}
    why = {
        row.get("event") or (row["file"], row["position"]): row.get("why")
        for row in (*of["bank_resolutions"], *of["provider_resolutions"])
    }
    rows = [
        (row["since"], _("versement"), spoken(row["status"], lang), format_money(row["amount"], lang),
         payees.get(row["id"]) or "—")
        for row in of["payments"]
    ]  # fmt: skip
    for row in of["bank_lines"]:
        place = (row["file"], row["position"])
        words = texts.get(place, {})
        said = _with([words.get(name) for name in bank_files.WORDS if name != "reason"])
        said = said or gone_said(words.get("gone"), lang) or "—"
        code = spoken(row["reason"] or "", lang)
        if row["booked_on"] is None:
            at, what, amount = row["imported_at"], _("réponse de la banque"), "—"
            code = code or row["code"]
        else:
            at, what, amount = row["booked_on"], _("ligne de la banque"), format_money(row["cents"], lang)
        rows.append((at, what, _with((code, words.get("reason"), why.get(place))), amount, said))
    rows += [
        (row["at"], _("avis du prestataire"), _with((spoken(row["said"], lang), why.get(row["event"]))),
         format_money(row["amount"], lang), "—")
        for row in of["provider_notices"]
    ]  # fmt: skip
    told = tuple((_moment(at, lang), *rest) for at, *rest in sorted(rows, key=lambda each: str(each[0])))
    heads = (_("Quand"), _("Quoi"), _("Ce qu'il en est"), _("Montant"), _("Pour qui"))
    return Section(_("Vos versements et la banque"), heads, told, (2, 2, 2, 0, 3), amounts=(3,))


def _with(said: Sequence[str | None]) -> str:
    return ", ".join(filter(None, said))


def _noted(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    rows = tuple(
        (_moment(each["recorded_at"], lang), _(KINDS.get(each["kind"], each["kind"])),
         fact_words(each["data"], each["texts"], lang, ZONE) or "—", role_label(each["role"], lang))
        for each in sorted(held.noted, key=lambda each: str(each["recorded_at"]))
    )  # fmt: skip
    heads = (_("Quand"), _("Quoi"), _("Ce qui a été noté"), _("Par qui"))
    return Section(_("Ce qui a été noté sur vous"), heads, rows, (2, 2, 4, 2))


def _shifts(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    rows = tuple(
        (_moment(row["begins"], lang), _moment(row["ends"], lang), role_label(row["role"], lang), row["site"] or "—",
         (row.get("known") or {}).get("phone") or "—")
        for row in sorted(held.rows["shifts"], key=lambda row: str(row["begins"]))
    )  # fmt: skip
    heads = (_("Début"), _("Fin"), _("Rôle"), _("Site"), _("Téléphone"))
    return Section(_("Vos astreintes"), heads, rows, (2, 2, 2, 2, 2))


def _links(held: Held, sent: Sequence[Sent], lang: Lang) -> Section:
    _ = text(lang)
    ended = {row["id"]: row["ended_at"] for row in held.rows["feed_ends"]}
    links = [
        (row["issued_at"], _in_words(_LINKS, row["purpose"], lang), role_label(row["role"], lang), row["expires_at"])
        for row in held.rows["links"]
    ]
    feeds = [(row["issued_at"], _("agenda à suivre"), _("vous"), ended.get(row["id"])) for row in held.rows["feeds"]]
    rows = tuple(
        (_moment(at, lang), what, whom, _moment(until, lang) if until else "—")
        for at, what, whom, until in sorted((*links, *feeds), key=lambda each: str(each[0]))
    )  # fmt: skip
    return Section(
        _("Liens et agendas donnés"), (_("Quand"), _("Pour quoi"), _("À qui"), _("Jusqu'au")), rows, (2, 3, 2, 2)
    )


_SECTIONS: Final[tuple[Callable[[Held, Sequence[Sent], Lang], Section], ...]] = (
    _noted, _messages, _attempts, _receipts, _papers, _looks, _payments, _links, _shifts,
)  # fmt: skip
_FATES: Final = {
    "sent": N_("parti"), "nothing-left": N_("rien n'est parti"), "refused": N_("refusé"),
    "unknown": N_("on ne sait pas"), "delivered": N_("arrivé"), "bounced": N_("revenu sans être remis"),
}  # fmt: skip
_WISHES: Final = {
    "stop": N_("vous avez demandé l'arrêt des messages"), "start": N_("vous avez demandé la reprise des messages"),
    "other": N_("vous avez répondu ; vos mots ne sont pas gardés"),
}  # fmt: skip
_LINKS: Final = {
    "proposal": N_("répondre à une proposition"), "contact": N_("noter un contact"),
    "referral": N_("répondre à une demande"), "appointment": N_("répondre pour un rendez-vous"),
    "messages": N_("arrêter ou reprendre les messages"),
}  # fmt: skip


def _in_words(words: Mapping[str, str], code: str, lang: Lang) -> str:
    return text(lang)(words[code])


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _moment(said: str, lang: Lang) -> str:
    """A day, or an instant, as a row has it."""
    found = _instant(said)
    return format_date(found.date(), lang) if len(said) == len("2026-01-01") else format_instant(found, lang, ZONE)
