"""Migrations: each applied once, in order, by one process, and known by what they say."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import MigrationChanged, SchemaBehind, SchemaTooNew
from edge.postgres.migrate import FOLDER, check, migrate, migrations
from edge.postgres.server import Server
from tests.postgres_fixtures import Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program's migrations, to be changed by the test."""
    return copytree(FOLDER, tmp_path / "migrations")


@pytest.fixture
def empty(postgres: Server, postgres_admin: Connection[Any]) -> Iterator[str]:
    """The conninfo of a database without anything in it."""
    name = f"empty_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name}".encode())
    yield make_conninfo(postgres.conninfo, dbname=name)
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def plain_owner(empty: str, postgres_admin: Connection[Any]) -> Iterator[str]:
    """The role that owns the empty database and is no superuser."""
    name = f"plain_owner_{os.getpid()}"
    postgres_admin.execute(f"CREATE ROLE {name} CREATEROLE".encode())
    for role in (Role.WRITER, Role.PROJECTOR, Role.READER):
        postgres_admin.execute(f"GRANT {role} TO {name} WITH ADMIN OPTION".encode())
    database = conninfo_to_dict(empty)["dbname"]
    postgres_admin.execute(f"ALTER DATABASE {database} OWNER TO {name}".encode())
    yield name
    postgres_admin.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER".encode())
    with psycopg.connect(empty) as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
    postgres_admin.execute(f"DROP ROLE {name}".encode())


def add(folder: Path, text: str) -> int:
    number = len(migrations(folder)) + 1
    (folder / f"{number:04}_added.sql").write_text(text)
    return number


def check_as(conninfo: str, folder: Path = FOLDER) -> None:
    with psycopg.connect(conninfo) as connection:
        check(connection, folder)


def test_each_is_applied_once(database: Database, folder: Path) -> None:
    number = add(folder, "CREATE TABLE ledger.added (n int);")
    assert [done.number for done in migrate(database.conninfo(), folder)] == [number]
    assert migrate(database.conninfo(), folder) == []


def test_processes_that_migrate_at_once_do_not_race(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = [len(done) for done in threads.map(migrate, [empty] * 4)]
    assert sorted(applied) == [0, 0, 0, len(migrations())]


def test_one_that_fails_leaves_nothing_behind(database: Database, folder: Path) -> None:
    add(folder, "CREATE TABLE ledger.added (n int); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database.conninfo(), folder)
    with psycopg.connect(database.conninfo()) as connection:
        check(connection)
        assert connection.execute("SELECT to_regclass('ledger.added')").fetchone() == (None,)


@pytest.mark.parametrize("role", Role)
def test_every_role_may_check(database: Database, role: Role) -> None:
    check_as(database.conninfo(role))


def test_a_database_never_migrated_is_refused(empty: str) -> None:
    with pytest.raises(SchemaBehind, match="migration 0;"):
        check_as(empty)


def test_a_database_behind_the_program_is_refused(database: Database, folder: Path) -> None:
    number = add(folder, "SELECT 1;")
    with pytest.raises(SchemaBehind) as refusal:
        check_as(database.conninfo(Role.WRITER), folder)
    assert (refusal.value.needed, refusal.value.code) == (number, "E621")
    assert "claims migrate" in refusal.value.remedy


def test_a_database_newer_than_the_program_is_refused(database: Database, folder: Path) -> None:
    number = add(folder, "SELECT 1;")
    migrate(database.conninfo(), folder)
    with pytest.raises(SchemaTooNew, match=f"is at migration {number};"):
        check_as(database.conninfo(Role.READER))
    with pytest.raises(SchemaTooNew):
        migrate(database.conninfo())


def test_a_migration_changed_after_it_was_applied_is_refused(
    database: Database, folder: Path
) -> None:
    first = folder / "0001_ledger.sql"
    first.write_text(first.read_text() + "-- one more thought\n")
    with pytest.raises(MigrationChanged, match=r"1 \(ledger\)"):
        check_as(database.conninfo(Role.PROJECTOR), folder)
    with pytest.raises(MigrationChanged):
        migrate(database.conninfo(), folder)


@pytest.mark.parametrize("name", ["0009_gap.sql", "unnumbered.sql"])
def test_a_file_that_does_not_fit_the_row_of_numbers_is_a_bug(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="migration"):
        migrations(folder)


def test_an_owner_need_not_be_a_superuser(empty: str, plain_owner: str) -> None:
    conninfo = make_conninfo(empty, options=f"-c role={plain_owner}")
    migrate(conninfo)
    with psycopg.connect(conninfo_for(conninfo, Role.PROJECTOR)) as connection:
        check(connection)
        connection.execute("CREATE TABLE views.anything (n int)")


def test_the_eventsourcing_librarys_recorder_works_on_the_log(database: Database) -> None:
    parts = conninfo_to_dict(database.conninfo())
    with PostgresDatastore(
        dbname=database.name,
        host=str(parts["host"]),
        port="5432",
        user=str(parts["user"]),
        password="",
        schema="ledger",
        originator_id_type="text",
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="facts")
        facts = [StoredEvent("claim-1", version, "opened.1", b"{}") for version in (1, 2)]
        assert recorder.insert_events(facts) == [1, 2]
        assert recorder.select_events("claim-1", gt=1) == facts[1:]
        assert [note.id for note in recorder.select_notifications(start=1, limit=9)] == [1, 2]
