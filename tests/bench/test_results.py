"""The results file: what joins it, what stays, and what the figures in it mean."""

import json
from pathlib import Path

import pytest

from bench.results import Series, Taken, entry, join, load, measurements, percentile

MACHINE = {"cpu": "one"}


def series(*rates: float) -> Series:
    """Turns of one second each."""
    return Series([Taken(round(rate), 1.0) for rate in rates], rss_mb=50)


def test_a_measurement_replaces_its_own_entry_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    join({"P1": {"ratio": 1}, "P3": {"ratio": 3}}, MACHINE, path)
    join({"P10": {"ratio": 10}, "P1": {"ratio": 2}}, {"cpu": "two"}, path)
    kept = load(path)
    assert {key: told["ratio"] for key, told in measurements(kept).items()} == {
        "P1": 2,
        "P3": 3,
        "P10": 10,
    }
    assert list(measurements(kept)) == ["P1", "P3", "P10"]
    assert kept["machine"] == {"cpu": "two"}
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def test_entries_of_an_unknown_kind_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"P9": {"ratio": 0.5, "more": [1]}, "commit": "a"}), "utf-8")
    join({"P1": {"ratio": 1}}, MACHINE, path)
    assert load(path)["P9"] == {"ratio": 0.5, "more": [1]}


def test_the_ratio_is_the_median_of_the_pairs_and_not_of_the_sides() -> None:
    told = entry("facts/s", series(100, 400, 900), series(100, 200, 100))
    assert (told["ratio"], told["ratio_min"], told["ratio_max"]) == (2, 1, 9)
    assert (told["ours"], told["theirs"]) == (400, 100)
    assert (told["pairs"], told["rss_mb"], told["p99_ms"]) == (3, 50, None)


def test_a_side_with_another_number_of_turns_makes_no_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        entry("facts/s", series(1, 2), series(1))


def test_what_is_measured_beside_ours_is_held_against_the_same_peer() -> None:
    told = entry("facts/s", series(100), series(50), ours_every_view=series(25))
    assert (told["ours_every_view"], told["ours_every_view_ratio"]) == (25, 0.5)


def test_a_latency_is_that_of_all_turns_together() -> None:
    fast, slow = Taken(99, 1.0, [1.0] * 99), Taken(2, 1.0, [7.0, 9.0])
    told = entry("files/s", Series([fast, slow]), series(1, 1))
    assert (told["p50_ms"], told["p99_ms"]) == (1, 7)


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([], 0.99, None),
        ([5.0], 0.99, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(each) for each in range(1, 101)], 0.99, 99.0),
        ([float(each) for each in range(1, 101)], 1.0, 100.0),
    ],
)
def test_a_percentile_is_a_value_that_occurred(
    values: list[float], share: float, found: float | None
) -> None:
    assert percentile(values, share) == found
