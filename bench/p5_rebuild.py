"""P5: building the read models again, beside a bare SELECT of the same log.

Ours counts from the command until the views are swapped in: read, fold, copy, index, reconcile. The
limit reads every row of the log through psycopg, in binary and in the order of positions, and has
`json.loads` decode it: what any program must do before it can do something with a fact.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from bench import logs
from bench.cluster import Cluster
from bench.p4_live_views import FIRST_PATH, sides
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import Given, Turn
from consumers.rebuild import rebuild
from projections.view import views

FACTS = 400_000  # a small portfolio's; of 120,000, a tenth of the time goes to beginning and ending


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """One log for all sides; the views are there before the first rebuild, as they are in life."""
    conninfo = cluster.ledger("p5_log")
    logs.lives(conninfo).fill(facts=sized.of(FACTS))
    with logs.opened(conninfo) as books:
        books.level()
    return {side: {"conninfo": conninfo} for side in MEASUREMENT.sides}


@contextmanager
def again(given: Given, names: Sequence[str]) -> Generator[Turn]:
    """These views, built again from the first fact to the last."""
    with logs.opened(given["conninfo"]) as books:

        def turn(_: int) -> Taken:
            facts = books.log.head()
            started = time.perf_counter()
            done = rebuild(books.doors, views(*names), workers=given.get("workers"))
            took = time.perf_counter() - started
            assert all(each.swapped and each.facts == facts for each in done), done
            return Taken(facts, took)

        yield turn


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """The three views of the first path."""
    with again(given, FIRST_PATH) as turn:
        yield turn


@contextmanager
def ours_every_view(given: Given) -> Generator[Turn]:
    """Every view that the program knows."""
    with again(given, ()) as turn:
        yield turn


MEASUREMENT = Measurement(
    key="P5",
    about="three views built again",
    peer="SELECT of the log, json.loads",
    unit="facts/s",
    reach=0.35,
    prepare=prepare,
    sides=sides("p5_rebuild", "limits:select"),
)
