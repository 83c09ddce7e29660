"""The log as its readers see it: pages, histories, names, and hints that more has come."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq.abc import PGconn

from commands.ports import Batch, ToStore
from domain.errors import ChainBroken, NameTooNew
from edge.postgres.connections import Role
from edge.store import postgres_store
from edge.store.connection import LedgerConnection, Statement
from edge.store.postgres_store import PostgresLog, PostgresStore
from tests.edge.store.facts import Writer, merged
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        yield Writer(store)


@pytest.fixture(params=[Role.READER, Role.PROJECTOR])
def log(request: pytest.FixtureRequest, database: Database) -> Iterator[PostgresLog]:
    with PostgresLog(database.conninfo(request.param)) as log:
        yield log


def test_an_empty_log_has_no_page_no_name_and_the_head_nought(log: PostgresLog) -> None:
    assert log.page(0, 10) == []
    assert list(log.streams()) == []
    assert log.histories([]) == {}
    assert log.head() == 0


def test_pages_go_through_the_log_in_the_order_of_positions(
    log: PostgresLog, writer: Writer
) -> None:
    positions = [p for n in range(5) for p in writer.write(f"claim-{n % 2}", 2)]
    read: list[int] = []
    while page := log.page(read[-1] if read else 0, 3):
        assert len(page) <= 3
        read.extend(record.position for record in page)
    assert read == positions
    assert log.head() == positions[-1]


def test_pages_go_on_over_positions_that_were_never_used(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    writer.write("claim-1")
    with psycopg.connect(database.conninfo(), autocommit=True) as owner:
        owner.execute("SELECT nextval('ledger.position') FROM generate_series(1, 100)")
    writer.write("claim-1")
    assert [record.position for record in log.page(0, 10)] == [1, 102]


def test_a_history_ends_at_the_position_asked_for(log: PostgresLog, writer: Writer) -> None:
    first = writer.write("claim-1", 2)
    writer.write("claim-2", 1)
    writer.write("claim-1", 2)
    histories = log.histories(["claim-1", "claim-2", "claim-3"], first[-1])
    assert [len(history) for history in histories.values()] == [2, 0, 0]
    assert len(log.histories(["claim-1"])["claim-1"]) == 4


def test_names_come_in_order_by_prefix_and_page_by_page(
    log: PostgresLog, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "STREAMS_PAGE", 2)
    names = ["claim-1", "claim-10", "claim-2", "claim-é", "mandate-1", "refusals-claim-1"]
    for name in reversed(names):
        writer.write(name, 2)
    assert list(log.streams()) == names
    assert list(log.streams("claim-")) == names[:4]
    assert list(log.streams("claim-1")) == names[:2]
    assert list(log.streams("z")) == []


def test_reading_stops_at_a_newer_name_and_says_where(log: PostgresLog, writer: Writer) -> None:
    writer.write("claim-1")
    batch = writer.batch("claim-1")
    newer = [ToStore(f.stream, f.version, "strategy-set.9", f.state) for f in batch.facts]
    writer.store.append(Batch(newer, batch.answers, batch.read))
    for read in (lambda: log.page(0, 10), lambda: log.histories(["claim-1"])):
        with pytest.raises(NameTooNew) as caught:
            read()
        assert (caught.value.stream, caught.value.version) == ("claim-1", 2)
    assert len(log.page(0, 1)) == 1


def test_a_history_with_a_hole_is_not_read(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    writer.write("claim-1", 3)
    altered(database, "DELETE FROM ledger.facts WHERE originator_version = 2")
    with pytest.raises(ChainBroken) as caught:
        log.histories(["claim-1"])
    assert caught.value.version == 2


def test_a_waiting_reader_hears_of_an_append(log: PostgresLog, writer: Writer) -> None:
    assert log.wait(60)  # nobody listened before
    threading.Timer(0.2, writer.write, ["claim-1"]).start()
    assert log.wait(60)


def test_a_waiting_reader_comes_back_when_there_is_nothing(log: PostgresLog) -> None:
    log.wait(0.1)
    assert not log.wait(0.1)


def test_a_waiting_reader_whose_connection_is_killed_listens_again(
    log: PostgresLog, database: Database
) -> None:
    log.wait(0.1)
    with psycopg.connect(database.conninfo(), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    assert not log.wait(0.1)
    assert log.wait(0.1)  # listens anew, so there may be something


@pytest.mark.parametrize("streams", [["claim-7"], ["claim-7", "claim-8"]])
def test_a_history_is_one_range_of_the_primary_key_from_the_first_day(
    writer: Writer, database: Database, streams: list[str]
) -> None:
    """A table that was never analysed tempts the server to walk through all positions as well."""
    writer.append(merged(*(writer.batch(f"claim-{n}", 5) for n in range(400))))
    with Explaining.connect(database.conninfo(Role.WRITER), autocommit=True) as explained:
        explained.execute("SET enable_seqscan = off")
        postgres_store._histories(explained, streams, 2**63 - 1)  # pyright: ignore[reportPrivateUsage] - to see the plan
    plan = "\n".join(explained.plan)
    assert "facts_pkey" in plan
    assert "facts_notification_id_idx" not in plan


class Explaining(LedgerConnection):
    """Has every statement explained instead of answered."""

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn)
        self.plan: list[str] = []

    def ask(self, statement: Statement, *values: bytes) -> list[tuple[Any, ...]]:
        rows = super().ask(Statement(f"EXPLAIN {statement.text}"), *values)
        self.plan += [row[0] for row in rows]
        return []
