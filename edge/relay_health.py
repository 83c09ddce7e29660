"""How a relay does: what its topic lacks, as the database has it, and the pulse of its loop."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString

from psycopg import Connection

from consumers.relaying import Pulse
from domain.errors import StoreUnavailable
from edge.health import ANSWER_MS_MAX, Connect, Oldest, age_s, lag_past, oldest_data, oldest_past
from edge.starting import Absent
from edge.store.errors import away_by_name

# A relay takes over from one that was cut off within a minute, and is level again soon after.
UNSENT_S_MAX = 90.0

_POSITION: LiteralString = """
SELECT coalesce((SELECT position FROM relay.position WHERE topic = %s), 0)
"""


class State(StrEnum):
    """What the whole comes to; the worst that holds."""

    LEVEL = "level"  # or behind by less than `UNSENT_S_MAX`
    BEHIND = "behind"
    LOST = "lost"  # the database or the broker did not answer at the last try
    STARTING = "starting"  # what it takes to begin is not there
    STUCK = "stuck"  # the loop has given no sign of life


@dataclass(frozen=True, slots=True)
class Unsent:
    """What the topic lacks: so many facts past a position (counted to `LAG_COUNTED_MAX`), of which
    the oldest is `lag_s` seconds old, None when that cannot be told.
    """

    position: int
    lag: int
    oldest: Oldest | None
    lag_s: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """The answer at a moment; `unsent` is None when the database does not answer.

    `lost` is what it does without, for so many seconds; `pulse` is None before the loop begins.
    """

    at: datetime
    unsent: Unsent | None = None
    pulse: Pulse | None = None
    stuck: bool = False
    lost: Absent | None = None
    lost_s: float = 0.0
    facts: int = 0

    @property
    def state(self) -> State:
        if self.pulse is None:
            return State.STARTING
        if self.stuck:
            return State.STUCK
        if self.lost is not None or self.unsent is None:
            return State.LOST
        late = self.unsent.lag_s is None or self.unsent.lag_s > UNSENT_S_MAX
        return State.BEHIND if late else State.LEVEL

    @property
    def turn(self) -> str:
        """Whether the work is this relay's, as far as it knows."""
        working = self.pulse.working if self.pulse else None
        return {True: "working", False: "another works", None: "not known"}[working]


def unsent(connect: Connect, topic: str, now: datetime) -> Unsent | Absent:
    """Ask the database what a topic lacks; `connect` gives a reader's connection."""
    try:
        with away_by_name(), connect() as connection:
            return _unsent(connection, topic, now)
    except StoreUnavailable as error:
        return Absent(database=True, code=error.code, why=error.why)


def _unsent(connection: Connection[Any], topic: str, now: datetime) -> Unsent:
    connection.execute(f"SET statement_timeout = {ANSWER_MS_MAX:d}".encode())
    ((position,),) = connection.execute(_POSITION, [topic]).fetchall()
    oldest = oldest_past(connection, position)
    return Unsent(position, lag_past(connection, position), oldest, age_s(oldest, now))


def during(at: datetime, now_s: float, pulse: Pulse, found: Unsent | Absent, facts: int) -> Health:
    """The health of a loop that has sent so many facts, at a moment and what its timer says."""
    lost, lost_s = None, 0.0
    if pulse.lost is not None:
        away = pulse.lost
        lost, lost_s = Absent(away.database, away.code, away.why), now_s - pulse.since_s
    elif isinstance(found, Absent):
        lost = found
    known = found if isinstance(found, Unsent) else None
    return Health(at, known, pulse, pulse.stuck(now_s), lost, lost_s, facts)


def as_data(answer: Health, topic: str) -> dict[str, Any]:
    """The answer as JSON data."""
    lost, found = answer.lost, answer.unsent
    return {
        "state": answer.state.value,
        "at": answer.at.isoformat(),
        "topic": topic,
        "turn": answer.turn,
        "lost": lost
        and {
            "for": "database" if lost.database else "broker",
            "code": lost.code,
            "why": lost.why,
            "since": (answer.at - timedelta(seconds=answer.lost_s)).isoformat(),
        },
        **(_unsent_data(found) if found else {}),
        "loop": answer.pulse and {"alive": not answer.stuck, "facts": answer.facts},
    }


def _unsent_data(found: Unsent) -> dict[str, Any]:
    return {
        "position": found.position,
        "lag": {"facts": found.lag, "seconds": found.lag_s},
        "oldest_unsent": oldest_data(found.oldest),
    }
