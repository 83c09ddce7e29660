"""The short form over Kafka: one cycle in which every fault comes at least once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.broker import Broker
from tests.faults.checks import shown
from tests.faults.over_kafka.cycle import cycle
from tests.faults.over_kafka.storm import SHORT
from tests.faults.server import Server


@pytest.fixture
def server(server_home: Path) -> Iterator[Server]:
    """A PostgreSQL that only this test hurts."""
    server = Server(server_home)
    yield server
    server.end()


def test_every_message_is_answered_and_each_effect_comes_once_whatever_is_hurt(
    server: Server, new_broker: Broker, tmp_path: Path, seed: str
) -> None:
    outcome = cycle(server, new_broker, tmp_path / "cycle", seed, SHORT)
    assert not outcome.findings, f"seed {seed}, journals in {tmp_path}:\n{shown(outcome.findings)}"
    assert outcome.facts > 0
