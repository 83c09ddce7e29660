"""On PostgreSQL: processes that share an import end as one that does it alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from commands.history_import import ImportHistory
from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.envelope import recorded_day
from edge.importing import importer
from edge.importing.importer import Importer
from edge.importing.intake import Intake, Plan
from edge.importing.outcome import Outcome, Rejects
from edge.importing.refusals import ImportStopped
from edge.importing.sharing import SHARED_BYTES_MIN, processes_for, sharing
from edge.importing.source import read
from edge.importing.staging import Reject, Staging
from edge.postgres.connections import Role
from edge.store.memory_store import MemoryStore
from edge.store.postgres_store import PostgresLog, PostgresStore
from tests.edge.importing.desk import CLERK, HISTORY_FACTS, NOW, Desk, history, imported, row, said
from tests.postgres_fixtures import Database

CLAIMS = 40
BATCH_CLAIMS = 4
REFERENCES = [f"S{number:03d}" for number in range(CLAIMS)]
STREAMS = [f"claim-{reference}" for reference in REFERENCES]
ENDED_S_MAX = 20.0  # for processes to end, on a machine with much else to do
PLAN = Plan("legacy", CLERK, recorded_day(NOW))


@contextmanager
def intake(conninfo: str, deadly: str = "") -> Generator[Intake]:
    """An intake, opened in whichever process; the one that meets the claim `deadly` is killed."""
    with PostgresStore(conninfo, size=1) as store:
        ledger = Ledger(store, lambda: NOW)

        def send(commands: Sequence[ImportHistory]) -> list[Receipt]:
            if deadly in [command.claim for command in commands]:
                os.kill(os.getpid(), signal.SIGKILL)
            return ledger.handle_many(commands)

        yield Intake(PLAN, store, send)


def shared(path: Path, conninfo: str, deadly: str = "") -> tuple[Outcome, Sequence[Reject]]:
    """Import a file by two processes."""
    opens = partial(intake, conninfo, deadly)
    with sharing(opens, 2) as dealing, Staging() as staging, Rejects(None) as rejects:
        staging.take(read(path, lambda _done, _total: None))
        outcome = Importer(PLAN, rejects, dealing).run(staging, lambda _done, _total: None)
    return outcome, rejects.first


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH_CLAIMS", BATCH_CLAIMS)


@pytest.fixture
def path(desk: Desk) -> Path:
    """Interleaved histories, and two claims that break a rule."""
    rows = [each for step in zip(*map(history, REFERENCES), strict=True) for each in step]
    bad = row("S005", "2021-01-01", "payment", amount="1e5")
    return desk.file([*rows, bad, row("S017", "2021-01-01", "payment", amount="1")])


def test_shared_work_is_told_as_if_one_had_done_it(path: Path, database: Database) -> None:
    alone = MemoryStore()
    ran = imported(path, alone)
    outcome, faults = shared(path, database.conninfo(Role.WRITER))
    assert (outcome, list(faults)) == (ran.outcome, ran.faults)
    assert outcome.imported.claims == CLAIMS - 2
    with PostgresLog(database.conninfo(Role.READER)) as log:
        for stream, records in log.histories(STREAMS).items():
            assert said(records) == said(alone.load([stream])[stream])
    again, _ = shared(path, database.conninfo(Role.WRITER))
    assert (again.imported.claims, again.already_there) == (0, outcome.imported)


def test_a_process_that_is_killed_stops_the_import_which_can_be_run_again(
    path: Path, database: Database
) -> None:
    conninfo = database.conninfo(Role.WRITER)
    with pytest.raises(ImportStopped) as stopped:
        shared(path, conninfo, deadly="S030")
    assert stopped.value.code == "E606"
    assert "ended from outside" in str(stopped.value)
    outcome, _ = shared(path, conninfo)
    assert outcome.already_there.claims >= stopped.value.claims
    assert outcome.imported.claims + outcome.already_there.claims == CLAIMS - 2
    with PostgresLog(database.conninfo(Role.READER)) as log:
        assert len(log.page(0, 1_000)) == (CLAIMS - 2) * HISTORY_FACTS


# Two processes say who they are, and whoever deals out to them waits for claims that never come.
DEALER = """
import signal, sys
from edge.importing.sharing import sharing
from tests.edge.importing.test_sharing import waiting

# Whoever runs the tests in the background ignores it, and so would this.
signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))
try:
    with sharing(waiting, 2) as dealing:
        ends = [dealing.deal([]) for _ in range(2)]
        [end() for end in ends]
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@contextmanager
def waiting() -> Generator[Intake]:
    """What says which process it is in, and never takes anything in."""
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(10 * ENDED_S_MAX)
    yield Intake(PLAN, MemoryStore(), lambda _: ())


@contextmanager
def dealer(
    on_interrupt: str = "default_int_handler",
) -> Generator[tuple[subprocess.Popen[str], list[int]]]:
    """One that deals out, in a session of its own, and the two processes that it deals to."""
    with subprocess.Popen(
        [sys.executable, "-c", DEALER, on_interrupt],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, [int(process.stdout.readline()) for _ in range(2)]
        finally:
            process.kill()


def alive(pid: int) -> bool:
    """A process that ended and that nobody has asked for is not alive."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes end")
def test_who_is_dealt_to_ends_with_the_one_that_deals_out() -> None:
    with dealer() as (process, pids):
        assert all(map(alive, pids))
        process.kill()
        process.wait()
        deadline = time.monotonic() + ENDED_S_MAX
        while any(map(alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(alive, pids))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes end")
def test_where_an_interrupt_is_ignored_it_ends_nobody() -> None:
    with dealer("SIG_IGN") as (process, pids):
        os.killpg(process.pid, signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert all(map(alive, pids))


def test_an_interrupt_ends_all_of_them_at_once_and_without_a_traceback() -> None:
    with dealer() as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=ENDED_S_MAX)
    assert (out, err) == ("interrupted\n", "")


def test_a_small_file_is_not_shared(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    assert processes_for(path) == 1
    path.write_bytes(b"x" * (SHARED_BYTES_MIN - 1))
    assert processes_for(path) == 1
