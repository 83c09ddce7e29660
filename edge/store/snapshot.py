"""Stored bytes as they are, of one moment of the log: what verifying reads, and nothing decoded."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple, Self

from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow, tuple_row

ROWS_A_FETCH = 2_000  # enough to share a round trip, a few megabytes in memory
SORT_MEMORY = "128MB"

_FACTS = "SELECT originator_id, originator_version, topic, state, notification_id FROM ledger.facts"
_ANSWERS = "SELECT stream, command_id, receipt FROM ledger.answers"
_POSITIONS = """
SELECT originator_id, originator_version, notification_id
FROM unnest(%s::text[], %s::bigint[]) AS asked (stream, version)
JOIN ledger.facts ON originator_id = asked.stream AND originator_version = asked.version
"""

StoredFact = tuple[str, int, str, bytes, int]
"""A row of the log: stream, version, name, bytes, position."""


class StoredAnswer(NamedTuple):
    """A row of the answers."""

    stream: str
    command_id: str
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A transaction that sees one moment; it lasts as long as `PostgresLog.snapshot` holds it."""

    connection: Connection[Any]

    @classmethod
    def of(cls, connection: Connection[Any]) -> Self:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # The server sorts what is large, which may take longer than a reader usually gets. All rows
        # will be fetched: the plan that gives the first ones soon would look each of them up.
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(SORT_MEMORY))
        return cls(connection)

    def facts_of(self, stream: str) -> list[StoredFact]:
        """A stream's facts by version."""
        with self._cursor() as cursor:
            where = sql.SQL(" WHERE originator_id = %s ORDER BY originator_version")
            return cursor.execute(sql.SQL(_FACTS) + where, [stream]).fetchall()

    def answers_about(self, stream: str) -> list[StoredAnswer]:
        """The answers about a stream."""
        with self._cursor() as cursor:
            where = sql.SQL(" WHERE stream = %s")
            rows = cursor.execute(sql.SQL(_ANSWERS) + where, [stream]).fetchall()
        return list(map(StoredAnswer._make, rows))

    def answers_to(self, command_ids: Collection[str]) -> list[StoredAnswer]:
        """The answers to these commands, whatever stream they are about."""
        with self._cursor() as cursor:
            where = sql.SQL(" WHERE command_id = ANY(%s)")
            rows = cursor.execute(sql.SQL(_ANSWERS) + where, [list(command_ids)]).fetchall()
        return list(map(StoredAnswer._make, rows))

    def positions(self, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The position of each fact named by stream and version, of those that are there."""
        streams, versions = [place[0] for place in places], [place[1] for place in places]
        with self._cursor() as cursor:
            rows = cursor.execute(_POSITIONS, [streams, versions]).fetchall()
        return {(stream, version): position for stream, version, position in rows}

    def facts(self) -> Iterator[StoredFact]:
        """All facts, by stream and by version within it; the memory they take does not grow."""
        return self._rows("all_facts", _FACTS, " ORDER BY originator_id, originator_version")

    def answers(self) -> Iterator[StoredAnswer]:
        """All answers, by the stream they are about."""
        return map(
            StoredAnswer._make, self._rows("all_answers", _ANSWERS, " ORDER BY stream, command_id")
        )

    def _rows(
        self, name: LiteralString, query: LiteralString, order: LiteralString
    ) -> Iterator[Any]:
        # By hand, because psycopg's own server cursor wants to be closed before its transaction,
        # and a generator is closed whenever its last reference goes.
        with self._cursor() as cursor:
            declare = "DECLARE {} NO SCROLL CURSOR FOR " + query + order
            cursor.execute(sql.SQL(declare).format(sql.Identifier(name)))
            fetch = sql.SQL("FETCH {} FROM {}").format(ROWS_A_FETCH, sql.Identifier(name))
            while rows := cursor.execute(fetch).fetchall():
                yield from rows

    def _cursor(self) -> Cursor[TupleRow]:
        return self.connection.cursor(binary=True, row_factory=tuple_row)
