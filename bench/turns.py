"""What a side of a measurement is, and the ways in which it may take a turn.

Like everything that the peers' sides import it knows nothing of the product: what one side imports
is in its memory, which is measured.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from bench.results import Taken

Given = Mapping[str, Any]
"""What a side is told: names and numbers, as JSON has them."""
Turn = Callable[[int], Taken]
"""One side's work in one turn; turn 0 warms up and is not counted."""
Side = Callable[[Given], AbstractContextManager[Turn]]

CALLERS = 16

T = TypeVar("T")
R = TypeVar("R")


def at_once(
    callers: ThreadPoolExecutor, ask: Callable[[T], R], asked: Sequence[T]
) -> tuple[Taken, list[R]]:
    """Have every caller ask its share, one after the other; how long all and each of it took."""

    def share(first: int) -> tuple[list[R], list[float]]:
        answers: list[R] = []
        latencies: list[float] = []
        for each in asked[first::CALLERS]:
            before = time.perf_counter()
            answers.append(ask(each))
            latencies.append((time.perf_counter() - before) * 1_000)
        return answers, latencies

    started = time.perf_counter()
    shares = list(callers.map(share, range(CALLERS)))
    took = time.perf_counter() - started
    answers = [answer for of_one, _ in shares for answer in of_one]
    latencies = [round(each, 3) for _, of_one in shares for each in of_one]
    return Taken(len(answers), took, latencies), answers


def one_by_one(replay: Callable[[str], object], given: Given, turn: int) -> Taken:
    """Replay random ones of the files given, one after the other."""
    chance = random.Random(turn)
    files = chance.choices(given["files"], k=given["replays"])
    latencies: list[float] = []
    started = time.perf_counter()
    for each in files:
        before = time.perf_counter()
        replay(each)
        latencies.append((time.perf_counter() - before) * 1_000)
    took = time.perf_counter() - started
    return Taken(len(files), took, [round(each, 3) for each in latencies])
