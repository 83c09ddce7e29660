"""Writing while the database is away, silent or held up: a name for it, and nothing half done."""

import contextlib
import json
import os
import signal
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from commands import group as groups
from commands.door import read
from commands.group import GroupCommit
from commands.ledger import Ledger
from commands.receipt import Receipt
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.server import Server, reach, ready, stop
from edge.store.postgres_store import PostgresLog, PostgresStore
from edge.store.recorder import APPEND_LOCK
from edge.store.verify import verify_all

CALLERS = 16
TRIES_MAX = 30  # far more than it takes; only a test that fails asks so often
NOT_STORED, IN_DOUBT = "E603", {"E605", "E608"}


class Desk:
    """A ledger on a server of the test's own, and every receipt by which a command was accepted."""

    def __init__(self, home: Path, server: Server, group: GroupCommit) -> None:
        self.home, self.server, self.group = home, server, group
        self.receipts: dict[str, Receipt] = {}

    def ask(self, name: str) -> Receipt:
        """Open a file of that name, under that command_id."""
        today = datetime.now(UTC).date()
        body = {
            "type": "notify-matter",
            "command_id": name,
            "actor": {"person": "bob", "role": "case_manager"},
            "claim": name,
            "matter_type": "claim",
            "jurisdiction": "england_wales",
            "currency": "GBP",
            "event_date": (today - timedelta(days=100)).isoformat(),
            "notified_on": today.isoformat(),
        }
        raw = json.dumps(body).encode()
        receipt = self.group.handle(read(raw), len(raw))
        if receipt.accepted:
            self.receipts[name] = receipt
        return receipt

    def at_once(self, purpose: str) -> dict[str, str]:
        """Callers who ask together; the code each was answered with, "" for accepted."""
        names = [f"{purpose}-{number}" for number in range(CALLERS)]
        with ThreadPoolExecutor(CALLERS) as pool:
            return dict(zip(names, [each.code for each in pool.map(self.ask, names)], strict=True))

    def until_accepted(self, name: str) -> None:
        """The same command again, as every remedy says."""
        for _ in range(TRIES_MAX):
            receipt = self.ask(name)
            if receipt.accepted:
                return
            assert receipt.code in {NOT_STORED, *IN_DOUBT}
        raise TimeoutError

    def stored(self) -> set[str]:
        """The files in the log, each with its one fact and each chain whole."""
        with PostgresLog(conninfo_for(self.server.conninfo, Role.READER)) as log:
            streams = {name.removeprefix("claim-") for name in log.streams("claim-")}
            summary = verify_all(log)
        assert (summary.facts, summary.broken) == (len(streams), ())
        return streams


@contextlib.contextmanager
def opened(home: Path, *, revived: bool) -> Generator[Desk]:
    server = ready(None, home)

    def revive() -> None:
        reach(None, home)

    with ExitStack() as stack:
        conninfo = conninfo_for(server.conninfo, Role.WRITER)
        store = stack.enter_context(PostgresStore(conninfo, revive=revive if revived else None))
        group = stack.enter_context(GroupCommit(Ledger(store, lambda: datetime.now(UTC))))
        yield Desk(home, server, group)


@pytest.fixture
def desk(server_home: Path) -> Iterator[Desk]:
    with opened(server_home, revived=False) as desk:
        assert desk.ask("first").accepted
        yield desk


def postmaster(home: Path) -> int:
    return int((home / "postgresql/data/postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def silenced(desk: Desk) -> Generator[None]:
    """The server keeps its connections, takes new ones, and says nothing."""
    with psycopg.connect(desk.server.conninfo) as owner:
        asked = owner.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        processes = [postmaster(desk.home), *(pid for (pid,) in asked.fetchall())]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_writes_to_a_stopped_server_fail_by_name_and_are_back_with_it(desk: Desk) -> None:
    stop(desk.home)
    while_away = desk.at_once("away")
    assert NOT_STORED in while_away.values()
    assert set(while_away.values()) <= {NOT_STORED, *IN_DOUBT}
    reach(None, desk.home)
    assert desk.stored() == {"first"}
    for name in while_away:
        desk.until_accepted(name)
    assert desk.stored() == {"first", *while_away}


def test_writes_to_a_silent_server_are_in_doubt_and_stored_at_most_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silenced(desk), monkeypatch.context() as impatient:
        impatient.setattr(groups, "WAIT_S_MAX", 0.3)
        codes = desk.at_once("silent")
    assert set(codes.values()) <= {NOT_STORED, *IN_DOUBT}
    assert IN_DOUBT & set(codes.values())
    for name in codes:
        desk.until_accepted(name)
    assert desk.stored() == {"first", *codes}
    for name, receipt in desk.receipts.items():
        assert desk.ask(name) == receipt


def test_writes_while_another_session_keeps_the_lock_fail_by_name(desk: Desk) -> None:
    with psycopg.connect(desk.server.conninfo) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
        assert desk.ask("held").code == NOT_STORED
        assert desk.stored() == {"first"}
    assert desk.ask("held").accepted
    assert desk.stored() == {"first", "held"}


def test_a_server_of_our_own_that_is_killed_is_written_to_again_without_a_person(
    server_home: Path,
) -> None:
    with opened(server_home, revived=True) as desk:
        assert desk.ask("first").accepted
        killed = postmaster(server_home)
        os.kill(killed, signal.SIGKILL)
        asked = {"first"}
        # A process of the killed server may still answer once: what it says it stored, it stored.
        while postmaster(server_home) == killed and len(asked) < TRIES_MAX:
            again = f"again-{len(asked)}"
            desk.until_accepted(again)
            asked.add(again)
        assert postmaster(server_home) != killed
        assert desk.stored() == asked
