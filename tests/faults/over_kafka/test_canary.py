"""The checks see receipts that are lost, and offsets that were committed too early."""

from pathlib import Path

from tests.brokers.broker import Broker
from tests.faults.checks import Kind
from tests.faults.over_kafka.canary import sing
from tests.postgres_fixtures import Database


def test_a_consumer_that_commits_before_it_answers_loses_receipts_and_the_checks_say_so(
    database: Database, new_broker: Broker, tmp_path: Path, seed: str
) -> None:
    found = sing(database.conninfo(), new_broker, tmp_path, seed)
    assert {Kind.LOST, Kind.EARLY} <= {finding.kind for finding in found}, found
