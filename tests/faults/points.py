"""Named points at which a process dies or stops by its own hand, found by the statements it sends.

The product has no hooks for this and needs none: what it sends tells where it is. The ledger sends
its batches through a connection of its own, everything else passes through psycopg.
"""

import os
import re
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from edge.store.connection import LedgerConnection, Statement
from tests.faults.journal import Journal
from tests.faults.process import Fate

BEFORE_ANSWERS = "before the answers and COMMIT of a batch"
AFTER_BATCH = "after COMMIT of a batch"
BETWEEN_ROWS_AND_POSITION = "between view rows and position"
BEFORE_COMMIT = "before COMMIT of a page"
AFTER_COMMIT = "after COMMIT of a page"
OF_A_WRITER = (BEFORE_ANSWERS, AFTER_BATCH)
OF_A_PROJECTOR = (BETWEEN_ROWS_AND_POSITION, BEFORE_COMMIT, AFTER_COMMIT)

_COMMIT = re.compile(r"\bCOMMIT\b(?! PREPARED)", re.IGNORECASE)
_POSITION = re.compile(r'\bUPDATE\s+"?views"?\."?position\b', re.IGNORECASE)


def await_fate(fate: Fate, journal: Journal) -> None:
    """From now on, this process meets its fate when it passes the point often enough."""
    passing = meeting(fate, journal)
    _watch_batches(passing)
    _watch_statements(passing)
    _watch_transactions(passing)


def meeting(fate: Fate, journal: Journal) -> Callable[[str], None]:
    """What is to be told of each point that this process passes."""
    left, lock = fate.passing, threading.Lock()

    def passing(point: str) -> None:
        nonlocal left
        with lock:
            left -= point == fate.point
            if left > 0 or point != fate.point or left < 0:
                return
            journal.write(fault=f"{_DEEDS[signal.Signals(fate.signal)]} {point}")
            os.kill(os.getpid(), fate.signal)

    return passing


_DEEDS = {signal.SIGKILL: "killed", signal.SIGSTOP: "stopped"}


def _watch_statements(passing: Any) -> None:
    execute = psycopg.Cursor.execute

    def watched(self: psycopg.Cursor[Any], query: Any, *rest: Any, **named: Any) -> Any:
        text = _text(query, self.connection)
        if _COMMIT.search(text):
            passing(BEFORE_COMMIT)
        if _POSITION.search(text):
            passing(BETWEEN_ROWS_AND_POSITION)
        result = execute(self, query, *rest, **named)
        if _COMMIT.search(text):
            passing(AFTER_COMMIT)
        return result

    psycopg.Cursor.execute = watched  # type: ignore[method-assign]  # the product sends through these


def _watch_batches(passing: Any) -> None:
    """A batch's facts are there, unseen, and the lock is held, when its answers are about to go."""
    ask_together = LedgerConnection.ask_together

    def watched(self: LedgerConnection, *steps: tuple[Statement, Any]) -> Any:
        ends = any(_COMMIT.search(statement.text) for statement, _ in steps)
        if ends:
            passing(BEFORE_ANSWERS)
        results = ask_together(self, *steps)
        if ends:
            passing(AFTER_BATCH)
        return results

    LedgerConnection.ask_together = watched  # type: ignore[method-assign]  # the product sends through this


def _watch_transactions(passing: Any) -> None:
    commit, transaction = psycopg.Connection.commit, psycopg.Connection.transaction

    def committed(self: psycopg.Connection[Any]) -> None:
        passing(BEFORE_COMMIT)
        commit(self)
        passing(AFTER_COMMIT)

    @contextmanager
    def within(self: psycopg.Connection[Any], *rest: Any, **named: Any) -> Generator[Any]:
        with transaction(self, *rest, **named) as opened:
            yield opened
            passing(BEFORE_COMMIT)
        passing(AFTER_COMMIT)

    psycopg.Connection.commit = committed  # type: ignore[method-assign]  # the product sends through these
    psycopg.Connection.transaction = within  # type: ignore[method-assign]  # the product sends through these


def _text(query: Any, connection: psycopg.Connection[Any]) -> str:
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    return query.as_string(connection) if isinstance(query, sql.Composable) else str(query)
