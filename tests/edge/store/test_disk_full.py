"""A full disk is an error with a name: nothing acknowledged is lost, and work resumes with room.

A volume that can be filled has to be mounted, which only root may do: as anybody else these tests
are skipped and say so. As root a mount that fails is an error.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from commands.door import read
from commands.ledger import Ledger
from commands.receipt import Receipt
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.errors import ServerUnavailable
from edge.postgres.server import Server, reach, ready
from edge.store.postgres_store import PostgresLog, PostgresStore
from edge.store.verify import verify_all

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="ONLY ROOT MAY MOUNT THE SMALL VOLUME THAT IS FILLED HERE"
)
BACK_S = 60  # far more than it takes; only a test that fails waits so long
AWAY = {"E603", "E605"}
FULL = "E625"
WRITES_MAX = 20  # to the log of changes, several times what it has room for
ROOM = 600_000  # bytes left on a volume that is nearly full


class Filled:
    """A ledger on a small volume, every receipt it gave, and the ballast that fills the volume."""

    def __init__(self, home: Path, server: Server, store: PostgresStore) -> None:
        self.home, self.server, self.store = home, server, store
        self.ledger = Ledger(store, lambda: datetime.now(UTC))
        self.receipts: dict[str, Receipt] = {}
        self.asked = 0

    def ask(self, command_id: str | None = None) -> Receipt:
        """Open a file, with a long reason."""
        self.asked += 1
        name = command_id or f"c-{self.asked}"
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
            "rationale": os.urandom(1_900).hex(),
        }
        receipt = self.ledger.handle(read(json.dumps(body).encode()))
        if receipt.accepted:
            self.receipts[name] = receipt
        return receipt

    def fill(self, room: int) -> None:
        """Leave this many bytes."""
        volume = os.statvfs(self.home)
        with (self.home / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, volume.f_bavail * volume.f_frsize - room)

    def clear(self) -> None:
        (self.home / "ballast").unlink()

    def until_accepted(self, command_id: str) -> None:
        """As the remedy says: the same command again, and nobody looks after the server."""
        deadline = time.monotonic() + BACK_S
        while not (receipt := self.ask(command_id)).accepted:
            assert receipt.code in AWAY
            assert time.monotonic() < deadline

    def require_all_there(self) -> None:
        """Every receipt as it was given, no fact beside them, every chain whole."""
        kept = self.store.answered(self.receipts)
        assert {name: Receipt(each.receipt) for name, each in kept.items()} == self.receipts
        with PostgresLog(conninfo_for(self.server.conninfo, Role.READER)) as log:
            summary = verify_all(log)
        assert (summary.facts, summary.broken) == (len(self.receipts), ())


@pytest.fixture
def small(small_home: Path) -> Iterator[Filled]:
    server = ready(None, small_home)

    def revive() -> None:
        reach(None, small_home)

    conninfo = conninfo_for(server.conninfo, Role.WRITER)
    with PostgresStore(conninfo, revive=revive) as store:
        yield Filled(small_home, server, store)


def test_a_disk_that_fills_up_is_told_by_name_and_work_resumes_with_room(small: Filled) -> None:
    assert small.ask().accepted
    small.fill(ROOM)
    while (refused := small.ask()).accepted:
        pass
    assert len(small.receipts) > 2  # it did fill up while commands were stored
    assert (refused.code, refused.data["kept_in"]) == (FULL, "")
    assert "No space left on device" in refused.data["message"]
    assert small.ask().code == FULL
    small.clear()
    small.until_accepted(refused.data["command_id"])
    small.require_all_there()


def test_a_disk_too_full_for_the_servers_own_log_loses_nothing(small: Filled) -> None:
    """The server stops at once, and cannot start before there is room."""
    for _ in range(20):
        assert small.ask().accepted
    small.fill(0)
    use_up_the_log(small.server)
    refused = [small.ask() for _ in range(2)]
    assert {receipt.code for receipt in refused} <= AWAY | {FULL}
    with pytest.raises(ServerUnavailable):
        reach(None, small.home)
    small.clear()
    small.until_accepted(refused[0].data["command_id"])
    small.require_all_there()


def use_up_the_log(server: Server) -> None:
    """Write to the log of changes until the server finds no room for it."""
    write = "SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 4000000))"
    with psycopg.connect(server.conninfo, autocommit=True) as owner:
        for _ in range(WRITES_MAX):
            with contextlib.suppress(psycopg.OperationalError):
                owner.execute(write)
        assert owner.closed
