"""Putting one build of a view in another's place: in one transaction, and between two readers."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from consumers.positions import (
    LIVE,
    NEXT,
    PREVIOUS,
    Schema,
    Stand,
    drop,
    stands,
    tables_of,
    transfer,
    writing,
)
from consumers.projector import Projector
from consumers.quarantine import PlacedLog
from domain.errors import Refused
from projections.view import View

BUILDING = 0x6275696C  # "buil": the advisory locks of those who build views beside the live ones
# Who waits for a lock on a table makes all others wait behind it, so it is tried again and again
# for a moment each. A reader's statement may take 30 s; who reads longer is not waited for.
LOCK_WAIT = "200ms"
# PostgreSQL's own VACUUM gives way to who has waited for its table for `deadlock_timeout`, 1 s. One
# that a person began, or that wraparound asks for, does not: it is told of after nearly 5 minutes.
VACUUM_WAIT = "2s"
PAUSE_S = 0.3  # readers of one moment are gone by then, or nearly
TRIES_MAX = 120  # about half a minute of pauses; a report that reads on for longer is told of


@dataclass(eq=False)
class BuildUnderWay(Refused):
    """The view {view} is being built or rolled back by somebody else."""

    code = "E645"
    remedy = "Wait until that is done, or end that process; the live view is as it was."
    view: str


@dataclass(eq=False)
class NothingKept(Refused):
    """No earlier build of the view {view} is kept."""

    code = "E646"
    remedy = "Build it again from the log: claims views rebuild NAME."
    view: str


@dataclass(eq=False)
class KeptOutdated(Refused):
    """The kept build of the view {view} is version {kept}; this program knows {known}."""

    code = "E650"
    remedy = "Roll back with the program that made it; the live view is as it was."
    view: str
    kept: int
    known: int


@dataclass(eq=False)
class ViewInUse(Refused):
    """The view {view} was being read or written all the time, so that none could take its place."""

    code = "E648"
    remedy = "Look who keeps a transaction open on it, then ask again."
    view: str


@contextmanager
def building(connection: Connection[Any], views: Sequence[View]) -> Generator[None]:
    """Nobody else builds these views meanwhile. Raises `BuildUnderWay` (E645).

    The locks are the connection's, so they go with the process that holds it, however it ends.
    """
    held: list[str] = []
    try:
        for name in sorted(view.name for view in views):
            ((ours,),) = connection.execute(
                "SELECT pg_try_advisory_lock(%s, hashtext(%s))", [BUILDING, name]
            ).fetchall()
            if not ours:
                raise BuildUnderWay(name)
            held.append(name)
        yield
    finally:
        for name in held:
            if not connection.closed:
                connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [BUILDING, name])


def swap(
    connection: Connection[Any], view: View, source: Schema, catch_up: Callable[[int], object]
) -> None:
    """Make a build live, and keep the one that was. Raises `ViewInUse` (E648).

    `catch_up` brings the build to a position on another connection: it never stands behind the one
    whose place it takes. Readers of one moment hold the table of positions, and are waited for.
    """
    for _ in range(TRIES_MAX):
        try:
            live = stands(connection, LIVE, [view.name]).get(view.name)
            if live is not None:
                catch_up(live.position)  # so that little is left for when all readers wait
            tables = _tables(connection, view.name)  # not below: its look at the books locks, too
            with writing(connection, LIVE):
                _end_vacuum(connection, tables)
                connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'".encode())
                connection.execute("LOCK TABLE views.position IN ACCESS EXCLUSIVE MODE")
                live = stands(connection, LIVE, [view.name]).get(view.name)
                if live is not None:
                    catch_up(live.position)
                _exchange(connection, view.name, source)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(PAUSE_S)
    raise ViewInUse(view.name)


def _tables(connection: Connection[Any], name: str) -> list[sql.Identifier]:
    """The tables of all of a view's builds."""
    return [
        sql.Identifier(schema, table)
        for schema in (LIVE, NEXT, PREVIOUS)
        for table in tables_of(connection, schema, name)
    ]


def _end_vacuum(connection: Connection[Any], tables: Sequence[sql.Identifier]) -> None:
    """Keep VACUUM off the tables for the transaction; their readers and writers go on.

    It may be at a large table for minutes, far longer than anybody is made to wait for an exchange.
    """
    connection.execute(f"SET LOCAL lock_timeout = '{VACUUM_WAIT}'".encode())
    for table in tables:
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(table))


def _exchange(connection: Connection[Any], name: str, source: Schema) -> None:
    if source == NEXT:
        drop(connection, PREVIOUS, name)
        transfer(connection, name, LIVE, PREVIOUS)
        transfer(connection, name, NEXT, LIVE)
    else:
        drop(connection, NEXT, name)
        transfer(connection, name, LIVE, NEXT)
        transfer(connection, name, PREVIOUS, LIVE)
        transfer(connection, name, NEXT, PREVIOUS)


def roll_back(
    log: PlacedLog, view: View, connection: Connection[Any], beside: Connection[Any]
) -> Stand:
    """Make the kept build live again, level with the one it replaces, which is kept in its place.

    Returns where the kept build stood. Raises `NothingKept` (E646), `KeptOutdated` (E650) when it
    is one that this program does not read, `BuildUnderWay` (E645) or `ViewInUse` (E648).
    """
    with building(connection, [view]):
        kept = stands(connection, PREVIOUS, [view.name]).get(view.name)
        live = stands(connection, LIVE, [view.name]).get(view.name)
        if kept is None or live is None:
            raise NothingKept(view.name)
        if kept.version != view.version:
            raise KeptOutdated(view.name, kept.version, view.version)
        projector = Projector(log, beside, schema=PREVIOUS)
        projector.catch_up([view], until=live.position)
        swap(connection, view, PREVIOUS, lambda at: projector.catch_up([view], until=at))
        return kept
