"""The ledger's store in PostgreSQL: what deciding needs of it, and the log that readers follow."""

import itertools
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from eventsourcing.persistence import IntegrityError
from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow, tuple_row

from commands.ports import Answered, Batch, Head, History, Moved, head_of
from consumers.quarantine import Place
from consumers.relaying import Stored
from domain.envelope import Recorded
from domain.errors import StoreUnavailable
from domain.schema import from_stored
from edge.store.batch import require_sound
from edge.store.connection import LedgerConnection, Statement
from edge.store.datastore import LedgerDatastore
from edge.store.errors import CommitInDoubt, CommitLost, away_by_name, in_one_line
from edge.store.mapper import require_whole, stored_events
from edge.store.recorder import APPEND_LOCK, HINTS, LedgerRecorder
from edge.store.rows import number, texts
from edge.store.snapshot import Snapshot

LOOK_UP_LOCK_MS_MAX = 1_500  # so that a caller hears in under 2 s what became of a lost commit
STREAMS_PAGE = 1_000  # names of a few dozen bytes each: a round trip for what is read in one go

_ANSWERED = Statement(
    """
SELECT command_id, body_sha256, receipt FROM ledger.answers WHERE command_id = ANY($1::text[])
""",
    "answered",
)
# A sum is in no index: before the table is first analysed, the server would put the range of the
# primary key together with all positions up to the one asked for, which may be the whole log.
_HISTORY = Statement(
    """
SELECT originator_version, topic, state, notification_id
FROM ledger.facts
WHERE originator_id = $1::text AND notification_id + 0 <= $2
ORDER BY originator_version
""",
    "history",
)
# The subquery's order keeps it apart in the plan: one range of the primary key for each stream.
_HISTORIES = Statement(
    """
SELECT fact.*
FROM unnest($1::text[]) AS asked (stream)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id
    FROM ledger.facts
    WHERE originator_id = asked.stream AND notification_id + 0 <= $2
    ORDER BY originator_version
) AS fact
""",
    "histories",
)
_HEADS = Statement(
    """
SELECT fact.*
FROM unnest($1::text[]) AS asked (stream)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id
    FROM ledger.facts
    WHERE originator_id = asked.stream
    ORDER BY originator_version DESC LIMIT 1
) AS fact
""",
    "heads",
)
_EVERYTHING = 2**63 - 1  # a position that no fact is beyond
_PAGE = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger.facts WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
_PLACES = """
SELECT originator_id, originator_version, notification_id
FROM ledger.facts WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM ledger.facts"
_STREAMS = """
SELECT DISTINCT originator_id FROM ledger.facts
WHERE originator_id > %s AND originator_id >= %s AND originator_id < %s
ORDER BY originator_id LIMIT %s
"""
_LAST_CHARACTER = "\U0010ffff"

T = TypeVar("T")


class _Pooled:
    """What both sides share: a pool of their own, closed with them.

    `conninfo` comes from `edge.postgres.connections.conninfo_for`; `revive` is called when the
    database has been away for a while. Threads may share the object, processes may not.
    """

    def __init__(self, conninfo: str, size: int, revive: Callable[[], None] | None) -> None:
        self._datastore = LedgerDatastore(conninfo, size, revive)

    def close(self) -> None:
        self._datastore.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _cursor(self) -> Generator[Cursor[TupleRow]]:
        """A cursor for reading; binary, so that bytes come as they are and not in hexadecimal."""
        with (
            away_by_name(),
            self._datastore.get_connection() as connection,
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            yield cursor

    def _ask(self, ask: Callable[[LedgerConnection], T]) -> T:
        """What a question that changes nothing gets; sooner than through `_cursor`."""
        with away_by_name():
            return self._datastore.query(ask)


class PostgresStore(_Pooled):
    """`commands.ports.Store` in PostgreSQL, for a process in `Role.WRITER`.

    A database that is away is a `StoreUnavailable` within 2 s; work resumes with the first call
    after it has come back.
    """

    def __init__(
        self, conninfo: str, size: int = 8, revive: Callable[[], None] | None = None
    ) -> None:
        super().__init__(conninfo, size, revive)
        self.recorder = LedgerRecorder(self._datastore)

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        if not command_ids:
            return {}
        return self._ask(lambda connection: _answers(connection, command_ids))

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        if not streams:
            return {}
        return self._ask(lambda connection: _histories(connection, streams, _EVERYTHING))

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        if not streams:
            return {}
        rows = self._ask(lambda connection: connection.ask(_HEADS, texts(streams)))
        return {row[0]: head_of(from_stored(*row)) for row in rows}

    def append(self, batch: Batch) -> Sequence[bytes]:
        require_sound(batch)
        events = stored_events(batch.facts)
        try:
            with away_by_name():
                return self.recorder.append(
                    events, batch.answers, batch.read, batch.digests
                ).receipts
        except IntegrityError as error:
            if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                ids = [answer.command_id for answer in batch.answers]
                raise Moved(command_ids=self.answered(ids)) from error
            raise
        except CommitLost as lost:
            return self._after_a_lost_commit(batch, lost)

    def _after_a_lost_commit(self, batch: Batch, lost: CommitLost) -> Sequence[bytes]:
        """What the lost connection would have said: the command ids tell, unique as they are."""
        ids = [answer.command_id for answer in batch.answers]
        if not ids:
            raise CommitInDoubt(in_one_line(lost)) from lost  # nothing to tell it by
        try:
            with away_by_name(), self._datastore.get_connection() as connection:
                # Whoever lost the connection holds the lock until its end is decided, and the
                # commit may be under way still: without the lock, "not there" could be too early.
                connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                limit = sql.SQL("SET LOCAL lock_timeout = {}").format(LOOK_UP_LOCK_MS_MAX)
                connection.execute(limit)
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
                kept = _answers(connection, ids)
        except StoreUnavailable as error:
            raise CommitInDoubt(error.why) from error
        ours = [
            kept[answer.command_id].receipt
            for answer in batch.answers
            if answer.command_id in kept
            and kept[answer.command_id].body_sha256 == answer.body_sha256
        ]
        if len(ours) == len(ids):
            return ours
        if not kept:
            raise StoreUnavailable(in_one_line(lost)) from lost
        # All or nothing was stored, so some of them can only be another writer's answers.
        raise Moved(command_ids=kept) from lost


class PostgresLog(_Pooled):
    """The log and the histories in it, for a process in `Role.READER` or `Role.PROJECTOR`.

    Raises `StoreUnavailable` when the database does not answer, and an `Unreadable` that says
    where when a stored fact cannot be read.
    """

    def __init__(
        self, conninfo: str, size: int = 4, revive: Callable[[], None] | None = None
    ) -> None:
        super().__init__(conninfo, size, revive)
        self._conninfo = conninfo
        self._listening: Connection[Any] | None = None

    def close(self) -> None:
        self._stop_listening()
        super().close()

    def page(self, after: int, limit: int) -> list[Recorded[Any]]:
        """Up to `limit` facts past a position, in the order of positions, which may have gaps.

        An empty page is the end of the log; nothing will ever appear before what was read.
        """
        return [from_stored(*each) for each in self.stored(after, limit)]

    def stored(self, after: int, limit: int) -> list[Stored]:
        """The same facts as they are kept, whether or not they can be read."""
        with self._cursor() as cursor:
            # Not prepared: a plan for every limit would not know that the pages are small.
            rows = cursor.execute(_PAGE, [after, limit], prepare=False).fetchall()
        return list(map(Stored._make, rows))

    def places(self, after: int, limit: int) -> list[Place]:
        """The same facts by stream, version and position, whether or not they can be read."""
        with self._cursor() as cursor:
            rows = cursor.execute(_PLACES, [after, limit], prepare=False).fetchall()
        return list(map(Place._make, rows))

    def histories(
        self, streams: Collection[str], up_to_position: int | None = None
    ) -> dict[str, list[Recorded[Any]]]:
        """Each stream's history, in versions, as far as a position of the log."""
        if not streams:
            return {}
        last = _EVERYTHING if up_to_position is None else up_to_position
        return self._ask(lambda connection: _histories(connection, streams, last))

    def head(self) -> int:
        """The position of the last fact; 0 of an empty log."""
        with self._cursor() as cursor:
            return int(cursor.execute(_HEAD).fetchall()[0][0])

    def streams(self, prefix: str = "") -> Iterator[str]:
        """The names of the streams that begin with `prefix`, in the order of their bytes.

        Read page by page, each in a transaction of its own, so that a caller who takes minutes
        over them holds neither a connection nor a snapshot. A stream begun meanwhile may be there.
        """
        last = ""
        while True:
            with self._cursor() as cursor:
                names = cursor.execute(
                    _STREAMS, [last, prefix, prefix + _LAST_CHARACTER, STREAMS_PAGE]
                ).fetchall()
            yield from itertools.chain.from_iterable(names)
            if len(names) < STREAMS_PAGE:
                return
            last = names[-1][0]

    def wait(self, timeout_s: float) -> bool:
        """Whether facts may have been added, hearing so within `timeout_s`. For one thread only.

        Hints can be lost: read on after a False as well. The first call says yes at once, because
        nobody listened before it.
        """
        try:
            if self._listening is None:
                self._listening = psycopg.connect(self._conninfo, autocommit=True)
                self._listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(HINTS)))
                return True
            return any(True for _ in self._listening.notifies(timeout=timeout_s, stop_after=1))
        except psycopg.Error:
            self._stop_listening()
            time.sleep(timeout_s)  # it is the page that says by name that the database is away
            return False

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        """The stored bytes of one moment, for verifying them."""
        with away_by_name(), self._datastore.get_connection() as connection:
            yield Snapshot.of(connection)

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None


def _answers(connection: LedgerConnection, command_ids: Iterable[str]) -> dict[str, Answered]:
    rows = connection.ask(_ANSWERED, texts(command_ids))
    return {command_id: Answered(body, receipt) for command_id, body, receipt in rows}


def _histories(
    connection: LedgerConnection, streams: Collection[str], last: int
) -> dict[str, list[Recorded[Any]]]:
    found: dict[str, list[Recorded[Any]]] = {stream: [] for stream in streams}
    if len(found) == 1:  # the usual case, in two thirds of the time
        (stream,) = found
        rows = connection.ask(_HISTORY, stream.encode(), number(last))
        found[stream] = [from_stored(stream, *row) for row in rows]
    else:
        for row in connection.ask(_HISTORIES, texts(found), number(last)):
            found[row[0]].append(from_stored(*row))
    return {stream: require_whole(stream, history) for stream, history in found.items()}
