"""Releasing a parked file: what waited is applied in order, from the log, or stays where it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from consumers import positions
from consumers.applying import run
from consumers.files import Files
from consumers.positions import LIVE, Stand, Stopped, stands, writing
from consumers.quarantine import FileStops, Place, PlacedLog, stopped_at, what_stops_a_file
from domain.errors import Refused
from projections.view import View, ViewOutdated


@dataclass(eq=False)
class NotParked(Refused):
    """No view has the file {file} parked."""

    code = "E647"
    remedy = "Ask which files are parked: claims views status."
    where = "file"
    file: str


@dataclass(frozen=True, slots=True)
class Released:
    """What became of a file in a view: so many facts were applied, or it stopped again, and why."""

    view: str
    facts: int
    stopped: Stopped | None = None


def release(
    log: PlacedLog, connection: Connection[Any], views: Sequence[View], stream: str
) -> list[Released]:
    """Let a file go on in every view that has it parked, each in a transaction of its own.

    Raises `NotParked` (E647) or `ViewOutdated` (E641).
    """
    found = stands(connection, LIVE, [view.name for view in views])
    told: list[Released] = []
    for view in views:
        at = found.get(view.name)
        if at is None or stream not in at.parked:
            continue
        if at.version != view.version:
            raise ViewOutdated(view.name, at.version, view.version)
        told.append(_release(log, connection, view, stream))
    if not told:
        raise NotParked(stream)
    return told


def _release(log: PlacedLog, connection: Connection[Any], view: View, stream: str) -> Released:
    with writing(connection, LIVE):
        connection.execute("SELECT FROM views.position WHERE view = %s FOR UPDATE", [view.name])
        at = stands(connection, LIVE, [view.name])[view.name]
        row = connection.execute(
            "SELECT stream, version, position FROM views.parked WHERE view = %s AND stream = %s",
            [view.name, stream],
        ).fetchone()
        if row is None:
            return Released(view.name, 0)  # somebody else was quicker
        place = Place(*row)
        try:
            with what_stops_a_file():
                facts = _apply(log, connection, view, at, place)
        except FileStops as stop:
            stopped = stopped_at(place, stop.why)
            positions.park(connection, LIVE, view.name, stopped)
            return Released(view.name, 0, stopped)
        positions.unpark(connection, LIVE, view.name, stream)
        positions.renew(connection, LIVE, view.name)
        return Released(view.name, facts)


def _apply(log: PlacedLog, connection: Connection[Any], view: View, at: Stand, place: Place) -> int:
    """Apply what waits, from the fact that the file stopped at to where the view stands."""
    history = log.histories([place.stream], at.position)[place.stream]
    waiting = history[place.version - 1 :]
    writes = view.fold(Files(log).changes(waiting, place.position - 1))
    with connection.transaction():
        run(connection, LIVE, view.name, writes)
    return len(waiting)
