"""The red canary: a log that readers do skip in, so that the check is known to see it.

The eventsourcing library can append without a lock (`POSTGRES_ENABLE_DB_FUNCTIONS`). Positions then
become visible in another order than they were given out, and whoever follows them misses some.
"""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict

from tests.faults.checks import Finding, of_reader
from tests.faults.process import Child, Task
from tests.faults.reader import Place, follow, places_read

WRITERS = 8
BATCH_EVENTS_MAX = 20
LOOK_S = 0.5
EVERYTHING = 10**9
NAME = "canary"


@dataclass(frozen=True)
class Sung:
    """What became of it: how much was appended, how far the reader came, and what it missed."""

    appended: int
    read: int
    seconds: float
    findings: list[Finding]


def sing(conninfo: str, folder: Path, seed: str, seconds: float, *, lockless: bool) -> Sung:
    """Append from many processes and follow, until the reader has missed something or time is up.

    `conninfo` names a database of its own, in which the library makes its tables.
    """
    began = time.monotonic()
    with _recorder(conninfo, lockless=lockless, make=True) as recorder:
        task = Task("reader", 0, seed, folder, conninfo, date(2026, 1, 1), began)
        children = [Child(partial(read, lockless=lockless), task)]
        for number in range(WRITERS):
            name = f"writer-{number}"
            own = Task(name, 0, seed, folder, conninfo, task.day, began)
            children.append(Child(partial(append, lockless=lockless), own))
        try:
            while True:
                time.sleep(LOOK_S)
                passed = places_read(task.path)  # first: what the log has by then it must have read
                log = list(map(_place, recorder.select_notifications(None, EVERYTHING)))
                findings = list(of_reader(passed, log))
                if findings or time.monotonic() > began + seconds:
                    return Sung(len(log), len(passed), time.monotonic() - began, findings)
        finally:
            for child in children:
                child.kill()


def append(task: Task, stopping: threading.Event, *, lockless: bool) -> None:
    """Append batches as fast as they go."""
    dice = task.dice()
    with _recorder(task.conninfo, lockless=lockless) as recorder:
        while not stopping.is_set():
            recorder.insert_events(
                [
                    StoredEvent(UUID(int=dice.getrandbits(128)), 1, "happened", b"x")
                    for _ in range(dice.randint(1, BATCH_EVENTS_MAX))
                ]
            )


def read(task: Task, stopping: threading.Event, *, lockless: bool) -> None:
    """Follow the library's notification log as the ledger's reader follows its own."""
    with _recorder(task.conninfo, lockless=lockless) as recorder:

        def page(after: int, limit: int) -> list[Place]:
            found = recorder.select_notifications(after, limit, inclusive_of_start=False)
            return [_place(each) for each in found]

        follow(page, task, stopping)


def _place(event: Notification) -> Place:
    return Place(event.id, str(event.originator_id), event.originator_version)


@contextmanager
def _recorder(
    conninfo: str, *, lockless: bool, make: bool = False
) -> Generator[PostgresApplicationRecorder]:
    """The library's own recorder on its own table, as its documentation sets it up."""
    at = {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}
    environment = Environment(
        NAME,
        {
            "POSTGRES_DBNAME": at["dbname"],
            "POSTGRES_HOST": at["host"],
            "POSTGRES_PORT": at["port"],
            "POSTGRES_USER": at["user"],
            "POSTGRES_PASSWORD": "none is asked for",
            "POSTGRES_ENABLE_DB_FUNCTIONS": "y" if lockless else "n",
            "CREATE_TABLE": "y" if make else "n",
        },
    )
    with PostgresFactory(environment) as factory:
        recorder = factory.application_recorder()
        assert isinstance(recorder, PostgresApplicationRecorder)
        yield recorder
