"""Reconciling two builds of a view that stand at one position: rows, checksums, money, parked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from consumers.positions import LIVE, NEXT, Schema, Stand
from projections.view import View

# The order of rows does not matter to a sum; that of columns does, and is the declaration's.
_ROWS = """
SELECT count(*), coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0) FROM {table}
"""
# What has no hash of its own, such as json, is compared by its text.
_COLUMNS = """
SELECT attname, EXISTS (
    SELECT FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod
    WHERE amname = 'hash' AND opcintype = atttypid
)
FROM pg_attribute
WHERE attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))
  AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the live build and the rebuilt one do not say alike; nil is empty."""

    view: str
    what: str
    live: str
    rebuilt: str


def differences(
    connection: Connection[Any], view: View, live: Stand, rebuilt: Stand
) -> list[Difference]:
    """What differs, in a transaction that sees one moment of both builds.

    Rows of another version need not be alike, so of that only the money is compared, where both
    versions keep it.
    """
    if live.position != rebuilt.position:  # the live one began anew, or stopped, behind the other
        at = str(live.position), str(rebuilt.position)
        return [Difference(view.name, "position", *at)]
    pairs: dict[str, tuple[str, str]] = {}
    if live.version == rebuilt.version:
        rows, ours = _rows(connection, view, LIVE), _rows(connection, view, NEXT)
        pairs |= {what: (rows[what], ours[what]) for what in ours}
        pairs["files parked"] = (str(len(live.parked)), str(len(rebuilt.parked)))
    if view.money is not None:
        now = dict(_money(connection, view.money, NEXT))
        was = _money_of_live(connection, view.money, live.version == rebuilt.version, now)
        pairs |= {what: (was.get(what, ""), now.get(what, "")) for what in sorted({*was, *now})}
    return [
        Difference(view.name, what, *pair) for what, pair in pairs.items() if pair[0] != pair[1]
    ]


def _rows(connection: Connection[Any], view: View, schema: Schema) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in view.tables:
        columns = sql.SQL(", ").join(
            sql.SQL("{}" if hashed else "{}::text").format(sql.Identifier(name))
            for name, hashed in connection.execute(_COLUMNS, [schema, table]).fetchall()
        )
        query = sql.SQL(_ROWS).format(columns=columns, table=sql.Identifier(schema, table))
        ((count, checksum),) = connection.execute(query).fetchall()
        found |= {f"{table}: rows": str(count), f"{table}: checksum": str(checksum)}
    return found


def _money_of_live(
    connection: Connection[Any], query: Any, alike: bool, rebuilt: Mapping[str, str]
) -> Mapping[str, str]:
    try:
        with connection.transaction():
            return dict(_money(connection, query, LIVE))
    except psycopg.ProgrammingError:
        if alike:
            raise
        return rebuilt  # the version before kept no such money: there is nothing to compare


def _money(connection: Connection[Any], query: Any, schema: Schema) -> Iterator[tuple[str, str]]:
    """Each figure by what it is: a line or another key, its currency, and the figure's name."""
    connection.execute(
        sql.SQL("SET LOCAL search_path = {}, pg_temp").format(sql.Identifier(schema))
    )
    cursor = connection.execute(query)
    names = [column.name for column in cursor.description or ()][2:]
    for key, currency, *figures in cursor:
        for name, figure in zip(names, figures, strict=True):
            if figure:  # a line with nothing on it says as much as no line
                yield f"{key} {currency}: {name}", str(figure)
