"""How the ledger connects: as which role, with which limits, and through which pool."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

CONNECT_S_MAX = 2  # a server in reach takes milliseconds; libpq knows no less than 2
POOL_WAIT_S_MAX = 1.5  # with a database away, a caller hears so in under 2 s
# The pool doubles its pauses while it fails to connect, and a pause may outlast the failure. Giving
# up early leaves the next caller to try at once, so that work resumes within 2 s of the return.
RECONNECT_S_MAX = 1.0
OPEN_S_MAX = 15.0  # a process that starts beside its server waits for it to be up
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Role(StrEnum):
    """What a process may do in the database."""

    OWNER = "owner"  # migrations: the login itself, which owns the tables
    WRITER = "claims_writer"  # adds facts and answers
    PROJECTOR = "claims_projector"  # reads the log, owns the views
    READER = "claims_reader"  # reads both


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one role may hold things up, in milliseconds; 0 is without a limit."""

    statement_ms_max: int
    lock_ms_max: int
    idle_in_transaction_ms_max: int


LIMITS = {
    Role.OWNER: Limits(0, 30_000, 60_000),  # a migration may rewrite a table
    # Whoever waits for the lock on appends hears so in under 2 s, nothing stored; whoever is idle
    # while holding it (stopped, or cut off unseen) keeps all other writers out.
    Role.WRITER: Limits(30_000, 1_500, 5_000),
    Role.PROJECTOR: Limits(600_000, 10_000, 60_000),  # a rebuild copies the whole log
    Role.READER: Limits(30_000, 10_000, 30_000),
}
# pg_temp goes last: not named, it comes first, and a temporary table could stand in for ours.
SEARCH_PATH = {
    Role.OWNER: "ledger,views,pg_temp",
    Role.WRITER: "ledger,pg_temp",
    Role.PROJECTOR: "views,ledger,pg_temp",
    Role.READER: "views,ledger,pg_temp",
}


def conninfo_for(conninfo: str, role: Role) -> str:
    """`conninfo` for a process in `role`: role, search path and limits are set by the server before
    the first statement, so no code path can forget them.
    """
    limits = LIMITS[role]
    settings = {
        "search_path": SEARCH_PATH[role],
        "statement_timeout": limits.statement_ms_max,
        "lock_timeout": limits.lock_ms_max,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_ms_max,
        "timezone": "UTC",
    }
    if role is not Role.OWNER:
        settings["role"] = role.value
    if role is Role.READER:
        settings["default_transaction_read_only"] = "on"
    given = conninfo_to_dict(conninfo)
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return make_conninfo(
        conninfo,
        options=f"{given.get('options') or ''} {options}".strip(),
        application_name=given.get("application_name") or f"claims {role.name.lower()}",
        client_encoding="UTF8",  # whatever the environment or the database would have
        connect_timeout=given.get("connect_timeout") or CONNECT_S_MAX,
        **KEEPALIVES,
    )


def open_pool(
    conninfo: str,
    size: int,
    *,
    name: str | None = None,
    revive: Callable[[], None] | None = None,
    **connection: Any,
) -> ConnectionPool[Connection[Any]]:
    """A pool of up to `size` connections, open and connected; call it after a fork, not before.

    `revive` is called, in a thread of the pool, each time the database has not answered for
    `RECONNECT_S_MAX`: the place to start an embedded server again. `connection` goes to
    `psycopg.connect`: `autocommit`, `row_factory` and the like. Raises `psycopg_pool.PoolTimeout`,
    an `OperationalError`, when the database does not answer.
    """
    pool: ConnectionPool[Connection[Any]] = ConnectionPool(
        conninfo,
        min_size=1,
        max_size=size,
        kwargs=connection,
        open=False,
        name=name,
        check=ConnectionPool.check_connection,
        timeout=POOL_WAIT_S_MAX,
        reconnect_timeout=RECONNECT_S_MAX,
        reconnect_failed=None if revive is None else lambda _: revive(),
    )
    try:
        pool.open(wait=True, timeout=OPEN_S_MAX)
    except BaseException:
        pool.close()
        raise
    return pool
