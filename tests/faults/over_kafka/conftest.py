"""The broker of a test that hurts it, or that has a consumer do wrong."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.broker import Broker

NUMBERS = itertools.count(1)


@pytest.fixture
def new_broker(run_folder: Path) -> Iterator[Broker]:
    """One that was never started; where the run clears up after itself."""
    broker = Broker(run_folder, f"hurt-kafka-{os.getpid()}-{next(NUMBERS)}")
    yield broker
    broker.kill()
    shutil.rmtree(broker.folder, ignore_errors=True)
