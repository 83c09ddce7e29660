"""The contract of every view and its projector: resumable, and exact for any pages."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from consumers.positions import LIVE, renew
from consumers.projector import Progress, Projector
from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresLog
from projections.view import (
    Change,
    Copy,
    View,
    ViewBroken,
    ViewNotBuilt,
    ViewOutdated,
    Write,
    position_of,
    views,
)
from tests.consumers.builds import forget, rows
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ON_A_DATABASE, Log, MemoryLog, ledger, ledgers, store


@pytest.mark.parametrize("view", views(), ids=lambda view: view.name)
@ON_A_DATABASE
@given(log=ledgers(), page=st.integers(1, 20), until=st.integers(0, 60))
def test_a_view_is_the_same_however_it_was_read(
    projecting: Connection[Any], view: View, log: Log, page: int, until: int
) -> None:
    forget(projecting)
    assert Projector(MemoryLog(log), projecting).catch_up([view]) == len(log)
    whole = rows(projecting, view)

    forget(projecting)
    first = Projector(MemoryLog(log), projecting, page_facts=page)
    first.catch_up([view], until=until)
    assert position_of(projecting, view) <= until
    second = Projector(MemoryLog(log), projecting, page_facts=page)  # another process
    second.catch_up([view])
    assert rows(projecting, view) == whole

    assert first.catch_up([view]) == 0
    assert position_of(projecting, view) == max((each.position for each in log), default=0)


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_views_at_different_positions_meet(
    projecting: Connection[Any], log: Log, data: st.DataObject
) -> None:
    forget(projecting)
    alone = views()
    for view in alone:
        until = data.draw(st.integers(0, 60))
        Projector(MemoryLog(log), projecting, page_facts=3).catch_up([view], until=until)
    Projector(MemoryLog(log), projecting, page_facts=7).catch_up(alone)
    met = [rows(projecting, view) for view in alone]

    forget(projecting)
    Projector(MemoryLog(log), projecting).catch_up(alone)
    assert [rows(projecting, view) for view in alone] == met


@ON_A_DATABASE
@given(log=ledgers(), turns=st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=12))
def test_two_projectors_that_take_turns_write_each_fact_once(
    projecting: Connection[Any], log: Log, turns: list[tuple[bool, int]]
) -> None:
    forget(projecting)
    both = [Projector(MemoryLog(log), projecting, page_facts=size) for size in (3, 4)]
    for which, until in turns:
        both[which].catch_up(views(), until=until)
    both[0].catch_up(views())
    taken = [rows(projecting, view) for view in views()]

    forget(projecting)
    Projector(MemoryLog(log), projecting).catch_up(views())
    assert [rows(projecting, view) for view in views()] == taken


def test_two_projectors_at_the_same_time_write_each_fact_once(database: Database) -> None:
    log = ledger(facts=400)

    def project() -> None:
        with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
            Projector(MemoryLog(log), connection, page_facts=5).catch_up(views())

    with ThreadPoolExecutor(3) as together:
        for done in [together.submit(project) for _ in range(3)]:
            done.result()
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as connection:
        found = connection.execute("SELECT position FROM views.audit ORDER BY position").fetchall()
        assert [position for (position,) in found] == [record.position for record in log]


def test_a_page_that_no_file_is_to_blame_for_leaves_neither_rows_nor_a_position(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=60)
    audit = views("audit")[0]

    def together(changes: Sequence[Change]) -> list[Write]:
        files = {change.record.envelope.stream for change in changes}
        return [*audit.fold(changes), *(audit.fold(changes) if len(files) > 1 else [])]

    failing = replace(audit, fold=together)
    projector = Projector(MemoryLog(log), projecting)
    with pytest.raises(psycopg.errors.UniqueViolation):
        projector.catch_up([failing])
    assert position_of(projecting, audit) == 0
    assert rows(projecting, audit) == [[]]
    projector.catch_up([audit])
    assert len(rows(projecting, audit)[0]) == len(log)


def test_a_position_only_moves_forward_whoever_moves_it(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=20)
    Projector(MemoryLog(log), projecting).catch_up(views())
    for role in (Role.PROJECTOR, Role.OWNER):
        with (
            psycopg.connect(database.conninfo(role), autocommit=True) as connection,
            pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="does not go back"),
        ):
            connection.execute("UPDATE views.position SET position = position - 1")
    assert {position_of(projecting, view) for view in views()} == {log[-1].position}


def test_a_page_that_was_folded_for_another_edition_is_not_written(
    projecting: Connection[Any],
) -> None:
    """A view that was swapped or in which a file was released, while a page was folded."""
    log = ledger(facts=30)
    (audit,) = views("audit")
    raced = 0

    def fold(changes: Sequence[Change]) -> list[Write]:
        nonlocal raced
        if not raced:
            raced += 1
            renew(projecting, LIVE, "audit")
            return []  # what the page held for the edition before
        return audit.fold(changes)

    Projector(MemoryLog(log), projecting).catch_up([replace(audit, fold=fold)])
    assert len(rows(projecting, audit)[0]) == len(log)


def test_who_finds_a_view_at_work_waits_and_takes_over_when_the_other_is_gone(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=30)
    projector = Projector(MemoryLog(log), projecting)
    projector.catch_up(views(), until=log[9].position)
    with (
        closing(psycopg.connect(database.conninfo(Role.PROJECTOR))) as first,
        ThreadPoolExecutor(1) as second,
    ):
        first.execute("SELECT FROM views.position FOR UPDATE")
        waiting = second.submit(projector.catch_up, views())
        with psycopg.connect(database.conninfo(), autocommit=True) as owner:
            while not owner.execute(BLOCKED, [first.info.backend_pid]).fetchall():
                assert not waiting.done()
            owner.execute("SELECT pg_terminate_backend(%s)", [first.info.backend_pid])
        assert waiting.result() == 20
    assert {position_of(projecting, view) for view in views()} == {log[-1].position}


BLOCKED = "SELECT FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"


def test_a_view_of_another_version_is_refused(projecting: Connection[Any]) -> None:
    log = ledger(facts=40)
    reserves = views("reserves")[0]
    projector = Projector(MemoryLog(log), projecting)
    projector.catch_up([replace(reserves, version=0)])
    with pytest.raises(ViewOutdated) as refused:
        projector.catch_up([reserves])
    assert "claims views rebuild" in refused.value.remedy
    with pytest.raises(ViewOutdated):
        position_of(projecting, reserves)


def test_a_view_with_a_statement_that_cannot_be_run_is_named_and_stands_where_it_stood(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=40)
    (reserves,) = views("reserves")
    projector = Projector(MemoryLog(log), projecting)
    projector.catch_up([reserves], until=log[9].position)

    def wrong(_: Sequence[Change]) -> list[Write]:
        return [Copy("reserves", ("no_such_column",), [(1,)])]

    with pytest.raises(ViewBroken, match="no_such_column"):
        projector.catch_up([replace(reserves, fold=wrong)])
    assert position_of(projecting, reserves) == log[9].position
    projector.catch_up([reserves])
    assert position_of(projecting, reserves) == log[-1].position


def test_no_views_are_level_at_once(projecting: Connection[Any]) -> None:
    assert Projector(MemoryLog(ledger(facts=5)), projecting).catch_up([]) == 0


def test_a_view_that_was_never_built_is_named_so(projecting: Connection[Any]) -> None:
    with pytest.raises(ViewNotBuilt):
        position_of(projecting, views("audit")[0])
    Projector(MemoryLog([]), projecting).catch_up(views("audit"))
    assert position_of(projecting, views("audit")[0]) == 0
    with pytest.raises(ViewNotBuilt):
        position_of(projecting, views("reserves")[0])


def test_progress_is_told_page_by_page(projecting: Connection[Any]) -> None:
    log, told = ledger(facts=25), list[Progress]()
    Projector(MemoryLog(log), projecting, page_facts=10).catch_up(views(), progress=told.append)
    names = ("audit", "caseload", "reserves")
    assert told == [
        Progress(names, log[9].position, 10),
        Progress(names, log[19].position, 10),
        Progress(names, log[24].position, 5),
    ]


def test_the_reader_may_read_every_view(database: Database, projecting: Connection[Any]) -> None:
    Projector(MemoryLog(ledger(facts=10)), projecting).catch_up(views())
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reading:
        for view in views():
            assert position_of(reading, view) > 0
            assert rows(reading, view)


def test_the_log_in_a_database_gives_the_views_that_the_same_log_in_memory_gives(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=200)
    store(database, log)
    with PostgresLog(database.conninfo(Role.PROJECTOR), size=1) as stored:
        for page_facts in (30, 7):  # the second begins with files that it has not seen
            until = log[99].position if page_facts == 30 else None
            Projector(stored, projecting, page_facts).catch_up(views(), until=until)
    read = [rows(projecting, view) for view in views()]
    forget(projecting)
    Projector(MemoryLog(log), projecting).catch_up(views())
    assert [rows(projecting, view) for view in views()] == read
