"""Applying a page to a view: its rows written whole, or around the files that stop in it."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, Rollback, sql

from consumers import positions
from consumers.files import Files
from consumers.positions import Schema
from consumers.quarantine import (
    PARKED_FILES_MAX,
    Page,
    PlacedLog,
    TooManyParked,
    before,
    stops,
)
from domain.envelope import Recorded
from projections.view import Change, Copy, Run, View, ViewBroken, Write


@contextmanager
def broken_by_name(view: str) -> Generator[None]:
    """A statement that the database does not understand is the view's mistake, and no file's."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise  # the login's
    except psycopg.ProgrammingError as error:
        raise ViewBroken(view, " ".join(str(error).split())) from error


def run(connection: Connection[Any], schema: Schema, view: str, writes: Iterable[Write]) -> None:
    """Make a view's writes, in a transaction of `positions.writing`. Raises `ViewBroken` (E653)."""
    with broken_by_name(view), connection.cursor() as cursor:
        for write in writes:
            match write:
                case Run():
                    # Not prepared: a plan that was made for a table of a few rows would be kept.
                    cursor.execute(write.statement, write.parameters, prepare=False)
                case Copy():
                    if not write.rows:
                        continue
                    typed = isinstance(write.columns, Mapping)
                    into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
                        sql.Identifier(schema, write.table),
                        sql.SQL(", ").join(map(sql.Identifier, write.columns)),
                        sql.SQL("binary" if typed else "text"),
                    )
                    with cursor.copy(into) as copy:
                        if isinstance(write.columns, Mapping):
                            copy.set_types(list(write.columns.values()))
                        for row in write.rows:
                            copy.write_row(row)


def without(records: Sequence[Recorded[Any]], parked: frozenset[str]) -> Sequence[Recorded[Any]]:
    """The records of the files that are not parked."""
    if not parked:
        return records
    return [record for record in records if record.envelope.stream not in parked]


def untouched(changes: Sequence[Change], parked: frozenset[str]) -> Sequence[Change]:
    """The changes of the files that are not parked."""
    if not parked:
        return changes
    return [change for change in changes if change.record.envelope.stream not in parked]


def write_around(
    connection: Connection[Any],
    schema: Schema,
    log: PlacedLog,
    view: View,
    parked: frozenset[str],
    page: Page,
    after: int,
) -> None:
    """Write what can be written of a page, and park the files that stop in it.

    In a transaction that holds the view's position. Raises `TooManyParked` (E644).
    """

    def attempt(part: Sequence[Recorded[Any]]) -> None:
        writes = view.fold(Files(log).changes(part, after))
        with connection.transaction():
            run(connection, schema, view.name, writes)
            raise Rollback

    # Of each file, only its first fact that cannot be read.
    unread = {each.stream: each for each in reversed(page.unread) if each.stream not in parked}
    records = before(without(page.records, parked), list(unread.values()))
    most = PARKED_FILES_MAX - len(parked)
    found, error = stops(records, attempt, most)
    stopped = unread | {each.stream: each for each in found}  # which comes before the unread one
    if len(stopped) > most:
        last = next(reversed(stopped.values()))
        raise TooManyParked(view.name, PARKED_FILES_MAX, last.stream, last.why) from error
    run(connection, schema, view.name, view.fold(Files(log).changes(before(records, found), after)))
    for each in stopped.values():
        positions.park(connection, schema, view.name, each)
