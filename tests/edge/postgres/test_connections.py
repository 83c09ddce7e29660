"""How processes connect: pinned before the first statement, limited, and back after an outage."""

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from edge.postgres.connections import LIMITS, SEARCH_PATH, Role, conninfo_for, open_pool
from edge.postgres.server import reach, ready, stop
from tests.postgres_fixtures import Database


def count_facts(pool: ConnectionPool[Connection[Any]]) -> object:
    with pool.connection() as connection:
        return connection.execute("SELECT count(*) FROM facts").fetchall()[0][0]


@pytest.mark.parametrize("role", Role)
def test_role_path_and_limits_hold_from_the_first_statement(database: Database, role: Role) -> None:
    with psycopg.connect(database.conninfo(role)) as connection:
        found = connection.execute(
            "SELECT current_user, replace(current_setting('search_path'), ' ', ''),"
            " (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'),"
            " (SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout')"
        ).fetchone()
    owner = conninfo_to_dict(database.conninfo())["user"]
    expected = owner if role is Role.OWNER else role.value
    limits = LIMITS[role]
    assert found == (expected, SEARCH_PATH[role], limits.statement_ms_max, limits.lock_ms_max)


def test_a_statement_past_its_limit_is_ended(database: Database) -> None:
    impatient = make_conninfo(
        database.conninfo(Role.WRITER),
        options="-c role=claims_writer -c statement_timeout=50",
    )
    with psycopg.connect(impatient) as connection, pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(10)")


def test_options_of_the_users_own_are_kept() -> None:
    given = "host=db.example options='-c work_mem=64MB' connect_timeout=9 application_name=mine"
    parts = conninfo_to_dict(conninfo_for(given, Role.READER))
    assert str(parts["options"]).startswith("-c work_mem=64MB -c search_path=")
    assert str(parts["connect_timeout"]) == "9"
    assert parts["application_name"] == "mine"


def test_a_temporary_table_cannot_stand_in_for_the_log(database: Database) -> None:
    with psycopg.connect(database.conninfo(Role.WRITER)) as connection:
        connection.execute("CREATE TEMPORARY TABLE facts (n int)")
        meant = connection.execute("SELECT 'facts'::regclass = 'ledger.facts'::regclass")
        assert meant.fetchone() == (True,)


def test_a_pool_fails_soon_while_the_server_is_away_and_works_when_it_is_back(
    server_home: Path,
) -> None:
    server = ready(None, server_home)
    with open_pool(conninfo_for(server.conninfo, Role.WRITER), size=2) as pool:
        count_facts(pool)
        stop(server_home)
        with pytest.raises(PoolTimeout):
            count_facts(pool)
        ready(None, server_home)
        assert count_facts(pool) == 0


def test_a_pool_may_start_the_server_that_it_finds_dead(server_home: Path) -> None:
    server = ready(None, server_home)
    revived = threading.Event()

    def revive() -> None:
        reach(None, server_home)
        revived.set()

    conninfo = conninfo_for(server.conninfo, Role.WRITER)
    with open_pool(conninfo, size=2, revive=revive) as pool:
        postmaster = (server_home / "postgresql/data/postmaster.pid").read_text().split()[0]
        os.kill(int(postmaster), signal.SIGKILL)
        while not revived.is_set():  # a backend may answer once more before it finds itself alone
            with contextlib.suppress(psycopg.OperationalError):
                count_facts(pool)
        assert count_facts(pool) == 0
