"""The health answer: how far the views are behind the log, and whether their loop is alive.

It is read from the database, so that it can be had, and tells the truth, when nothing keeps the
views level; a loop adds how it does itself.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString

from psycopg import Connection

from consumers.positions import HEAD, LIVE, OLDEST, stands
from consumers.running import Pulse
from consumers.standing import LAG_COUNTED_MAX
from domain.errors import StoreUnavailable, Unreadable
from domain.schema import from_stored
from edge.store.errors import away_by_name
from projections.view import View

# After a restart of the database the views are level within 5 s; who takes twice as long may need
# a person, and so may a clock that lies by as much.
BEHIND_S_MAX = 10.0
ANSWER_MS_MAX = 2_000  # of a statement: a database that takes longer for one is as good as away

_LAG: LiteralString = """
SELECT count(*) FROM (
    SELECT FROM ledger.facts WHERE notification_id > %s ORDER BY notification_id LIMIT %s
) AS behind
"""


class State(StrEnum):
    """What the whole comes to; the worst that holds."""

    LEVEL = "level"  # or behind by less than `BEHIND_S_MAX`
    BEHIND = "behind"
    STUCK = "stuck"  # the loop has given no sign of life
    UNAVAILABLE = "unavailable"  # the database does not answer


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest fact that somebody lacks; `recorded_at` is None when it cannot be read."""

    position: int
    stream: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class ViewHealth:
    """One view: `lag` in facts (counted to `LAG_COUNTED_MAX`), `built` as that version, 0 never.

    `parked` files stay behind at a fact that could not be applied.
    """

    name: str
    known: int
    built: int
    position: int
    lag: int
    parked: frozenset[str] = frozenset()

    @property
    def left_out(self) -> bool:
        """It was built as a version that this program does not write."""
        return self.built not in (0, self.known)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the log ends and the views stand. `lag_s` is the age of the oldest fact that a view
    lacks, in seconds, None when it cannot be told.
    """

    head: int
    views: tuple[ViewHealth, ...]
    oldest: Oldest | None
    lag_s: float | None

    @property
    def lag(self) -> int:
        return max((view.lag for view in self.views), default=0)

    @property
    def parked_files(self) -> int:
        """Files that any view had to set aside."""
        return len(frozenset[str]().union(*(view.parked for view in self.views)))

    @property
    def level(self) -> bool:
        """No view is left out, and none lacks a fact for long."""
        late = self.lag_s is None or self.lag_s > BEHIND_S_MAX
        return not late and not any(view.left_out for view in self.views)


@dataclass(frozen=True, slots=True)
class Health:
    """The answer at a moment; `standing` is None when the database is away, and `why_away` says so.

    `since` is when it began to answer or was lost, as far as a loop knows it.
    """

    at: datetime
    standing: Standing | None
    why_away: str = ""
    since: datetime | None = None
    pulse: Pulse | None = None
    stuck: bool = False

    @property
    def state(self) -> State:
        if self.standing is None:
            return State.UNAVAILABLE
        if self.stuck:
            return State.STUCK
        return State.LEVEL if self.standing.level else State.BEHIND


Connect = Callable[[], AbstractContextManager[Connection[Any]]]


def health(
    connect: Connect,
    views: Sequence[View],
    now: datetime,
    pulse: Pulse | None = None,
    *,
    stuck: bool = False,
) -> Health:
    """Ask the database where the views stand; `connect` gives a reader's connection.

    That there is none is an answer, too.
    """
    since = pulse.since if pulse else None
    try:
        with away_by_name(), connect() as connection:
            found = standing(connection, views, now)
    except StoreUnavailable as error:
        known = since if pulse and pulse.why_away is not None else None
        return Health(now, None, error.why, known, pulse, stuck)
    return Health(now, found, "", since if pulse and pulse.why_away is None else None, pulse, stuck)


def standing(connection: Connection[Any], views: Sequence[View], now: datetime) -> Standing:
    """Where the log ends and the views stand, by a reader's connection in autocommit."""
    connection.execute(f"SET statement_timeout = {ANSWER_MS_MAX:d}".encode())
    # The positions first: a fact that comes meanwhile makes a lag, and never a lead.
    found = stands(connection, LIVE, [view.name for view in views])
    ((head,),) = connection.execute(HEAD).fetchall()
    told: list[ViewHealth] = []
    for view in views:
        at = found.get(view.name)
        position = at.position if at else 0
        lag = lag_past(connection, position)
        parked = at.parked if at else frozenset[str]()
        told.append(
            ViewHealth(view.name, view.version, at.version if at else 0, position, lag, parked)
        )
    oldest = oldest_past(connection, min((view.position for view in told), default=head))
    return Standing(head, tuple(told), oldest, age_s(oldest, now))


def lag_past(connection: Connection[Any], position: int) -> int:
    """How many facts the log has past a position, counted to `LAG_COUNTED_MAX`."""
    ((lag,),) = connection.execute(_LAG, [position, LAG_COUNTED_MAX]).fetchall()
    return int(lag)


def oldest_past(connection: Connection[Any], position: int) -> Oldest | None:
    """The first fact past a position, None at the end of the log."""
    row = connection.execute(OLDEST, [position]).fetchone()
    if row is None:
        return None
    stream, _, _, _, at = row
    try:
        return Oldest(at, stream, from_stored(*row).envelope.recorded_at)
    except Unreadable:
        return Oldest(at, stream, None)


def age_s(oldest: Oldest | None, now: datetime) -> float | None:
    """How old it is; None when another machine's clock was so far ahead that it cannot be told."""
    if oldest is None:
        return 0.0
    if oldest.recorded_at is None:
        return None
    age_s = (now - oldest.recorded_at).total_seconds()
    return None if age_s < -BEHIND_S_MAX else max(0.0, age_s)


def as_data(answer: Health) -> dict[str, Any]:
    """The answer as JSON data."""
    return {
        "state": answer.state.value,
        "at": answer.at.isoformat(),
        "database": {
            "answers": answer.standing is not None,
            "since": answer.since.isoformat() if answer.since else None,
            "why": answer.why_away or None,
        },
        **(_standing_data(answer.standing) if answer.standing else {}),
        "loop": _loop_data(answer),
    }


def _standing_data(found: Standing) -> dict[str, Any]:
    return {
        "head": found.head,
        "lag": {"facts": found.lag, "seconds": found.lag_s},
        "oldest_unapplied": oldest_data(found.oldest),
        "quarantined_files": found.parked_files,
        "views": [
            {
                "view": view.name,
                "version": view.built,
                "position": view.position,
                "lag": view.lag,
                "parked_files": len(view.parked),
                "left_out": view.left_out,
            }
            for view in found.views
        ],
    }


def oldest_data(oldest: Oldest | None) -> dict[str, Any] | None:
    """The oldest fact that somebody lacks, as JSON data; None when nothing is lacking."""
    if oldest is None:
        return None
    moment = oldest.recorded_at
    return {
        "position": oldest.position,
        "stream": oldest.stream,
        "recorded_at": moment.isoformat() if moment else None,
    }


def _loop_data(answer: Health) -> dict[str, Any] | None:
    pulse = answer.pulse
    if pulse is None:
        return None
    ended = pulse.turn_ended_at
    return {
        "alive": not answer.stuck,
        "started_at": pulse.started_at.isoformat(),
        "turn_ended_at": ended.isoformat() if ended else None,
        "turns": pulse.turns,
        "facts": pulse.facts,
        "left_out": sorted(pulse.left_out),
    }
