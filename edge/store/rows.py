"""Columns for a statement, one array for each, in PostgreSQL's binary format.

An array is a head, and each value its length in bytes and the bytes; whole numbers are big-endian,
moments are microseconds since 2000. psycopg takes far longer to make one of a list, and the
receipts are known only when the lock is held.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

_BYTEA, _BIGINT, _TEXT, _TIMESTAMPTZ = 17, 20, 25, 1184  # types, by the numbers they have for ever
_HEAD = struct.Struct(">5i").pack  # dimensions, whether there are nulls, type, length, first index
_LENGTH = struct.Struct(">i").pack
_NUMBER = struct.Struct(">q").pack
_LENGTH_AND_NUMBER = struct.Struct(">iq").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def number(value: int) -> bytes:
    """A bigint."""
    return _NUMBER(value)


def numbers(values: Iterable[int]) -> bytes:
    """An array of bigint."""
    return _array(_BIGINT, [_LENGTH_AND_NUMBER(8, value) for value in values])


def texts(values: Iterable[str]) -> bytes:
    """An array of text."""
    return _array(_TEXT, _with_lengths([value.encode() for value in values]))


def blobs(values: Iterable[bytes]) -> bytes:
    """An array of bytea."""
    return _array(_BYTEA, _with_lengths(values))


def moments(values: Iterable[datetime]) -> bytes:
    """An array of timestamptz."""
    since = [(value - _EPOCH) // _MICROSECOND for value in values]
    return _array(_TIMESTAMPTZ, [_LENGTH_AND_NUMBER(8, value) for value in since])


def _with_lengths(values: Iterable[bytes]) -> list[bytes]:
    return [_LENGTH(len(value)) + value for value in values]


def _array(kind: int, values: Sequence[bytes]) -> bytes:
    if not values:
        return _HEAD(0, 0, kind, 0, 0)[:12]  # which has no dimension
    return _HEAD(1, 0, kind, len(values), 1) + b"".join(values)
