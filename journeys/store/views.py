"""What lists show: one row a journey, as of its last event."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from pydantic_core import from_json

from journeys.domain.directory import search_form
from journeys.domain.record import instant_text
from journeys.domain.rights import Reach, reaches
from journeys.domain.summary import OUTSIDE
from journeys.store import cohorts, contacts, vault
from journeys.store.database import Connection, Pool
from journeys.store.erasing import FORGOTTEN

Status = Literal["planned", "active", "suspended", "closed"]


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """A journey in a list."""

    id: str
    person: str
    name: str | None
    """First and last name; None when the person is not (or no longer) in the store."""
    programme: str
    status: str
    phase: str | None
    referent: str | None
    site: str | None
    seq: int
    next_due: datetime | None
    late: int
    """Open items past their due."""
    summary: dict[str, Any]
    """What `summary(state)` gave, but the seq; under `board` the open items."""
    place: cohorts.Place | None = None
    """In a cohort; looked up for one journey, not for lists."""
    sealed: bytes | None = field(default=None, repr=False)
    """What is known of the person, where `named` has yet to read the name."""
    dead: tuple[str, ...] = ()
    """Channels by which the person is not reached any more; for one journey, too."""

    @property
    def stream(self) -> str:
        return f"journey-{self.id}"


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One open item with its journey."""

    journey: JourneyRow
    item: dict[str, Any]


_BEFORE: Final = (
    "j.id::text, j.person::text, p.sealed AS name, j.programme, j.status, j.phase,"
    " j.referent::text, j.site, j.seq, j.next_due, j.late"
)
_COLUMNS: Final = f"{_BEFORE}, j.summary"
_BRIEF: Final = (
    f"{_BEFORE}, jsonb_build_object('status', j.status, 'dates', j.summary -> 'dates', 'board', '[]'::jsonb) AS summary"
)
"""Of the summary only what a line says: where the person stands. The item comes beside it."""


async def journey(pool: Pool, id: str) -> JourneyRow | None:
    """A journey by id (not stream)."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS}, p.dead, ({cohorts.PLACE}) AS place"
        " FROM journeys j LEFT JOIN people p ON p.id = j.person WHERE j.id = $1",
        id,
    )
    if row is None:
        return None
    [found] = await _rows(pool, [row])
    return replace(found, place=cohorts.read_place(row["place"]), dead=tuple(row["dead"] or ()))


async def starting_with(pool: Pool, prefix: str, limit: int = 10) -> list[str]:
    """Ids of journeys that begin so, for those who type the first characters only."""
    rows = await pool.fetch(
        "SELECT id::text FROM journeys WHERE starts_with(id::text, $1) ORDER BY id LIMIT $2",
        prefix.lower(),
        limit,
    )
    return [row["id"] for row in rows]


async def seen(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these journeys (by id) that this connection sees."""
    if not ids:
        return set()
    rows = await connection.fetch("SELECT id::text FROM journeys WHERE id = ANY ($1::uuid[])", list(ids))
    return {row["id"] for row in rows}


async def called(connection: Connection, ids: Collection[str]) -> dict[str, str | None]:
    """The names of the people of those of these journeys (by id) that this connection sees; None: erased."""
    if not ids:
        return {}
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person WHERE j.id = ANY ($1::uuid[])",
        list(ids),
    )
    return {row.id: row.name for row in await _rows(connection, rows)}


async def streams_of(pool: Pool, programme: str) -> list[str]:
    """The streams of every journey that is, or was last, under the programme of this name, by id."""
    rows = await pool.fetch("SELECT id FROM journeys WHERE programme = $1 ORDER BY id", programme)
    return [f"journey-{row['id']}" for row in rows]


async def journeys(
    pool: Pool,
    *,
    late: bool = False,
    status: Status | None = None,
    open_only: bool = False,
    under_way: bool = False,
    at_work: bool = False,
    phase: str | None = None,
    referent: str | None = None,
    site: str | None = None,
    programme: str | None = None,
    person: str | None = None,
    after: str | None = None,
    limit: int = 200,
) -> list[JourneyRow]:
    """Journeys that meet every condition given, by id, after the id `after`.

    Args:
        under_way: open, or closed with something that still falls due (money and its alerts).
        at_work: these, and closed ones with something that somebody is still to do, though nothing falls due.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE (NOT $1 OR j.late > 0)
          AND ($2::text IS NULL OR j.status = $2)
          AND (NOT $3 OR j.status <> 'closed')
          AND ($4::text IS NULL OR j.phase = $4)
          AND ($5::uuid IS NULL OR j.referent = $5)
          AND ($6::text IS NULL OR j.site = $6)
          AND ($7::text IS NULL OR j.programme = $7)
          AND ($8::uuid IS NULL OR j.person = $8)
          AND ($9::uuid IS NULL OR j.id > $9)
          AND (NOT $11 OR {_UNDER_WAY})
          AND (NOT $12 OR {_AT_WORK})
        ORDER BY j.id LIMIT $10
        """,
        late,
        status,
        open_only,
        phase,
        referent,
        site,
        programme,
        person,
        after,
        limit,
        under_way,
        at_work,
    )
    return await _rows(pool, rows)


def within(roles: Collection[str], sites: Collection[str], apart: bool = False) -> str:
    """A condition that holds for every journey `j` which a visitor with these roles and sites may see.

    Row-level security decides what is seen, with or without it; with it the database finds them by an index.

    Args:
        apart: whether some programme gives a role of theirs another line of the rights table than its name.
    """
    reach = reaches(roles)
    if Reach.ALL in reach or (Reach.SITE in reach and not sites):
        return "true"
    conditions = [*(_WITHIN[each] for each in sorted(reach)), *([_APART] if apart else [])]
    return " OR ".join(conditions) or "false"


_WITHIN: Final = {
    Reach.OWN: "j.referent = ANY ((SELECT led_by_me())::uuid[]) OR j.offered_to = (SELECT me())",
    Reach.SITE: "j.site IS NULL OR j.site = ANY ((SELECT my_sites())::text[])",
    Reach.MONEY: "j.money",
}
_APART: Final = "j.rules = ANY ((SELECT apart('any'))::text[])"


_UNDER_WAY: Final = "(j.status <> 'closed' OR j.next_due IS NOT NULL)"
"""Open, or closed with something that still falls due: money and its alerts."""
_AT_WORK: Final = f"({_UNDER_WAY} OR j.alerts > 0 OR (j.money AND j.summary -> 'board' <> '[]'::jsonb))"
"""And closed ones with what is open though nothing falls due: a late receipt whose alert was settled."""
_LED: Final = f"(j.referent = ANY ($1::uuid[]) OR j.offered_to = ($1::uuid[])[1]) AND {_AT_WORK}"
"""Journeys that are somebody's own work ($1: who asks, then those for whom they stand in)."""


async def led_by(pool: Pool, staff: Sequence[str], until: datetime) -> list[JourneyRow]:
    """Journeys that the first of these leads or is asked to take over, or that another of them leads; closed ones
    with what is still open.

    Of the summary they hold status, dates, and what of the board is others' turn, waits for an answer, or falls due
    before `until`. Those who are shown get their names from `named`.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_BEFORE}, jsonb_build_object(
            'status', j.status, 'dates', j.summary -> 'dates', 'board', jsonb_path_query_array(
                j.summary, '$.board[*] ? (@.at == null || @.at < $until || @.role != "referent"
                                          || @.kind == "escalation" || @.kind == "transfer" || @.kind == "grant"
                                          || @.note == "other-time")', $2::jsonb)) AS summary
        FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE {_LED} ORDER BY j.id
        """,
        list(staff), json.dumps({"until": instant_text(until)}),
    )  # fmt: skip
    return [_row(row, None, sealed=row["name"]) for row in rows]


async def named(pool: Pool, rows: Iterable[JourneyRow]) -> dict[str, JourneyRow]:
    """Rows of `led_by` with their names, by journey; others as they are."""
    known = {row.id: row for row in rows}
    lacking = [row for row in known.values() if row.sealed is not None]
    names = await vault.names(pool, [(row.person, row.sealed) for row in lacking])
    return known | {row.id: replace(row, name=name, sealed=None) for row, name in zip(lacking, names, strict=True)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in the order of `open_items`: what comes after it can be asked for."""

    taken: bool
    others: bool
    moment: str
    journey: str
    item: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of the open items of a list, and how many there are in all."""

    items: tuple[BoardItem, ...]
    total: int
    mine: int = 0
    """Of the whole list, those that are the visitor's turn."""
    places: tuple[Place, ...] = ()
    """Of each item, where it stands; of `open_items` only."""


NOTHING: Final = Listed((), 0)


_BY_ROLE: Final = (
    "j.waits_on <> '{}' AND j.waits_on && $2::text[] AND coalesce(j.referent <> ALL ($1::uuid[]), true)"
    " AND j.offered_to IS DISTINCT FROM ($1::uuid[])[1]"
)
"""Journeys of others ($1: who asks, then those for whom they stand in) that wait on a role or on one of them ($2)."""
_ROLES: Final = "string_to_array(item.value ->> 'role', ', ')"


def _held(staff: Sequence[str], roles: Collection[str]) -> list[str]:
    """Whose turn is theirs: that of roles, and of the ids to which an alert may be handed on."""
    return sorted({*roles, *staff} - OUTSIDE)


def _turn(held: str) -> str:
    """Whether an item is the turn of a role held. Most wait on one role: they need not be taken apart."""
    role = "item.value ->> 'role'"
    return f"({role} = ANY ({held}::text[]) OR (strpos({role}, ',') > 0 AND {_ROLES} && {held}::text[]))"


_OPENS: Final = {"escalation": "j.alerts > 0", "grant": "j.asks"}
"""Which journeys can have an open item of a kind."""


@dataclass(frozen=True, slots=True)
class Turns:
    """What waits on somebody's roles, by list; `version` changes with any of it."""

    lists: dict[str, Listed]
    version: int

    def of(self, name: str) -> Listed:
        return self.lists.get(name, NOTHING)


async def turns(
    pool: Pool, staff: Sequence[str], roles: Collection[str], visible: str, ends: Sequence[datetime], limit: int
) -> Turns:
    """What waits on a role of the first of these, or on one of them, on journeys that none of them leads: `late`,
    `today`, `week`.

    The oldest comes first.

    Args:
        roles: those held; the referent's turn is not a role's. visible: `within`.
        ends: now, the end of today, the end of the last of the coming days. limit: of each list.
    """
    asked = _held(staff, roles)
    # Thousands of items are sorted by their keys alone (see `turn_keys`); what is shown is fetched by its place.
    rows = await pool.fetch(
        f"""
        WITH waiting AS MATERIALIZED (
            SELECT j.id, j.seq, j.turn_keys FROM journeys j WHERE ({visible}) AND {_BY_ROLE}
        ), item AS (
            SELECT id, unnest(turn_keys) AS key, generate_subscripts(turn_keys, 1) AS place FROM waiting
        ), turn AS (
            SELECT id, place, left(key, 1) AS rank, substr(key, 2, 27) COLLATE "C" AS moment, substr(key, 29) AS roles
            FROM item
        ), open AS MATERIALIZED (
            SELECT id, place, moment,
                   CASE WHEN rank = 'a' OR (rank <> 'd' AND moment <= $3) THEN 'late'
                        WHEN rank <> 'c' OR moment < $4 THEN 'today'
                        WHEN moment < $5 THEN 'week' END AS list
            FROM turn WHERE roles = ANY ($2::text[]) OR (
                strpos(roles, ',') > 0 AND string_to_array(roles, ', ') && $2::text[]
                AND NOT 'referent' = ANY (string_to_array(roles, ', ')))
        ), counted AS (
            SELECT list, count(*) AS total FROM open WHERE list IS NOT NULL GROUP BY list
        ), shown AS (
            SELECT counted.list, counted.total, first.id, first.place, first.moment
            FROM counted CROSS JOIN LATERAL (
                SELECT id, place, moment FROM open WHERE open.list = counted.list
                ORDER BY moment, id, place LIMIT $6
            ) AS first
        )
        SELECT {_BRIEF}, j.turns -> (shown.place - 1)::integer AS item, shown.list, shown.total, changed.version
        FROM (SELECT coalesce(sum(seq), 0)::bigint AS version FROM waiting) AS changed
        LEFT JOIN shown ON true LEFT JOIN journeys j ON j.id = shown.id LEFT JOIN people p ON p.id = j.person
        ORDER BY shown.moment NULLS LAST, shown.id, shown.place
        """,
        list(staff), asked, *(instant_text(end) for end in ends), limit,
    )  # fmt: skip
    found: dict[str, list[BoardItem]] = {}
    totals: dict[str, int] = {}
    there = [row for row in rows if row["list"] is not None]
    for row, journey in zip(there, await _rows(pool, there), strict=True):
        found.setdefault(row["list"], []).append(BoardItem(journey, from_json(row["item"])))
        totals[row["list"]] = row["total"]
    return Turns({name: Listed(tuple(items), totals[name]) for name, items in found.items()}, rows[0]["version"])


async def open_items(
    pool: Pool, kind: Literal["escalation", "grant"], visible: str, *, staff: Sequence[str], roles: Collection[str],
    mine: bool, limit: int, offset: int = 0, after: Place | None = None, now: datetime | None = None,
) -> Listed:  # fmt: skip
    """Open items of a kind: those that somebody took charge of last, mine first, then by when something happens next.

    Args:
        visible: `within`. staff, roles: whose turn is meant by mine; of staff, who asks and those for whom they stand
            in; none: no referent's.
        mine: only those. after: what stands behind this place. now: whoever had one in hand until before this has it
            no more.
    """
    rows = await pool.fetch(
        f"""
        WITH open AS MATERIALIZED (
            SELECT j.id, item.place, item.value ->> 'note' IN ('acknowledged', 'snoozed')
                       AND coalesce((item.value ->> 'held_until') COLLATE "C" > $12, true) AS taken,
                   coalesce(item.value ->> 'at', item.value ->> 'since', '~') COLLATE "C" AS moment,
                   NOT (coalesce(j.referent = ANY ($2::uuid[]), false) OR {_turn("$3")}) AS others,
                   (item.value ->> 'id') COLLATE "C" AS item
            FROM journeys j CROSS JOIN LATERAL jsonb_array_elements(j.turns) WITH ORDINALITY AS item (value, place)
            WHERE ({visible}) AND {_OPENS[kind]} AND item.value ->> 'kind' = $1
        ), shown AS (
            SELECT * FROM open WHERE NOT (others AND $4) AND (
                $7::uuid IS NULL OR (taken, others, moment, id, item) > ($8, $9, $10 COLLATE "C", $7, $11 COLLATE "C"))
            ORDER BY taken, others, moment, id, item LIMIT $5 OFFSET $6
        )
        SELECT {_BRIEF}, j.turns -> (shown.place - 1)::integer AS value, counted.total, counted.mine,
               shown.taken, shown.others, shown.moment, shown.item
        FROM (SELECT count(*) AS total, count(*) FILTER (WHERE NOT others) AS mine FROM open) AS counted
        LEFT JOIN shown ON true LEFT JOIN journeys j ON j.id = shown.id LEFT JOIN people p ON p.id = j.person
        ORDER BY shown.taken, shown.others, shown.moment, shown.id, shown.item
        """,
        kind, list(staff), _held(staff, roles), mine, limit, offset,
        *((after.journey, after.taken, after.others, after.moment, after.item) if after else (None,) * 5),
        instant_text(now) if now is not None else None,
    )  # fmt: skip
    found = [row for row in rows if row["id"] is not None]
    return Listed(
        await _items(pool, found, "value"), rows[0]["total"], rows[0]["mine"],
        tuple(Place(row["taken"], row["others"], row["moment"], row["id"], row["item"]) for row in found),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alerts:
    """Open alerts of a site, by what happens next; and how many each site has (None: those at no site)."""

    items: tuple[BoardItem, ...]
    sites: dict[str | None, int]


async def alerts(pool: Pool, visible: str, site: str | None, *, all_sites: bool, limit: int, offset: int) -> Alerts:
    """The open alerts that a visitor sees: of one site (None: at no site), or of all; what happens first comes first.

    Args:
        visible: `within`.
    """
    counted = await pool.fetch(
        f"SELECT j.site, sum(j.alerts) AS total FROM journeys j WHERE ({visible}) AND j.alerts > 0"
        " GROUP BY j.site ORDER BY j.site NULLS LAST"
    )
    rows = await pool.fetch(
        f"""
        SELECT {_BRIEF}, item.value FROM (
            SELECT j.id, item.value, j.site, coalesce(item.value ->> 'at', '~') COLLATE "C" AS moment
            FROM journeys j CROSS JOIN LATERAL jsonb_array_elements(j.turns) AS item
            WHERE ({visible}) AND j.alerts > 0 AND item.value ->> 'kind' = 'escalation'
              AND ($1 OR j.site IS NOT DISTINCT FROM $2)
            ORDER BY moment, j.id, item.value ->> 'id' LIMIT $3 OFFSET $4
        ) AS item JOIN journeys j ON j.id = item.id LEFT JOIN people p ON p.id = j.person
        ORDER BY item.moment, item.id, item.value ->> 'id'
        """,
        all_sites, site, limit, offset,
    )  # fmt: skip
    return Alerts(tuple(await _items(pool, rows, "value")), {row["site"]: row["total"] for row in counted})


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about a grant, as the journal has it, with whose journey it is."""

    journey: str
    person: str | None
    by: str | None
    """Who decided; None: the system, or somebody who is not in the store."""
    header: dict[str, Any]


RECENT: Final = timedelta(days=60)


async def decided(pool: Pool, limit: int = 30) -> list[Decided]:
    """The latest approvals, refusals and returns of grants, the newest first; none that is not RECENT."""
    rows = await pool.fetch(
        """
        WITH made AS MATERIALIZED (
            SELECT journey_of(stream) AS journey, header, wall, convert_from(header, 'UTF8')::jsonb ->> 'actor' AS actor
            FROM events WHERE kind IN ('GrantApprovalGiven', 'GrantRefused', 'GrantReturned')
              AND wall > clock_timestamp() - $2::interval
            ORDER BY wall DESC LIMIT $1
        )
        SELECT j.id::text, j.person::text, p.sealed AS name, made.actor, s.sealed AS by, made.header
        FROM made JOIN journeys j ON j.id = made.journey LEFT JOIN people p ON p.id = j.person
        LEFT JOIN staff s ON s.id::text = made.actor
        ORDER BY made.wall DESC
        """,
        limit, RECENT,
    )  # fmt: skip
    names = await vault.names(pool, [(row["person"], row["name"]) for row in rows])
    called = await contacts.called(pool, [(f"staff-{row['actor']}", row["by"]) for row in rows])
    return [
        Decided(row["id"], name, by, from_json(row["header"]))
        for row, name, by in zip(rows, names, called, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caseload is filtered by; None and empty mean all."""

    words: str = ""
    """In the form of `search_form`: each word begins a word of the name."""
    referent: str | None = None
    programme: str | None = None
    phase: str | None = None
    site: str | None = None
    status: str | None = None
    late: bool = False


async def caseload(
    pool: Pool, asked: Asked, visible: str = "true", *, limit: int = 50, offset: int = 0
) -> tuple[list[JourneyRow], int]:
    """Journeys of a caseload, the most late first, then by their next due; and how many there are.

    `visible`: see `within`.
    """
    rows = await pool.fetch(
        f"""
        WITH asked AS MATERIALIZED (
            SELECT j.id, j.late, j.next_due FROM journeys j
            WHERE ({visible})
              AND (cardinality($1::bytea[]) = 0 OR j.person IN (SELECT people_with($1)))
              AND ($2::uuid IS NULL OR j.referent = $2) AND ($3::text IS NULL OR j.programme = $3)
              AND ($4::text IS NULL OR j.phase = $4) AND ($5::text IS NULL OR j.site = $5)
              AND (CASE WHEN $6::text IS NULL THEN j.status <> 'closed' ELSE j.status = $6 END)
              AND (NOT $7 OR j.late > 0)
        ), shown AS (
            SELECT * FROM asked ORDER BY late DESC, next_due NULLS LAST, id LIMIT $8 OFFSET $9
        )
        SELECT {_BRIEF}, counted.total
        FROM (SELECT count(*) AS total FROM asked) AS counted
        LEFT JOIN shown ON true LEFT JOIN journeys j ON j.id = shown.id LEFT JOIN people p ON p.id = j.person
        ORDER BY j.late DESC, j.next_due NULLS LAST, j.id
        """,
        *await _asked(pool, asked), limit, offset,
    )  # fmt: skip
    return await _rows(pool, [row for row in rows if row["id"] is not None]), rows[0]["total"]


async def releases(pool: Pool, asked: Asked, until: date, visible: str = "true", limit: int = 500) -> list[JourneyRow]:
    """Planned journeys whose release is expected until a day, or was and is not confirmed, the earliest first.

    Of what `asked` holds, referent, programme and site count. `visible`: see `within`.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE ({visible}) AND j.status = 'planned' AND j.summary -> 'dates' ->> 'release' <= $4
          AND ($1::uuid IS NULL OR j.referent = $1) AND ($2::text IS NULL OR j.programme = $2)
          AND ($3::text IS NULL OR j.site = $3)
        ORDER BY j.summary -> 'dates' ->> 'release', j.id LIMIT $5
        """,
        asked.referent, asked.programme, asked.site, until.isoformat(), limit,
    )  # fmt: skip
    return await _rows(pool, rows)


async def _asked(pool: Pool, asked: Asked) -> tuple[Any, ...]:
    words = await vault.word_tokens(pool, asked.words)
    return (words, asked.referent, asked.programme, asked.phase, asked.site, asked.status, asked.late)


async def found(
    pool: Pool, words: str, digits: str, reference: str, visible: str = "true", limit: int = 50
) -> list[JourneyRow]:
    """Journeys of the people whom a search fits: by name, by the end of a phone number, or by reference.

    Args:
        words: in the form of `search_form`; each is a word of the name, or begins one (from three letters).
        digits: of the end of the phone number, at least six, or empty. visible: `within`.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}
        FROM journeys j JOIN people p ON p.id = j.person
        WHERE ({visible}) AND (j.person IN (SELECT people_with($1)) OR j.person IN (SELECT people_with($2))
           OR p.reference_token = $3)
        ORDER BY j.status = 'closed', j.id LIMIT $4
        """,
        await vault.word_tokens(pool, words),
        await vault.phone_tokens(pool, digits),
        await vault.reference_token(pool, reference),
        limit,
    )
    journeys = await _rows(pool, rows)
    return sorted(journeys, key=lambda each: (each.status == "closed", search_form(each.name or ""), each.id))


async def minutes(connection: Pool | Connection, journeys: Sequence[str]) -> dict[str, int]:
    """How long each appointment of these journeys was booked for, by its id."""
    rows = await connection.fetch(
        "SELECT data ->> 'appointment' AS id, (data ->> 'minutes')::int AS minutes FROM"
        " (SELECT convert_from(header, 'UTF8')::jsonb -> 'data' AS data FROM events"
        "  WHERE kind = 'AppointmentBooked' AND stream = ANY ($1::text[])) AS booked",
        [f"journey-{id}" for id in dict.fromkeys(journeys)],
    )
    return {row["id"]: row["minutes"] for row in rows}


Span = tuple[datetime, datetime]
"""Between two instants, the second not among them."""


async def appointments(
    pool: Pool, begins: datetime, ends: datetime, visible: str = "true", *, limit: int = 300, offset: int = 0,
    at_sites: Mapping[str, Span] | None = None, of_programmes: Mapping[str, Span] | None = None,
) -> Listed:  # fmt: skip
    """Appointments between two instants, in order; those that are over or off have an `outcome`. visible: `within`.

    Args:
        at_sites: other instants, by the journey's site. of_programmes: others, by its programme, where its site has
            none.
    """
    sites, programmes = at_sites or {}, of_programmes or {}
    rows = await pool.fetch(
        f"""
        WITH booked AS MATERIALIZED (
            SELECT j.id, item.value AS item, item.value ->> 'at' AS moment
            FROM journeys j CROSS JOIN LATERAL (
                SELECT value FROM jsonb_array_elements(j.summary -> 'board')
                WHERE j.meetings > 0 AND value ->> 'kind' = 'appointment'
                UNION ALL SELECT value FROM jsonb_array_elements(j.summary -> 'met')) AS item
            LEFT JOIN unnest($5::text[], $6::timestamptz[], $7::timestamptz[]) AS s (site, begins, ends)
              ON s.site = j.site
            LEFT JOIN unnest($8::text[], $9::timestamptz[], $10::timestamptz[]) AS r (programme, begins, ends)
              ON r.programme = j.programme
            WHERE ({visible}) AND (j.meetings > 0 OR j.summary ? 'met')
              AND (item.value ->> 'at')::timestamptz >= coalesce(s.begins, r.begins, $1)
              AND (item.value ->> 'at')::timestamptz < coalesce(s.ends, r.ends, $2)
        ), shown AS (
            SELECT * FROM booked ORDER BY moment, id LIMIT $3 OFFSET $4
        )
        SELECT {_BRIEF}, shown.item, counted.total
        FROM (SELECT count(*) AS total FROM booked) AS counted
        LEFT JOIN shown ON true LEFT JOIN journeys j ON j.id = shown.id LEFT JOIN people p ON p.id = j.person
        ORDER BY shown.moment, shown.id
        """,
        begins, ends, limit, offset, *_columns(sites), *_columns(programmes),
    )  # fmt: skip
    return Listed(await _items(pool, [row for row in rows if row["id"] is not None], "item"), rows[0]["total"])


def _columns(spans: Mapping[str, Span]) -> tuple[list[str], list[datetime], list[datetime]]:
    return list(spans), [begins for begins, _ in spans.values()], [ends for _, ends in spans.values()]


async def meeting(pool: Pool, person: str, referent: str, begins: datetime, ends: datetime) -> list[JourneyRow]:
    """Journeys of a person, or led by somebody, with an open appointment at some time between two instants.

    The person's own first. None is left out of those that begin at most a day before.
    """
    rows = await pool.fetch(
        f"""
        WITH near AS MATERIALIZED (
            SELECT j.id, item.value ->> 'id' AS appointment, (item.value ->> 'at')::timestamptz AS at
            FROM journeys j CROSS JOIN LATERAL jsonb_array_elements(j.summary -> 'board') AS item (value)
            WHERE (j.person = $1 OR j.referent = $2) AND j.meetings > 0 AND item.value ->> 'kind' = 'appointment'
              AND (item.value ->> 'at')::timestamptz >= $3::timestamptz - interval '1 day'
              AND (item.value ->> 'at')::timestamptz < $4
        ), met AS (
            SELECT near.id FROM near CROSS JOIN LATERAL (
                SELECT convert_from(b.header, 'UTF8')::jsonb -> 'data' AS data FROM events b
                WHERE b.stream = 'journey-' || near.id AND b.kind = 'AppointmentBooked') AS booked
            WHERE booked.data ->> 'appointment' = near.appointment
              AND near.at + (booked.data ->> 'minutes')::int * interval '1 minute' > $3
        )
        SELECT {_BRIEF} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE j.id IN (SELECT id FROM met) ORDER BY j.person <> $1, j.id
        """,
        person, referent, begins, ends,
    )  # fmt: skip
    return await _rows(pool, rows)


async def version(
    pool: Pool, journey: str | None, staff: Sequence[str], roles: Collection[str], visible: str = "true"
) -> int:
    """A number that changes with what a page shows: one journey's seq, or their sum over `led_by` and `turns`."""
    found: int
    if journey is not None:
        found = await pool.fetchval("SELECT coalesce(sum(seq), 0)::bigint FROM journeys WHERE id = $1", journey)
        return found
    led = f"SELECT coalesce(sum(j.seq), 0)::bigint FROM journeys j WHERE {_LED}"
    asked = _held(staff, roles)
    waiting = f"SELECT coalesce(sum(j.seq), 0)::bigint FROM journeys j WHERE ({visible}) AND {_BY_ROLE}"
    found = await pool.fetchval(f"SELECT ({led}) + ({waiting})", list(staff), asked)
    return found


async def due_before(
    pool: Pool, instant: datetime, *, referent: str | None = None, limit: int = 200
) -> list[JourneyRow]:
    """Journeys whose next due is before an instant, earliest first: what the housekeeping wakes.

    Closed ones too: money, its receipts and their alerts go on.
    Those of whom is forgotten are left: nothing of them moves any more, though a restored record may have them open.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM journeys j LEFT JOIN people p ON p.id = j.person
        WHERE j.next_due < $1 AND ($2::uuid IS NULL OR j.referent = $2)
          AND NOT {FORGOTTEN}
        ORDER BY j.next_due, j.id LIMIT $3
        """,
        instant,
        referent,
        limit,
    )
    return await _rows(pool, rows)


async def board(
    pool: Pool,
    *,
    kinds: Collection[str] = (),
    role: str | None = None,
    referent: str | None = None,
    site: str | None = None,
    limit: int = 500,
) -> list[BoardItem]:
    """Open items of every journey that meet each condition given, those with the earliest `at` first.

    Args:
        kinds: `grant`, `escalation`, …; none means all.
        role: whose turn it is.
    """
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}, item.value AS item
        FROM journeys j LEFT JOIN people p ON p.id = j.person
        CROSS JOIN LATERAL jsonb_array_elements(j.summary -> 'board') AS item (value)
        WHERE (cardinality($1::text[]) = 0 OR item.value ->> 'kind' = ANY ($1))
          AND ($2::text IS NULL OR item.value ->> 'role' = $2)
          AND ($3::uuid IS NULL OR j.referent = $3) AND ($4::text IS NULL OR j.site = $4)
        ORDER BY item.value ->> 'at', j.id, item.value ->> 'id' LIMIT $5
        """,
        list(kinds),
        role,
        referent,
        site,
        limit,
    )
    return list(await _items(pool, rows, "item"))


_PLAIN: Final = [each.name for each in fields(JourneyRow)].index("summary")
"""How many columns of a row stand before the summary."""
_NAME: Final = [each.name for each in fields(JourneyRow)].index("name")


async def _rows(pool: Pool, rows: Sequence[Any]) -> list[JourneyRow]:
    """Records that begin with _COLUMNS."""
    names = await vault.names(pool, [(row["person"], row["name"]) for row in rows])
    return [_row(row, name) for row, name in zip(rows, names, strict=True)]


def _row(row: Any, name: str | None, sealed: bytes | None = None) -> JourneyRow:
    values: list[Any] = [*row[:_PLAIN], from_json(row[_PLAIN]), None, sealed]
    values[_NAME] = name
    return JourneyRow(*values)


async def _items(pool: Pool, rows: Sequence[Any], column: str) -> tuple[BoardItem, ...]:
    """Records that begin with _COLUMNS, each with the item of a board that stands in a column."""
    journeys = await _rows(pool, rows)
    return tuple(BoardItem(one, from_json(row[column])) for row, one in zip(rows, journeys, strict=True))
