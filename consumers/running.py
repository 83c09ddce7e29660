"""The loop that keeps views level: read on, wait for a hint or a second, outlast a lost database.

It has no clock, no sleep, no chance and no connection of its own. All are handed in, so that a day
of it can be played in a moment. What it cannot outlast it raises: a supervisor starts it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from consumers.pace import POLL_S, PROGRESS_S_MIN, SUMMARY_S_MIN, World, is_stuck, pause_s
from consumers.projector import Progress
from consumers.quarantine import TooManyParked
from domain.errors import StoreUnavailable
from projections.view import View, ViewBroken, ViewOutdated

AGAIN_S = 60.0  # a view that stops at too many files reads a page many times to find that out


@dataclass(frozen=True, slots=True)
class Started:
    """The loop begins with these views."""

    views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Every view that is not left out holds the log; `facts` were read since this was last said."""

    facts: int
    position: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The database does not answer."""

    why: str


@dataclass(frozen=True, slots=True)
class Back:
    """The database answers again, at this try."""

    tries: int
    away_s: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A view cannot be kept level, by the code of its refusal; the others go on."""

    view: str
    code: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A view that was left out is kept level again."""

    view: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """The loop ends, as it was asked to; the views hold every fact up to the position."""

    position: int


Event = Started | Progress | CaughtUp | Lost | Back | LeftOut | TakenIn | Stopping


Hopeless = ViewOutdated | TooManyParked | ViewBroken


class Reading(Protocol):
    """What brings views level, over whatever connection there is by then.

    Raises `StoreUnavailable` for a database that is away, and `ViewOutdated` or `TooManyParked` for
    a view that cannot be kept level.
    """

    def catch_up(self, views: Sequence[View], progress: Callable[[Progress], None]) -> int:
        """Read on until the views are level; how many facts were read.

        Told after each page that was written and outside its transaction; what `progress` raises
        ends the reading there.
        """
        ...

    def position(self, views: Sequence[View]) -> int:
        """The position that all of the views hold the log up to."""
        ...


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the loop does. Threads may read it: it is replaced, never changed.

    `seen_s` is when it last gave a sign of life, by the timer: a page written or a turn ended.
    """

    started_at: datetime
    seen_s: float
    since: datetime  # the database answers since then, or is away since then
    why_away: str | None = None
    turn_ended_at: datetime | None = None
    turns: int = 0
    facts: int = 0
    position: int = 0
    left_out: Mapping[str, Hopeless] = field(default_factory=dict[str, Hopeless])

    def stuck(self, now_s: float) -> bool:
        """Whether it has given no sign of life for `STUCK_S_MAX`."""
        return is_stuck(self.seen_s, now_s)


class _Enough(Exception):
    """A stop was asked for between two pages."""


class Loop:
    """Keeps views level until it is asked to stop; `tell` hears what happens to it."""

    def __init__(
        self,
        views: Sequence[View],
        reading: Reading,
        world: World,
        tell: Callable[[Event], None],
    ) -> None:
        self._views = views
        self._reading = reading
        self._world = world
        self._tell = tell
        now = world.clock()
        self.pulse = Pulse(now, world.timer(), now)
        self._unsaid = 0  # facts read since `CaughtUp` was told
        self._gave_up_s: dict[str, float] = {}
        self._say_level = True
        self._said_s = self._progress_s = self._lost_s = float("-inf")

    def run(self, *, once: bool = False) -> None:
        """Turn until a stop is asked for, or until the views are level `once`."""
        self._tell(Started(tuple(view.name for view in self._views)))
        failures = 0
        while not self._world.stop_asked():
            try:
                self._turn()
            except StoreUnavailable as error:
                failures += 1
                self._lost(error)
                self._world.sleep(pause_s(failures, self._world.chance()))
                continue
            if failures:
                self._back(failures + 1)
                failures = 0
            self._ended()
            if once:
                break
            if not self._world.stop_asked():
                self._world.wait(POLL_S)
        self._tell(Stopping(self.pulse.position))

    def _turn(self) -> None:
        """Bring every view level that can be; the others are left out of this turn."""
        left_out = self._not_yet_again()
        while due := [view for view in self._views if view.name not in left_out]:
            try:
                self._reading.catch_up(due, self._page)
                # Another projector may have written what this one then did not have to.
                self.pulse = replace(self.pulse, position=self._reading.position(due))
                break
            except (ViewOutdated, TooManyParked, ViewBroken) as error:
                left_out[error.view] = error
                self._gave_up_s[error.view] = self._world.timer()
            except _Enough:
                return
        self._compare(left_out)

    def _not_yet_again(self) -> dict[str, Hopeless]:
        """The views that stop by their own fault, until there is reason to try them again."""
        since_s = self._world.timer() - AGAIN_S
        return {
            name: error
            for name, error in self.pulse.left_out.items()
            if isinstance(error, TooManyParked | ViewBroken) and self._gave_up_s[name] > since_s
        }

    def _page(self, page: Progress) -> None:
        self._unsaid += page.facts
        now_s = self._world.timer()
        self.pulse = replace(
            self.pulse,
            position=page.position,
            facts=self.pulse.facts + page.facts,
            seen_s=now_s,
        )
        if now_s - self._progress_s >= PROGRESS_S_MIN:
            self._progress_s = now_s
            self._tell(page)
        if self._world.stop_asked():
            raise _Enough

    def _compare(self, left_out: Mapping[str, Hopeless]) -> None:
        """Tell which views are left out since this turn, and which no longer are."""
        before = self.pulse.left_out
        self.pulse = replace(self.pulse, left_out=left_out)
        for name, error in left_out.items():
            if name not in before:
                self._tell(LeftOut(name, error.code))
        for name in before:
            if name not in left_out:
                self._say_level = True
                self._tell(TakenIn(name))

    def _ended(self) -> None:
        now_s = self._world.timer()
        self.pulse = replace(
            self.pulse,
            seen_s=now_s,
            turn_ended_at=self._world.clock(),
            turns=self.pulse.turns + 1,
        )
        due = self._unsaid and now_s - self._said_s >= SUMMARY_S_MIN
        if (self._say_level or due) and not self._world.stop_asked():
            self._tell(CaughtUp(self._unsaid, self.pulse.position))
            self._unsaid, self._say_level, self._said_s = 0, False, now_s

    def _lost(self, error: StoreUnavailable) -> None:
        now, first = self._world.clock(), self.pulse.why_away is None
        self.pulse = replace(
            self.pulse,
            seen_s=self._world.timer(),
            since=now if first else self.pulse.since,
            why_away=error.why,
            turn_ended_at=now,
            turns=self.pulse.turns + 1,
        )
        if first:
            self._lost_s = self._world.timer()
            self._tell(Lost(error.why))

    def _back(self, tries: int) -> None:
        self.pulse = replace(self.pulse, since=self._world.clock(), why_away=None)
        self._say_level = True
        self._tell(Back(tries, self._world.timer() - self._lost_s))
