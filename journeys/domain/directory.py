"""Facts about people, staff, mentors, partners, funds, programmes, cohorts, webhooks: their streams, how names compare.

Headers hold ids, codes, days and cents; names, addresses and references travel as parts. A person's own
choices (opt-out, pause, death, erasure) are the events of the same name in `events`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Day
from typing import Final, Literal, get_args

from journeys.domain.events import UnknownKind, envelope
from journeys.domain.record import Digest, Event, Frozen, Id, Instant, Payload, Stream, added

Language = Literal["fr", "en"]

PersonField = Literal[
    "reference", "first_name", "last_name", "birth_date", "email", "phone", "language", "zone",
    "place", "languages", "interests",
]  # fmt: skip
PERSON_FIELDS: tuple[PersonField, ...] = get_args(PersonField)


# --- people


class PersonRegistered(Payload):
    """Parts: those of the fields that are known."""

    fields: tuple[PersonField, ...]


class PersonChanged(Payload):
    """Parts: the new value of each field, empty where it was taken away."""

    fields: tuple[PersonField, ...]


class ChannelDead(Payload):
    """A channel said that nobody is reached by this address or number any more: no journey tries it again."""

    channel: Literal["mail", "sms"]
    reason: str


class ChannelAlive(Payload):
    """A message arrived there after all."""

    channel: Literal["mail", "sms"]


class LetterPosted(Payload):
    """A letter on paper was posted, or handed over."""

    message: str
    journey: Stream
    on: Day | None = added(None)
    """The day on which it was, as told; None: when that was noted."""


class PersonExported(Payload):
    """What is held about a person was made into files, to be handed to them."""

    journeys: int
    documents: int
    """Those that were there, byte for byte."""


class KeptOfBank(Frozen):
    """What of the bank is about somebody's payments, and stays for accounting, counted."""

    payments: int
    """Their rows: amounts, days, states; they name nobody."""
    transfers: int
    """Name and account."""
    files: int
    """For the bank, in which one of the transfers is."""
    lines: int
    """Of the bank, about one of the payments."""
    until: Day | None
    """The last day of the tenth year after the latest year of these; None: there are none."""


class Held(Frozen):
    """What is held of a person, counted: what goes, then what accounting must keep."""

    journeys: int
    parts: int
    """Texts of events."""
    documents: int
    histories: int
    """Histories of the engine that were kept."""
    letters: int
    """Letters to the person that lie in the outbox."""
    kept_parts: int = 0
    kept_documents: int = 0
    kept_until: Day | None = None
    """The last day of the tenth year after that of the last payment; None: nothing must be kept."""
    bank: KeptOfBank | None = None
    """None: of a person, it was not counted then."""


class PersonErased(Payload):
    """All that could go is gone: the certificate. Nothing in it says who it was."""

    order: int
    """Seq of the ErasureOrdered."""
    keys: tuple[str, ...]
    """Ids of the keys that were destroyed; none of these is ever to come back."""
    held: Held
    """As it was before."""


# --- staff


class StaffAdded(Payload):
    """Parts: handle, name, email, phone."""

    roles: tuple[str, ...]
    sites: tuple[str, ...]
    """None means every site."""
    funds: tuple[str, ...] = ()
    """None means every fund."""


class MailFailed(Payload):
    """Mail to a member of staff did not arrive: it was refused, or it was taken and came back."""

    reason: str
    returned: bool
    """It came back since nobody is there: that mailbox is relied on no more."""


class StaffChanged(Payload):
    """Parts: name, email, phone as they are now."""


class RoleGiven(Payload):
    given: str


class RoleTaken(Payload):
    taken: str


class SitesSet(Payload):
    sites: tuple[str, ...]


class FundsSet(Payload):
    funds: tuple[str, ...]


class AbsenceSet(Payload):
    first_day: Day
    last_day: Day
    deputy: str | None


class AbsenceDropped(Payload):
    first_day: Day


class ShiftSet(Payload):
    """Somebody of the staff, or a mentor, is on call. Parts: phone, where it is not their usual one."""

    shift: Id
    role: str
    site: str | None
    begins: Instant
    ends: Instant


class ShiftDropped(Payload):
    """They are not on call then. Parts: why, where it was said."""

    shift: Id


class StaffLeft(Payload):
    pass


class StaffReturned(Payload):
    pass


class StaffErased(PersonErased):
    """A member of staff who left is forgotten: the certificate."""


# --- mentors and partners


class MentorAdded(Payload):
    """Parts: name, email, phone."""

    site: str | None
    capacity: int


class MentorChanged(Payload):
    capacity: int
    available: bool


class MentorDescribed(Payload):
    """By what they are proposed. Parts: place, languages, interests as they are now, empty where not known."""


class MentorErased(PersonErased):
    """The same of a mentor."""


class PartnerAdded(Payload):
    """Parts: name, email, phone."""

    kind: str
    site: str | None


class PartnerDescribed(Payload):
    """By what they are proposed, as it is now; `places` at once, None where nobody counts them. Parts: place."""

    purposes: tuple[str, ...]
    places: int | None


class PartnerLeft(Payload):
    pass


class PartnerErased(PersonErased):
    """The same of a partner who takes nobody any more."""


# --- money and programmes


class FundOpened(Payload):
    """Amounts in cents. Parts: donor."""

    code: str
    cap_per_person: int | None
    balance: int
    first_day: Day | None = added(None)
    last_day: Day | None = added(None)
    """Both included; None: no bound."""
    purposes: tuple[str, ...] = added(())
    """What the donor gives for; none: everything."""


class FundChanged(Payload):
    """What it gives from now on, as it is now. Parts: donor, where it is another one."""

    code: str
    cap_per_person: int | None
    first_day: Day | None
    last_day: Day | None
    purposes: tuple[str, ...]


class FundToppedUp(Payload):
    """Parts: donor."""

    code: str
    amount: int


class FundClosed(Payload):
    """Nothing is promised from it any more. Parts: why."""

    code: str
    left: int
    """Cents that are still in it: what becomes of them is agreed with the donor."""


class FundReopened(Payload):
    """Parts: why."""

    code: str


class PaymentsStopped(Payload):
    """Nothing is promised or given out from any fund. Parts: why."""


class PaymentsResumed(Payload):
    """Parts: why."""


class ProgrammePublished(Payload):
    name: str
    programme: str
    """SHA-256 of its text."""


class SiteDescribed(Payload):
    """How a site is named to the world. Parts: name, address."""

    site: str
    zone: str


class RotaEnded(Payload):
    """Nobody is planned on call any more for a role, at a site or everywhere, and none is missed; until a new shift."""

    role: str
    site: str | None


class TemplateEdited(Payload):
    """Messages of a template say something else from now on."""

    template: str
    wording: Digest
    """SHA-256 of its words."""
    before: Digest | None
    """Of the words until now, which are kept; None: there was no template of this name."""


# --- the bank


class BatchMade(Payload):
    """Transfers were put in one file for the bank, which will never say anything else."""

    batch: str
    message: str
    """By which the bank names the file in its answers."""
    execute_on: Day
    number: int
    total: int
    """Cents."""
    digest: Digest
    """SHA-256 of the file."""


class BatchGivenOut(Payload):
    """The file was handed to whoever brings it to the bank: from now on it may be executed."""

    batch: str
    digest: Digest


class BatchWithdrawn(Payload):
    """A file that nobody had is given to nobody: what it held waits for another. Parts: why."""

    batch: str


class BankFileImported(Payload):
    file: Digest
    """SHA-256 of its bytes."""
    what: Literal["pain.002", "camt.053", "camt.054"]
    lines: int
    fresh: int
    """Lines that no earlier file had."""
    troubled: int
    """Of these, those that a person must look at."""


class BankLineResolved(Payload):
    """Parts: why."""

    file: Digest
    position: int
    how: Literal["match", "not-ours", "refund", "fee", "noted"]
    payment: str | None
    batch: str | None
    """Of a match: the one payment, or the batch that the bank booked as one sum."""


class HistoryKept(Payload):
    """The engine's history of a run that ended, exported before its retention is over."""

    journey: Stream
    run: Id
    digest: Digest
    """SHA-256 of the export."""
    events: int
    closed_at: Instant


class RetentionApplied(Payload):
    """What had been kept long enough went, by the rules of then. Of each person there is an order of erasure too."""

    kept: dict[str, str]
    """By rule, for how long: `24 months`."""
    gone: dict[str, int]
    """By rule, how many; only of the rules that were applied."""
    keys: tuple[str, ...] = ()
    """Ids of the keys that went by them, of the bank's years and of what accounting kept of those who are forgotten;
    none of these is ever to come back."""


class NoticeResolved(Payload):
    """What a provider said against what is known was looked at. Parts: why."""

    event: str
    how: Literal["not-ours", "refund", "noted"]


OF_ACCOUNTS: Final = frozenset({BankLineResolved.__name__, NoticeResolved.__name__})
"""Facts of the house whose texts go with what accounting keeps of the person whom they are about, if of one."""


# --- cohorts


class CohortOpened(Payload):
    """Parts: name."""

    programme: str
    """Its name: the cohort goes on when a later text of it is put in force."""
    places: int
    order: tuple[str, ...]
    """The programme's shared dates, in the order of its file: that of their days."""
    dates: dict[str, Day]
    """Days of those that are known."""


class CohortDateMoved(Payload):
    """`before` is None for a date that had no day yet."""

    date: str
    on: Day
    before: Day | None


class CohortPlacesSet(Payload):
    places: int
    before: int


class PlaceTaken(Payload):
    journey: str


class PlaceQueued(Payload):
    """There was no place left: the journey waits, behind those that do."""

    journey: str


class PlaceGiven(Payload):
    """To the journey that had waited longest."""

    journey: str


class PlaceFreed(Payload):
    """The place, or the turn on the waiting list, of a journey that left or was closed."""

    journey: str
    why: Literal["left", "closed"]


class CohortClosed(Payload):
    """Nobody joins any more, no date moves; whoever still waited waits no longer."""


# --- webhooks


class WebhookAdded(Payload):
    """Parts: url."""

    kinds: tuple[str, ...]
    """Of the events that are told."""


class WebhookRotated(Payload):
    """It has another secret."""


class WebhookPaused(Payload):
    why: str


class WebhookResumed(Payload):
    pass


class WebhookEnded(Payload):
    why: str


class WebhookRewound(Payload):
    """A journey's events are told again from this seq on."""

    journey: str
    seq: int


# --- the log of everything, and who vouches for it


class HeadsSnapshot(Payload):
    """Where every stream ended in the log of a size, as one hash: `evidence.heads` says how it is made."""

    size: int
    count: int
    """Streams."""
    root: Digest


class CheckpointKeyUsed(Payload):
    """From here on a key signs checkpoints of the log."""

    vkey: str
    """Name, id and public key, as C2SP signed-note writes them."""


class CheckpointKeyRevoked(Payload):
    """What a key signs from here on counts for nothing. Parts: why."""

    vkey: str


class LogBegun(Payload):
    """The log goes on under a new name, because it holds less than what was signed under the former one (a restored
    backup). Parts: why."""

    origin: str
    former: str
    size: int
    """Of the log then."""
    held: int
    """The largest size that was signed under the former name, as far as anybody knew."""


KINDS: dict[str, type[Payload]] = {
    kind.__name__: kind
    for kind in (
        PersonRegistered, PersonChanged, ChannelDead, ChannelAlive, LetterPosted, PersonExported, PersonErased,
        StaffAdded, StaffChanged, MailFailed, StaffLeft, StaffReturned, StaffErased,
        RoleGiven, RoleTaken, SitesSet, FundsSet, AbsenceSet, AbsenceDropped, ShiftSet, ShiftDropped,
        MentorAdded, MentorChanged, MentorDescribed, MentorErased, PartnerAdded, PartnerDescribed, PartnerLeft,
        PartnerErased,
        FundOpened, FundChanged, FundToppedUp, FundClosed, FundReopened,
        PaymentsStopped, PaymentsResumed, ProgrammePublished, TemplateEdited,
        SiteDescribed, RotaEnded,
        BatchMade, BatchGivenOut, BatchWithdrawn, BankFileImported, BankLineResolved, NoticeResolved, HistoryKept,
        RetentionApplied,
        CohortOpened, CohortDateMoved, CohortPlacesSet, PlaceTaken, PlaceQueued, PlaceGiven, PlaceFreed, CohortClosed,
        WebhookAdded, WebhookRotated, WebhookPaused, WebhookResumed, WebhookEnded, WebhookRewound,
        HeadsSnapshot, CheckpointKeyUsed, CheckpointKeyRevoked, LogBegun,
    )
}  # fmt: skip
"""Every kind of this file by its stored name."""


def read_fact(kind: str, header: bytes) -> Event[Payload]:
    """A fact of this file from its stored bytes and the journal's column. Raises UnknownKind, ValidationError."""
    known = KINDS.get(kind)
    if known is None:
        raise UnknownKind(f"unknown event kind {kind!r}: this program is older than the record")
    return envelope(known).model_validate_json(header)


@dataclass(frozen=True, slots=True)
class Holder:
    """A member of staff on one day, as far as it matters who can be reached."""

    id: str
    roles: frozenset[str]
    sites: frozenset[str]
    """Empty means every site."""
    absent: bool = False
    deputy: str | None = None
    funds: frozenset[str] = frozenset()
    """Empty means every fund."""
    unread: bool = False
    """Their mail comes back: nobody is there."""
    failing: bool = False
    """Their last letter did not arrive, for whatever reason."""


def reachable(roster: Iterable[Holder], role: str, site: str | None) -> tuple[str, ...]:
    """Who answers for a role at a site on the roster's day, by id, each once; nobody when the role is vacant.

    The roster holds active staff only. Someone absent is stood in for by the deputy, when that one is there.
    """
    by_id = {holder.id: holder for holder in roster}
    found: dict[str, None] = {}
    for holder in sorted(by_id.values(), key=lambda each: each.id):
        if role not in holder.roles or not (site is None or not holder.sites or site in holder.sites):
            continue
        if not holder.absent:
            found[holder.id] = None
        elif holder.deputy in by_id and not by_id[holder.deputy].absent:
            found[holder.deputy] = None
    return tuple(found)


# Letters that have no decomposition, written as people type them.
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


def search_form(text: str) -> str:
    """A name without case, accents and signs, words apart by a space: `Éloïse D’Œ.` is `eloise d oe`."""
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_LIGATURES)
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare))
