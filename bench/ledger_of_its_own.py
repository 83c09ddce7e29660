"""A ledger on an embedded PostgreSQL in a temporary folder, stopped and removed afterwards."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from commands.fields import ActorIn
from domain.envelope import recorded_day
from domain.terms import Role
from edge.importing.importer import Importer, Plan
from edge.importing.outcome import Outcome, Rejects
from edge.importing.source import read
from edge.importing.staging import Staging
from edge.postgres.connections import Role as DatabaseRole
from edge.postgres.connections import conninfo_for
from edge.postgres.server import stop
from edge.settings import Settings
from edge.store.postgres_store import PostgresStore
from edge.wiring import Books, open_books


@contextmanager
def fresh_books() -> Generator[Books]:
    """An empty ledger of this measurement's own, whatever the environment says."""
    home = Path(tempfile.mkdtemp(prefix="claims-bench-"))
    home.chmod(0o711)  # under root the server has an account of its own, which has to pass
    try:
        with open_books(Settings(dsn=None, home=home)) as books:
            yield books
    finally:
        stop(home)
        shutil.rmtree(home)


def import_file(books: Books, path: Path, source: str) -> Outcome:
    """Import a bordereau as `claims import histories` does; it has to go in whole."""
    plan = Plan(source, ActorIn(person="bench", role=Role.SERVICE), recorded_day(books.clock()))
    kept = PostgresStore(conninfo_for(books.server.conninfo, DatabaseRole.READER), size=1)
    with Staging() as staging, Rejects(None) as rejects, kept:
        staging.take(read(path, lambda _done, _total: None))
        importer = Importer(plan, kept, books.ledger.handle_many, rejects)
        outcome = importer.run(staging, lambda _done, _total: None)
    assert outcome.all_in, rejects.first
    return outcome
