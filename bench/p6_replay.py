"""P6: one file of 30 facts replayed from PostgreSQL, beside the library's `repository.get`.

Files are taken at random from thousands, so that neither side has one at hand: the library caches
no aggregate unless it is told to, and ours reads the facts each time.
"""

from collections.abc import Generator
from contextlib import contextmanager

from bench import logs, peer
from bench.cluster import Cluster
from bench.pairs import Measurement, Sized
from bench.templates import FACTS_OF_A_REPLAY, THIRTY
from bench.turns import Given, Turn, one_by_one
from replay.file import file_at

FILES = 4_000
REPLAYS_A_TURN = 3_000
PEER_FILES = 2_000
PEER_REPLAYS_A_TURN = 1_000


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """Thousands of files of exactly 30 facts on either side, ours scattered over the log."""
    ours, theirs = cluster.ledger("p6_ours"), cluster.empty("p6_theirs")
    filler = logs.lives(ours, kinds=lambda template: template.kind == THIRTY)
    filler.fill(files=sized.of(FILES))
    return {
        "ours": {
            "conninfo": ours,
            "files": filler.finished[THIRTY],
            "replays": sized.of(REPLAYS_A_TURN),
        },
        "theirs": {
            "conninfo": theirs,
            "files": peer.fill(theirs, sized.of(PEER_FILES), FACTS_OF_A_REPLAY),
            "events": FACTS_OF_A_REPLAY,
            "replays": sized.of(PEER_REPLAYS_A_TURN),
        },
    }


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """From the reference to the state of the file, as `claims file` reads it."""
    with logs.opened(given["conninfo"]) as books:

        def replay(reference: str) -> None:
            stream = f"claim-{reference}"
            file = file_at(books.log.histories([stream])[stream])
            assert file.known == FACTS_OF_A_REPLAY

        yield lambda number: one_by_one(replay, given, number)


MEASUREMENT = Measurement(
    key="P6",
    about=f"replay of a file of {FACTS_OF_A_REPLAY} facts",
    peer="eventsourcing: repository.get",
    unit="files/s",
    reach=5.0,
    prepare=prepare,
    sides={"ours": "p6_replay:ours", "theirs": "peer_turns:replay"},
    p99_ms_max=5.0,
)
