"""How the views stand: how far behind the log, what they leave out, and what can be taken back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, get_args

from psycopg import Connection

from consumers.positions import HEAD, LIVE, OLDEST, PREVIOUS, Stand, stands
from domain import claim
from domain.claim.payments import PaymentIssued, PaymentVoided
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.errors import Unreadable
from domain.schema import NAME_OF, from_stored
from projections.view import View

LAG_COUNTED_MAX = 100_000  # facts: past it, how many more there are is not worth the wait
WAITING_READ_MAX = 200_000  # all that can wait: 100 files (PARKED_FILES_MAX) of 2,000 facts

_LAG: LiteralString = """
SELECT count(*), count(DISTINCT originator_id) FILTER (WHERE topic = ANY(%(of_claims)s))
FROM (SELECT originator_id, topic FROM ledger.facts
      WHERE notification_id > %(position)s ORDER BY notification_id LIMIT %(most)s) AS behind
"""
_PARKED: LiteralString = """
SELECT stream, version, position, code, why, parked_at
FROM views.parked WHERE view = %s ORDER BY stream
"""
# One range of the primary key for each file.
_WAITING: LiteralString = """
SELECT fact.*
FROM views.parked
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id
    FROM ledger.facts
    WHERE originator_id = stream AND originator_version >= version
      AND notification_id <= %(position)s
) AS fact
WHERE view = %(view)s LIMIT %(most)s
"""
_OF_CLAIMS = [NAME_OF[kind] for kind in get_args(claim.Fact)]


@dataclass(frozen=True, slots=True)
class Parked:
    """A file that a view could not take further: at which fact, since when, why, and how many facts
    wait, that one and those after it which the view has passed.
    """

    stream: str
    version: int
    position: int
    code: str
    why: str
    parked_at: datetime
    waiting: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What facts say of money, whole minor units of one currency; estimates by how they change."""

    estimate: int = 0
    paid: int = 0
    recovered: int = 0

    def plus(self, other: "Sums") -> "Sums":
        return Sums(
            self.estimate + other.estimate,
            self.paid + other.paid,
            self.recovered + other.recovered,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """Where a view stands: `version` is what it was built as, 0 if it never was.

    `head` is the last position of the log, `lag` how many facts the view does not have yet (counted
    to `LAG_COUNTED_MAX`, of which `left_out_files` claims), `oldest` when the first of them was
    recorded. `parked` files stay behind at a fact that could not be applied; `money` is what their
    waiting facts say of it by currency, and `unread` how many of those could not even be read.
    `kept` is the position of the build that a rollback would bring back.
    """

    name: str
    version: int
    position: int
    head: int
    lag: int
    left_out_files: int
    oldest: datetime | None = None
    parked: tuple[Parked, ...] = ()
    money: tuple[tuple[str, Sums], ...] = ()
    unread: int = 0
    kept: int | None = None


def status(connection: Connection[Any], views: Sequence[View]) -> list[Status]:
    """Where each view stands; the reader's role is enough."""
    names = [view.name for view in views]
    live, kept = stands(connection, LIVE, names), stands(connection, PREVIOUS, names)
    ((head,),) = connection.execute(HEAD).fetchall()
    return [_status(connection, name, live.get(name), kept.get(name), head) for name in names]


def _status(
    connection: Connection[Any], name: str, live: Stand | None, kept: Stand | None, head: int
) -> Status:
    version, position = (live.version, live.position) if live else (0, 0)
    ((lag, files),) = connection.execute(
        _LAG, {"position": position, "of_claims": _OF_CLAIMS, "most": LAG_COUNTED_MAX}
    ).fetchall()
    parked, money, unread = _left_behind(connection, name, live)
    return Status(
        name,
        version,
        position,
        head,
        lag,
        files,
        _oldest(connection, position) if lag else None,
        parked,
        money,
        unread,
        kept.position if kept else None,
    )


def _oldest(connection: Connection[Any], position: int) -> datetime | None:
    """When the first fact past a position was recorded, if it can be read."""
    row = connection.execute(OLDEST, [position]).fetchone()
    try:
        return from_stored(*row).envelope.recorded_at if row else None
    except Unreadable:
        return None


def _left_behind(
    connection: Connection[Any], name: str, live: Stand | None
) -> tuple[tuple[Parked, ...], tuple[tuple[str, Sums], ...], int]:
    """The parked files, what their waiting facts say of money, and how many cannot be read."""
    if live is None or not live.parked:
        return (), (), 0
    waiting, unread = Counter[str](), 0
    money: dict[str, Sums] = {}
    asked = {"view": name, "position": live.position, "most": WAITING_READ_MAX}
    for row in connection.execute(_WAITING, asked):
        waiting[row[0]] += 1
        try:
            fact = from_stored(*row).fact
        except Unreadable:
            unread += 1
            continue
        for currency, sums in _money_of(fact):
            money[currency] = money.get(currency, Sums()).plus(sums)
    parked = tuple(
        Parked(stream, version, position, code, why, parked_at, waiting[stream])
        for stream, version, position, code, why, parked_at in connection.execute(_PARKED, [name])
    )
    return parked, tuple(sorted(money.items())), unread


def _money_of(fact: object) -> list[tuple[str, Sums]]:
    """What a fact says of money by itself."""
    match fact:
        case EstimateSet():
            return [(fact.line.currency, Sums(estimate=fact.amount.minor - fact.previous.minor))]
        case PaymentIssued():
            return [(fact.line.currency, Sums(paid=fact.amount.minor))]
        case PaymentVoided():
            return [(fact.line.currency, Sums(paid=-fact.amount.minor))]
        case RecoveryReceived():
            return [(fact.line.currency, Sums(recovered=fact.amount.minor))]
        case _:
            return []
