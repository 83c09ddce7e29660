"""An embedded server takes a part of the memory there is, and starts where it cannot have it."""

from pathlib import Path

import pytest

from edge.postgres import embedded, memory
from edge.postgres.memory import BUFFERS_MB_MAX, BUFFERS_MB_MIN, buffers_mb, memory_bytes
from edge.postgres.server import reach
from tests.edge.postgres.test_server import ask

GIB = 2**30
NO_SERVER_TAKES_MB = 64 * 2**20  # PostgreSQL knows no number of pages that high


@pytest.mark.parametrize(
    ("memory_gib", "mb"),
    [(0.25, BUFFERS_MB_MIN), (2, 512), (4, 1_024), (256, BUFFERS_MB_MAX)],
)
def test_it_takes_a_quarter_within_bounds(
    monkeypatch: pytest.MonkeyPatch, memory_gib: float, mb: int
) -> None:
    monkeypatch.setattr(memory, "memory_bytes", lambda: int(memory_gib * GIB))
    assert buffers_mb() == mb


@pytest.mark.parametrize(
    ("limit", "known"), [("1048576\n", 1_048_576), ("max\n", None), (f"{2**63 - 4096}\n", None)]
)
def test_a_container_has_what_it_may_have(tmp_path: Path, limit: str, known: int | None) -> None:
    (tmp_path / "memory.max").write_text(limit)
    machine = memory_bytes([])
    found = memory_bytes([tmp_path / "memory.max", tmp_path / "not-there"])
    assert found == (machine if known is None else known)


def test_a_server_starts_with_less_where_its_part_is_not_to_be_had(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "buffers_mb", lambda: NO_SERVER_TAKES_MB)
    assert ask(reach(None, server_home), "SHOW shared_buffers") == f"{BUFFERS_MB_MIN}MB"
