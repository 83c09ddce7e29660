"""Whose turn it is to publish to a topic, and up to where: in the database, by a session's lock.

Lock and position are of one connection: a relay that has lost the one cannot move the other.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import Connection

from consumers.relaying import LeavesAHole
from consumers.topics import EVENTS
from domain.errors import StoreUnavailable
from edge.postgres.connections import Role
from edge.postgres.migrate import check
from edge.wiring import Books, database_errors, lost_by_name

RELAYING = 0x72656C61  # "rela": with the topic, the advisory lock of the relay that works
# A relay that is stopped or cut off keeps the others out no longer. One that works asks each
# second, or after a send of one part, which takes 40 s at most: 10 for a connection, 30 for the
# broker's word. What it publishes afterwards does no harm.
IDLE_MS_MAX = 60_000
_LIMITS: LiteralString = """
SET synchronous_commit = off; -- lost in a crash, facts are sent again
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
"""
_LOCK: LiteralString = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_POSITION: LiteralString = "SELECT position FROM relay.position WHERE topic = %s"
_MOVE: LiteralString = """
INSERT INTO relay.position AS kept (topic, position) VALUES (%s, %s)
ON CONFLICT (topic) DO UPDATE
SET position = excluded.position, moved_at = clock_timestamp()
"""


class RelayPosition:
    """`consumers.relaying.Kept` of one topic, in the database of an opened ledger."""

    def __init__(self, books: Books, topic: str) -> None:
        self._books = books
        self._topic = topic
        self._connection: Connection[Any] | None = None
        self._locked = False

    def held(self) -> bool:
        if self._connection is None or self._connection.closed:
            with database_errors():
                self._connection = self._connect()
        with self._asking() as connection:
            if not self._locked:
                ((ours,),) = connection.execute(_LOCK, [RELAYING, self._topic]).fetchall()
                self._locked = bool(ours)
        return self._locked

    def position(self) -> int:
        with self._asking() as connection:
            row = connection.execute(_POSITION, [self._topic]).fetchone()
        return int(row[0]) if row else 0

    def move(self, position: int) -> None:
        with self._asking() as connection:
            connection.execute(_MOVE, [self._topic, position])

    def close(self) -> None:
        """Give the work up."""
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _asking(self) -> Generator[Connection[Any]]:
        """The connection that was made when the work was asked for; the lock is lost with it."""
        connection = self._connection
        if connection is None:
            raise StoreUnavailable("the lock was never asked for")
        with lost_by_name(connection):
            yield connection

    def _connect(self) -> Connection[Any]:
        lost, self._locked = self._connection is not None, False
        if lost:
            self._books.log.head()  # its pool waits for the server, and starts our own again
        connection = self._books.connected(Role.PROJECTOR)
        try:
            if lost:  # who brought the database back may have migrated it, or restored another
                check(connection)
            connection.execute(f"{_LIMITS}SET idle_session_timeout = {IDLE_MS_MAX:d}".encode())
        except BaseException:
            connection.close()
            raise
        return connection


class ReplayPosition(RelayPosition):
    """The same for a replay, which starts after a position, and keeps none but in this process."""

    def __init__(self, books: Books, topic: str, after: int) -> None:
        super().__init__(books, topic)
        self._after = after

    def held(self) -> bool:
        """Whether the work is this replay's. Raises `LeavesAHole` (E781) for a start too late."""
        held = super().held()
        kept = super().position()
        relayed = kept or self._topic == EVENTS  # any other topic may begin where it likes
        if held and relayed and self._after > kept:
            raise LeavesAHole(self._topic, kept, self._after + 1)
        return held

    def position(self) -> int:
        return self._after

    def move(self, position: int) -> None:
        super().position()  # which hears it if the work is no longer this replay's
        self._after = position
