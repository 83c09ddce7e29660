"""What somebody with all the database's keys could do to it."""

import psycopg

from tests.postgres_fixtures import Database

TABLES = ("facts", "answers")


def altered(database: Database, statement: str, *values: object) -> None:
    """Run a statement as the owner, with the triggers that refuse changes switched off."""
    with psycopg.connect(database.conninfo()) as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER only_grows".encode())
        changed = owner.execute(statement.encode(), values or None).rowcount
        for table in TABLES:
            owner.execute(f"ALTER TABLE ledger.{table} ENABLE ALWAYS TRIGGER only_grows".encode())
    assert changed > 0
