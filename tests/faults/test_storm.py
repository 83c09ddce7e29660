"""The short form: one cycle in which every fault comes at least once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checks import shown
from tests.faults.cycle import cycle
from tests.faults.server import Server

STORM_S = 25.0


@pytest.fixture
def server(server_home: Path) -> Iterator[Server]:
    """A PostgreSQL that only this test hurts."""
    server = Server(server_home)
    yield server
    server.end()


def test_nothing_is_lost_doubled_or_skipped_whatever_is_killed_stopped_or_cut(
    server: Server, tmp_path: Path, seed: str
) -> None:
    outcome = cycle(server, tmp_path / "cycle", seed, STORM_S)
    assert not outcome.findings, f"seed {seed}, journals in {tmp_path}:\n{shown(outcome.findings)}"
    assert outcome.acknowledged > 0
