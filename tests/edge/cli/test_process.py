"""The installed program as a process of its own: its streams, its encodings, its neighbours."""

import json
import os
import resource
import subprocess
from pathlib import Path

import psycopg
import pytest

from edge import wiring
from edge.postgres.server import Server, ready
from tests.edge.cli.conftest import line_of
from tests.edge.cli.invoking import CLAIMS, PROCESS_S_MAX, Line
from tests.edge.cli.story import ODD, STORY, as_lines
from tests.postgres_fixtures import Database

MANDATES = as_lines(STORY[0].bodies)


def test_the_program_submits_reads_and_refuses(claims: Line) -> None:
    first = claims.apart("submit", "-", stdin=MANDATES)
    assert (first.code, first.err) == (0, "")
    assert claims("submit", "-", stdin=MANDATES) == first
    claims.apart("file", "Z-404", "--json").refused("E410", 1)


def test_json_is_utf8_whatever_the_terminal_speaks(told: Line) -> None:
    ascii_only = told.with_settings(PYTHONIOENCODING="ascii", LC_ALL="C")
    read = ascii_only.apart("file", ODD, "--json")
    assert read.data["claim"] == ODD
    drawn = ascii_only.apart("caseload")
    assert drawn.code == 0
    assert "D 4/\\xfc%[/b]:x:" in drawn.out


def test_a_reader_that_has_had_enough_is_no_traceback(told: Line) -> None:
    """As `claims history REF --json | head -c 1` does it."""
    for command in (["history", "A-1", "--json"], ["history", "A-1"]):
        ours, theirs = os.pipe()
        os.close(ours)  # nobody reads
        with os.fdopen(theirs, "wb") as closed:
            done = subprocess.run(
                [str(CLAIMS), *command],
                stdout=closed,
                stderr=subprocess.PIPE,
                env=told.whole_environment(),
                timeout=PROCESS_S_MAX,
                check=False,
            )
        assert done.stderr == b"", done.stderr.decode()
        assert done.returncode == 1


def test_a_closed_standard_input_is_refused_by_name(claims: Line) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" submit - --json <&-', str(CLAIMS)],  # noqa: S607 - any shell will do
        capture_output=True,
        env=claims.whole_environment(),
        timeout=PROCESS_S_MAX,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["field"] == "FILE"


def test_a_path_that_is_no_utf8_is_a_file_like_any_other(claims: Line, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"commands-\xff.jsonl")
    file.write_bytes(MANDATES)
    assert claims.apart("submit", str(file)).code == 0
    claims.apart("file", os.fsdecode(b"\xff"), "--json").refused("E102", 2)


def test_two_processes_that_send_the_same_commands_are_one_sender(claims: Line) -> None:
    running = [
        subprocess.Popen(
            [str(CLAIMS), "submit", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=claims.whole_environment(),
        )
        for _ in range(2)
    ]
    answers = [each.communicate(MANDATES, timeout=PROCESS_S_MAX) for each in running]
    assert answers[0] == answers[1]
    assert claims("verify", "--json").data["facts"] == len(STORY[0].bodies)


def test_a_database_that_is_lost_while_commands_are_sent_is_answered_line_by_line(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = line_of(database)

    def connections(allowed: bool) -> None:
        with psycopg.connect(database.server.conninfo, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS {allowed}".encode())

    def found_and_lost(dsn: str | None, home: Path) -> Server:
        server = ready(dsn, home)
        connections(allowed=False)
        return server

    with monkeypatch.context() as patched:
        patched.setattr(wiring, "ready", found_and_lost)
        answer = claims("submit", "-", stdin=MANDATES)
    connections(allowed=True)
    assert set(answer.codes) == {"E603"}
    assert answer.code == 5
    assert all(not receipt["kept_in"] for receipt in answer.receipts)
    assert claims("submit", "-", stdin=MANDATES).code == 0


def test_an_answer_that_cannot_be_written_is_told_by_name(tmp_path: Path) -> None:
    with (tmp_path / "answer").open("wb") as full:
        done = subprocess.run(
            [CLAIMS, "schema", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            check=False,
        )
    assert done.returncode == 5, done.stderr.decode()
    assert b"E636" in done.stderr
    assert b"Traceback" not in done.stderr
