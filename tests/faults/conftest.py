"""The seed of a run: another one each time, told when a test fails, and the same on request."""

import logging
import os
import random

import pytest

SEED = "FAULTS_SEED"  # FAULTS_SEED=4711 pytest tests/faults does the same once more


@pytest.fixture
def seed() -> str:
    """What all chance of the test comes from."""
    chosen = os.environ.get(SEED) or str(random.SystemRandom().randrange(10**9))
    logging.getLogger(__name__).warning("%s=%s", SEED, chosen)
    return chosen
