"""P4: keeping the read models level, beside the library's runner with one upsert an event.

Both drain facts that are on the log already, the position in the transaction of the rows, so that
no writer's speed is measured. Ours writes into live tables with all their indexes.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from bench import logs
from bench.cluster import Cluster
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import Given, Turn
from projections.view import views

FIRST_PATH = ("audit", "caseload", "reserves")  # what the ratio is about, however many there are
FACTS_A_TURN = 60_000
PEER_FILES_A_TURN = 250
PEER_EVENTS = 10


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """A log with the facts of all turns, a copy of it for each of our sides."""
    given: dict[str, Given] = {}
    facts = sized.of(FACTS_A_TURN)
    for side in MEASUREMENT.sides:
        if side != "theirs":
            conninfo = cluster.ledger(f"p4_{side}")
            logs.lives(conninfo).fill(facts=facts * (sized.pairs + 1))
            given[side] = {"conninfo": conninfo, "first": 0, "facts": facts}
    given["theirs"] = {
        "conninfo": cluster.empty("p4_theirs"),
        "files": sized.of(PEER_FILES_A_TURN),
        "events": PEER_EVENTS,
    }
    return given


@contextmanager
def level(given: Given, names: Sequence[str]) -> Generator[Turn]:
    """The next facts of the log, into these views."""
    with logs.opened(given["conninfo"]) as books:

        def turn(number: int) -> Taken:
            until = given["first"] + (number + 1) * given["facts"]
            started = time.perf_counter()
            facts = books.projector.catch_up(views(*names), until=until)
            took = time.perf_counter() - started
            assert facts == given["facts"], facts
            return Taken(facts, took)

        yield turn


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """The three views of the first path."""
    with level(given, FIRST_PATH) as turn:
        yield turn


@contextmanager
def ours_every_view(given: Given) -> Generator[Turn]:
    """Every view that the program knows."""
    with level(given, ()) as turn:
        yield turn


def sides(module: str, theirs: str) -> dict[str, str]:
    """Ours with the three views and, where there are more, with every one."""
    told = {"ours": f"{module}:ours", "theirs": theirs}
    if {each.name for each in views()} > set(FIRST_PATH):
        told["ours_every_view"] = f"{module}:ours_every_view"
    return told


MEASUREMENT = Measurement(
    key="P4",
    about="three views kept level",
    peer="ProjectionRunner, one upsert an event",
    unit="facts/s",
    reach=40.0,
    prepare=prepare,
    sides=sides("p4_live_views", "peer_turns:projection"),
)
