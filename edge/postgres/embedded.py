"""A PostgreSQL of the ledger's own, shared by every process that uses the same data folder.

Any process may find it down and start it; it belongs to none of them and outlives them all. It
listens on a Unix socket only. `docs/decisions/001-embedded-postgresql.md` has the reasons.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from edge.postgres.errors import (
    ClusterOfAnotherVersion,
    FolderOfAnother,
    FolderUnusable,
    ServerDidNotAnswer,
    ServerDidNotStart,
    ServerDidNotStop,
)
from edge.postgres.memory import BUFFERS_MB_MIN, buffers_mb
from edge.postgres.probe import why_silent
from edge.postgres.programs import Account, Programs, account_for, make_folder, programs_for

DATABASE = "claims"
OWNER = "claims_owner"
START_S_MAX = 60.0  # crash recovery replays at most `max_wal_size`, seconds rather than a minute
STOP_S_MAX = 60.0  # its last checkpoint writes what is in memory, seconds on a slow disk
# Asked to stop while it recovers from a killed backend, PostgreSQL 18.6 was seen to wait for ever.
# Without a last checkpoint the next start recovers what was committed.
STOP_AT_ONCE_S_MAX = 10.0  # nothing is written
POLL_S = 0.02  # a start takes about a second, and whoever waits for it looks on
LOG_LINES_SHOWN = 20
LOG_BYTES_MAX = 16 * 1024 * 1024  # years of starts and stops; what is longer is begun anew
PORT = 5432  # names the socket; there is no TCP port
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_FOLDER_BYTES_MAX = 80  # a socket's path may have 107 bytes, 103 on macOS; the name takes 20
SOCKET_FOLDER_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # libpq and the server both split at commas
# Not tempfile.gettempdir(): two processes with different TMPDIR have to find the same socket.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - what is made in it is checked to be ours

SETTINGS = """\
# Written by the ledger at every start; what is added to postgresql.conf stays.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
port = {port}
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
# Rows and statements may hold personal data; the log repeats neither.
log_error_verbosity = terse
log_min_error_statement = panic
max_connections = 200
shared_buffers = '{buffers_mb}MB'
max_wal_size = '2GB'
"""
# The socket's folder is closed to other users already; peer says it a second time.
WHO_MAY_CONNECT = "local all all peer map=claims\n"
WHO_IS_WHO = 'claims "{account}" {owner}\nclaims root {owner}\n'


@dataclass(frozen=True, slots=True)
class Cluster:
    """The folder of one embedded server, and the account that runs it."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def running(self) -> Path:
        """Locked by the server for as long as one of its processes lives."""
        return self.folder / "running.lock"

    @property
    def sockets(self) -> Path:
        """Where the socket is: the cluster's folder, or a short one where its path is too long."""
        name = str(self.folder)
        if len(os.fsencode(name)) <= SOCKET_FOLDER_BYTES_MAX and SOCKET_FOLDER_PLAIN.fullmatch(
            name
        ):
            return self.folder
        return SHORT_FOLDER / f"claims-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"

    def conninfo(self, database: str = DATABASE) -> str:
        return make_conninfo(
            host=str(self.sockets),
            port=PORT,
            dbname=database,
            user=OWNER,
            requirepeer=self.account.name,
        )


def ensure_running(home: Path, limit_s: float = START_S_MAX) -> str:
    """The conninfo of the server in `home`, once it has answered a query; started if it is down.

    Raises a `ServerUnavailable` that names the obstacle, with the end of the server's log.
    """
    with _folder_errors(home):
        cluster = _cluster(home)
        if cluster.data.exists() and why_silent(cluster.conninfo()) is None:
            return cluster.conninfo()
        make_folder(cluster.folder, cluster.account)
        with _starting(cluster, limit_s):
            _bring_up(cluster, limit_s)
            _make_database(cluster)
        return cluster.conninfo()


def stop(home: Path) -> bool:
    """Stop the server in `home`, keeping what is committed; False when it was not running."""
    with _folder_errors(home):
        cluster = _cluster(home)
        return cluster.data.exists() and _stop(cluster)


def _stop(cluster: Cluster) -> bool:
    with _starting(cluster, STOP_S_MAX):
        if not _runs(cluster):
            return False
        programs = programs_for(cluster.account, cluster.folder)
        for mode, wait_s in (("fast", STOP_S_MAX), ("immediate", STOP_AT_ONCE_S_MAX)):
            with cluster.log.open("ab") as log:
                cluster.account.run(
                    [*programs.pg_ctl("stop", cluster.data, wait_s), "-m", mode], log
                )
            if _gone(cluster):
                break
        else:
            raise ServerDidNotStop(cluster.folder, _end_of(cluster.log))
        if cluster.sockets != cluster.folder:
            shutil.rmtree(cluster.sockets, ignore_errors=True)
    return True


def _gone(cluster: Cluster) -> bool:
    """It has ended, or does within a second: the last backend may outlive the postmaster."""
    deadline = time.monotonic() + 1.0
    while _runs(cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _cluster(home: Path) -> Cluster:
    folder = home.resolve() / "postgresql"
    return Cluster(folder, account_for(folder))


@contextlib.contextmanager
def _folder_errors(home: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FolderUnusable(home, str(error)) from error


@contextlib.contextmanager
def _starting(cluster: Cluster, limit_s: float) -> Generator[None]:
    """Hold the lock that starters and stoppers of this cluster share; it dies with its holder."""
    deadline = time.monotonic() + limit_s
    with _open(cluster, cluster.folder / "start.lock") as lock:
        while not _taken(lock.fileno()):
            if time.monotonic() > deadline:
                why = f"another process holds {lock.name}"
                raise ServerDidNotAnswer(str(cluster.folder), limit_s, why, _end_of(cluster.log))
            time.sleep(POLL_S)
        yield


def _open(cluster: Cluster, path: Path) -> IO[bytes]:
    """Open a file to append to, made if need be, that is the account's also when root made it."""
    opened = path.open("ab")
    cluster.account.own(path, 0o600)
    return opened


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _bring_up(cluster: Cluster, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while (why := why_silent(cluster.conninfo("postgres"))) is not None:
        if time.monotonic() > deadline:
            raise ServerDidNotAnswer(str(cluster.folder), limit_s, why, _end_of(cluster.log))
        if _runs(cluster):
            time.sleep(POLL_S)
        else:
            _start(cluster, deadline)


def _runs(cluster: Cluster) -> bool:
    """Whether a process of this cluster lives.

    The postmaster and its children inherit a locked file and hold it until the last of them is
    gone, which a process number cannot tell: it may be a zombie's, be used again after a restart
    of the machine, or be of another container.
    """
    with _open(cluster, cluster.running) as lock:
        return not _taken(lock.fileno())


def _start(cluster: Cluster, deadline: float) -> None:
    """Start the server; called with the starting lock held and no process of the cluster alive."""
    programs = programs_for(cluster.account, cluster.folder)
    _open_log(cluster)
    if not cluster.data.exists():
        _make_cluster(cluster, programs)
    found = (cluster.data / "PG_VERSION").read_text().strip()
    if found != str(programs.major):
        raise ClusterOfAnotherVersion(cluster.data, found, programs.major)
    # Nobody lives (see `_runs`), so a process number left behind can only mislead the server.
    for left_behind in (cluster.data / "postmaster.pid", cluster.sockets / f"{SOCKET}.lock"):
        left_behind.unlink(missing_ok=True)
    for pages_mb in dict.fromkeys(
        (buffers_mb(), BUFFERS_MB_MIN)
    ):  # what there is may not be to be had
        _write_settings(cluster, pages_mb)
        if _started(cluster, programs, max(1.0, deadline - time.monotonic())):
            return
    raise ServerDidNotStart(cluster.folder, _end_of(cluster.log))


def _started(cluster: Cluster, programs: Programs, seconds_left: float) -> bool:
    with _open(cluster, cluster.running) as lock, cluster.log.open("ab") as log:
        if not _taken(lock.fileno()):
            return True  # a process of the cluster is alive after all: ask it again
        outcome = cluster.account.run(
            [*programs.pg_ctl("start", cluster.data, seconds_left), "-l", str(cluster.log)],
            log,
            keep=(lock.fileno(),),
        )
    return outcome.returncode == 0 or _runs(cluster)


def _make_cluster(cluster: Cluster, programs: Programs) -> None:
    """Make the cluster beside its place and move it there whole: a half-made one is never used."""
    half = cluster.folder / "data.half"
    shutil.rmtree(half, ignore_errors=True)
    locale = ["--locale=C"]
    if programs.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [programs.path("initdb"), "-D", str(half), "-U", OWNER, "--data-checksums"]
    command += ["--encoding=UTF8", "--auth=reject", "--auth-local=peer", *locale]
    with cluster.log.open("ab") as log:
        outcome = cluster.account.run(command, log)
    if outcome.returncode != 0:
        raise ServerDidNotStart(cluster.folder, _end_of(cluster.log))
    with (half / "postgresql.conf").open("a") as settings:
        settings.write("\ninclude 'claims.conf'\n")
    half.rename(cluster.data)


def _write_settings(cluster: Cluster, pages_mb: int) -> None:
    if cluster.sockets != cluster.folder:
        cluster.sockets.mkdir(mode=0o700, exist_ok=True)
        entry = cluster.sockets.lstat()
        if entry.st_uid not in (os.geteuid(), cluster.account.uid) or cluster.sockets.is_symlink():
            raise FolderOfAnother(cluster.sockets, entry.st_uid)
        cluster.account.own(cluster.sockets, 0o700)
    who = WHO_IS_WHO.format(account=cluster.account.name, owner=OWNER)
    texts = {
        "claims.conf": SETTINGS.format(sockets=cluster.sockets, port=PORT, buffers_mb=pages_mb),
        "pg_hba.conf": WHO_MAY_CONNECT,
        "pg_ident.conf": who,
    }
    for name, text in texts.items():
        path = cluster.data / name
        path.write_text(text)
        cluster.account.own(path, 0o600)


def _make_database(cluster: Cluster) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _open_log(cluster: Cluster) -> None:
    """Have a log that the account may write to, and that does not grow for ever."""
    if cluster.log.exists() and cluster.log.stat().st_size > LOG_BYTES_MAX:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    _open(cluster, cluster.log).close()


def _end_of(log: Path) -> str:
    if not log.exists():
        return "(there is none)"
    lines = log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n" + "\n".join(lines)
