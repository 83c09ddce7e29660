"""What the loops keep to: the world they are given, and how often they try, pause and speak."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

POLL_S = 1.0  # hints can be lost: one that is costs this long
PAUSE_S_MIN = 0.1  # a connection that was cut is made anew at once, or nearly
PAUSE_S_MAX = 1.0  # views are level within 5 s of the database's return; trying costs little
PROGRESS_S_MIN = 1.0  # a page takes milliseconds: who watches reads one line a second
SUMMARY_S_MIN = 10.0  # the same for what was read while level, summed up
STUCK_S_MAX = 60.0  # far beyond a page, a lock that is waited for and a failure to connect


@dataclass(frozen=True, slots=True)
class World:
    """What a loop is given of the world; `timer` and the pauses are in seconds."""

    clock: Callable[[], datetime]
    timer: Callable[[], float]  # never runs backwards, as a clock may
    wait: Callable[[float], bool]  # for a hint, so long at most
    sleep: Callable[[float], None]
    chance: Callable[[], float]  # between 0 and 1
    stop_asked: Callable[[], bool]


def is_stuck(seen_s: float, now_s: float) -> bool:
    """Whether a loop that gave its last sign of life then is held to be stuck by now."""
    return now_s - seen_s > STUCK_S_MAX


def pause_s(failures: int, chance: float) -> float:
    """How long to pause after so many failures in a row, at least one.

    It doubles up to its bound, and chance (0 to 1) takes up to half of it away, so that processes
    that lost one database together do not return to it together.
    """
    bound = min(PAUSE_S_MAX, PAUSE_S_MIN * 2.0 ** min(failures - 1, 10))
    return bound * (1 - chance / 2)
