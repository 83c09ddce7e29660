"""Where the ledger's database is: a PostgreSQL of the user's, or one of the ledger's own.

Nothing past this module knows which. An own one is made from the embedded wheel's programs or,
where the wheel is not installed, from a PostgreSQL 15 or later of the system.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from edge.postgres import embedded
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import BadDsn, ServerDidNotAnswer, ServerTooOld
from edge.postgres.migrate import check, migrate
from edge.postgres.probe import major_version
from edge.postgres.programs import VERSION_LEAST

WAIT_S_MAX = 15.0  # a server that is restarted beside us is back within it
POLL_S = 0.2  # asking costs a connection, so a few times a second
SECRETS = frozenset({"password", "sslpassword", "passfile", "sslkey", "oauth_client_secret"})
# What a server says that will soon answer; any other FATAL is final, and waiting is no help.
PASSING = ("starting up", "shutting down", "recovery", "not yet accepting", "connection slots")
# What is said of a server that does not answer, in words only, by libpq, psycopg and the system.
# All else is an answer, or a setting that is wrong: a password, a name, a right, a certificate.
SILENT = (
    *("Connection refused", "Connection reset", "Connection timed out", "timeout expired"),
    *("No route to host", "Network is unreachable", "closed the connection unexpectedly"),
    *("failed to resolve host", "could not translate host name"),
    "failed: No such file or directory",  # of its socket
)


@dataclass(frozen=True, slots=True)
class Server:
    """A database that has answered a query; `conninfo` may hold a password and is not shown."""

    conninfo: str = field(repr=False)
    where: str
    embedded: bool


def reach(dsn: str | None, home: Path) -> Server:
    """The ledger's database: the one `dsn` names, else the embedded one in `home`, started if down.

    Returns once a query was answered. Raises a `ServerUnavailable` that names the obstacle.
    """
    if dsn is None:
        conninfo = embedded.ensure_running(home)
        return Server(conninfo, masked(conninfo), embedded=True)
    where = masked(dsn)
    found = _wait(make_conninfo(dsn), where)
    if found < VERSION_LEAST:
        raise ServerTooOld(where, found, VERSION_LEAST)
    return Server(make_conninfo(dsn), where, embedded=False)


def ready(dsn: str | None, home: Path) -> Server:
    """`reach`, with the tables as this program needs them: an embedded database is migrated, a
    user's is only checked, because migrating it is its owner's to decide.

    Raises a `ServerUnavailable` or a `SchemaUnfit`.
    """
    deadline = time.monotonic() + WAIT_S_MAX
    while True:
        server = reach(dsn, home)
        try:
            _fit(server)
        except psycopg.OperationalError as error:  # it has answered, and went away since
            if time.monotonic() > deadline:
                why = " ".join(str(error).split())
                raise ServerDidNotAnswer(server.where, WAIT_S_MAX, why) from error
            time.sleep(POLL_S)
        else:
            return server


def _fit(server: Server) -> None:
    if server.embedded:
        migrate(server.conninfo)
        return
    with psycopg.connect(conninfo_for(server.conninfo, Role.OWNER)) as connection:
        check(connection)


def stop(home: Path) -> bool:
    """Stop the embedded server in `home`; False when it was not running."""
    return embedded.stop(home)


def masked(dsn: str) -> str:
    """The DSN as it may be shown: host, port, database and user, without a secret."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # libpq's message repeats the DSN, and the password with it.
        raise BadDsn from None
    shown = {name: "***" if name in SECRETS else value for name, value in parts.items()}
    return make_conninfo("", **shown)


def may_answer_later(why: str) -> bool:
    """Whether this is said of a server that is not there yet, or still starts."""
    if "FATAL" in why:
        return any(sign in why for sign in PASSING)
    return any(sign in why for sign in SILENT)


def _wait(conninfo: str, where: str) -> int:
    """The major version of a server that may still be starting."""
    deadline = time.monotonic() + WAIT_S_MAX
    while True:
        try:
            return major_version(conninfo)
        except psycopg.Error as error:
            why = " ".join(str(error).split())
        final = "FATAL" in why and not any(sign in why for sign in PASSING)
        if final or time.monotonic() > deadline:
            raise ServerDidNotAnswer(where, WAIT_S_MAX, why)
        time.sleep(POLL_S)
