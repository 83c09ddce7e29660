"""P2: sixteen callers at once, each sending one command and waiting for its answer."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench import logs
from bench.cluster import Cluster
from bench.p1_commands import Counts, bodies, desks, require_accepted
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import CALLERS, Given, Turn, at_once
from commands.door import read
from commands.group import GroupCommit
from commands.receipt import Receipt

COUNTS = Counts(files=4_000, commands=12_000, peer_files=2_500, peer_commands=1_600)


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """Files as for P1."""
    return desks(cluster, "p2", sized, COUNTS)


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """Each caller reads its command and waits for the receipt; they share the commits."""
    with (
        logs.opened(given["conninfo"]) as books,
        GroupCommit(books.ledger) as group,
        ThreadPoolExecutor(CALLERS) as callers,
    ):

        def ask(body: bytes) -> Receipt:
            return group.handle(read(body), len(body))

        def turn(number: int) -> Taken:
            taken, receipts = at_once(callers, ask, bodies(given, number))
            require_accepted(receipts)
            return taken

        yield turn


MEASUREMENT = Measurement(
    key="P2",
    about="16 callers, one command each at a time",
    peer="eventsourcing: 16 threads",
    unit="commands/s",
    reach=10.0,
    prepare=prepare,
    sides={"ours": "p2_callers:ours", "theirs": "peer_turns:callers"},
    p99_ms_max=50.0,
)
