"""How the loop that answers commands does: what it waits for, what it holds, how far it is behind.

All of it is what the loop itself left behind at its last turn, so that to ask never holds it up.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from consumers.commanding import Pulse
from edge.kafka.incoming import LOOK_S
from edge.kafka.lag import Holding
from edge.starting import Absent

# A database or a broker that is restarted is back within 15 s; who waits twice as long may need a
# person.
WAITS_S_MAX = 30.0
SILENT_S_MAX = 3 * LOOK_S  # a batch may hold one look up, and the broker another


class State(StrEnum):
    """What the whole comes to; the worst that holds."""

    CONSUMING = "consuming"
    WAITING = "waiting"  # for less than `WAITS_S_MAX`: what it held comes to its end by itself
    STARTING = "starting"  # what it takes to begin is not there
    LOST = "lost"  # it has waited for longer
    STUCK = "stuck"  # the loop has given no sign of life


WELL = {State.CONSUMING, State.WAITING}


@dataclass(frozen=True, slots=True)
class Waits:
    """What is waited for: database, topics, file or broker; by which code, and for how long."""

    for_what: str
    code: str
    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """The answer at a moment; `pulse` and `holding` are None before the loop begins.

    `silent_s` is for how many seconds the broker has not done what was asked.
    """

    at: datetime
    waits: Waits | None = None
    pulse: Pulse | None = None
    holding: Holding | None = None
    stuck: bool = False
    silent_s: float = 0.0

    @property
    def state(self) -> State:
        if self.pulse is None:
            return State.STARTING
        if self.stuck:
            return State.STUCK
        if self.waits is None:
            return State.CONSUMING
        return State.LOST if self.waits.seconds > WAITS_S_MAX else State.WAITING

    def age_s(self, moment_s: float | None) -> float:
        """How long ago a moment of the Unix epoch was; 0 for none, or one that is yet to come."""
        return 0.0 if moment_s is None else max(0.0, self.at.timestamp() - moment_s)


def before(at: datetime, absent: Absent | None, waited_s: float) -> Health:
    """The health of a process whose loop has not begun."""
    if absent is None:
        return Health(at)
    what = "database" if absent.database else "broker"
    return Health(at, Waits(what, absent.code, absent.why, waited_s))


def during(at: datetime, now_s: float, pulse: Pulse, holding: Holding) -> Health:
    """The health of a loop, at a moment and what its timer says then."""
    waiting, silent_s = pulse.waiting, now_s - holding.well_s
    found = Health(at, None, pulse, holding, pulse.stuck(now_s), silent_s)
    if waiting is not None:
        waits = Waits(waiting.for_what, waiting.code, waiting.why, now_s - pulse.since_s)
    elif silent_s > SILENT_S_MAX:
        waits = Waits("broker", "E771", "it does not say where the partitions end", silent_s)
    else:
        return found
    return replace(found, waits=waits)


def as_data(answer: Health, group: str) -> dict[str, Any]:
    """The answer as JSON data."""
    waits, pulse = answer.waits, answer.pulse
    lags = answer.holding.lags if answer.holding else ()
    return {
        "state": answer.state.value,
        "at": answer.at.isoformat(),
        "group": group,
        "waiting": waits
        and {
            "for": waits.for_what,
            "code": waits.code,
            "why": waits.why,
            "since": (answer.at - timedelta(seconds=waits.seconds)).isoformat(),
        },
        "held": pulse.held if pulse else 0,
        "lag": {
            "messages": sum(each.messages for each in lags),
            "seconds": max((answer.age_s(each.oldest_s) for each in lags), default=0.0),
        },
        "partitions": [
            {
                "topic": each.partition.topic,
                "partition": each.partition.number,
                "lag": {"messages": each.messages, "seconds": answer.age_s(each.oldest_s)},
            }
            for each in lags
        ],
        "loop": pulse and {"alive": not answer.stuck},
    }
