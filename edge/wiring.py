"""The composition root: settings in, and the parts of the ledger connected to one database."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog
from psycopg import Connection, IsolationLevel
from psycopg.conninfo import make_conninfo

from commands.collecting import search_seldom
from commands.door import Unread
from commands.group import GroupCommit
from commands.ledger import Asked, Ledger
from commands.receipt import Receipt
from commands.workspace import type_name
from consumers.bulk import Doors
from consumers.projector import Progress, Projector
from consumers.standing import Status, status
from consumers.waiting import WAIT_S_MAX, require_in_log, wait_for
from domain.errors import Refused, StoreUnavailable
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import ServerDidNotAnswer
from edge.postgres.migrate import check
from edge.postgres.probe import CONNECT_S_MAX, why_silent
from edge.postgres.server import PASSING, Server, masked, reach, ready
from edge.settings import Settings
from edge.store.archive import PostgresArchive
from edge.store.errors import away_by_name, in_one_line
from edge.store.postgres_store import PostgresLog, PostgresStore
from projections.view import View, hold, views

Clock = Callable[[], datetime]

_MAY_PROJECT = "SELECT pg_has_role(session_user, %s, 'MEMBER')"


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
    _group: GroupCommit | None = None
    _log: PostgresLog | None = None
    _projecting: Connection[Any] | None = None
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
    def group(self) -> GroupCommit:
        """The way to write for many threads: those who arrive together share a transaction."""
        if self._group is None:
            self._group = self._open.enter_context(GroupCommit(self.ledger))
        return self._group

    @property
    def log(self) -> PostgresLog:
        """The log and the histories in it."""
        if self._log is None:
            log = PostgresLog(conninfo_for(self.server.conninfo, Role.READER), revive=self.revive)
            self._log = self._open.enter_context(log)
        return self._log

    @property
    def projecting(self) -> Connection[Any]:
        """The projector's own connection, in autocommit; a new one where it was lost."""
        if self._projecting is None or self._projecting.closed:
            again, self._projector = self._projecting is not None, None
            if again:
                self.log.head()  # its pool waits for the server, and starts our own again
            self._projecting = self.connected(Role.PROJECTOR)
            if again:  # who brought the database back may have migrated it, or restored another
                check(self._projecting)
        return self._projecting

    @property
    def projector(self) -> Projector:
        """What brings the views level with the log."""
        connection = self.projecting
        if self._projector is None:
            self._projector = Projector(self.log, connection)
        return self._projector

    @property
    def doors(self) -> Doors:
        """How the processes of a rebuild open the log and the views."""
        conninfo = conninfo_for(self.server.conninfo, Role.PROJECTOR)
        return Doors(
            partial(PostgresArchive, conninfo, size=2),
            partial(psycopg.connect, conninfo, autocommit=True),
        )

    def now(self) -> datetime:
        """The moment; that of the log's last fact where another machine's clock is ahead."""
        head = self.log.head()
        last = self.log.page(head - 1, 1) if head else []
        return max([self.clock(), *(record.envelope.recorded_at for record in last)])

    def level(self, *asked: View, progress: Callable[[Progress], None] | None = None) -> int:
        """Bring these views level with the log, or every one; how many facts were read."""
        return self.projector.catch_up(asked or views(), progress=progress)

    @contextmanager
    def reading(
        self, view: View | None = None, at_least: int | None = None, *, level: bool = True
    ) -> Generator[Connection[Any]]:
        """One moment of the views, level with the log as it was when asked.

        A login that may not write them reads them as they stand; with `at_least`, once the view
        holds the log up to that position. Raises as `consumers.waiting.wait_for`.
        """
        with self.connected(Role.READER) as connection:
            if at_least is not None:
                require_in_log(connection, at_least)
            if level and may_project(connection):
                self.level(*([] if view is None else [view]))
            if view is not None and at_least is not None:
                wait_for(connection, [view], at_least, time.monotonic, time.sleep, WAIT_S_MAX)
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                hold(connection)
                yield connection

    def left_out(self, connection: Connection[Any], view: View) -> Status:
        """What an answer from the view leaves out: facts past its position, and parked files."""
        return status(connection, [view])[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._projecting is not None:
            self._projecting.close()
        self._open.close()

    def connected(self, role: Role) -> Connection[Any]:
        """A connection of the caller's own, in autocommit. Raises `StoreUnavailable`."""
        with away_by_name():
            return psycopg.connect(conninfo_for(self.server.conninfo, role), autocommit=True)


def open_books(settings: Settings, clock: Clock = system_clock) -> Books:
    """Open the ledger of these settings, starting the embedded PostgreSQL if it is down.

    Raises a `ServerUnavailable` or a `SchemaUnfit`.
    """
    search_seldom()
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
    if not structlog.is_configured():
        return
    log = structlog.get_logger().bind()  # once, and not again for each thing that is asked of it
    if not log.is_enabled_for(logging.INFO):
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


def may_project(connection: Connection[Any]) -> bool:
    """Whether the login of a connection, whatever its role, may write the views."""
    ((member,),) = connection.execute(_MAY_PROJECT, [Role.PROJECTOR.value]).fetchall()
    return bool(member)


@contextmanager
def database_errors() -> Generator[None]:
    """Name what a database says to what only reads it; the store names its own."""
    try:
        with away_by_name():
            yield
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise LoginLacksRights(in_one_line(error)) from error


@contextmanager
def lost_by_name(connection: Connection[Any]) -> Generator[Connection[Any]]:
    """The same for a connection that lasts: one that ended, for whatever reason, is a database that
    is away. Raises `StoreUnavailable`.
    """
    with database_errors():
        try:
            yield connection
        except psycopg.Error as error:
            if connection.closed:
                raise StoreUnavailable(in_one_line(error)) from error
            raise
