"""The mover of P9: kafka-python takes commands, and sends what answers them, all known before.

It does what whoever writes such a loop with care would do, and nothing else: a poll, its messages
out, all of them acknowledged, then the offsets. `theirs` keeps it supplied; `python -m bench.mover`
is the process that moves.
"""

import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle

from bench import lane
from bench.lane import Program, Sent
from bench.results import Taken
from bench.side import peak_mb
from bench.turns import Given, Turn

GROUP = "mover"
POLL_MS = 1_000
POLL_MESSAGES_MAX = 500
LINGER_MS = 2
BATCH_BYTES_MAX = 131_072
READY = "ready"


@contextmanager
def theirs(given: Given) -> Generator[Turn]:
    """It moves, in every turn, the very bytes that our side had in the turn that warmed it up."""
    bootstrap: str = given["bootstrap"]
    commands: list[Sent] = []
    with ExitStack() as opened:
        movers: list[Program] = []

        def turn(_: int) -> Taken:
            if not movers:
                commands.extend(lane.held(bootstrap, given["topics"][0]))
                assert commands, "our side was to go first"
                movers.append(opened.enter_context(_moving(given)))
            took = lane.pass_through(bootstrap, given["mover_topics"], commands, movers)
            return Taken(len(commands), took, processes_mb={"mover": peak_mb(movers[0].pid)})

        yield turn


@contextmanager
def _moving(given: Given) -> Generator[Program]:
    """The process that moves, once it knows what it will send."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.mover", json.dumps(dict(given))],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == READY
            yield child
        finally:
            child.kill()


def main(arguments: Sequence[str]) -> None:
    """Move until killed."""
    given = json.loads(arguments[0])
    bootstrap = given["bootstrap"]
    source, *out = given["mover_topics"]
    answers = cycle(
        zip(*(list(lane.held(bootstrap, each)) for each in given["topics"][1:]), strict=True)
    )
    incoming = lane.consumer(
        bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        max_poll_records=POLL_MESSAGES_MAX,
    )
    incoming.subscribe([source])
    outgoing = lane.producer(bootstrap, batch_size=BATCH_BYTES_MAX, linger_ms=LINGER_MS)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    while True:
        sent = [
            outgoing.send(topic, each.value, key=each.key, headers=each.headers)
            for messages in incoming.poll(POLL_MS).values()
            for _ in messages
            for topic, each in zip(out, next(answers), strict=True)
        ]
        if sent:
            for each in sent:
                each.get(lane.ACKNOWLEDGED_S_MAX)
            incoming.commit()


if __name__ == "__main__":
    main(sys.argv[1:])
