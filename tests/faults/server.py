"""PostgreSQL as a run has it: a cluster of its own, stopped, killed, started, and held up."""

import os
import random
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.conninfo import make_conninfo

from edge.postgres import embedded
from edge.postgres.errors import ServerDidNotStop
from edge.postgres.migrate import migrate

END_S_MAX = 30.0
POLL_S = 0.02
OURS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'claims %' ORDER BY pid"
LEFT_BEHIND = "left behind"


class Server:
    """The run's PostgreSQL; the harness starts it, and nobody else does."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.start()
        with self.asking() as connection:
            connection.execute("ALTER SYSTEM SET max_prepared_transactions = 4")
        embedded.stop(home)
        self.start()

    def start(self) -> None:
        """Have it running; returns when it answers."""
        self._conninfo = embedded.ensure_running(self._home)

    def end(self) -> None:
        """Stop it in order; one that was hurt in its recovery may wait for ever, and is killed."""
        try:
            embedded.stop(self._home)
        except ServerDidNotStop:
            self.kill()

    def database(self, name: str) -> str:
        """The conninfo of a fresh database, migrated and empty."""
        self.drop(name)
        with self.asking() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        conninfo = self.of(name)
        migrate(conninfo)
        return conninfo

    def of(self, name: str) -> str:
        return make_conninfo(self._conninfo, dbname=name)

    def drop(self, name: str) -> None:
        with self.asking() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    @contextmanager
    def asking(self) -> Generator[Connection[Any]]:
        """A connection of the harness, as the owner of everything."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            yield connection

    def stop_immediately(self) -> None:
        """As `pg_ctl stop -m immediate`: no goodbye, and recovery at the next start."""
        self._end_postmaster(signal.SIGQUIT)

    def kill(self) -> None:
        """The postmaster killed; its backends notice by themselves."""
        self._end_postmaster(signal.SIGKILL)

    def backends(self) -> list[int]:
        """The server's processes that work for the ledger."""
        with self.asking() as connection:
            return [pid for (pid,) in connection.execute(OURS)]

    def terminate(self, dice: random.Random) -> bool:
        """One backend ended by the administrator; False when there is none."""
        pids = self.backends()
        if not pids:
            return False
        with self.asking() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [dice.choice(pids)])
        return True

    def kill_backend(self, dice: random.Random) -> bool:
        """One backend killed, upon which the server restarts all of them.

        Returns once it has: until it notices, it answers as if nothing had happened.
        """
        pids = self.backends()
        if not pids:
            return False
        with suppress(psycopg.OperationalError), self.asking() as witness:
            try:
                os.kill(dice.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                return False
            deadline = time.monotonic() + END_S_MAX
            while time.monotonic() < deadline:
                witness.execute("SELECT 1")
                time.sleep(POLL_S)
            raise TimeoutError("a backend was killed, and the server goes on")
        return True

    def _end_postmaster(self, number: int) -> None:
        pid = int((self._home / "postgresql/data/postmaster.pid").read_text().split()[0])
        os.kill(pid, number)
        deadline = time.monotonic() + END_S_MAX
        while _alive(pid):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the postmaster {pid} does not end")
            time.sleep(POLL_S)


class Burden:
    """What weighs on one database for a whole cycle: an open transaction, and a prepared one."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._open: Connection[Any] | None = None

    def hold(self) -> None:
        """Keep a transaction open with its snapshot; a new one where a restart has ended it."""
        with suppress(psycopg.OperationalError):
            if self._open is not None and not self._open.closed:
                self._open.execute("SELECT 1")
                return
            self._open = psycopg.connect(self._conninfo)
            self._open.isolation_level = IsolationLevel.REPEATABLE_READ
            self._open.execute("SELECT count(*) FROM ledger.facts")

    def leave_behind(self) -> None:
        """A transaction that was prepared, and that nobody ends."""
        with psycopg.connect(self._conninfo) as connection:
            connection.execute("CREATE TABLE public.left_behind (number int)")
            connection.commit()
            connection.execute("INSERT INTO public.left_behind VALUES (1)")
            connection.execute(sql.SQL("PREPARE TRANSACTION {}").format(LEFT_BEHIND))

    def put_down(self) -> None:
        """End both, so that the database can be dropped."""
        if self._open is not None:
            self._open.close()
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(LEFT_BEHIND))


def _alive(pid: int) -> bool:
    """Whether a process is there; one that has ended and was not waited for is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
