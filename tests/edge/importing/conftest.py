"""An import desk of the test's own."""

from pathlib import Path

import pytest

from tests.edge.importing.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
