"""The library's idea of a database, on connections that are pinned as `edge.postgres` pins them."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, cast

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection
from psycopg.rows import dict_row

from edge.postgres.connections import POOL_WAIT_S_MAX, RECONNECT_S_MAX
from edge.store.connection import LedgerConnection

SCHEMA = "ledger"
# A check is a round trip, which costs as much as reading a small file. A connection that was in use
# so short a time ago is tried at once instead, by those who can ask again if it was lost since.
TRUSTED_S_MAX = 1.0

T = TypeVar("T")


class LedgerDatastore(PostgresDatastore):
    """A pool of up to `size` connections, opened at the first use; make it after a fork.

    `conninfo` is what `edge.postgres.connections.conninfo_for` makes: role, search path and limits
    come with it. The library's own pool would take them apart, and set the limits anew. `revive`
    is called when the database has not answered for a while, as by `connections.open_pool`.
    """

    def __init__(
        self, conninfo: str, size: int = 8, revive: Callable[[], None] | None = None
    ) -> None:
        super().__init__("", "", "", "", "", schema=SCHEMA, originator_id_type="text")
        self._asked = threading.local()  # by whom, for the pool asks back in the same thread
        self.pool = ConnectionPool(
            conninfo,
            connection_class=LedgerConnection,
            kwargs={"autocommit": True, "prepare_threshold": None, "row_factory": dict_row},
            min_size=1,
            max_size=size,
            open=False,
            check=self._require_alive,
            timeout=POOL_WAIT_S_MAX,
            reconnect_timeout=RECONNECT_S_MAX,
            reconnect_failed=None if revive is None else lambda _: revive(),
        )

    @contextmanager
    def get_connection(self, *, trusting: bool = False) -> Generator[LedgerConnection]:
        """A connection that answers; with `trusting`, one lately in use may turn out to be lost."""
        self._asked.trusting = trusting
        with super().get_connection() as given:
            connection = cast("LedgerConnection", given)
            try:
                yield connection
            finally:
                connection.used_at = time.monotonic()

    @contextmanager
    def answering(
        self, ask: Callable[[LedgerConnection], T]
    ) -> Generator[tuple[LedgerConnection, T]]:
        """A connection and what `ask`, first to use it, got from it.

        It is called again on another connection if the first turns out to be lost, so whatever it
        does has to be undone with the connection.
        """
        for others in reversed(range(self.pool.max_size + 1)):
            with ExitStack() as stack:
                trusting = others == self.pool.max_size
                connection = stack.enter_context(self.get_connection(trusting=trusting))
                try:
                    answer = ask(connection)
                except psycopg.OperationalError:
                    if not (others and connection.lost_unnoticed):
                        raise
                else:
                    yield connection, answer
                    return
            self.pool.check()  # where one is lost the others may be, and they are trusted too

    def query(self, ask: Callable[[LedgerConnection], T], *, tried: int = 0) -> T:
        """What `ask` gets, which begins no transaction: as `answering`, in half the time.

        Its errors are psycopg's own. `tried` is how many connections turned out to be lost.
        """
        self._asked.trusting = not tried
        self.pool.open()
        given: Connection[Any] = self.pool.getconn()
        connection = cast("LedgerConnection", given)  # pyright: ignore[reportUnnecessaryCast] - mypy sees the pool's own class
        try:
            return ask(connection)
        except psycopg.OperationalError:
            if tried == self.pool.max_size or not connection.lost_unnoticed:
                raise
        finally:
            connection.used_at = time.monotonic()
            self.pool.putconn(connection)
        self.pool.check()
        return self.query(ask, tried=tried + 1)

    def _require_alive(self, connection: Connection[Any]) -> None:
        """Where one connection is dead, the others may be: look at all that are idle.

        By itself the pool would find them one by one, with a growing pause after each, and say
        that the database is away when it has long come back.
        """
        given = cast("LedgerConnection", connection)
        lately = time.monotonic() - given.used_at < TRUSTED_S_MAX
        given.trusted = lately and getattr(self._asked, "trusting", False)
        if given.trusted:
            return
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.Error:
            self.pool.check()
            raise

    def register_type_adapters(self) -> None:
        """Facts go in as arrays of bytes; the library's composite type for them is not there."""
