"""The contract of every view and its projector: resumable, exact for any pages, rebuildable."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection, sql

from consumers.projector import Progress, Projector, Status, status
from domain.envelope import Recorded
from domain.errors import DamagedFact, NameTooNew, UnknownName, Unreadable
from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresLog
from projections.view import Change, View, ViewNotBuilt, ViewOutdated, Write, position_of, views
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ON_A_DATABASE, Log, MemoryLog, claims, ledger, ledgers, store


@pytest.fixture
def projecting(database: Database) -> Iterator[Connection[Any]]:
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
        yield connection


def rows(connection: Connection[Any], view: View) -> list[list[tuple[Any, ...]]]:
    """All that a view holds, as text, in an order that does not depend on how it came there."""
    return [
        sorted(
            connection.execute(
                sql.SQL("SELECT t::text FROM views.{} t").format(sql.Identifier(table))
            )
        )
        for table in view.tables
    ]


def forget(connection: Connection[Any]) -> None:
    """Take all views out of the database."""
    for view in views():
        for table in (*view.tables, "position"):
            connection.execute(
                sql.SQL("DROP TABLE IF EXISTS views.{}").format(sql.Identifier(table))
            )


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
    first.rebuild(view)
    assert rows(projecting, view) == whole
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


def test_a_page_that_fails_leaves_neither_rows_nor_a_position(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=60)
    audit = views("audit")[0]

    def twice(changes: Sequence[Change]) -> list[Write]:
        return [*audit.fold(changes), *audit.fold(changes)]

    failing = replace(audit, fold=twice)
    projector = Projector(MemoryLog(log), projecting)
    with pytest.raises(psycopg.errors.UniqueViolation):
        projector.catch_up([failing])
    assert position_of(projecting, audit) == 0
    assert rows(projecting, audit) == [[]]
    projector.catch_up([audit])
    assert len(rows(projecting, audit)[0]) == len(log)


@pytest.mark.parametrize("page", [1, 7, 1000])
@pytest.mark.parametrize("error", [UnknownName("s", 3, "odd.1"), NameTooNew("s", 3, "odd.2", 1)])
def test_a_fact_that_cannot_be_read_stops_the_views_right_before_it(
    projecting: Connection[Any], page: int, error: Unreadable
) -> None:
    log = ledger(facts=60)
    broken = BrokenLog(log, log[41].position, error)
    projector = Projector(broken, projecting, page_facts=page)
    for _ in range(2):  # it does not get past it by trying again
        with pytest.raises(type(error)) as stopped:
            projector.catch_up(views())
        assert f"up to position {log[40].position}" in stopped.value.__notes__[-1]
        assert {position_of(projecting, view) for view in views()} == {log[40].position}


def test_the_note_on_an_unreadable_fact_says_its_position(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=20)
    store(database, log)
    bad = log[12].envelope
    broken = BrokenLog(log, log[12].position, UnknownName(bad.stream, bad.version, "odd.1"))
    with pytest.raises(UnknownName) as stopped:
        Projector(broken, projecting).catch_up(views())
    (note,) = stopped.value.__notes__
    assert f"at position {log[12].position} of the log" in note
    assert f"every fact up to position {log[11].position}" in note


def test_a_gap_in_a_file_stops_the_views(projecting: Connection[Any]) -> None:
    log = ledger(facts=40)
    gone = next(record for record in log if record.envelope.version == 2)
    with pytest.raises(DamagedFact) as stopped:
        Projector(MemoryLog([each for each in log if each != gone]), projecting).catch_up(views())
    assert (stopped.value.stream, stopped.value.version) == (gone.envelope.stream, 3)


def test_a_view_of_another_version_is_refused_until_it_is_rebuilt(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=40)
    reserves = views("reserves")[0]
    older = replace(
        reserves, version=0, tables={"oddments": "CREATE TABLE views.oddments (position bigint)"}
    )
    projector = Projector(MemoryLog(log), projecting)
    projector.catch_up([replace(older, fold=no_rows)])
    with pytest.raises(ViewOutdated) as refused:
        projector.catch_up([reserves])
    assert "claims views rebuild" in refused.value.remedy
    with pytest.raises(ViewOutdated):
        position_of(projecting, reserves)
    projector.rebuild(reserves)
    assert position_of(projecting, reserves) == log[-1].position
    assert projecting.execute("SELECT to_regclass('views.oddments')").fetchone() == (None,)


def test_a_view_that_was_never_built_is_named_so(projecting: Connection[Any]) -> None:
    with pytest.raises(ViewNotBuilt):
        position_of(projecting, views("audit")[0])
    Projector(MemoryLog([]), projecting).catch_up(views("audit"))
    assert position_of(projecting, views("audit")[0]) == 0
    with pytest.raises(ViewNotBuilt):
        position_of(projecting, views("reserves")[0])


def test_the_status_says_what_a_view_leaves_out(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    store(database, log)
    audit, reserves = views("audit", "reserves")
    until = log[30].position
    Projector(MemoryLog(log), projecting, page_facts=8).catch_up([audit], until=until)
    left = claims(log[31:])
    head = log[-1].position
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reading:
        assert status(reading, [audit, reserves]) == [
            Status("audit", audit.version, until, head, len(log) - 31, len(left)),
            Status("reserves", 0, 0, head, len(log), len(claims(log))),
        ]


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


def no_rows(changes: Sequence[Change]) -> list[Write]:
    del changes
    return []


class BrokenLog(MemoryLog):
    """A log with one fact that cannot be read."""

    def __init__(self, records: Log, position: int, error: Unreadable) -> None:
        super().__init__(records)
        self._position = position
        self._error = error

    def page(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        page = super().page(after, limit)
        if any(record.position == self._position for record in page):
            raise self._error
        return page
