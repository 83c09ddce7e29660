"""The composition root: settings in, and the parts of the ledger connected to one database."""

import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog
from psycopg import Connection, IsolationLevel
from psycopg.conninfo import make_conninfo

from commands.door import Unread
from commands.ledger import Asked, Ledger
from commands.receipt import Receipt
from commands.workspace import type_name
from consumers.projector import Progress, Projector, status
from domain.errors import Refused, StoreUnavailable
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import ServerDidNotAnswer
from edge.postgres.probe import CONNECT_S_MAX, why_silent
from edge.postgres.server import PASSING, Server, masked, reach, ready
from edge.settings import Settings
from edge.store.errors import away_by_name, in_one_line
from edge.store.postgres_store import PostgresLog, PostgresStore
from projections.view import View, views

Clock = Callable[[], datetime]


@dataclass(eq=False)
class LoginLacksRights(Refused):
    """The database does not let this login do what was asked: {why}."""

    code = "E624"
    remedy = "Migrate as the owner of the database, and make the login a member of all three roles."
    why: str


def system_clock() -> datetime:
    """The moment, in UTC: the only clock of the product."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Books:
    """An opened ledger: where it is, how to write to it, follow it and read its views."""

    server: Server
    clock: Clock
    revive: Callable[[], None] | None = None  # called when the server is gone, if it is our own
    _open: ExitStack = field(default_factory=ExitStack)
    _ledger: Ledger | None = None
    _log: PostgresLog | None = None
    _projector: Projector | None = None

    @property
    def ledger(self) -> Ledger:
        """The one way to write."""
        if self._ledger is None:
            conninfo = conninfo_for(self.server.conninfo, Role.WRITER)
            store = PostgresStore(conninfo, revive=self.revive)
            self._ledger = Ledger(self._open.enter_context(store), self.clock, log_judged)
        return self._ledger

    @property
    def log(self) -> PostgresLog:
        """The log and the histories in it."""
        if self._log is None:
            log = PostgresLog(conninfo_for(self.server.conninfo, Role.READER), revive=self.revive)
            self._log = self._open.enter_context(log)
        return self._log

    @property
    def projector(self) -> Projector:
        """What brings the views level with the log."""
        if self._projector is None:
            connection = _connected(self.server, Role.PROJECTOR)
            self._projector = Projector(self.log, self._open.enter_context(connection))
        return self._projector

    def now(self) -> datetime:
        """The moment; that of the log's last fact where another machine's clock is ahead."""
        head = self.log.head()
        last = self.log.page(head - 1, 1) if head else []
        return max([self.clock(), *(record.envelope.recorded_at for record in last)])

    def level(self, progress: Callable[[Progress], None] | None = None) -> int:
        """Bring every view level with the log; how many facts were read."""
        return self.projector.catch_up(views(), progress=progress)

    @contextmanager
    def reading(self, *, level: bool = True) -> Generator[Connection[Any]]:
        """One moment of the views, level with the log as it was when asked."""
        if level:
            self.level()
        with _connected(self.server, Role.READER) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                yield connection

    def left_out(self, connection: Connection[Any], view: View) -> int:
        """How many claim files have facts that the view does not have yet."""
        return status(connection, [view])[0].left_out_files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()


def open_books(settings: Settings, clock: Clock = system_clock) -> Books:
    """Open the ledger of these settings, starting the embedded PostgreSQL if it is down.

    Raises a `ServerUnavailable` or a `SchemaUnfit`.
    """
    if settings.dsn is not None:
        _require_there(settings.dsn)
        return Books(ready(settings.dsn, settings.home), clock)
    server = ready(None, settings.home)

    def revive() -> None:
        reach(None, settings.home)

    return Books(server, clock, revive)


def _require_there(dsn: str) -> None:
    """A server that is starting is waited for; who asks one that is not there hears so at once."""
    where = masked(dsn)
    why = why_silent(make_conninfo(dsn))
    if why is not None and not any(sign in why for sign in PASSING):
        raise ServerDidNotAnswer(where, CONNECT_S_MAX, why)


def log_judged(command: Asked, receipt: Receipt) -> None:
    """One line a command: its ids and how it was answered, and nothing that it says."""
    log = structlog.get_logger()
    if not structlog.is_configured() or not log.is_enabled_for(logging.INFO):
        return
    kind, _, reference = command.stream.partition("-")
    told = receipt.data
    log.info(
        "command judged",
        command=command.type if isinstance(command, Unread) else type_name(command),
        command_id=command.command_id,
        **({"claim": reference} if kind == "claim" else {"stream": command.stream}),
        **({"code": told["code"]} if "code" in told else {"version": told["version"]}),
        position=told["position"],
    )


@contextmanager
def database_errors() -> Generator[None]:
    """Name what a database says to what only reads it; the store names its own."""
    try:
        with away_by_name():
            yield
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise LoginLacksRights(in_one_line(error)) from error


def _connected(server: Server, role: Role) -> Connection[Any]:
    try:
        return psycopg.connect(conninfo_for(server.conninfo, role), autocommit=True)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(" ".join(str(error).split())) from error
