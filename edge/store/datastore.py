"""The library's idea of a database, on connections that are pinned as `edge.postgres` pins them."""

from collections.abc import Callable
from typing import Any

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from edge.postgres.connections import POOL_WAIT_S_MAX, RECONNECT_S_MAX

SCHEMA = "ledger"


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
        self.pool = ConnectionPool(
            conninfo,
            connection_class=Connection[DictRow],
            kwargs={"autocommit": True, "row_factory": dict_row},
            min_size=1,
            max_size=size,
            open=False,
            check=self._require_alive,
            timeout=POOL_WAIT_S_MAX,
            reconnect_timeout=RECONNECT_S_MAX,
            reconnect_failed=None if revive is None else lambda _: revive(),
        )

    def _require_alive(self, connection: Connection[Any]) -> None:
        """Where one connection is dead, the others may be: look at all that are idle.

        By itself the pool would find them one by one, with a growing pause after each, and say
        that the database is away when it has long come back.
        """
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.Error:
            self.pool.check()
            raise

    def register_type_adapters(self) -> None:
        """Facts are copied in, not passed as the library's composite type: there is none to ask."""
