"""Facts and answers go in together, under one lock, so that positions become visible in order.

Readers follow the log by position. Were two appends to overlap, the later position could be
visible first, and a reader that has passed it would never see the earlier one. The lock is an
advisory one: it gives the same order as the library's table lock, and asks for no privilege.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg
from eventsourcing.persistence import OperationalError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from commands.ports import Answer, Moved
from edge.store.connection import LedgerConnection, Statement, require_done
from edge.store.datastore import LedgerDatastore
from edge.store.errors import CommitLost, in_one_line
from edge.store.rows import blobs, moments, numbers, texts

APPEND_LOCK = 0x636C61696D730001  # "claims", 1: every append to the log of this database holds it
HINTS = "ledger_facts"  # the channel on which readers hear, as a hint only, that facts were added
FACTS = "facts"
NONE_REMEMBERED: Mapping[str, str] = MappingProxyType({})

_BEGIN = Statement("BEGIN ISOLATION LEVEL READ COMMITTED", "begin")
_LOCK = Statement(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})", "lock")
# A statement of its own after the lock: its snapshot has all that earlier holders committed.
_STORE_FACTS = Statement(
    """
WITH moved AS MATERIALIZED (
    SELECT asked.stream
    FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS asked (stream, version, digest)
    LEFT JOIN LATERAL (
        SELECT originator_version, state FROM ledger.facts
        WHERE originator_id = asked.stream ORDER BY originator_version DESC LIMIT 1
    ) AS last ON true
    WHERE coalesce(last.originator_version, 0) <> asked.version
        OR (asked.digest <> '' AND asked.digest <> sha256(last.state))
), stored AS (
    INSERT INTO ledger.facts
        (notification_id, originator_id, originator_version, topic, state)
    SELECT nextval('ledger.position'), fact.*
    FROM unnest($4::text[], $5::bigint[], $6::text[], $7::bytea[]) AS fact
    WHERE NOT EXISTS (SELECT FROM moved)
    RETURNING notification_id
)
SELECT (SELECT array_agg(stream) FROM moved),
    (SELECT string_agg(notification_id::text, ' ' ORDER BY notification_id) FROM stored)
""",
    "store facts",
)
_STORE_ANSWERS = Statement(
    """
INSERT INTO ledger.answers (recorded_at, command_id, stream, body_sha256, receipt)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
""",
    "store answers",
)
_COMMIT = Statement("COMMIT")
_HINT = Statement(f"NOTIFY {HINTS}")


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
        facts = _facts(stored_events, read, digests)
        kept = _answers(answers)
        with self._datastore.answering(lambda each: _store_facts(each, facts)) as (
            connection,
            positions,
        ):
            receipts = [answer.receipt(_of(answer, positions)) for answer in answers]
            _store_answers(connection, [*kept, blobs(receipts)], hint=bool(positions))
        return Appended(positions, receipts)


def _facts(
    facts: Sequence[StoredEvent], read: Mapping[str, int], digests: Mapping[str, str]
) -> list[bytes]:
    """What has to stand still, and the facts, as `_STORE_FACTS` takes them."""
    return [
        texts(read),
        numbers(read.values()),
        blobs([bytes.fromhex(digests.get(stream, "")) for stream in read]),
        texts([str(fact.originator_id) for fact in facts]),
        numbers([fact.originator_version for fact in facts]),
        texts([fact.topic for fact in facts]),
        blobs([fact.state for fact in facts]),
    ]


def _answers(answers: Sequence[Answer]) -> list[bytes]:
    """The answers as `_STORE_ANSWERS` takes them, but for their receipts."""
    return [
        moments([answer.recorded_at for answer in answers]),
        texts([answer.command_id for answer in answers]),
        texts([answer.stream for answer in answers]),
        blobs([answer.body_sha256 for answer in answers]),
    ]


def _store_facts(connection: LedgerConnection, facts: Sequence[bytes]) -> Sequence[int]:
    """Take the lock, prove that what was read still stands, and store the facts; their positions.

    Sent in one go, so that between the lock and the facts nobody waits for this process.
    """
    results = connection.ask_together((_BEGIN, ()), (_LOCK, ()), (_STORE_FACTS, facts))
    require_done(results)
    ((moved, positions),) = connection.rows(results[-1])
    if moved:
        raise Moved(moved)
    return [int(position) for position in (positions or "").split()]


def _of(answer: Answer, positions: Sequence[int]) -> Sequence[int]:
    return positions[answer.facts.start : answer.facts.stop]


def _store_answers(connection: LedgerConnection, answers: Sequence[bytes], *, hint: bool) -> None:
    """Store the answers, and commit; with `hint`, readers hear of it."""
    steps: list[tuple[Statement, Sequence[bytes]]] = [(_STORE_ANSWERS, answers), (_COMMIT, ())]
    # Inside the transaction a NOTIFY makes all commits of the server queue for a lock.
    hints = [(_HINT, ())] if hint else []
    try:
        stored = connection.ask_together(*steps, *hints)[: len(steps)]  # a hint may fail
        require_done(stored)
    except psycopg.Error as error:
        if connection.closed:
            raise CommitLost(in_one_line(error)) from error
        raise
    told = (stored[-1].command_status or b"").decode()
    if told != "COMMIT":  # a transaction that has failed is ended by a COMMIT without an error
        raise OperationalError(f"the server ended the transaction with {told}")
