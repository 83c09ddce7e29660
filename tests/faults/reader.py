"""A tailing reader: follows the log by position, and writes down every position it read."""

import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from domain.errors import StoreUnavailable
from edge.postgres.connections import Role, conninfo_for
from edge.store.postgres_store import PostgresLog
from tests.faults.journal import Journal, entries
from tests.faults.process import Task

PAGE_FACTS_MAX = 200
POLL_S_MAX = 0.05
AWAY_S = 0.2


class Place(NamedTuple):
    """Where a fact is: in the log, and in its stream."""

    position: int
    stream: str
    version: int


Page = Callable[[int, int], Sequence[Place]]  # up to so many facts past a position


def follow_the_ledger(task: Task, stopping: threading.Event) -> None:
    """Follow the ledger's log, through every absence of the database."""
    conninfo = conninfo_for(task.conninfo, Role.READER)
    while not stopping.is_set():
        try:
            with PostgresLog(conninfo) as log:

                def page(after: int, limit: int, log: PostgresLog = log) -> list[Place]:
                    return [
                        Place(each.position, each.envelope.stream, each.envelope.version)
                        for each in log.page(after, limit)
                    ]

                follow(page, task, stopping)
        except StoreUnavailable:
            stopping.wait(AWAY_S)


def follow(page: Page, task: Task, stopping: threading.Event) -> None:
    """Read on from where the journal ends, page by page of any size."""
    journal, dice = task.journal(), task.dice()
    read = places_read(task.path)
    last = read[-1].position if read else 0
    while not stopping.is_set():
        last = _read_on(page, journal, dice, last, stopping)


def _read_on(
    page: Page, journal: Journal, dice: random.Random, last: int, stopping: threading.Event
) -> int:
    places = page(last, dice.randint(1, PAGE_FACTS_MAX))
    if not places:
        stopping.wait(dice.uniform(0, POLL_S_MAX))
        return last
    journal.write(read=places)
    return places[-1].position


def places_read(path: Path) -> list[Place]:
    """Every place that the reader with this journal was at, in its order."""
    return [Place(*place) for entry in entries(path) for place in entry.get("read", ())]
