"""The limits of P3 and P5: what PostgreSQL and psycopg do with the same facts, and nothing else."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg.rows import tuple_row

from bench.results import Taken
from bench.turns import Given, Turn

ROWS_A_FETCH = 10_000

LIKE_THE_LOG = "CREATE TABLE ledger.copied (LIKE ledger.facts INCLUDING ALL)"
_FACTS = """
SELECT notification_id, originator_version, originator_id, topic, state FROM ledger.facts
WHERE originator_id LIKE %s ORDER BY notification_id
"""
_COPY = """
COPY ledger.copied (notification_id, originator_version, originator_id, topic, state)
FROM STDIN (FORMAT binary)
"""
_LOG = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger.facts ORDER BY notification_id
"""


@contextmanager
def copy(given: Given) -> Generator[Turn]:
    """P3: the facts that ours has just stored, byte for byte, ready in memory."""
    with psycopg.connect(given["conninfo"], autocommit=True) as connection:

        def turn(number: int) -> Taken:
            asked = [f"claim-T{number}-%"]
            rows = connection.execute(_FACTS, asked, binary=True).fetchall()
            assert rows
            started = time.perf_counter()
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as to:
                to.set_types(("int8", "int8", "text", "text", "bytea"))
                for row in rows:
                    to.write_row(row)
            return Taken(len(rows), time.perf_counter() - started)

        yield turn


@contextmanager
def select(given: Given) -> Generator[Turn]:
    """P5: every row of the log, decoded and let go."""
    with psycopg.connect(given["conninfo"]) as connection:

        def turn(_: int) -> Taken:
            rows = 0
            started = time.perf_counter()
            with connection.cursor("log", binary=True, row_factory=tuple_row) as cursor:
                cursor.itersize = ROWS_A_FETCH
                for row in cursor.execute(_LOG):
                    json.loads(row[3])
                    rows += 1
            took = time.perf_counter() - started
            connection.rollback()
            return Taken(rows, took)

        yield turn
