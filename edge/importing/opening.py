"""The ledger, opened to take claims in: by this process, or by another one that is told how."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from commands.ledger import Ledger
from edge.importing.intake import Intake, Plan
from edge.logging import set_up_logging
from edge.postgres.connections import Role, conninfo_for
from edge.settings import Settings
from edge.store.postgres_store import PostgresStore
from edge.wiring import Books, log_judged, open_books


@dataclass(frozen=True, slots=True)
class Log:
    """How a process that shares the work writes its log: as the one that deals it out."""

    level: str
    json: bool


def log_of_this_process(*, json: bool) -> Log:
    """As `set_up_logging` has set it up here."""
    return Log(logging.getLevelName(logging.getLogger().level).lower(), json)


@contextmanager
def opened(settings: Settings, plan: Plan, log: Log | None = None) -> Generator[Intake]:
    """An intake into the ledger of these settings; with `log`, in a process that has none yet.

    Raises as `edge.wiring.open_books`.
    """
    if log is not None:
        set_up_logging(log.level, json=log.json)
    with open_books(settings) as books, _store(books, Role.WRITER) as store:
        # Without a cache: an import meets every claim once.
        ledger = Ledger(store, books.clock, log_judged, cache_bytes_max=0)
        with _store(books, Role.READER) as kept:
            yield Intake(plan, kept, ledger.handle_many)


def _store(books: Books, role: Role) -> PostgresStore:
    return PostgresStore(conninfo_for(books.server.conninfo, role), 1, books.revive)
