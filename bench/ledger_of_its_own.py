"""A ledger on an embedded PostgreSQL in a temporary folder, stopped and removed afterwards."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.cluster import own_home
from commands.fields import ActorIn
from domain.envelope import recorded_day
from domain.terms import Role
from edge.importing.importer import Importer
from edge.importing.intake import Plan
from edge.importing.opening import Log, opened
from edge.importing.outcome import Outcome, Rejects
from edge.importing.sharing import processes_for, sharing
from edge.importing.source import read
from edge.importing.staging import Staging
from edge.settings import Settings
from edge.wiring import Books, open_books


@contextmanager
def fresh_books() -> Generator[Books]:
    """An empty ledger of this measurement's own, whatever the environment says."""
    with own_home() as home, open_books(Settings(dsn=None, home=home)) as books:
        yield books


def import_file(books: Books, path: Path, source: str, processes: int | None = None) -> Outcome:
    """Import a bordereau as `claims import histories` does; it has to go in whole."""
    plan = Plan(source, ActorIn(person="bench", role=Role.SERVICE), recorded_day(books.clock()))
    settings = Settings(dsn=books.server.conninfo, home=Path.cwd())
    opens = partial(opened, settings, plan, Log("warning", json=False))
    shared = sharing(opens, processes or processes_for(path))
    with Staging() as staging, Rejects(None) as rejects, shared as dealing:
        staging.take(read(path, lambda _done, _total: None))
        outcome = Importer(plan, rejects, dealing).run(staging, lambda _done, _total: None)
    assert outcome.all_in, rejects.first
    return outcome
