"""A real PostgreSQL for the tests: one embedded server a run, a fresh database a test.

All workers of a run share the server. It is stopped and its folder removed when the run ends; what
a killed run left behind, the next run clears.
"""

import contextlib
import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from edge.postgres.connections import Role, conninfo_for
from edge.postgres.migrate import migrate
from edge.postgres.server import Server, reach, stop
from tests.brokers.broker import Broker

RUN = "CLAIMS_TESTS_RUN"  # the run's folder, handed down to its workers
TEMPLATE = "claims_template"
# pytest's own temporary folders are closed to the account that PostgreSQL runs as under root.
PLACE = Path(tempfile.gettempdir())
PREFIX = f"claims-tests-{os.getuid()}-"
SMALL_MB = 128  # a cluster takes 45, and more while it recovers
NUMBERS = itertools.count(1)
LOCK = pytest.StashKey[IO[bytes]]()


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated, empty database of the test's own."""

    name: str
    server: Server

    def conninfo(self, role: Role = Role.OWNER) -> str:
        return conninfo_for(make_conninfo(self.server.conninfo, dbname=self.name), role)


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        _clear_what_killed_runs_left()
        made = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=PLACE))
        made.chmod(0o711)
        config.stash[LOCK] = _held(made)
        # Named only now that it is locked, so that no other run takes it for one left behind.
        os.environ[RUN] = str(made.rename(PLACE / made.name.removeprefix("new-")))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        _clear(Path(os.environ.pop(RUN)))
        config.stash[LOCK].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "run_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.service)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A folder of this run, shared by its workers, that the server's account can reach."""
    return Path(os.environ[RUN])


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Server:
    """The run's server. Do not stop or kill it: `server_home` is for that."""
    server = reach(None, run_folder / "shared")
    with (run_folder / "template.lock").open("ab") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        made = run_folder / "template.made"
        if not made.exists():  # a template is copied only while nobody is connected to it
            with psycopg.connect(server.conninfo, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            migrate(make_conninfo(server.conninfo, dbname=TEMPLATE))
            made.touch()
    return server


@pytest.fixture(scope="session")
def postgres_admin(postgres: Server) -> Iterator[Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        yield connection


@pytest.fixture
def database(
    postgres: Server, postgres_admin: Connection[tuple[object, ...]]
) -> Iterator[Database]:
    """A fresh database: migrated, empty, dropped after the test."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    postgres_admin.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(TEMPLATE)
        )
    )
    yield Database(name, postgres)
    postgres_admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def server_home(run_folder: Path) -> Iterator[Path]:
    """An empty data folder for a server that the test starts, kills and stops as it likes."""
    home = run_folder / f"own-{os.getpid()}-{next(NUMBERS)}"
    yield home
    _clear(home)


@pytest.fixture
def small_home(run_folder: Path) -> Iterator[Path]:
    """A data folder on a small volume of its own, for a test to fill. Only root may mount one."""
    home = run_folder / f"small-{os.getpid()}-{next(NUMBERS)}"
    home.mkdir()
    options = f"size={SMALL_MB}m,mode=711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home)], check=True)  # noqa: S607 - the system's own
    yield home
    _clear(home)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _clear_what_killed_runs_left() -> None:
    for folder in PLACE.glob(f"{PREFIX}*"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), _held(folder):
            _clear(folder)


def _held(folder: Path) -> IO[bytes]:
    """The lock on a run's folder: a process number does not tell a living run from a zombie."""
    lock = (folder / "run.lock").open("ab")
    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def _clear(folder: Path) -> None:
    for home in (folder, *folder.glob("*/")):
        stop(home)
        Broker(folder, home.name).kill()  # one that is there
        if home.is_mount():
            subprocess.run(["umount", str(home)], check=True)  # noqa: S607 - the system's own
    if folder.exists():
        shutil.rmtree(folder)
