"""A real Kafka for the tests: one broker a run, which all its workers share.

It is started by the first test that asks, stopped when the run ends, and what a killed run left
behind the next run clears, together with its PostgreSQL. A broker that cannot start fails the test
with what it said.
"""

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.broker import Broker

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(run_folder: Path) -> Broker:
    """The run's broker, with no topics. Do not stop or kill it: `own_broker` is for that."""
    broker = Broker(run_folder, "kafka")
    with (run_folder / "kafka.lock").open("ab") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        if not broker.alive:
            broker.start()
    return broker


@pytest.fixture
def own_broker(run_folder: Path) -> Iterator[Broker]:
    """A broker of the test's own, running, to be killed, stopped and started as it likes."""
    broker = Broker(run_folder, f"own-kafka-{os.getpid()}-{next(NUMBERS)}")
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(broker.folder, ignore_errors=True)
