"""Waiting until views hold a position of the log, so that who wrote reads what they wrote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from consumers.positions import HEAD
from domain.errors import Refused
from projections.view import View, ViewNotBuilt, position_of

WAIT_S_MAX = 10.0  # a projector that is alive follows within a second, after a restart within 5
PAUSE_S_MIN = 0.005  # about what a page takes that is written as soon as it is hinted at
PAUSE_S_MAX = 0.25  # a view that is far behind is not brought nearer by asking more often


@dataclass(eq=False)
class NotYetThere(Refused):
    """The views hold the log up to position {reached}, not yet {asked}, after {waited_ms} ms."""

    code = "E651"
    remedy = "Ask again; where the position stays, see that claims run is at work."
    where = "position"
    asked: int
    reached: int
    waited_ms: int


@dataclass(eq=False)
class PositionBeyondLog(Refused):
    """The log ends at position {head}; it has no position {asked}."""

    code = "E652"
    remedy = "Ask for a position that a receipt of this ledger names."
    where = "position"
    asked: int
    head: int


def wait_for(
    connection: Connection[Any],
    views: Sequence[View],
    position: int,
    timer: Callable[[], float],
    sleep: Callable[[float], None],
    timeout_s: float,
) -> int:
    """Wait until all of the views hold the log up to a position; the position they then have.

    `connection` may be a reader's, in autocommit, so that each look sees what is new; a view that
    was never built stands at 0. Raises `PositionBeyondLog` (E652) at once, `NotYetThere` (E651)
    after `timeout_s`, and `ViewOutdated` (E641).
    """
    require_in_log(connection, position)
    began_s, pause_s = timer(), PAUSE_S_MIN
    while True:
        reached = min(_reached(connection, view) for view in views)
        if reached >= position:
            return reached
        waited_s = timer() - began_s
        if waited_s >= timeout_s:
            raise NotYetThere(position, reached, round(waited_s * 1000))
        sleep(min(pause_s, timeout_s - waited_s))
        pause_s = min(pause_s * 2, PAUSE_S_MAX)


def require_in_log(connection: Connection[Any], position: int) -> None:
    """Require a position that the log has reached. Raises `PositionBeyondLog` (E652)."""
    ((head,),) = connection.execute(HEAD).fetchall()
    if position > head:
        raise PositionBeyondLog(position, head)


def _reached(connection: Connection[Any], view: View) -> int:
    try:
        return position_of(connection, view)
    except ViewNotBuilt:
        return 0
