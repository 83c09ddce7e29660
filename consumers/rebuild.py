"""Rebuilding views beside the live ones: build, reconcile at one position, swap, keep the old.

Whatever happens on the way, the live view is as it was, and what was begun is begun anew.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable

from consumers import positions
from consumers.bulk import Archive, Build, Deferred, Doors, build, complete, defer
from consumers.positions import LIVE, NEXT, Stand, stands, writing
from consumers.projector import Projector
from consumers.quarantine import TooManyParked
from consumers.reconcile import Difference, differences
from consumers.swap import ViewInUse, building, swap
from projections.view import View

WORKERS_MAX = 4  # past it, it is the database that has no more to give
FACTS_A_WORKER_MIN = 20_000  # a process of its own takes a second to begin
BEHIND_MAX = 100_000  # facts that a live view is brought forward by, to be compared at the head


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A view that was built again, from how many facts, and what differed from the live one.

    `swapped` is false where a difference stopped it; the new build stays beside the live one, to be
    looked at, until the view is built again. `parked` is how many files it had to set aside.
    """

    name: str
    facts: int
    differences: tuple[Difference, ...]
    swapped: bool
    parked: int


def rebuild(
    doors: Doors,
    views: Sequence[View],
    *,
    accept: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Rebuilt]:
    """Build views again from the log, whatever version they were, and put them in the live place.

    A difference from the live view stops the swap, unless it is to be accepted. `progress` is told
    how many facts were read. Raises `BuildUnderWay` (E645), `ViewInUse` (E648), `WorkerLost` (E649)
    or `TooManyParked` (E644).
    """
    with (
        doors.log() as log,
        doors.connection() as connection,
        doors.connection() as beside,
        building(connection, views),
    ):
        count = _workers(log.head()) if workers is None else workers
        facts: dict[str, int] = {}
        for up_to, together in _targets(log, connection, views):
            what = begin(connection, together, up_to)
            read = build(doors, what, count, progress)
            _finish(doors, connection, what, count)
            facts |= {view.name: read for view in together}
        replace_one = partial(_replace, log, connection, beside, accept=accept)
        with ThreadPoolExecutor(count) as comparing:
            compared = [comparing.submit(_compared, doors, view) for view in views]
            try:
                return [
                    replace_one(view, facts[view.name], found.result())
                    for view, found in zip(views, compared, strict=True)
                ]
            finally:  # where one stops them all, those that wait their turn need not be compared
                comparing.shutdown(wait=False, cancel_futures=True)


def _workers(facts: int) -> int:
    return max(1, min(WORKERS_MAX, os.cpu_count() or 1, facts // FACTS_A_WORKER_MIN))


def _targets(
    log: Archive, connection: Connection[Any], views: Sequence[View]
) -> Iterator[tuple[int, list[View]]]:
    """Up to which position each view is built: where its live one stands, so that both compare."""
    head = log.head()
    live = stands(connection, LIVE, [view.name for view in views])
    near = [
        view
        for view in views
        if view.name in live
        and live[view.name].version == view.version
        and head - BEHIND_MAX <= live[view.name].position < head
    ]
    with suppress(TooManyParked):  # that may be why it is built again
        Projector(log, connection).catch_up(near, until=head)
    live = stands(connection, LIVE, [view.name for view in views])
    target = {view.name: _target(live.get(view.name), head) for view in views}
    ordered = sorted(views, key=lambda view: target[view.name])
    for up_to, together in groupby(ordered, key=lambda view: target[view.name]):
        yield up_to, list(together)


def _target(live: Stand | None, head: int) -> int:
    return live.position if live is not None and live.position else head


def begin(connection: Connection[Any], views: Sequence[View], up_to: int) -> Build:
    """Make empty tables in the place of what an earlier rebuild may have left.

    Raises `ViewInUse` (E648) where somebody is looking at that.
    """
    deferred: dict[str, Sequence[Deferred]] = {}
    with writing(connection, NEXT):
        for view in views:
            try:
                positions.drop(connection, NEXT, view.name)
            except LockNotAvailable as error:
                raise ViewInUse(view.name) from error
            positions.create(connection, NEXT, view)
            deferred[view.name] = defer(connection, view)
    begun = stands(connection, NEXT, [view.name for view in views])
    return Build(views, {name: at.edition for name, at in begun.items()}, deferred, up_to)


def _finish(doors: Doors, connection: Connection[Any], what: Build, workers: int) -> None:
    """Make the indexes, let the planner know the tables, and bring the builds to where they are."""

    def finish(view: View) -> None:
        with doors.connection() as own:
            complete(own, view.name, what.deferred[view.name])
            for table in view.tables:
                own.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(NEXT, table)))

    with ThreadPoolExecutor(workers) as together:
        for done in [together.submit(finish, view) for view in what.views]:
            done.result()
    with writing(connection, NEXT):
        positions.move(connection, NEXT, [view.name for view in what.views], what.up_to)


def _compared(doors: Doors, view: View) -> list[Difference]:
    """What differs between a build and its live view, on connections of its own."""
    with doors.log() as log, doors.connection() as connection, doors.connection() as beside:
        catch_up = partial(_catch_up, Projector(log, beside, schema=NEXT), view)
        return _reconcile(view, connection, beside, catch_up)


def _replace(
    log: Archive,
    connection: Connection[Any],
    beside: Connection[Any],
    view: View,
    facts: int,
    found: Sequence[Difference],
    *,
    accept: bool,
) -> Rebuilt:
    parked = len(stands(beside, NEXT, [view.name])[view.name].parked)
    result = Rebuilt(view.name, facts, tuple(found), swapped=False, parked=parked)
    if found and not accept:
        return result
    catch_up = partial(_catch_up, Projector(log, beside, schema=NEXT), view)
    catch_up(log.head())
    swap(connection, view, NEXT, catch_up)
    return replace(result, swapped=True)


def _catch_up(projector: Projector, view: View, until: int) -> None:
    projector.catch_up([view], until=until)


def _reconcile(
    view: View,
    connection: Connection[Any],
    beside: Connection[Any],
    catch_up: Callable[[int], None],
) -> list[Difference]:
    """Compare at one position: the live view waits only until one moment of both is taken."""
    live = stands(connection, LIVE, [view.name]).get(view.name)
    if live is None or not live.position:
        return []
    catch_up(live.position)
    with writing(connection, LIVE):
        connection.execute("SELECT FROM views.position WHERE view = %s FOR UPDATE", [view.name])
        live = stands(connection, LIVE, [view.name])[view.name]
        catch_up(live.position)
        beside.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rebuilt = stands(beside, NEXT, [view.name])[view.name]
    try:
        return differences(beside, view, live, rebuilt)
    finally:
        beside.execute("ROLLBACK")
