"""Building from the whole log, file by file: shares, workers, and indexes that come last."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers import bulk
from consumers.bulk import Doors, WorkerLost
from consumers.positions import LIVE, NEXT, stands
from consumers.projector import Projector
from consumers.rebuild import begin, rebuild
from edge.postgres.connections import Role
from edge.store.archive import PostgresArchive
from projections.view import (
    Change,
    Copy,
    Run,
    View,
    ViewBroken,
    Write,
    views,
)
from tests.consumers.builds import (
    doors,
    every_row,
    parked,
    rows,
)
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database
from tests.projections.ledgers import (
    MemoryLog,
    ledger,
    store,
)

NAMES = [view.name for view in views()]


def test_a_worker_of_a_rebuild_that_died_writes_nothing_into_the_next(
    database: Database, projecting: Connection[Any]
) -> None:
    log = MemoryLog(ledger(facts=20))
    own = partial(psycopg.connect, database.conninfo(Role.PROJECTOR), autocommit=True)
    begun = begin(projecting, views("audit"), log.head())
    with own() as connection:
        orphan = bulk.Builder(log, connection, begun)
        first, second, *_ = log.whole_files(bulk.Share("", None), log.head())
        orphan.write(first)
        assert len(rows(projecting, views("audit")[0], NEXT)[0]) == first.facts
        begin(projecting, views("audit"), log.head())
        orphan.write(second)
    assert rows(projecting, views("audit")[0], NEXT) == [[]]


def test_a_view_that_changes_its_rows_has_its_indexes_while_it_is_built(
    database: Database, projecting: Connection[Any]
) -> None:
    """Such as one that counts: its writes need the key."""
    log = ledger(facts=60)

    def fold(changes: Sequence[Change]) -> list[Write]:
        return [Run(COUNT_UP, {"file": change.record.envelope.stream}) for change in changes]

    table = "CREATE TABLE counts (file text PRIMARY KEY, facts int NOT NULL)"
    counts = View("counts", 1, {"counts": table}, fold)
    Projector(MemoryLog(log), projecting, page_facts=7).catch_up([counts])
    whole = rows(projecting, counts)
    assert len(whole[0]) == 7
    (done,) = rebuild(doors(database, MemoryLog(log)), [counts])
    assert (done.swapped, done.differences) == (True, ())
    assert rows(projecting, counts) == whole


COUNT_UP = """
INSERT INTO counts VALUES (%(file)s, 1)
ON CONFLICT (file) DO UPDATE SET facts = counts.facts + 1
"""


def stored_doors(database: Database) -> Doors:
    conninfo = database.conninfo(Role.PROJECTOR)
    return Doors(
        partial(PostgresArchive, conninfo, size=2),
        partial(psycopg.connect, conninfo, autocommit=True),
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_the_log_in_a_database_gives_the_views_that_pages_of_it_give(
    database: Database,
    projecting: Connection[Any],
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = ledger(facts=200)
    store(database, log)
    altered(
        database,
        "UPDATE ledger.facts SET topic = 'odd.1' WHERE notification_id = %s",
        log[77].position,
    )
    told = list[int]()
    monkeypatch.setattr("edge.store.archive.ROWS_A_FETCH", 30)
    with PostgresArchive(database.conninfo(Role.PROJECTOR), size=1) as stored:
        Projector(stored, projecting, page_facts=50).catch_up(views())
    paged, held = every_row(projecting), parked(projecting)
    assert held == {name: {log[77].envelope.stream: log[77].envelope.version} for name in NAMES}
    done = rebuild(stored_doors(database), views(), workers=workers, progress=told.append)
    assert all(each.swapped and not each.differences for each in done), done
    assert {each.facts for each in done} == {200}
    assert told == sorted(told)
    assert told[-1] == 200
    assert every_row(projecting) == paged
    assert parked(projecting) == held


@pytest.mark.parametrize("parts", [1, 4, 100])
def test_shares_hold_every_file_once_and_whole(database: Database, parts: int) -> None:
    log = ledger(facts=100)
    store(database, log)
    with PostgresArchive(database.conninfo(Role.PROJECTOR), size=1) as stored:
        shares = stored.shares(parts)
        assert len(shares) <= parts
        pages = [page for share in shares for page in stored.whole_files(share, log[80].position)]
    read = [record for page in pages for record in page.records]
    assert sorted(read, key=lambda each: each.position) == list(log[:81])
    streams = [
        stream for page in pages for stream in {each.envelope.stream for each in page.records}
    ]
    assert len(streams) == len(set(streams))


def test_workers_share_the_files_out_among_themselves(
    database: Database, projecting: Connection[Any]
) -> None:
    log, told = ledger(facts=200), list[int]()
    store(database, log)
    Projector(MemoryLog(log), projecting).catch_up(views())
    paged = every_row(projecting)
    begun = begin(projecting, views(), log[-1].position)
    with PostgresArchive(database.conninfo(Role.PROJECTOR), size=1) as stored:
        shares = bulk.Shares(stored.shares(5))
    bulk.share_out(stored_doors(database), begun, shares, 2, told.append)
    assert sum(told) == 200
    assert shares.take() is None
    assert [rows(projecting, view, NEXT) for view in views()] == paged


def test_what_stops_a_worker_is_raised_where_the_shares_are_handed_out(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=40)
    store(database, log)
    (audit,) = views("audit")
    for fold, error in ((no_such_column, ViewBroken), (dies, WorkerLost)):
        begun = begin(projecting, [replace(audit, fold=fold)], log[-1].position)
        shares = bulk.Shares([bulk.Share("", None)])
        with pytest.raises(error):
            bulk.share_out(stored_doors(database), begun, shares, 1, lambda _: None)
    with pytest.raises(ViewBroken, match="colour"):
        rebuild(stored_doors(database), [replace(audit, fold=no_such_column)], workers=2)
    assert stands(projecting, LIVE, ["audit"]) == {}


def test_no_worker_goes_on_when_the_rebuild_gave_up(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=40)
    store(database, log)
    begun = begin(projecting, views("audit"), log[-1].position)
    shares = bulk.Shares([bulk.Share("", None)])
    shares.given_up.set()
    bulk.share_out(stored_doors(database), begun, shares, 1, lambda _: None)
    assert rows(projecting, views("audit")[0], NEXT) == [[]]


def no_such_column(changes: Sequence[Change]) -> list[Write]:
    return [Copy("audit", ("colour",), [("red",)])]


def dies(changes: Sequence[Change]) -> list[Write]:
    raise SystemExit
