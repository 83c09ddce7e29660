"""P11: the same work on a log of a quarter of a million facts, of one million and of four.

A log of each size stands in a database of its own and all are measured in turns, because the speed
of a shared machine drifts by more than what is looked for. A rebuild of four million facts is
measured once, between two of each smaller log.
"""

import random
import statistics
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench import logs
from bench.cast import DESK
from bench.cluster import Cluster
from bench.filler import Filler
from bench.pairs import Process, Watch, order, started
from bench.results import Series, short
from bench.templates import THIRTY
from bench.turns import Given
from edge.postgres.connections import Role, conninfo_for
from edge.store.postgres_store import PostgresLog
from edge.store.verify import verify

SIZES = (250_000, 1_000_000, 4_000_000)
ROUNDS = 5
FILES_A_TURN = 1_000  # for P1: finished files from all over the log
COMMANDS_A_TURN = 6_000
FACTS_A_TURN = 20_000
REPLAYS_A_TURN = 1_500
FILES_VERIFIED = 100
SEED = 11


@dataclass(frozen=True, slots=True)
class Log:
    """One of the ledgers; its last command may have brought a fact or two past its size."""

    size: int
    head: int
    filler: Filler


def measure(cluster: Cluster, sizes: Sequence[int], watch: Watch) -> dict[str, Any]:
    """Fill a log of each size and measure on them all; the entry of P11."""
    found: list[Log] = []
    for size in sorted(sizes):
        watch(f"filling {size:,} facts")
        filler = logs.lives(cluster.ledger(f"p11_{size}"), desks=True)
        filler.fill(facts=size)
        require_whole(filler)
        found.append(Log(size, filler.facts, filler))
    works = {"P5": ("facts/s", _rebuilds(cluster, found, watch))}
    for log in found:
        watch(f"filling {log.size:,} facts a little further")
        log.filler.fill(facts=log.head + (ROUNDS + 1) * FACTS_A_TURN)
    views = [_of_views(log) for log in found]
    works["P4"] = ("facts/s", _rounds(cluster, found, "p4_live_views", views, watch))
    replays = [_of_replays(log) for log in found]
    works["P6"] = ("files/s", _rounds(cluster, found, "p6_replay", replays, watch))
    commands = [_of_commands(log) for log in found]
    works["P1"] = ("commands/s", _rounds(cluster, found, "p1_commands", commands, watch))
    return entry(works, [log.size for log in found])


def require_whole(filler: Filler) -> None:
    """Chains and receipts of a few files of the filled log hold."""
    chance = random.Random(SEED)
    references = [each for kind in filler.finished.values() for each in kind]
    with PostgresLog(conninfo_for(filler.conninfo, Role.READER)) as log:
        for reference in chance.sample(references, min(FILES_VERIFIED, len(references))):
            assert verify(log, f"claim-{reference}").facts


def _rebuilds(cluster: Cluster, found: Sequence[Log], watch: Watch) -> list[Series]:
    """Each smaller log before the largest and after it."""
    series = [Series() for _ in found]
    for place in (*range(len(found)), *reversed(range(len(found) - 1))):
        given = {"conninfo": found[place].filler.conninfo}
        with started("p5_rebuild:ours", given) as side:
            if not series[place].turns:
                watch(f"P5 builds {found[place].size:,} facts for the first time")
                side.turn(0)
            cluster.checkpoint()
            watch(f"P5 builds {found[place].size:,} facts again")
            side.turn(1)
            side.end()
        series[place].turns += side.series.turns
        series[place].rss_mb = max(series[place].rss_mb, side.series.rss_mb)
    return series


def _rounds(
    cluster: Cluster, found: Sequence[Log], module: str, given: Sequence[Given], watch: Watch
) -> list[Series]:
    """One work on all logs, in turns; who goes first alternates."""
    sizes = [str(log.size) for log in found]
    with _processes(module, given) as sides:
        by_size = dict(zip(sizes, sides, strict=True))
        for turn in range(ROUNDS + 1):
            for size in order(sizes, turn, alternates=True):
                cluster.checkpoint()
                watch(f"{module} round {turn} at {int(size):,} facts")
                by_size[size].turn(turn)
        for side in sides:
            side.end()
    return [side.series for side in sides]


@contextmanager
def _processes(module: str, given: Sequence[Given]) -> Generator[list[Process]]:
    with ExitStack() as stack:
        yield [stack.enter_context(started(f"{module}:ours", each)) for each in given]


def _of_views(log: Log) -> Given:
    return {"conninfo": log.filler.conninfo, "first": log.head, "facts": FACTS_A_TURN}


def _of_replays(log: Log) -> Given:
    files = log.filler.finished[THIRTY]
    return {"conninfo": log.filler.conninfo, "files": files, "replays": REPLAYS_A_TURN}


def _of_commands(log: Log) -> Given:
    numbers = [int(reference.partition("-")[2]) for reference in log.filler.finished[DESK]]
    turns = ROUNDS + 1
    chosen = random.Random(SEED).sample(numbers, min(len(numbers), FILES_A_TURN * turns))
    return {
        "conninfo": log.filler.conninfo,
        "files": [chosen[turn::turns] for turn in range(turns)],
        "commands": COMMANDS_A_TURN,
    }


def entry(
    works: Mapping[str, tuple[str, Sequence[Series]]], sizes: Sequence[int]
) -> dict[str, Any]:
    """What is kept: of each work the rate and the memory at every size, and its fall in percent.

    `ratio` is the rate on the largest log over that on the smallest, of the work that fell most.
    """
    told: dict[str, dict[str, Any]] = {}
    kept: dict[str, list[float]] = {}
    for name, (unit, series) in sorted(works.items()):
        kept[name] = shares_kept(series[0], series[-1])
        told[name] = {
            "unit": unit,
            "rates": _by_size(sizes, [short(each.rate) for each in series]),
            "rss_mb": _by_size(sizes, [each.rss_mb for each in series]),
            "p99_ms": _by_size(sizes, [short(each.percentile_ms(0.99)) for each in series]),
            "fall": _fall(statistics.median(kept[name])),
            "fall_least": _fall(max(kept[name])),
            "fall_most": _fall(min(kept[name])),
        }
    worst = min(kept, key=lambda name: statistics.median(kept[name]))
    rates = list(told[worst]["rates"].values())
    return {
        "ratio": short(statistics.median(kept[worst])),
        "ratio_min": short(min(kept[worst])),
        "ratio_max": short(max(kept[worst])),
        "ours": rates[-1],
        "theirs": rates[0],
        "unit": told[worst]["unit"],
        "p99_ms": told["P6"]["p99_ms"][str(sizes[-1])] if "P6" in told else None,
        "rss_mb": max(mb for work in told.values() for mb in work["rss_mb"].values()),
        "pairs": len(kept[worst]),
        "fell_most": worst,
        "sizes": list(sizes),
        "works": told,
    }


def shares_kept(small: Series, large: Series) -> list[float]:
    """The rate on the large log over that on the small one, turn by turn.

    Where the large log had one turn, it is held against each of the small one's.
    """
    if len(large.turns) == 1:
        return [large.turns[0].rate / turn.rate for turn in small.turns]
    return [
        after.rate / before.rate for before, after in zip(small.turns, large.turns, strict=True)
    ]


def _fall(kept: float) -> float:
    return round((1 - kept) * 100, 1)


def _by_size(sizes: Sequence[int], values: Sequence[Any]) -> dict[str, Any]:
    return {str(size): value for size, value in zip(sizes, values, strict=True)}
