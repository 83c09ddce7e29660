"""The check of positions sees a skip where there are skips, and sees none where there are none."""

from pathlib import Path

from psycopg.conninfo import make_conninfo

from tests.faults.canary import sing
from tests.faults.checks import Kind, shown
from tests.postgres_fixtures import Database

RED_S_MAX = 60.0
GREEN_S = 4.0


def bare(database: Database) -> str:
    """The database as its owner, with nothing pinned: the library sets up its own connections."""
    return make_conninfo(database.server.conninfo, dbname=database.name)


def test_a_reader_of_lock_less_appends_skips_and_the_check_says_so(
    database: Database, tmp_path: Path, seed: str
) -> None:
    sung = sing(bare(database), tmp_path, seed, RED_S_MAX, lockless=True)
    assert Kind.SKIPPED in {finding.kind for finding in sung.findings}, sung


def test_a_reader_of_locked_appends_passes_the_same_check(
    database: Database, tmp_path: Path, seed: str
) -> None:
    sung = sing(bare(database), tmp_path, seed, GREEN_S, lockless=False)
    assert not sung.findings, shown(sung.findings)
    assert sung.read > 0
