"""How turns are taken: who goes first, and that nothing is asked twice or left out."""

from concurrent.futures import ThreadPoolExecutor

from bench.p1_commands import in_turns
from bench.pairs import order
from bench.turns import CALLERS, at_once


def test_who_goes_first_alternates() -> None:
    sides = ["ours", "theirs"]
    assert [order(sides, pair, alternates=True)[0] for pair in (1, 2, 3)] == [
        "ours",
        "theirs",
        "ours",
    ]


def test_where_one_side_works_on_what_the_other_made_it_goes_second() -> None:
    assert order(["ours", "theirs"], 2, alternates=False) == ["ours", "theirs"]


def test_sixteen_callers_ask_everything_once_and_each_is_timed() -> None:
    asked = list(range(101))
    with ThreadPoolExecutor(CALLERS) as callers:
        taken, answers = at_once(callers, lambda each: -each, asked)
    assert sorted(answers, reverse=True) == [-each for each in asked]
    assert (taken.count, len(taken.latencies_ms)) == (101, 101)


def test_no_two_turns_touch_the_same_file() -> None:
    turns = in_turns(7, 6)
    assert sorted(file for turn in turns for file in turn) == list(range(42))
    assert {len(turn) for turn in turns} == {7}
