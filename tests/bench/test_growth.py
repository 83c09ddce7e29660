"""What growth costs, as the entry of P11 tells it."""

from bench.p11_growth import entry, shares_kept
from bench.results import Series, Taken


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
