"""P1: durable commands a second, a hundred in a batch, beside the library's get, method, save."""

import random
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bench import desk, logs, peer
from bench.cast import PRIOR_FACTS
from bench.cluster import Cluster
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import Given, Turn
from commands.door import read
from commands.receipt import Receipt

BATCH = 100
PEER_S_MAX = 3.0


class Counts(NamedTuple):
    """How many files and commands each side has in a turn."""

    files: int  # nobody has touched them before; each gets several commands
    commands: int
    peer_files: int
    peer_commands: int


COUNTS = Counts(files=5_000, commands=20_000, peer_files=2_500, peer_commands=2_500)


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """The peer stops at a time, for it is slow."""
    given = desks(cluster, "p1", sized, COUNTS)
    seconds = sized.of(1_000) / 1_000 * PEER_S_MAX
    return {**given, "theirs": {**given["theirs"], "seconds": seconds}}


def desks(cluster: Cluster, key: str, sized: Sized, counts: Counts) -> dict[str, Given]:
    """Files of five facts for every turn of either side; turn 0 warms up."""
    turns = sized.pairs + 1
    files, peer_files = sized.of(counts.files), sized.of(counts.peer_files)
    ours, theirs = cluster.ledger(f"{key}_ours"), cluster.empty(f"{key}_theirs")
    logs.desk_files(ours, files * turns)
    return {
        "ours": {
            "conninfo": ours,
            "files": in_turns(files, turns),
            "commands": sized.of(counts.commands),
        },
        "theirs": {
            "conninfo": theirs,
            "ids": peer.fill(theirs, peer_files * turns, PRIOR_FACTS),
            "files": in_turns(peer_files, turns),
            "commands": sized.of(counts.peer_commands),
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
