"""One embedded PostgreSQL for a whole run, with a database for each side of a measurement."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from edge.postgres.migrate import migrate
from edge.postgres.server import reach, stop

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")  # what no figure may do without


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; its data folder goes when the run is over."""

    conninfo: str

    def empty(self, name: str) -> str:
        """The conninfo of a database with nothing in it."""
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return make_conninfo(self.conninfo, dbname=name)

    def ledger(self, name: str) -> str:
        """The conninfo of a database that holds an empty ledger."""
        conninfo = self.empty(name)
        migrate(conninfo)
        return conninfo

    def drop(self, name: str) -> None:
        """Give the database's room back."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def checkpoint(self) -> None:
        """Write out what one side has left, so that the next does not pay for it."""
        self._run(sql.SQL("CHECKPOINT"))

    def version(self) -> str:
        """The server's version, as a number."""
        with psycopg.connect(self.conninfo) as connection:
            return connection.info.parameter_status("server_version") or ""

    def require_durable(self) -> None:
        """Nothing is faster here for being less safe."""
        with psycopg.connect(self.conninfo) as connection:
            for setting in DURABLE:
                told = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
                assert told == ("on",), f"{setting} is {told}"

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def own_cluster() -> Generator[Cluster]:
    """A server of this run's own, whatever the environment says."""
    with own_home() as home:
        cluster = Cluster(reach(None, home).conninfo)
        cluster.require_durable()
        yield cluster


@contextmanager
def own_home() -> Generator[Path]:
    """A folder for an embedded server, which is stopped and removed with it."""
    home = Path(tempfile.mkdtemp(prefix="claims-bench-"))
    home.chmod(0o711)  # under root the server has an account of its own, which has to pass
    try:
        yield home
    finally:
        stop(home)
        shutil.rmtree(home)
