"""Who names a position gets an answer at or past it, or is told by name why not."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers.projector import Projector
from consumers.waiting import (
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    NotYetThere,
    PositionBeyondLog,
    wait_for,
)
from edge.postgres.connections import Role
from projections.view import ViewOutdated, views
from tests.postgres_fixtures import Database
from tests.projections.ledgers import MemoryLog, ledger, store

LOG = ledger(facts=20)
AUDIT, RESERVES = views("audit", "reserves")
HALF, END = LOG[9].position, LOG[-1].position


class Time:
    """Passes only when it is slept through, and may have something happen meanwhile."""

    def __init__(self, meanwhile: Callable[[int], None] = lambda _: None) -> None:
        self.now_s = 0.0
        self.pauses = list[float]()
        self._meanwhile = meanwhile

    def timer(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds
        self._meanwhile(len(self.pauses))


@pytest.fixture
def reader(database: Database) -> Iterator[Connection[Any]]:
    store(database, LOG)
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as connection:
        yield connection


@pytest.fixture
def projector(database: Database) -> Iterator[Projector]:
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
        yield Projector(MemoryLog(LOG), connection)


@pytest.mark.parametrize("asked", [0, 1, HALF - 1, HALF])
def test_a_position_that_is_there_is_not_waited_for(
    reader: Connection[Any], projector: Projector, asked: int
) -> None:
    projector.catch_up([AUDIT], until=HALF)
    time = Time()
    assert wait_for(reader, [AUDIT], asked, time.timer, time.sleep, 2.0) == HALF
    assert time.pauses == []


def test_it_waits_until_the_last_of_the_views_is_there(
    reader: Connection[Any], projector: Projector
) -> None:
    def meanwhile(pause: int) -> None:
        if pause in (3, 6):
            projector.catch_up([AUDIT if pause == 3 else RESERVES])

    time = Time(meanwhile)
    assert wait_for(reader, [AUDIT, RESERVES], END, time.timer, time.sleep, 2.0) == END
    assert len(time.pauses) == 6


def test_the_pauses_grow_to_their_bound_and_end_with_the_time_out(
    reader: Connection[Any], projector: Projector
) -> None:
    projector.catch_up([AUDIT], until=HALF)
    time = Time()
    with pytest.raises(NotYetThere) as refused:
        wait_for(reader, [AUDIT], END, time.timer, time.sleep, 2.0)
    evidence = {"asked": str(END), "reached": str(HALF), "waited_ms": "2000"}
    assert refused.value.evidence() == evidence
    assert time.pauses[:2] == [PAUSE_S_MIN, 2 * PAUSE_S_MIN]
    assert max(time.pauses) == PAUSE_S_MAX
    assert sum(time.pauses) == pytest.approx(2.0)


def test_a_view_that_was_never_built_is_waited_for(
    reader: Connection[Any], projector: Projector
) -> None:
    time = Time()
    with pytest.raises(NotYetThere) as refused:
        wait_for(reader, [AUDIT], 1, time.timer, time.sleep, 2.0)
    assert refused.value.reached == 0

    def build(_: int) -> None:
        projector.catch_up([AUDIT])

    built = Time(build)
    assert wait_for(reader, [AUDIT], END, built.timer, built.sleep, 2.0) == END


def test_a_position_beyond_the_log_is_refused_at_once(reader: Connection[Any]) -> None:
    time = Time()
    for asked in (END + 1, 2**70):
        with pytest.raises(PositionBeyondLog) as refused:
            wait_for(reader, [AUDIT], asked, time.timer, time.sleep, 2.0)
        assert (refused.value.asked, refused.value.head) == (asked, END)
    assert time.pauses == []


def test_an_outdated_view_is_refused_at_once(
    reader: Connection[Any], projector: Projector, database: Database
) -> None:
    projector.catch_up([AUDIT])
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("UPDATE views.position SET version = 99")
    time = Time()
    with pytest.raises(ViewOutdated):
        wait_for(reader, [AUDIT], END, time.timer, time.sleep, 2.0)
    assert time.pauses == []
