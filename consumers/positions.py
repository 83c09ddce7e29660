"""Where a view stands: the row that a page moves on, in each of the places a view is built in.

The live views are in one schema; beside it, one holds the build under way and one the last build.
All three keep the same books, so whatever is done to a view is done to it in any of them.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, LiteralString, NamedTuple

from psycopg import Connection, sql

from projections.view import View

Schema = Literal["views", "views_next", "views_previous"]
LIVE: Schema = "views"
NEXT: Schema = "views_next"
PREVIOUS: Schema = "views_previous"
# Where the log ends, and its first fact past a position: what every "how far behind" begins with.
HEAD: LiteralString = "SELECT coalesce(max(notification_id), 0) FROM ledger.facts"
OLDEST: LiteralString = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger.facts WHERE notification_id > %s ORDER BY notification_id LIMIT 1
"""
SETTING_UP = 0x7669657773  # "views": the advisory lock of projectors that make tables


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a build of a view stands, and the files that it had to set aside.

    `edition` changes whenever the build becomes another by anything but its next page.
    """

    version: int
    position: int
    edition: int
    parked: frozenset[str] = frozenset()


class Stopped(NamedTuple):
    """The fact at which a view could not take a file further, and why."""

    stream: str
    version: int
    position: int
    code: str
    why: str


@contextmanager
def writing(connection: Connection[Any], schema: Schema) -> Generator[None]:
    """A transaction on the builds in a schema: what a view names without one is there.

    Lost in a crash, its rows and its position are lost together, and are read from the log again.
    """
    with connection.transaction():
        connection.execute(
            sql.SQL(
                "SET LOCAL synchronous_commit = off; SET LOCAL search_path = {}, pg_temp"
            ).format(sql.Identifier(schema))
        )
        yield


def stands(connection: Connection[Any], schema: Schema, names: Sequence[str]) -> dict[str, Stand]:
    """Where the builds of these views stand, of those that there are."""
    query = sql.SQL(
        "SELECT view, version, position, edition, ARRAY("
        " SELECT stream FROM {parked} AS parked WHERE parked.view = at.view)"
        " FROM {position} AS at WHERE view = ANY(%s)"
    ).format(**_books(schema))
    return {
        name: Stand(version, position, edition, frozenset(parked))
        for name, version, position, edition, parked in connection.execute(query, [list(names)])
    }


def tables_of(connection: Connection[Any], schema: Schema, name: str) -> Sequence[str]:
    """The tables of a build, as it has them; none where it is not there."""
    query = sql.SQL("SELECT tables FROM {position} WHERE view = %s").format(**_books(schema))
    row = connection.execute(query, [name]).fetchone()
    return row[0] if row else ()


def lock(connection: Connection[Any], schema: Schema, expected: Mapping[str, Stand]) -> set[str]:
    """Lock the builds for a page, in one order for all; which of them stand where expected."""
    query = sql.SQL(
        "SELECT view, version, position, edition FROM {position}"
        " WHERE view = ANY(%s) ORDER BY view FOR UPDATE"
    ).format(**_books(schema))
    locked = connection.execute(query, [list(expected)]).fetchall()
    return {
        name
        for name, *at in locked
        if at == [expected[name].version, expected[name].position, expected[name].edition]
    }


def move(connection: Connection[Any], schema: Schema, names: Iterable[str], position: int) -> None:
    """Bring locked builds to a position; the database refuses one that lies behind."""
    query = sql.SQL(
        "UPDATE {position} SET position = %s, moved_at = clock_timestamp() WHERE view = ANY(%s)"
    ).format(**_books(schema))
    connection.execute(query, [position, list(names)])


def renew(connection: Connection[Any], schema: Schema, name: str) -> None:
    """Make a locked build another edition: pages folded for the one before are not written."""
    query = sql.SQL(
        "UPDATE {position} SET edition = nextval('views.edition') WHERE view = %s"
    ).format(**_books(schema))
    connection.execute(query, [name])


def park(connection: Connection[Any], schema: Schema, name: str, file: Stopped) -> None:
    """Set a file aside at a fact; where it was, it is now said again why."""
    query = sql.SQL(
        "INSERT INTO {parked} (view, stream, version, position, code, why)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (view, stream) DO UPDATE"
        " SET version = excluded.version, position = excluded.position,"
        " code = excluded.code, why = excluded.why"
    ).format(**_books(schema))
    connection.execute(query, [name, *file])


def unpark(connection: Connection[Any], schema: Schema, name: str, stream: str) -> None:
    """The file goes on."""
    query = sql.SQL("DELETE FROM {parked} WHERE view = %s AND stream = %s")
    connection.execute(query.format(**_books(schema)), [name, stream])


def create(connection: Connection[Any], schema: Schema, view: View) -> None:
    """Make the view's tables, and let it stand before all facts; in a transaction of the caller's.

    Of several projectors that find no tables, one makes them.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETTING_UP])
    if view.name in stands(connection, schema, [view.name]):
        return
    for statements in view.tables.values():
        connection.execute(statements)
    query = sql.SQL(
        "INSERT INTO {position} (view, version, position, tables) VALUES (%s, %s, 0, %s)"
    )
    connection.execute(query.format(**_books(schema)), [view.name, view.version, list(view.tables)])


def drop(connection: Connection[Any], schema: Schema, name: str) -> None:
    """Take a build away, whatever version it has, if it is there."""
    # First the row, which a worker of a build that was killed may still hold for its page.
    removed = connection.execute(
        sql.SQL("DELETE FROM {position} WHERE view = %s RETURNING tables").format(**_books(schema)),
        [name],
    ).fetchone()
    connection.execute(
        sql.SQL("DELETE FROM {parked} WHERE view = %s").format(**_books(schema)), [name]
    )
    for table in removed[0] if removed else ():
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))


def transfer(connection: Connection[Any], name: str, source: Schema, target: Schema) -> None:
    """Put a build in another place, tables, indexes, grants and books; none of it may be there."""
    moved = connection.execute(
        sql.SQL(
            "DELETE FROM {position} WHERE view = %s RETURNING version, position, tables"
        ).format(**_books(source)),
        [name],
    ).fetchone()
    if moved is None:
        return
    for table in moved[2]:
        connection.execute(
            sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(
                sql.Identifier(source, table), sql.Identifier(target)
            )
        )
    insert = sql.SQL(
        "INSERT INTO {position} (view, version, position, tables) VALUES (%s, %s, %s, %s)"
    )
    connection.execute(insert.format(**_books(target)), [name, *moved])
    parked = sql.SQL(
        "WITH moved AS (DELETE FROM {here} WHERE view = %s RETURNING *)"
        " INSERT INTO {there} SELECT * FROM moved"
    ).format(here=_books(source)["parked"], there=_books(target)["parked"])
    connection.execute(parked, [name])


def _books(schema: Schema) -> dict[str, sql.Identifier]:
    return {name: sql.Identifier(schema, name) for name in ("position", "parked")}
