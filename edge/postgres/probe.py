"""Whether a PostgreSQL answers: a query, for a port, a socket or a process number prove nothing."""

import psycopg

CONNECT_S_MAX = 5  # far more than a server that is up takes, on a machine that is busy
PROBE = "SELECT current_setting('server_version_num')::int / 10000"


def major_version(conninfo: str) -> int:
    """The server's major version, by asking it; raises `psycopg.Error` when it does not say."""
    with psycopg.connect(conninfo, connect_timeout=CONNECT_S_MAX, autocommit=True) as connection:
        (version,) = connection.execute(PROBE).fetchall()[0]
    return int(version)


def why_silent(conninfo: str) -> str | None:
    """Why the server does not answer a query, in one line; None when it does."""
    try:
        major_version(conninfo)
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return None
