"""What growth costs, as the entry of P11 tells it."""

from collections.abc import Iterator

import pytest

from bench import logs, p11_growth
from bench.cluster import Cluster
from bench.p11_growth import entry, shares_kept
from bench.results import Series, Taken
from edge.postgres.server import Server

SIZES = (2_000, 4_001)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of everything: one that has few files under way soon has some finished."""
    monkeypatch.setattr(logs, "OPEN_FILES", 30)
    for name, count in {
        "ROUNDS": 2,
        "FILES_A_TURN": 5,
        "COMMANDS_A_TURN": 20,
        "FACTS_A_TURN": 200,
        "REPLAYS_A_TURN": 10,
    }.items():
        monkeypatch.setattr(p11_growth, name, count)


@pytest.fixture
def cluster(postgres: Server) -> Iterator[Cluster]:
    cluster = Cluster(postgres.conninfo)
    yield cluster
    for size in SIZES:
        cluster.drop(f"p11_{size}")


def series(*rates: int, rss_mb: int = 100) -> Series:
    return Series([Taken(rate, 1.0) for rate in rates], rss_mb)


def test_turns_of_the_same_round_are_held_against_each_other() -> None:
    assert shares_kept(series(100, 200), series(90, 100)) == [0.9, 0.5]


def test_one_turn_on_the_large_log_is_held_against_every_one_on_the_small_log() -> None:
    assert shares_kept(series(100, 50), series(50)) == [0.5, 1.0]


def test_the_entry_is_that_of_the_work_that_fell_most() -> None:
    told = entry(
        {
            "P1": ("commands/s", [series(100, 100), series(95, 99)]),
            "P4": ("facts/s", [series(200, 200, rss_mb=300), series(100, 140)]),
        },
        [250, 4_000],
    )
    assert (told["fell_most"], told["ratio"], told["ratio_min"]) == ("P4", 0.6, 0.5)
    assert (told["ours"], told["theirs"], told["unit"]) == (120, 200, "facts/s")
    assert told["rss_mb"] == 300
    assert told["works"]["P1"]["fall"] == 3.0
    assert told["works"]["P4"]["rates"] == {"250": 200, "4000": 120}


@pytest.mark.usefixtures("small")
def test_every_work_is_measured_at_every_size(cluster: Cluster) -> None:
    told = p11_growth.measure(cluster, SIZES, lambda _: None)
    assert told["sizes"] == list(SIZES)
    assert set(told["works"]) == {"P1", "P4", "P5", "P6"}
    for work in told["works"].values():
        assert all(rate > 0 for rate in work["rates"].values())
        assert all(mb > 0 for mb in work["rss_mb"].values())
