"""Builds of views for the tests of what makes them: what they hold, and taking them away."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection, sql

from consumers.bulk import Doors
from consumers.positions import LIVE, NEXT, PREVIOUS, Schema, drop, stands
from edge.postgres.connections import Role
from projections.view import Change, View, Write, views
from tests.postgres_fixtures import Database
from tests.projections.ledgers import MemoryLog

Rows = list[list[tuple[Any, ...]]]


def rows(connection: Connection[Any], view: View, schema: Schema = LIVE) -> Rows:
    """All that a build holds, as text, in an order that does not depend on how it came there."""
    return [
        sorted(
            connection.execute(
                sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            )
        )
        for table in view.tables
    ]


def every_row(connection: Connection[Any]) -> list[Rows]:
    """What all live views hold."""
    return [rows(connection, view) for view in views()]


def forget(connection: Connection[Any]) -> None:
    """Take all builds of all views out of the database."""
    with connection.transaction():
        for schema in (LIVE, NEXT, PREVIOUS):
            for view in views():
                drop(connection, schema, view.name)


def parked(connection: Connection[Any], schema: Schema = LIVE) -> dict[str, dict[str, int]]:
    """The files that each view has parked, with the version at which each stopped."""
    found = connection.execute(
        sql.SQL("SELECT view, stream, version FROM {}").format(sql.Identifier(schema, "parked"))
    ).fetchall()
    return {
        view: {stream: version for name, stream, version in found if name == view}
        for view in sorted({name for name, _, _ in found})
    }


def position(connection: Connection[Any], view: View, schema: Schema = LIVE) -> int:
    return stands(connection, schema, [view.name])[view.name].position


def doors(database: Database, log: MemoryLog) -> Doors:
    """A log in memory and the database; only for this process."""
    connect = partial(psycopg.connect, database.conninfo(Role.PROJECTOR), autocommit=True)
    return Doors(lambda: nullcontext(log), connect)


def stumbling(view: View, at: Callable[[Change], bool]) -> View:
    """The view with a fold that raises at some changes."""

    def fold(changes: Sequence[Change]) -> list[Write]:
        if any(at(change) for change in changes):
            raise ValueError("what is this?")
        return view.fold(changes)

    return replace(view, fold=fold)
