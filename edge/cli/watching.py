"""What `claims run` tells of its loop: log lines, JSON lines, or a drawing that follows it."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

import structlog
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from consumers.projector import Progress
from consumers.running import Back, CaughtUp, Event, LeftOut, Lost, Started, Stopping, TakenIn
from edge.cli.output import in_lines, table, told_moment
from edge.health import Health, State
from edge.starting import Absent
from edge.starting import Event as StartEvent
from edge.wiring import Clock

DRAW_S_MIN = 0.5  # each drawing asks the database where the views stand
COLOURS = {State.LEVEL: "green", State.BEHIND: "yellow"}


class Watcher(Protocol):
    """Hears what happens to the loop, and when it is about to wait."""

    def tell(self, event: Event) -> None: ...

    def idle(self) -> None: ...


class InLog:
    """One line an event, by the rules of the log."""

    def tell(self, event: Event) -> None:
        log = structlog.get_logger()
        match event:
            case Started():
                log.info("started", count=len(event.views))
            case Progress():
                log.info("reading on", count=event.facts, position=event.position)
            case CaughtUp():
                log.info("caught up", count=event.facts, position=event.position)
            case Lost():
                log.warning("lost the database")
            case Back():
                milliseconds = round(event.away_s * 1000)
                log.info("back again", tries=event.tries, milliseconds=milliseconds)
            case LeftOut():
                log.warning("view left out", view=event.view, code=event.code)
            case TakenIn():
                log.info("view taken in", view=event.view)
            case Stopping():
                log.info("stopping", position=event.position)

    def idle(self) -> None:
        """Nothing to say."""


class InLines:
    """One JSON object a line, for a program that starts the loop."""

    def __init__(self, clock: Clock) -> None:
        self._tell = in_lines(clock)

    def tell(self, event: Event) -> None:
        self._tell(event)

    def idle(self) -> None:
        """Nothing to say."""


class Drawn:
    """The views and how far behind they are, drawn again as the start and the loop go on."""

    def __init__(self, live: Live, look: Callable[[], Health]) -> None:
        self._live = live
        self._look = look
        self._drawn_s = float("-inf")

    def tell(self, event: Event) -> None:
        del event
        self.idle()

    def tell_start(self, event: StartEvent) -> None:
        if isinstance(event, Absent):  # who is there at last is drawn by the loop, with its views
            self.idle()

    def idle(self) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s >= DRAW_S_MIN:
            self._drawn_s = now_s
            self._live.update(draw_health(self._look()), refresh=True)


@contextmanager
def drawn(look: Callable[[], Health]) -> Generator[Drawn]:
    """Draw on this terminal what is looked at."""
    with Live(console=Console(highlight=False, emoji=False), auto_refresh=False) as live:
        yield Drawn(live, look)


def draw_health(answer: Health) -> Group:
    """The answer for people."""
    state = Text(answer.state.value, style=COLOURS.get(answer.state, "red"))
    head = Text.assemble("The views are ", state, f", {told_moment(answer.at)}")
    if answer.standing is None:
        return Group(head, Text(f"The database is away: {answer.why_away}"))
    found = answer.standing
    rows = [
        [view.name, view.built, view.position, view.lag, len(view.parked), _remark(view.left_out)]
        for view in found.views
    ]
    columns = ["view", "version>", "position>", "lag>", "files parked>", ""]
    drawn_views = table(f"The log ends at position {found.head:,}", columns, rows)
    oldest = found.oldest
    if oldest is None:
        return Group(head, drawn_views)
    age = "unknown" if found.lag_s is None else f"{found.lag_s:,.1f} s"
    told = f"Oldest fact not yet applied: position {oldest.position:,} of {oldest.stream}, {age}"
    return Group(head, drawn_views, Text(told))


def _remark(left_out: bool) -> str:
    return "left out" if left_out else ""
