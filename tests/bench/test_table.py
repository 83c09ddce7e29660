"""The table says what the results file says."""

import pytest

from bench.__main__ import SHORT
from bench.pairs import found
from bench.results import load
from bench.table import BEGIN, END, PAGE, memory_rows, rows, with_tables

KNOWN = [found(each) for each in SHORT]
ENTRY = {
    "ratio": 21.5,
    "ratio_min": 19.0,
    "ratio_max": 25.0,
    "ours": 11_000.0,
    "theirs": 500.0,
    "unit": "commands/s",
    "p99_ms": None,
    "rss_mb": 90,
    "pairs": 5,
}


def test_the_page_shows_what_was_measured_last() -> None:
    page = PAGE.read_text("utf-8")
    assert with_tables(page, load(), KNOWN) == page


def test_each_measurement_has_its_row_and_its_reach() -> None:
    (row,) = rows({"P1": ENTRY}, KNOWN)
    assert row[0] == "P1"
    assert row[3:8] == ["20 x", "21.5 x", "19 - 25", "11,000", "500"]


def test_every_view_has_a_row_of_its_own() -> None:
    kept = {"P4": {**ENTRY, "ours_every_view": 9_000.0, "ours_every_view_ratio": 18.0}}
    _, every = rows(kept, KNOWN)
    assert "18 x" in every
    assert "9,000" in every


def test_each_program_that_was_watched_has_its_memory_told() -> None:
    looks = {"first": 100, "last": 103, "peak": 110, "grew": 3, "looks": [100, 103]}
    kept = {"P9 memory": {"messages": 1_000_000, "programs": {"relay": looks}}}
    (row,) = memory_rows(kept)
    assert row == ["claims relay", "1,000,000", "100", "103", "110", "+3"]
    assert memory_rows({}) == []


def test_what_stands_around_the_table_stays() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = with_tables(text, {}, KNOWN)
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written


def test_a_page_without_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="no <!--"):
        with_tables("no marks", {}, KNOWN)
