"""The database's tables, made and changed by numbered SQL files, each applied once by the owner."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import MigrationChanged, SchemaBehind, SchemaTooNew

FOLDER = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
ONE_AT_A_TIME = 0x636C61696D73  # "claims": the advisory lock that two migrating processes share

BOOKS = """
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.migrations (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the database, and the text that makes it."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The migrations this program was written for, in order, numbered 1..n."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        name = FILE_NAME.fullmatch(path.name)
        if name is None:
            raise ValueError(f"a migration is named 0001_like_this.sql, not {path.name}")
        found.append(Migration(int(name["number"]), name["name"], path.read_text("utf-8")))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are numbered from 1 without a gap, not {numbers}")
    return found


def migrate(conninfo: str, folder: Path = FOLDER) -> list[Migration]:
    """Apply, as the owner, the migrations the database lacks; return those that were applied.

    Each is one transaction. Of several processes that start at once, one applies and the others
    wait. Raises a `SchemaUnfit` when what was applied earlier is not what this program knows.
    """
    wanted = migrations(folder)
    with psycopg.connect(conninfo_for(conninfo, Role.OWNER), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        applied = _require_known(_applied(connection), wanted)
        if applied == 0:
            connection.execute(BOOKS)
        for migration in wanted[applied:]:
            _apply(connection, migration)
    return wanted[applied:]


def check(connection: Connection[Any], folder: Path = FOLDER) -> None:
    """Require, as any role, the database to be exactly as this program needs it; change nothing."""
    wanted = migrations(folder)
    applied = _require_known(_applied(connection), wanted)
    if applied < len(wanted):
        raise SchemaBehind(found=applied, needed=len(wanted))


def _apply(connection: Connection[Any], migration: Migration) -> None:
    with connection.transaction():
        # The text is ours, from a file of the program, and may hold several statements.
        connection.execute(migration.text.encode())
        connection.execute(
            "INSERT INTO ledger.migrations (number, name, sha256) VALUES (%s, %s, %s)",
            [migration.number, migration.name, migration.sha256],
        )


def _applied(connection: Connection[Any]) -> list[tuple[int, str]]:
    """Number and digest of what was applied, in order; none in a database never migrated."""
    found = connection.execute(
        "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'ledger' AND relname = 'migrations'"
    )
    if found.fetchone() is None:
        return []
    rows = connection.execute("SELECT number, sha256 FROM ledger.migrations ORDER BY number")
    return [(int(number), str(sha256)) for number, sha256 in rows.fetchall()]


def _require_known(applied: list[tuple[int, str]], wanted: list[Migration]) -> int:
    """How many of the wanted ones are applied, when all that is applied is among them."""
    if len(applied) > len(wanted):
        raise SchemaTooNew(found=applied[-1][0], known=len(wanted))
    for (number, sha256), migration in zip(applied, wanted, strict=False):
        if (number, sha256) != (migration.number, migration.sha256):
            raise MigrationChanged(number=number, name=migration.name)
    return len(applied)
