"""What each role may do to the log, and that nobody may change it, the owner included."""

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, ReadOnlySqlTransaction

from edge.postgres.connections import Role
from tests.postgres_fixtures import Database

TABLES = ("facts", "answers")
CHANGES = {
    "UPDATE": "UPDATE ledger.{table} SET {column} = 'x'",
    "UPDATE of no row": "UPDATE ledger.{table} SET {column} = 'x' WHERE false",
    "DELETE": "DELETE FROM ledger.{table}",
    "TRUNCATE": "TRUNCATE ledger.{table}",
    "upsert": "INSERT INTO ledger.{table} SELECT * FROM ledger.{table}"
    " ON CONFLICT ({key}) DO UPDATE SET {column} = 'x'",
}
COLUMN = {"facts": "topic", "answers": "stream"}
KEY = {"facts": "originator_id, originator_version", "answers": "command_id"}
OPENED = ("claim-1", 1, "opened.1", b"{}")
FACT = (
    "INSERT INTO ledger.facts (originator_id, originator_version, topic, state)"
    " VALUES (%s, %s, %s, %s)"
)
ANSWER = (
    "INSERT INTO ledger.answers (command_id, body_sha256, stream, receipt, recorded_at)"
    " VALUES (%s, sha256('body'), 'claim-1', '{}', now())"
)


FORBIDDEN = (
    "CREATE TABLE ledger.extra (n int)",
    "CREATE TABLE public.extra (n int)",
    "CREATE SCHEMA extra",
    "CREATE ROLE extra",
    "ALTER TABLE ledger.facts DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.facts DISABLE TRIGGER only_grows",
    "ALTER TABLE ledger.facts ADD COLUMN extra int",
    "DROP TRIGGER only_grows ON ledger.answers",
    "DROP TABLE ledger.answers",
    "SET session_replication_role = replica",
    "SELECT setval('ledger.position', 1)",
    "INSERT INTO ledger.migrations VALUES (99, '', '')",
)


def run_as(database: Database, role: Role, statement: str, *values: object) -> list[object]:
    """Run one statement in a session that may write as far as its role allows."""
    with psycopg.connect(database.conninfo(role), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        cursor = connection.execute(statement.encode(), values or None)
        return [*cursor.fetchall()] if cursor.description else []


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with one fact and one answer, recorded by the writer."""
    run_as(database, Role.WRITER, FACT, *OPENED)
    run_as(database, Role.WRITER, ANSWER, "command-1")
    return database


def contents(database: Database) -> list[object]:
    facts = run_as(database, Role.OWNER, "SELECT * FROM ledger.facts")
    return facts + run_as(database, Role.OWNER, "SELECT * FROM ledger.answers")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_nobody_changes_what_was_recorded(filled: Database, table: str, change: str) -> None:
    before = contents(filled)
    statement = CHANGES[change].format(table=table, column=COLUMN[table], key=KEY[table])
    for role in Role:
        with pytest.raises(InsufficientPrivilege):
            run_as(filled, role, statement)
    assert contents(filled) == before
    assert len(before) == 2


def test_the_superuser_is_told_why(filled: Database) -> None:
    with pytest.raises(InsufficientPrivilege, match=r"facts only grows: DELETE is ref") as told:
        run_as(filled, Role.OWNER, "DELETE FROM ledger.facts")
    assert told.value.diag.message_hint == "Record a correction as a new fact."


def test_turning_ordinary_triggers_off_does_not_help(filled: Database) -> None:
    with psycopg.connect(filled.conninfo()) as connection:
        connection.execute("SET session_replication_role = replica")
        with pytest.raises(InsufficientPrivilege, match="only grows"):
            connection.execute("DELETE FROM ledger.facts")


@pytest.mark.parametrize("role", [Role.PROJECTOR, Role.READER])
def test_only_the_writer_records(database: Database, role: Role) -> None:
    with pytest.raises(InsufficientPrivilege):
        run_as(database, role, FACT, *OPENED)
    with pytest.raises(InsufficientPrivilege):
        run_as(database, role, ANSWER, "command-1")


def test_a_reader_is_read_only_before_privileges_are_asked(database: Database) -> None:
    with (
        psycopg.connect(database.conninfo(Role.READER)) as connection,
        pytest.raises(ReadOnlySqlTransaction),
    ):
        connection.execute(FACT, OPENED)


@pytest.mark.parametrize("role", [Role.WRITER, Role.PROJECTOR, Role.READER])
def test_no_working_role_changes_the_ledgers_structure(database: Database, role: Role) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(InsufficientPrivilege):
            run_as(database, role, statement)


@pytest.mark.parametrize("role", [Role.WRITER, Role.READER])
def test_the_views_are_the_projectors_own(database: Database, role: Role) -> None:
    run_as(database, Role.PROJECTOR, "CREATE TABLE views.totals (n int)")
    for statement in ("CREATE TABLE views.extra (n int)", "DROP TABLE views.totals"):
        with pytest.raises(InsufficientPrivilege):
            run_as(database, role, statement)


def test_readers_see_the_log_and_the_views_the_projector_makes(filled: Database) -> None:
    make = "CREATE TABLE totals AS SELECT count(*) AS facts FROM ledger.facts"
    run_as(filled, Role.PROJECTOR, make)
    assert run_as(filled, Role.READER, "SELECT facts FROM totals") == [(1,)]
    assert run_as(filled, Role.READER, "SELECT count(*) FROM answers") == [(1,)]


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (("claim-1", 0, "opened.1", b"{}"), "version_starts_at_one"),
        (("", 1, "opened.1", b"{}"), "originator_fits"),
        (("c" * 301, 1, "opened.1", b"{}"), "originator_fits"),
        (("claim-1", 1, "t" * 101, b"{}"), "topic_fits"),
        (("claim-1", 1, "opened.1", b""), "state_fits"),
        (("claim-1", 1, "opened.1", bytes(1024 * 1024 + 1)), "state_fits"),
    ],
)
def test_the_shelf_has_limits_of_its_own(
    database: Database, broken: tuple[object, ...], rule: str
) -> None:
    with pytest.raises(CheckViolation, match=rule):
        run_as(database, Role.WRITER, FACT, *broken)


def test_a_rolled_back_append_leaves_a_hole_and_no_more(database: Database) -> None:
    with psycopg.connect(database.conninfo(Role.WRITER)) as connection:
        connection.execute(FACT, OPENED)
        connection.rollback()
        connection.execute(FACT, OPENED)
        found = connection.execute("SELECT notification_id FROM facts").fetchall()
    assert found == [(2,)]
