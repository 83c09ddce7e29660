"""P9: commands from Kafka to receipts and facts on Kafka, beside a loop that only moves bytes."""

import random
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import desk, lane, logs, pacing
from bench.cluster import Cluster
from bench.kafka_home import own_broker
from bench.lane import Program, Sent
from bench.p1_commands import in_turns
from bench.pairs import Measurement, Sized, own_environment
from bench.results import Taken
from bench.side import peak_mb
from bench.turns import Given, Turn
from commands.door import Unread, read
from consumers.command_messages import write_command
from consumers.topics import EVENTS
from edge.relaying import RelayPosition

PACED_S = 4.0
LOAD = 0.5  # of the rate that the same turn reached
PROGRAMS = ("consume", "relay")
CLAIMS = Path(sys.executable).with_name("claims")


class Counts(NamedTuple):
    """How many files and commands our side has in a turn."""

    files: int  # no other turn touches them
    commands: int


COUNTS = Counts(files=2_000, commands=8_000)


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """Small open files for every turn; the topic of facts begins behind them."""
    turns, files = sized.pairs + 1, sized.of(COUNTS.files)
    ours = cluster.ledger("p9_ours")
    logs.desk_files(ours, files * turns)
    begin_behind(ours)
    return {
        "ours": {
            "conninfo": ours,
            "files": in_turns(files, turns),
            "commands": sized.of(COUNTS.commands),
            "paced_s": sized.of(1_000) / 1_000 * PACED_S,
        },
        "theirs": {},
    }


def begin_behind(conninfo: str) -> None:
    """Let the relay take what the ledger holds now as published."""
    with logs.opened(conninfo) as books:
        kept = RelayPosition(books, EVENTS)
        try:
            assert kept.held()
            kept.move(books.log.head())
        finally:
            kept.close()


@contextmanager
def working(given: Given) -> Generator[dict[str, Program]]:
    """`claims consume` and `claims relay`, logging as in their containers; each by its name."""
    settings = {
        "CLAIMS_DSN": given["conninfo"],
        "CLAIMS_KAFKA_BOOTSTRAP": given["bootstrap"],
        "CLAIMS_LOG_JSON": "true",
    }
    with ExitStack() as opened:
        programs: dict[str, Program] = {}
        for name in PROGRAMS:
            child = opened.enter_context(
                subprocess.Popen(
                    [str(CLAIMS), name],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=own_environment() | settings,
                )
            )
            opened.callback(child.kill)
            programs[name] = child
        yield programs


def commands(numbers: Sequence[int], chance: random.Random, about: str) -> Iterator[Sent]:
    """An estimate on each of these files, as the application of the desks sends it."""
    for body in desk.estimates(numbers, chance, about):
        command = read(body)
        assert not isinstance(command, Unread), command
        key, value, headers = write_command(command, body, "urn:desk")
        assert key is not None
        assert value is not None
        yield Sent(key, value, [(name, told) for name, told in headers if told is not None])


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """First as fast as it goes, then, at half of that, how long each command waits for its receipt.

    An accepted command has one fact, so that as many facts as commands are as many accepted ones.
    """
    bootstrap, topics = given["bootstrap"], given["topics"]
    with working(given) as programs:

        def turn(number: int) -> Taken:
            chance = random.Random(number)
            files = given["files"][number]
            sent = list(
                commands(chance.choices(files, k=given["commands"]), chance, f"turn-{number}")
            )
            took = lane.pass_through(bootstrap, topics, sent, programs.values())
            rate = len(sent) / took
            latencies: list[float] = []
            if number:
                paced = chance.choices(files, k=round(given["paced_s"] * rate * LOAD))
                latencies = pacing.latencies_ms(
                    bootstrap,
                    topics[:2],
                    list(commands(paced, chance, f"paced-{number}")),
                    rate * LOAD,
                )
            peaks = {name: peak_mb(program.pid) for name, program in programs.items()}
            return Taken(len(sent), took, latencies, peaks)

        yield turn


MEASUREMENT = Measurement(
    key="P9",
    about="commands in, receipts and facts out, over Kafka",
    peer="kafka-python moving the same bytes",
    unit="commands/s",
    reach=0.3,
    prepare=prepare,
    beside=own_broker,
    sides={"ours": "p9_kafka:ours", "theirs": "mover:theirs"},
    p99_ms_max=150.0,
)
