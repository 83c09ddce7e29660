"""P1: durable commands a second, a hundred in a batch, beside the library's get, method, save."""

import random
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from bench import desk, logs, peer
from bench.cast import PRIOR_FACTS
from bench.cluster import Cluster
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import Given, Turn
from commands.door import read
from commands.receipt import Receipt

FILES_A_TURN = 5_000  # nobody has touched them before; each gets several commands
COMMANDS_A_TURN = 20_000
BATCH = 100
PEER_FILES_A_TURN = 2_500
PEER_COMMANDS_A_TURN = 2_500
PEER_S_MAX = 3.0


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """Files of five facts for every turn of either side; turn 0 warms up."""
    turns = sized.pairs + 1
    files, peer_files = sized.of(FILES_A_TURN), sized.of(PEER_FILES_A_TURN)
    ours, theirs = cluster.ledger("p1_ours"), cluster.empty("p1_theirs")
    logs.desk_files(ours, files * turns)
    return {
        "ours": {
            "conninfo": ours,
            "files": in_turns(files, turns),
            "commands": sized.of(COMMANDS_A_TURN),
        },
        "theirs": {
            "conninfo": theirs,
            "ids": peer.fill(theirs, peer_files * turns, PRIOR_FACTS),
            "files": in_turns(peer_files, turns),
            "commands": sized.of(PEER_COMMANDS_A_TURN),
            "seconds": sized.of(1_000) / 1_000 * PEER_S_MAX,
        },
    }


def in_turns(files: int, turns: int) -> list[list[int]]:
    """So many files for each turn, that no other turn touches."""
    return [list(range(turn * files, (turn + 1) * files)) for turn in range(turns)]


def bodies(given: Given, turn: int) -> list[bytes]:
    """The commands of one turn, as their senders write them."""
    chance = random.Random(turn)
    numbers = chance.choices(given["files"][turn], k=given["commands"])
    return list(desk.estimates(numbers, chance, f"turn-{turn}"))


def require_accepted(receipts: Sequence[Receipt]) -> None:
    """A refused command is no work: it would be counted for less than was asked."""
    refused = next((receipt for receipt in receipts if not receipt.accepted), None)
    assert refused is None, refused


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """JSON bytes in, receipts out, through the one path that writes."""
    with logs.opened(given["conninfo"]) as books:
        ledger = books.ledger

        def turn(number: int) -> Taken:
            sent = bodies(given, number)
            receipts: list[Receipt] = []
            started = time.perf_counter()
            for first in range(0, len(sent), BATCH):
                receipts += ledger.handle_many([read(each) for each in sent[first : first + BATCH]])
            took = time.perf_counter() - started
            assert len(receipts) == len(sent)
            require_accepted(receipts)
            return Taken(len(receipts), took)

        yield turn


MEASUREMENT = Measurement(
    key="P1",
    about="durable commands, 100 a batch",
    peer="eventsourcing: get, method, save",
    unit="commands/s",
    reach=20.0,
    prepare=prepare,
    sides={"ours": "p1_commands:ours", "theirs": "peer_turns:commands"},
)
