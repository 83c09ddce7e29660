"""Rebuilding beside the live view: the same row by row, stopped by a difference, or begun anew."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from consumers.bulk import Doors
from consumers.positions import NEXT
from consumers.projector import Projector
from consumers.quarantine import TooManyParked
from consumers.rebuild import rebuild
from consumers.reconcile import Difference
from consumers.swap import KeptOutdated, NothingKept, ViewInUse, roll_back
from domain.errors import UnknownName
from edge.postgres.connections import LIMITS, Role
from projections.view import (
    Change,
    Copy,
    View,
    ViewNotBuilt,
    ViewOutdated,
    Write,
    position_of,
    views,
)
from tests.consumers.builds import (
    doors,
    every_row,
    forget,
    parked,
    position,
    rows,
    stumbling,
)
from tests.postgres_fixtures import Database
from tests.projections.ledgers import (
    ON_A_DATABASE,
    BrokenLog,
    Log,
    MemoryLog,
    ledger,
    ledgers,
)

NAMES = [view.name for view in views()]


def indexes(connection: Connection[Any]) -> list[Any]:
    """Every index and key of the live views, as it would be made, and who may read the tables."""
    return connection.execute(
        "SELECT indexdef, '' FROM pg_indexes WHERE schemaname = 'views'"
        " UNION ALL SELECT conname || pg_get_constraintdef(oid), conrelid::regclass::text"
        " FROM pg_constraint WHERE connamespace = 'views'::regnamespace"
        " UNION ALL SELECT relname, relacl::text FROM pg_class"
        " WHERE relnamespace = 'views'::regnamespace AND relkind = 'r' ORDER BY 1, 2"
    ).fetchall()


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_a_view_that_was_built_again_is_the_live_one_row_by_row(
    database: Database, projecting: Connection[Any], log: Log, data: st.DataObject
) -> None:
    forget(projecting)
    places = st.sampled_from([each.position for each in log] or [0])
    poison = {each: UnknownName("s", 1, "odd.1") for each in data.draw(st.sets(places, max_size=2))}
    reading = BrokenLog(log, poison)
    until = data.draw(st.integers(0, 60))
    Projector(reading, projecting, page_facts=7).catch_up(views(), until=until)
    made = indexes(projecting)
    done = rebuild(doors(database, reading), views())
    assert all(each.swapped and not each.differences for each in done)
    rebuilt, held = every_row(projecting), parked(projecting)
    assert indexes(projecting) == made

    forget(projecting)
    Projector(reading, projecting).catch_up(views())
    assert every_row(projecting) == rebuilt
    assert parked(projecting) == held
    head = max((each.position for each in log), default=0)
    assert {position(projecting, view) for view in views()} == {head}


def test_a_view_that_was_never_built_is_built(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    (done,) = rebuild(doors(database, MemoryLog(log)), views("audit"))
    assert (done.name, done.facts, done.swapped, done.differences) == ("audit", 60, True, ())
    assert len(rows(projecting, views("audit")[0])[0]) == 60
    with pytest.raises(ViewNotBuilt):
        position_of(projecting, views("reserves")[0])
    with (
        closing(psycopg.connect(database.conninfo(Role.PROJECTOR))) as beside,
        pytest.raises(NothingKept),
    ):
        roll_back(MemoryLog(log), views("audit")[0], projecting, beside)


def test_what_is_recorded_while_it_is_built_is_in_it(
    database: Database, projecting: Connection[Any]
) -> None:
    """The live view goes on meanwhile, and the new one never stands behind it."""
    whole = ledger(facts=90)
    log = MemoryLog(whole[:30])
    Projector(log, projecting).catch_up(views())
    ends = iter([60, 75, 90])

    class Growing(MemoryLog):
        def head(self) -> int:
            return self.records[-1].position

        def page(self, after: int, limit: int) -> Log:
            found = super().page(after, limit)
            if (end := next(ends, None)) is not None:
                self.records = list(whole[:end])
                with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as another:
                    Projector(MemoryLog(self.records), another).catch_up(views("audit"))
            return found

    growing = Growing(log.records)
    done = rebuild(doors(database, growing), views("caseload", "reserves"))
    assert all(each.swapped for each in done)
    Projector(MemoryLog(whole), projecting).catch_up(views())
    met = every_row(projecting)
    forget(projecting)
    Projector(MemoryLog(whole), projecting).catch_up(views())
    assert every_row(projecting) == met


def spoilt(connection: Connection[Any]) -> None:
    """Live rows that no longer say what the log says."""
    connection.execute("UPDATE views.reserves SET estimate = estimate + 100 WHERE version = 2")
    connection.execute("DELETE FROM views.audit WHERE position = 1")


def test_a_difference_stops_the_swap_and_is_shown(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    Projector(MemoryLog(log), projecting).catch_up(views())
    good = every_row(projecting)
    spoilt(projecting)
    bad = every_row(projecting)
    audit, caseload, reserves = rebuild(doors(database, MemoryLog(log)), views())
    assert (audit.swapped, caseload.swapped, reserves.swapped) == (False, True, False)
    missing = audit.differences[0]
    assert (missing.what, missing.live, missing.rebuilt) == ("audit: rows", "59", "60")
    assert [each.what for each in audit.differences] == ["audit: rows", "audit: checksum"]
    assert [each.what for each in reserves.differences] == [
        "reserves: checksum",
        "damages psla gross GBP: estimate",
    ]
    assert every_row(projecting) == bad
    for view in views("audit", "reserves"):  # kept beside it, to be looked at
        assert rows(projecting, view, NEXT) == good[NAMES.index(view.name)]

    done = rebuild(doors(database, MemoryLog(log)), views(), accept=True)
    assert all(each.swapped for each in done)
    assert [each.name for each in done if each.differences] == ["audit", "reserves"]
    assert every_row(projecting) == good


def test_files_that_only_one_build_has_parked_are_a_difference(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=40)
    reading = BrokenLog(log, {log[11].position: UnknownName("s", 1, "odd.1")})
    Projector(reading, projecting).catch_up(views("audit"))
    reading.broken.clear()
    (done,) = rebuild(doors(database, reading), views("audit"))
    assert ("files parked", "1", "0") in [
        (each.what, each.live, each.rebuilt) for each in done.differences
    ]


def test_another_version_is_compared_by_the_money_that_both_keep(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    audit, reserves = views("audit", "reserves")

    def with_oddments(changes: Sequence[Change]) -> list[Write]:
        return [*reserves.fold(changes), Copy("oddments", ("position",), [(1,)])]

    older = replace(
        reserves,
        version=0,
        tables={
            "reserves": reserves.tables["reserves"],
            "oddments": "CREATE TABLE oddments (position bigint)",
        },
        fold=with_oddments,
    )
    projector = Projector(MemoryLog(log), projecting)
    projector.catch_up([older, replace(audit, version=0)], until=log[40].position)
    projecting.execute("UPDATE views.reserves SET paid = paid + 1")
    two = [audit, reserves]
    kept, stopped = rebuild(doors(database, MemoryLog(log)), two)
    assert (kept.swapped, kept.differences) == (True, ())
    assert not stopped.swapped
    assert [each.what for each in stopped.differences] == ["damages psla gross GBP: paid"]
    assert position_of(projecting, audit) == log[-1].position
    with pytest.raises(ViewOutdated):
        position_of(projecting, reserves)
    rebuild(doors(database, MemoryLog(log)), two, accept=True)
    assert position_of(projecting, reserves) == log[-1].position
    assert projecting.execute("SELECT to_regclass('views.oddments')").fetchone() == (None,)
    with (
        psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as beside,
        pytest.raises(KeptOutdated),
    ):
        roll_back(MemoryLog(log), reserves, projecting, beside)


def test_a_version_that_kept_no_such_money_has_nothing_to_compare(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=30)
    (reserves,) = views("reserves")
    older = replace(
        reserves,
        version=0,
        tables={"reserves": "CREATE TABLE reserves (position bigint)"},
        fold=positions_only,
    )
    Projector(MemoryLog(log), projecting).catch_up([older])
    (done,) = rebuild(doors(database, MemoryLog(log)), [reserves])
    assert (done.swapped, done.differences) == (True, ())


class Killed(BaseException):
    """No handler sees it."""


@pytest.mark.parametrize(
    "point",
    [
        "consumers.rebuild.build",
        "consumers.rebuild._finish",
        "consumers.rebuild._reconcile",
        "consumers.rebuild.swap",
        "consumers.swap._exchange",
        "consumers.positions.transfer",
    ],
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rebuild_that_is_killed_leaves_the_live_view_and_the_next_begins_anew(
    database: Database, projecting: Connection[Any], point: str, after: bool
) -> None:
    log = ledger(facts=60)
    Projector(MemoryLog(log), projecting).catch_up(views())
    whole = every_row(projecting)
    module, _, name = point.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)

    def killed(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    where = "consumers.swap.transfer" if name == "transfer" else point
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, killed)
        with pytest.raises(Killed):
            rebuild(doors(database, MemoryLog(log)), views())
    assert every_row(projecting) == whole
    assert {position(projecting, view) for view in views()} == {log[-1].position}
    done = rebuild(doors(database, MemoryLog(log)), views())
    assert all(each.swapped and not each.differences for each in done)
    assert every_row(projecting) == whole


def test_what_stops_one_view_is_said_without_comparing_those_that_wait(
    database: Database, projecting: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ledger(facts=60)
    Projector(MemoryLog(log), projecting).catch_up(views())
    whole, begun, second = every_row(projecting), list[str](), threading.Event()

    def compared(_: Doors, view: View) -> list[Difference]:
        begun.append(view.name)
        if len(begun) == 2:
            second.set()
            time.sleep(1)  # as one of a large view does
        return []

    def stopped(*_: Any) -> None:
        second.wait(60)
        raise ViewInUse("audit")

    monkeypatch.setattr("consumers.rebuild._compared", compared)
    monkeypatch.setattr("consumers.rebuild.swap", stopped)
    with pytest.raises(ViewInUse):
        rebuild(doors(database, MemoryLog(log)), views(), workers=1)
    assert begun == NAMES[:2]
    assert every_row(projecting) == whole


def test_what_an_earlier_rebuild_left_is_not_taken_from_who_reads_it(
    database: Database, projecting: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, Role.PROJECTOR, replace(LIMITS[Role.PROJECTOR], lock_ms_max=200))
    log = ledger(facts=30)
    Projector(MemoryLog(log), projecting).catch_up(views())
    projecting.execute("UPDATE views.audit SET rationale = 'wrong'")
    (stopped,) = rebuild(doors(database, MemoryLog(log)), views("audit"))
    assert not stopped.swapped
    with psycopg.connect(database.conninfo()) as looking:
        looking.execute("SELECT FROM views_next.audit")
        with pytest.raises(ViewInUse):
            rebuild(doors(database, MemoryLog(log)), views("audit"))
    assert rebuild(doors(database, MemoryLog(log)), views("audit"), accept=True)[0].swapped


def test_a_view_that_parks_too_many_files_is_not_built(
    database: Database, projecting: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.applying.PARKED_FILES_MAX", 3)
    monkeypatch.setattr("consumers.bulk.PARKED_FILES_MAX", 3)
    log = ledger(facts=60)
    Projector(MemoryLog(log), projecting).catch_up(views())
    whole = every_row(projecting)
    (audit,) = views("audit")
    with pytest.raises(TooManyParked):
        rebuild(doors(database, MemoryLog(log)), [stumbling(audit, lambda _: True)])
    assert every_row(projecting) == whole


def positions_only(changes: Sequence[Change]) -> list[Write]:
    return [Copy("reserves", ("position",), [(change.record.position,) for change in changes])]
