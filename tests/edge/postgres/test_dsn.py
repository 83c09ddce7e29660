"""A PostgreSQL of the user's: waited for, checked, and its secrets kept."""

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from edge.postgres import server as server_module
from edge.postgres.errors import BadDsn, SchemaBehind, ServerDidNotAnswer, ServerTooOld
from edge.postgres.server import Server, masked, reach, ready
from tests.postgres_fixtures import Database

SECRET = "correct-horse"
NOWHERE = Path("/nowhere")


def test_a_dsn_is_used_as_it_is(database: Database) -> None:
    found = reach(database.conninfo(), NOWHERE)
    assert not found.embedded
    with psycopg.connect(found.conninfo) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (database.name,)


def test_a_users_database_is_not_migrated_unasked(postgres: Server) -> None:
    with pytest.raises(SchemaBehind, match="is at migration 0"):
        ready(make_conninfo(postgres.conninfo, dbname="postgres"), NOWHERE)


def test_a_users_database_that_was_migrated_is_ready(database: Database) -> None:
    assert ready(database.conninfo(), NOWHERE).where == masked(database.conninfo())


def test_a_server_that_is_away_is_waited_for_and_then_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "WAIT_S_MAX", 0.3)
    dsn = f"postgresql://ann:{SECRET}@localhost:1/claims"
    with pytest.raises(ServerDidNotAnswer) as refusal:
        reach(dsn, NOWHERE)
    assert "host=localhost" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_server_that_goes_away_after_its_first_answer_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    asked = 0

    def lost_once(connection: psycopg.Connection[object]) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(server_module, "check", lost_once)
    assert ready(database.conninfo(), NOWHERE).where == masked(database.conninfo())
    assert asked == 2


def test_a_server_that_goes_away_again_and_again_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    def lost(_: psycopg.Connection[object]) -> None:
        raise psycopg.OperationalError("the database system is in recovery mode")

    monkeypatch.setattr(server_module, "check", lost)
    monkeypatch.setattr(server_module, "WAIT_S_MAX", 0.3)
    with pytest.raises(ServerDidNotAnswer, match="recovery mode"):
        ready(database.conninfo(), NOWHERE)


def test_what_waiting_cannot_mend_is_refused_at_once(postgres: Server) -> None:
    with pytest.raises(ServerDidNotAnswer, match='database "absent" does not exist'):
        reach(make_conninfo(postgres.conninfo, dbname="absent"), NOWHERE)


def test_a_server_that_is_too_old_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "VERSION_LEAST", 99)
    with pytest.raises(ServerTooOld, match="needs 99 or later"):
        reach(database.conninfo(), NOWHERE)


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://ann:{SECRET}@db.example:5432/claims",
        f"postgresql://ann@db.example/claims?password={SECRET}",
        f"host=db.example user=ann password={SECRET} sslpassword={SECRET}",
    ],
)
def test_a_password_is_never_shown(dsn: str) -> None:
    shown = masked(dsn) + repr(Server(dsn, masked(dsn), embedded=False))
    assert SECRET not in shown
    assert "db.example" in shown


def test_a_dsn_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(BadDsn) as refusal:
        reach(f"postgresql//ann:{SECRET}@db.example/claims", NOWHERE)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__
