"""Facts and answers go in together, under one lock, so that positions become visible in order.

Readers follow the log by position. Were two appends to overlap, the later position could be
visible first, and a reader that has passed it would never see the earlier one. The lock is an
advisory one: it gives the same order as the library's table lock, and asks for no privilege.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, LiteralString

import psycopg
from eventsourcing.persistence import OperationalError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import Connection, sql
from psycopg.rows import tuple_row

from commands.ports import Answer, Moved
from edge.store.datastore import LedgerDatastore
from edge.store.errors import CommitLost, in_one_line
from edge.store.rows import (
    ANSWER_COLUMNS,
    FACT_COLUMNS,
    answers_but_receipts,
    facts_but_positions,
    with_positions,
    with_receipts,
)

APPEND_LOCK = 0x636C61696D730001  # "claims", 1: every append to the log of this database holds it
HINTS = "ledger_facts"  # the channel on which readers hear, as a hint only, that facts were added
FACTS = "facts"
NONE_REMEMBERED: Mapping[str, str] = MappingProxyType({})

_BEGIN = sql.SQL("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({})").format(
    APPEND_LOCK
)
# A statement of its own after the lock: its snapshot has all that earlier holders committed.
_PROVE_AND_TAKE = """
SELECT
    (SELECT array_agg(asked.stream)
     FROM json_each_text(%(read)s) AS asked (stream, version)
     WHERE asked.version::bigint <> coalesce(
        (SELECT max(originator_version) FROM ledger.facts WHERE originator_id = asked.stream), 0)),
    (SELECT array_agg(asked.stream)
     FROM json_each_text(%(digests)s) AS asked (stream, digest)
     WHERE asked.digest <> (
        SELECT encode(sha256(state), 'hex') FROM ledger.facts
        WHERE originator_id = asked.stream ORDER BY originator_version DESC LIMIT 1)),
    (SELECT string_agg(nextval('ledger.position')::text, ' ')
     FROM generate_series(1, %(facts)s::bigint))
"""
_COPY_FACTS = f"COPY ledger.facts ({FACT_COLUMNS}) FROM STDIN (FORMAT binary)"
_COPY_ANSWERS = f"COPY ledger.answers ({ANSWER_COLUMNS}) FROM STDIN (FORMAT binary)"
_HINT = sql.SQL("NOTIFY {}").format(sql.Identifier(HINTS))


@dataclass(frozen=True, slots=True)
class Appended:
    """What one append stored: the positions of its facts, and the receipts kept."""

    positions: Sequence[int]
    receipts: Sequence[bytes]


class LedgerRecorder(PostgresApplicationRecorder):
    """The library's application recorder on the ledger's own tables, whatever it calls its own."""

    def __init__(
        self,
        datastore: LedgerDatastore,
        *,
        events_table_name: str = FACTS,
    ) -> None:
        super().__init__(datastore, events_table_name=FACTS)
        self._datastore = datastore
        self.channel_name = HINTS

    def create_table(self) -> None:
        raise ProgrammingError("the ledger's tables are made by its migrations, never by a worker")

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        answers: Sequence[Answer] = (),
        read: Mapping[str, int] | None = None,
        **_: Any,
    ) -> Sequence[int]:
        """`append`, as the library calls it: the positions of the facts."""
        return self.append(stored_events, answers, read or {}).positions

    def append(
        self,
        stored_events: Sequence[StoredEvent],
        answers: Sequence[Answer],
        read: Mapping[str, int],
        digests: Mapping[str, str] = NONE_REMEMBERED,
    ) -> Appended:
        """Store the facts and the answers in one transaction, or nothing.

        Unlike the library's it is never tried again by itself: the second try cannot tell whether
        the first was stored. Raises `Moved` when a stream is not at the version it was read at or
        ends in another fact than the one remembered, the
        library's `IntegrityError` when a fact or an answer is there already, and `CommitLost` when
        the connection broke so late that it may all be stored.
        """
        facts, kept = facts_but_positions(stored_events), answers_but_receipts(answers)
        with self._datastore.answering(_begin) as (connection, _):
            positions = _prove_and_take(connection, read, digests, len(facts))
            receipts = [answer.receipt(_of(answer, positions)) for answer in answers]
            _copy(connection, _COPY_FACTS, with_positions(facts, positions) if facts else b"")
            _copy(connection, _COPY_ANSWERS, with_receipts(kept, receipts) if kept else b"")
            _commit(connection)
            if facts:
                # Inside the transaction a NOTIFY makes all commits of the server queue for a lock.
                with contextlib.suppress(psycopg.Error):
                    connection.execute(_HINT)
        return Appended(positions, receipts)


def _begin(connection: Connection[Any]) -> None:
    connection.execute(_BEGIN)


def _of(answer: Answer, positions: Sequence[int]) -> Sequence[int]:
    return positions[answer.facts.start : answer.facts.stop]


def _prove_and_take(
    connection: Connection[Any], read: Mapping[str, int], digests: Mapping[str, str], facts: int
) -> Sequence[int]:
    """Prove that what was read still stands, and take the next positions of the log."""
    # As text, both ways: psycopg takes far longer over arrays, and the lock is held meanwhile.
    asked = {
        "read": json.dumps(read, ensure_ascii=False),
        "digests": json.dumps(dict(digests), ensure_ascii=False),
        "facts": facts,
    }
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        ((moved, others, positions),) = cursor.execute(_PROVE_AND_TAKE, asked).fetchall()
    if moved or others:
        raise Moved([*(moved or ()), *(others or ())])
    return [int(position) for position in (positions or "").split()]


def _copy(connection: Connection[Any], into: LiteralString, rows: bytes) -> None:
    if rows:
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.write(rows)


def _commit(connection: Connection[Any]) -> None:
    try:
        told = connection.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        if connection.closed:
            raise CommitLost(in_one_line(error)) from error
        raise
    if told != "COMMIT":  # a transaction that has failed is ended by a COMMIT without an error
        raise OperationalError(f"the server ended the transaction with {told}")
