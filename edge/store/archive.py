"""The log file by file, for those who read all of it: a rebuild holds one file at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Cursor, sql
from psycopg.rows import TupleRow, tuple_row

from consumers.bulk import Share
from consumers.positions import Stopped
from consumers.quarantine import Page, Place, stopped_at
from domain.envelope import Recorded
from domain.errors import Unreadable
from domain.schema import from_stored
from edge.store.errors import away_by_name
from edge.store.postgres_store import PostgresLog
from edge.store.snapshot import SORT_MEMORY

ROWS_A_FETCH = 2_000  # enough to share a round trip, a few megabytes in memory
SAMPLED_ROWS = 5_000  # of the log, to share it out by

_SAMPLE = """
SELECT DISTINCT originator_id FROM ledger.facts TABLESAMPLE SYSTEM ({per_cent})
ORDER BY originator_id
"""
_FILES = """
DECLARE whole_files NO SCROLL CURSOR FOR
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger.facts
WHERE originator_id >= {first} AND ({after}::text IS NULL OR originator_id < {after})
  AND notification_id <= {last}
ORDER BY originator_id, originator_version
"""


class PostgresArchive(PostgresLog):
    """A `PostgresLog` that also gives whole files, as `consumers.bulk.Archive` asks for them."""

    def shares(self, parts: int) -> list[Share]:
        """Ranges of the files' names that hold about as many facts each, and all files together."""
        per_cent = min(100.0, 100.0 * SAMPLED_ROWS / max(self.head(), 1))
        with self._cursor() as cursor:
            rows = cursor.execute(sql.SQL(_SAMPLE).format(per_cent=per_cent)).fetchall()
        names = [row[0] for row in rows]
        cuts = sorted(
            {names[len(names) * part // parts] for part in range(1, parts)} if names else ()
        )
        return [Share(*ends) for ends in zip(["", *cuts], [*cuts, None], strict=True)]

    def whole_files(self, share: Share, up_to_position: int) -> Iterator[Page]:
        """The files of a share, as far as a position; a page never ends within a file."""
        with away_by_name(), self._datastore.get_connection() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute("SET LOCAL cursor_tuple_fraction = 1")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(SORT_MEMORY))
            with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                parts = {"first": share.first, "after": share.after, "last": up_to_position}
                cursor.execute(sql.SQL(_FILES).format(**parts))
                yield from _pages(cursor)


def _pages(cursor: Cursor[TupleRow]) -> Iterator[Page]:
    fetch = sql.SQL("FETCH {} FROM whole_files").format(ROWS_A_FETCH)
    left: list[TupleRow] = []  # of the file that the rows ended in
    while rows := cursor.execute(fetch).fetchall():
        rows, stream = left + rows, rows[-1][0]
        end = next(at for at in range(len(rows), 0, -1) if at == 1 or rows[at - 2][0] != stream) - 1
        left = rows[end:]
        if end:
            yield _read(rows[:end])
    if left:
        yield _read(left)


def _read(rows: Sequence[TupleRow]) -> Page:
    records: list[Recorded[Any]] = []
    unread: list[Stopped] = []
    for row in rows:
        try:
            records.append(from_stored(*row))
        except Unreadable as error:
            unread.append(stopped_at(Place(row[0], row[1], row[4]), error))
    return Page(records, unread)
