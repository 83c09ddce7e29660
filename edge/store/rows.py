"""Rows for a binary COPY, made before the lock so that little is left to do while others wait.

PostgreSQL's binary COPY format: a row is its number of fields, and each field its length in bytes
and the bytes; whole numbers are big-endian, moments are microseconds since 2000. What is known only
under the lock, a fact's position and an answer's receipt, is put in there.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from eventsourcing.persistence import StoredEvent

from commands.ports import Answer

# The order of the columns that the rows are made for.
FACT_COLUMNS = "notification_id, originator_version, originator_id, topic, state"
ANSWER_COLUMNS = "recorded_at, command_id, stream, body_sha256, receipt"
START = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)  # no flags, nothing further in the header
END = struct.pack(">h", -1)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIVE_AND_NUMBER = struct.Struct(">hiq").pack
_NUMBER = struct.Struct(">iq").pack
_LENGTH = struct.Struct(">i").pack


def facts_but_positions(facts: Iterable[StoredEvent]) -> list[bytes]:
    """Each fact's row without the position it begins with."""
    rows: list[bytes] = []
    for fact in facts:
        stream, name, state = str(fact.originator_id).encode(), fact.topic.encode(), fact.state
        number = _NUMBER(8, fact.originator_version)
        parts = (_LENGTH(len(stream)), stream, _LENGTH(len(name)), name, _LENGTH(len(state)), state)
        rows.append(number + b"".join(parts))
    return rows


def with_positions(rows: Sequence[bytes], positions: Sequence[int]) -> bytes:
    """A COPY of facts."""
    parts = [START]
    for row, position in zip(rows, positions, strict=True):
        parts += (_FIVE_AND_NUMBER(5, 8, position), row)
    return b"".join((*parts, END))


def answers_but_receipts(answers: Iterable[Answer]) -> list[bytes]:
    """Each answer's row without the receipt it ends with."""
    rows: list[bytes] = []
    for answer in answers:
        command_id, stream, body = (
            answer.command_id.encode(),
            answer.stream.encode(),
            answer.body_sha256,
        )
        moment = _FIVE_AND_NUMBER(5, 8, (answer.recorded_at - _EPOCH) // _MICROSECOND)
        parts = (
            _LENGTH(len(command_id)),
            command_id,
            _LENGTH(len(stream)),
            stream,
            _LENGTH(len(body)),
            body,
        )
        rows.append(moment + b"".join(parts))
    return rows


def with_receipts(rows: Sequence[bytes], receipts: Sequence[bytes]) -> bytes:
    """A COPY of answers."""
    parts = [START]
    for row, receipt in zip(rows, receipts, strict=True):
        parts += (row, _LENGTH(len(receipt)), receipt)
    return b"".join((*parts, END))
