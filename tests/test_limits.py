"""Every limit has a name and a reason, and the page that lists them says what the code says."""

import sys
from pathlib import Path

import pytest

from tests import limits
from tests.limits import PAGE, ROOMS, page

WRITE_IT = "the page is not what the code says: python -m tests.limits writes it"


def test_the_page_of_limits_says_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(), WRITE_IT


def test_every_limit_has_a_reason_beside_it() -> None:
    found = [each for room in ROOMS for each in limits.limits(room)]
    assert [each.name for each in found if not each.reason] == []


def test_a_limit_is_found_with_its_value_its_unit_and_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up_room").mkdir()
    (tmp_path / "made_up_room" / "queue.py").write_text(
        "# Two lines above it\n# say why.\nQUEUE_BYTES_MAX = 4_000\n"
        "PAUSES_S = (0.5, 2.0)  # beside it\n"
        "BARE_MAX = 7\n"
        "NAME_MAX = 'no number'\nPLAIN = 3\n"
    )
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = [
        (each.name.rpartition(".")[2], each.value, each.unit, each.reason)
        for each in limits.limits("made_up_room")
    ]
    assert found == [
        ("QUEUE_BYTES_MAX", "4,000", "bytes", "Two lines above it say why."),
        ("PAUSES_S", "0.5, 2.0", "seconds", "beside it"),
        ("BARE_MAX", "7", "number", ""),
    ]
