"""Putting a build in the live place: nobody sees half of it, one at a time, and taken back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, IsolationLevel

from consumers import swap
from consumers.positions import LIVE, NEXT, PREVIOUS, stands
from consumers.projector import Projector
from consumers.rebuild import rebuild
from consumers.swap import BuildUnderWay, ViewInUse, building, roll_back
from domain.errors import UnknownName
from edge.postgres.connections import Role
from edge.postgres.server import ready
from projections.view import (
    hold,
    position_of,
    views,
)
from tests.consumers.builds import (
    doors,
    every_row,
    parked,
    rows,
)
from tests.postgres_fixtures import Database
from tests.projections.ledgers import (
    BrokenLog,
    MemoryLog,
    ledger,
)

LOOKS_MAX = 600  # a minute; PostgreSQL looks each second whether there is something to vacuum


def test_readers_never_see_a_half_built_view(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=300)
    Projector(MemoryLog(log), projecting).catch_up(views())
    over, seen = threading.Event(), list[tuple[int, int]]()

    def read() -> None:
        with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reader:
            while not over.is_set():
                (found,) = reader.execute("SELECT count(*), max(position) FROM views.audit")
                seen.append(found)

    def read_a_moment() -> None:
        with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reader:
            reader.isolation_level = IsolationLevel.REPEATABLE_READ
            for number in count():
                if over.is_set():
                    return
                with reader.transaction():
                    hold(reader)
                    at = position_of(reader, views("audit")[0])
                    over.wait(0.05 * (number % 3))
                    (found,) = reader.execute("SELECT count(*), max(position) FROM views.audit")
                    seen.append((found[0], at))

    with ThreadPoolExecutor(2) as together:
        readers = [together.submit(read), together.submit(read_a_moment)]
        try:
            for _ in range(4):
                assert all(
                    each.swapped for each in rebuild(doors(database, MemoryLog(log)), views())
                )
        finally:
            over.set()
        for done in readers:
            done.result()
    assert set(seen) == {(300, log[-1].position)}


def test_who_holds_a_moment_is_waited_for_and_no_longer_than_is_sensible(
    database: Database, projecting: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "TRIES_MAX", 2)
    monkeypatch.setattr(swap, "PAUSE_S", 0.0)
    log = ledger(facts=30)
    Projector(MemoryLog(log), projecting).catch_up(views())
    whole = every_row(projecting)
    with psycopg.connect(database.conninfo(Role.READER)) as reader:
        hold(reader)
        with pytest.raises(ViewInUse):
            rebuild(doors(database, MemoryLog(log)), views("audit"))
    assert every_row(projecting) == whole
    assert rebuild(doors(database, MemoryLog(log)), views("audit"))[0].swapped


def test_a_table_that_is_being_vacuumed_by_itself_can_be_exchanged(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "TRIES_MAX", 2)
    server = ready(None, server_home)
    database = Database("claims", server)
    log = ledger(facts=100)
    with psycopg.connect(server.conninfo, autocommit=True) as owner:
        with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as projecting:
            Projector(MemoryLog(log), projecting).catch_up(views())
        vacuumed_without_end(owner)
        assert rebuild(doors(database, MemoryLog(log)), views("audit"))[0].swapped


def vacuumed_without_end(owner: Connection[Any]) -> None:
    """Have the live audit trail vacuumed, as PostgreSQL does by itself, at a snail's pace."""
    owner.execute(
        "ALTER TABLE views.audit SET (autovacuum_vacuum_threshold = 0,"
        " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
    )
    with owner.transaction():  # a row that is left before it ends is not pruned: hundreds of pages
        for _ in range(100):
            owner.execute("UPDATE views.audit SET rationale = rationale")
    owner.execute("SELECT pg_stat_force_next_flush()")  # or it hears of them half a minute later
    owner.execute("ALTER SYSTEM SET autovacuum_naptime = 1")
    owner.execute("SELECT pg_reload_conf()")
    for _ in range(LOOKS_MAX):
        if owner.execute(
            "SELECT FROM pg_stat_progress_vacuum WHERE relid = 'views.audit'::regclass"
        ).rowcount:
            return
        time.sleep(0.1)
    raise TimeoutError


def test_two_do_not_build_one_view_at_the_same_time(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=30)
    Projector(MemoryLog(log), projecting).catch_up(views())
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as other:
        with building(projecting, views("audit", "reserves")):
            with pytest.raises(BuildUnderWay) as refused:
                rebuild(doors(database, MemoryLog(log)), views("audit"))
            assert refused.value.view == "audit"
            with pytest.raises(BuildUnderWay):
                roll_back(MemoryLog(log), views("audit")[0], other, other)
            assert rebuild(doors(database, MemoryLog(log)), views("caseload"))[0].swapped
        assert rebuild(doors(database, MemoryLog(log)), views("audit"))[0].swapped


def test_the_build_before_comes_back_level_and_can_be_exchanged_again(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    (audit,) = views("audit")
    Projector(MemoryLog(log), projecting).catch_up(views(), until=log[40].position)
    projecting.execute("UPDATE views.audit SET rationale = 'the old build'")
    rebuild(doors(database, MemoryLog(log)), [audit], accept=True)
    new = rows(projecting, audit)
    Projector(MemoryLog(log), projecting).catch_up([audit])
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as beside:
        for old in (True, False, True):
            kept = roll_back(MemoryLog(log), audit, projecting, beside)
            assert kept.position in (log[40].position, log[-1].position)
            assert position_of(projecting, audit) == log[-1].position  # it never went back
            told = projecting.execute("SELECT count(*) FROM views.audit WHERE rationale <> ''")
            assert told.fetchone() == ((41,) if old else (0,))
            assert len(rows(projecting, audit)[0]) == 60
    assert rows(projecting, audit, PREVIOUS) == new
    assert stands(projecting, NEXT, ["audit"]) == {}


def test_what_was_parked_stays_with_its_build(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=40)
    (audit,) = views("audit")
    reading = BrokenLog(log, {log[11].position: UnknownName("s", 1, "odd.1")})
    Projector(reading, projecting).catch_up([audit])
    held = parked(projecting)
    assert held
    reading.broken.clear()
    rebuild(doors(database, reading), [audit], accept=True)
    assert parked(projecting, LIVE) == {}
    assert parked(projecting, PREVIOUS) == held
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as beside:
        roll_back(reading, audit, projecting, beside)
    assert parked(projecting, LIVE) == held
    assert parked(projecting, PREVIOUS) == {}
