"""Statements sent as bytes: what goes in comes out, one error stops the rest, and none is lost."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from commands.ports import Moved
from edge.postgres.connections import Role
from edge.store.connection import LedgerConnection, Statement, require_done
from edge.store.postgres_store import PostgresLog, PostgresStore
from edge.store.rows import blobs, moments, number, numbers, texts
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database

ONE = Statement("SELECT 1", "one")
FAILS = Statement("SELECT 1 / $1::bigint", "fails")


@pytest.fixture
def connection(database: Database) -> Iterator[LedgerConnection]:
    conninfo = database.conninfo(Role.READER)
    with LedgerConnection.connect(conninfo, autocommit=True, prepare_threshold=None) as connection:
        yield connection


@pytest.mark.parametrize(
    ("kind", "array", "values"),
    [
        ("bigint[]", numbers, [0, -1, 2**63 - 1]),
        ("text[]", texts, ["", "Zoë", "a,b {c}", 'NULL "\\']),
        ("bytea[]", blobs, [b"", b"\0\xff"]),
        (
            "timestamptz[]",
            moments,
            [datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), datetime(2026, 2, 3, tzinfo=UTC)],
        ),
    ],
)
@pytest.mark.parametrize("length", [0, 1, 4])
def test_the_server_reads_an_array_as_it_was_meant(
    connection: LedgerConnection,
    kind: str,
    array: Callable[[list[Any]], bytes],
    values: list[Any],
    length: int,
) -> None:
    echo = Statement(f"SELECT element FROM unnest($1::{kind}) AS element")  # noqa: S608 - a type of the test's own
    assert [row[0] for row in connection.ask(echo, array(values[:length]))] == values[:length]


def test_the_answers_come_in_the_order_of_the_statements(connection: LedgerConnection) -> None:
    echo = Statement("SELECT $1::bigint", "echo")
    results = connection.ask_together(*((echo, [number(each)]) for each in range(50)))
    assert [connection.rows(result)[0][0] for result in results] == list(range(50))


def test_after_an_error_nothing_else_is_done_and_the_connection_is_fit(
    connection: LedgerConnection,
) -> None:
    results = connection.ask_together((ONE, ()), (FAILS, [number(0)]), (ONE, ()))
    require_done(results[:1])
    with pytest.raises(psycopg.errors.DivisionByZero):
        require_done(results)
    assert connection.rows(results[2]) == []
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.ask(FAILS, number(0))
    assert connection.ask(ONE) == [(1,)]


def test_a_connection_that_ends_meanwhile_is_closed_and_says_so(database: Database) -> None:
    end = Statement("SELECT pg_terminate_backend(pg_backend_pid())")
    with LedgerConnection.connect(database.conninfo(), autocommit=True) as connection:
        with pytest.raises(psycopg.OperationalError):
            require_done(connection.ask_together((ONE, ()), (end, ()), (ONE, ())))
        assert connection.closed


def test_no_answer_at_all_is_an_error() -> None:
    with pytest.raises(psycopg.OperationalError, match="without an answer"):
        require_done([])


def test_what_was_prepared_outlasts_a_transaction_that_failed(database: Database) -> None:
    """As psycopg forgets all that is prepared, if it has prepared anything by itself."""
    with PostgresStore(database.conninfo(Role.WRITER), size=1) as store:
        writer, late = Writer(store), Writer(store)
        batch = late.batch("claim-1", 1, "late")
        writer.write("claim-1")
        for _ in range(10):
            store.recorder.max_notification_id()
        with pytest.raises(Moved):
            store.append(batch)
        writer.write("claim-1")
        assert len(store.load(["claim-1"])["claim-1"]) == 2


@pytest.mark.parametrize("spoil", [b"DISCARD ALL", b"DEALLOCATE ALL"])
def test_a_store_whose_connections_forgot_what_was_prepared_goes_on(
    database: Database, spoil: bytes
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER), size=1) as store:
        writer = Writer(store)
        writer.write("claim-1")
        store.load(["claim-1"])
        with store._datastore.get_connection() as connection:  # pyright: ignore[reportPrivateUsage] - the one that the store uses
            connection.execute(spoil)
        assert len(store.load(["claim-1"])["claim-1"]) == 1
        writer.write("claim-1")
        assert len(store.load(["claim-1"])["claim-1"]) == 2


def test_a_reader_goes_on_after_a_column_has_become_another(database: Database) -> None:
    with (
        PostgresLog(database.conninfo(Role.READER), size=2) as log,
        PostgresStore(database.conninfo(Role.WRITER)) as store,
        psycopg.connect(database.conninfo(), autocommit=True) as owner,
    ):
        Writer(store).write("claim-1")
        log.histories(["claim-1"])
        owner.execute("ALTER TABLE ledger.facts ALTER COLUMN originator_id TYPE varchar")
        assert len(log.histories(["claim-1"])["claim-1"]) == 1


def test_a_statement_of_which_nobody_heard_that_it_was_prepared_is_no_hindrance(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER), size=1) as store:
        Writer(store).write("claim-1")
        with monkeypatch.context() as patch:
            wait = LedgerConnection.wait

            def interrupted(self: LedgerConnection, *args: Any, **kwargs: Any) -> Any:
                wait(self, *args, **kwargs)
                raise KeyboardInterrupt

            patch.setattr(LedgerConnection, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.load(["claim-1"])
        assert len(store.load(["claim-1"])["claim-1"]) == 1


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_names_are_utf_8_whatever_the_environment_says(
    database: Database, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        Writer(store).write("claim-Zoë")
        assert len(store.load(["claim-Zoë"])["claim-Zoë"]) == 1
