"""Caseload: which files stood where, with whom and at what value, known when, as of which day.

A row is a tile of a file's two times: what was held, from one moment of recording to another, to
have been true from one day to another. At any moment and day a file has at most one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import compress
from typing import Any, LiteralString, NamedTuple

from msgspec.json import encode
from psycopg import Connection, sql

from domain.claim import Claim
from domain.claim.glance import Standing, standing_after, standing_of
from domain.claim.lifecycle import Status
from domain.envelope import Recorded
from projections.view import Change, Copy, Run, Step, View, Write, typed

TABLE: LiteralString = """
CREATE TABLE caseload (
    position bigint NOT NULL,
    recorded_from timestamptz NOT NULL,
    recorded_to timestamptz NOT NULL DEFAULT 'infinity',
    damages_estimate bigint NOT NULL,
    incurred bigint NOT NULL,
    paid bigint NOT NULL,
    effective_from date NOT NULL,
    effective_to date NOT NULL DEFAULT 'infinity',
    version int NOT NULL,
    open_escalations int NOT NULL,
    reopened int NOT NULL,
    event_date date NOT NULL,
    notified_on date NOT NULL,
    closed_on date,
    review_on date,
    claim text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    handler text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    pathway text COLLATE "C" NOT NULL,
    jurisdiction text COLLATE "C" NOT NULL,
    matter_type text COLLATE "C" NOT NULL,
    stage text COLLATE "C" NOT NULL,
    closure text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    other_currencies text COLLATE "C" NOT NULL,  -- of lines that the amounts leave out
    PRIMARY KEY (claim, effective_from, version),
    CHECK (recorded_from < recorded_to AND effective_from < effective_to)
);
CREATE UNIQUE INDEX caseload_known_now ON caseload (claim, effective_from)
    WHERE recorded_to = 'infinity';
CREATE INDEX caseload_now ON caseload (effective_to) WHERE recorded_to = 'infinity';
"""
MONEY: LiteralString = """
SELECT 'open end', currency, sum(damages_estimate) AS damages_estimate,
       sum(incurred) AS incurred, sum(paid) AS paid
FROM caseload WHERE recorded_to = 'infinity' AND effective_to = 'infinity' GROUP BY currency
"""


class Tile(NamedTuple):
    """What is held to be true of a file from one day to another, the later not included."""

    effective_from: date
    effective_to: date | None
    standing: Standing


@dataclass(slots=True)
class Writing:
    """A tile being written: what the row says, until when it is known, and since which fact."""

    claim: str
    tile: Tile
    record: Recorded[Any]
    recorded_to: datetime | None = None


class Closing(NamedTuple):
    """The end of what is known now about a file from a day on: a later fact says otherwise."""

    claim: str
    effective_from: date
    recorded_to: datetime


def tiles(course: Sequence[Step]) -> list[Tile]:
    """What a course holds to have been true, from day to day; each day on which something happened
    starts a tile, so a tile's first day is also the day of the last action on the file.
    """
    days = {day: state for day, state in course if isinstance(state, Claim)}
    held = [(day, standing_of(state)) for day, state in days.items()]
    ends = [*list(days)[1:], None]
    return [
        Tile(day, end, stands)
        for (day, stands), end in zip(held, ends, strict=True)
        if stands is not None
    ]


def fold(changes: Sequence[Change]) -> list[Write]:
    """The tiles that a page of changes makes, and those it ends."""
    written, closed = told(changes)
    added = _copies(written)
    if not closed:
        return [*added]
    claims, days, moments = map(list, zip(*closed, strict=True))
    ended = {"claims": _listed(claims), "days": _listed(days), "moments": _listed(moments)}
    return [Run(_END, ended), *added]


def _listed(values: Sequence[object]) -> str:
    """Values as one parameter; psycopg takes far longer to make one of a list."""
    return encode(values).decode()


def told(changes: Sequence[Change]) -> tuple[list[Writing], list[Closing]]:
    """The tiles to add, and the ends of tiles that were there before."""
    current: dict[tuple[str, date], Writing] = {}
    past: list[Writing] = []
    closed: list[Closing] = []
    stood: dict[str, tuple[Claim, Tile | None]] = {}
    for change in changes:
        record = change.record
        envelope = record.envelope
        stream, moment = envelope.stream, envelope.recorded_at
        old, new = _differing(change, stood)
        for tile in old:
            known = current.pop((stream, tile.effective_from), None)
            if known is None:
                closed.append(Closing(stream, tile.effective_from, moment))
            elif known.record.envelope.recorded_at < moment:
                known.recorded_to = moment
                past.append(known)
            # otherwise it was known at no moment at all
        for tile in new:
            current[stream, tile.effective_from] = Writing(stream, tile, record)
    return [*past, *current.values()], closed


def _differing(
    change: Change, stood: dict[str, tuple[Claim, Tile | None]]
) -> tuple[Sequence[Tile], Sequence[Tile]]:
    """The tiles that a change ends, and those that take their place.

    `stood` holds each file's last tile as the change before has left it, and of which state it is.
    """
    before, after = change.before, change.after
    if not (isinstance(before, Claim) and isinstance(after, Claim)):
        return (), ()
    envelope = change.record.envelope
    stream, day = envelope.stream, envelope.effective_on
    state, old = stood.pop(stream, (None, None))
    if state is not before:
        old = _last(before, change.latest)
    if not change.in_order:
        return _anew(change)
    stands = standing_of(after) if old is None else standing_after(old.standing, before, after)
    new = None if stands is None else Tile(day, None, stands)
    stood[stream] = after, new
    if new is None or new == old:
        return (), ()
    if old is None:
        return (), (new,)
    if old.effective_from < day:
        return (old,), (Tile(old.effective_from, day, old.standing), new)
    return (old,), (new,)


def _anew(change: Change) -> tuple[list[Tile], list[Tile]]:
    """The same of a change of the past, which may change any number of tiles."""
    last = change.common[-1:]  # its tile may end on another day now
    was, became = tiles([*last, *change.was]), tiles([*last, *change.became])
    stay = set(was) & set(became)
    return [each for each in was if each not in stay], [each for each in became if each not in stay]


def _last(claim: Claim, day: date | None) -> Tile | None:
    """The tile that a file's state is now, since its latest day."""
    stands = standing_of(claim)
    return None if stands is None or day is None else Tile(day, None, stands)


ENDS = ("recorded_to", "effective_to")
COLUMNS = ("claim", "position", "version", "recorded_from", "effective_from", *Standing._fields)
TYPES: Mapping[str, Sequence[str]] = {
    "int8": ("position", "damages_estimate", "incurred", "paid"),
    "int4": ("version", "open_escalations", "reopened"),
    "timestamptz": ("recorded_from", "recorded_to"),
    "date": (
        *("effective_from", "effective_to"),
        *("event_date", "notified_on", "closed_on", "review_on"),
    ),
}
# A tile that ends at the moment at which it was recorded was known at no moment.
_END: LiteralString = """
WITH ended AS MATERIALIZED (
    SELECT claim, day::date, moment::timestamptz
    FROM ROWS FROM (
        json_array_elements_text(%(claims)s),
        json_array_elements_text(%(days)s),
        json_array_elements_text(%(moments)s)
    ) AS listed (claim, day, moment)
), forgotten AS (
    DELETE FROM caseload AS tile USING ended
    WHERE tile.claim = ended.claim AND tile.effective_from = ended.day
      AND tile.recorded_to = 'infinity' AND tile.recorded_from = ended.moment
)
UPDATE caseload AS tile SET recorded_to = ended.moment FROM ended
WHERE tile.claim = ended.claim AND tile.effective_from = ended.day
  AND tile.recorded_to = 'infinity' AND tile.recorded_from <> ended.moment
"""


def _copies(written: Sequence[Writing]) -> list[Copy]:
    """The rows to add: those with the same ends together, for one that is open is not written."""
    rows: dict[tuple[bool, ...], list[tuple[Any, ...]]] = {}
    for each in written:
        record, (first, until, standing) = each.record, each.tile
        envelope, ends = record.envelope, (each.recorded_to, until)
        rows.setdefault(tuple(map(bool, ends)), []).append(
            (
                *(each.claim, record.position, envelope.version, envelope.recorded_at, first),
                *standing,
                *filter(None, ends),
            )
        )
    return [
        Copy("caseload", typed((*COLUMNS, *compress(ENDS, known)), **TYPES), same)
        for known, same in rows.items()
    ]


VIEW = View("caseload", 2, {"caseload": TABLE}, fold, MONEY)

LIVE = (Status.NOTIFIED, Status.OPEN)
EVERY = (Status.NOTIFIED, Status.OPEN, Status.CLOSED)


class By(StrEnum):
    """What a caseload can be filtered and grouped by."""

    HANDLER = "handler"
    TEAM = "team"
    PATHWAY = "pathway"
    JURISDICTION = "jurisdiction"
    STATUS = "status"
    STAGE = "stage"


class Case(NamedTuple):
    """A file as known at a moment and as of a day.

    `last_action_on` is the last day on which something is held to have happened on it.
    `age_days` runs from the notification to the day, or to the closure if it was closed by then.
    """

    claim: str
    version: int
    last_action_on: date
    age_days: int
    idle_days: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Group:
    """The files of a group in one currency; `elsewhere` of them have lines in others too."""

    group: Mapping[str, str]
    currency: str
    files: int
    elsewhere: int
    open_escalations: int
    damages_estimate: int
    incurred: int
    paid: int

    @property
    def outstanding(self) -> int:
        """What is still expected to be paid."""
        return self.incurred - self.paid


_NOW: LiteralString = "recorded_to = 'infinity'"
_THEN: LiteralString = "recorded_from <= %(known_at)s AND recorded_to > %(known_at)s"
_ROWS: LiteralString = """
FROM views.caseload
WHERE {known} AND effective_from <= %(as_of)s AND effective_to > %(as_of)s
  AND status = ANY(%(statuses)s) AND {where}
"""
_CASES: LiteralString = """
SELECT claim, version, effective_from,
       LEAST(%(as_of)s::date, closed_on) - notified_on,
       %(as_of)s::date - effective_from, {standing}
{rows} AND claim > %(after)s AND (%(claim)s::text IS NULL OR claim = %(claim)s)
ORDER BY claim LIMIT %(limit)s
"""
_GROUPS: LiteralString = """
SELECT {keys} currency, count(*), count(*) FILTER (WHERE other_currencies <> ''),
       sum(open_escalations), sum(damages_estimate), sum(incurred), sum(paid)
{rows} GROUP BY {keys} currency ORDER BY {keys} currency
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which files are asked for: as of a day, as known at a moment (None: all that is known).

    `where` leaves those with a value, such as one handler's.
    """

    as_of: date
    known_at: datetime | None = None
    statuses: Collection[Status] = LIVE
    where: Mapping[By, str] = field(default_factory=dict[By, str])


def cases(
    connection: Connection[Any],
    asked: Asked,
    *,
    claim: str | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Case]:
    """The files in the order of their names, or the one; `after` a name, for the next page."""
    standing = sql.SQL(", ").join(map(sql.Identifier, Standing._fields))
    query = sql.SQL(_CASES).format(rows=_rows(asked), standing=standing)
    parameters = {**_parameters(asked), "claim": claim, "after": after, "limit": limit}
    found = connection.execute(query, parameters)
    return [
        Case(name, version, acted_on, age, idle, Standing(*stands))
        for name, version, acted_on, age, idle, *stands in found
    ]


def grouped(connection: Connection[Any], asked: Asked, by: Sequence[By]) -> list[Group]:
    """How many files, and how much, in each group and currency."""
    keys = sql.SQL("").join(sql.SQL("{}, ").format(sql.Identifier(each)) for each in by)
    query = sql.SQL(_GROUPS).format(rows=_rows(asked), keys=keys)
    return [
        Group(
            {each.value: value for each, value in zip(by, row[: len(by)], strict=True)},
            row[len(by)],
            *map(int, row[len(by) + 1 :]),
        )
        for row in connection.execute(query, _parameters(asked))
    ]


def _rows(asked: Asked) -> sql.Composed:
    wanted = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"where_{name}"))
        for name in asked.where
    ]
    return sql.SQL(_ROWS).format(
        known=sql.SQL(_NOW if asked.known_at is None else _THEN),
        where=sql.SQL(" AND ").join([sql.SQL("true"), *wanted]),
    )


def _parameters(asked: Asked) -> dict[str, Any]:
    return {
        "as_of": asked.as_of,
        "known_at": asked.known_at,
        "statuses": [each.value for each in asked.statuses],
        **{f"where_{name}": value for name, value in asked.where.items()},
    }
