"""The red canary: a consumer that commits before it answers, and is killed in between.

What it had committed nobody reads again, so receipts are lost: the checks are known to see it.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from consumers.answering import Leaving, Partition
from edge.kafka.incoming import KafkaIncoming
from edge.kafka.outgoing import KafkaOutgoing
from tests.brokers.broker import Broker
from tests.faults import evidence
from tests.faults.checks import Finding
from tests.faults.cycle import employ
from tests.faults.over_kafka.checks import of_offsets, of_receipts
from tests.faults.over_kafka.cycle import LEVEL_S_MAX, LOOK_S, unanswered
from tests.faults.over_kafka.evidence import gather
from tests.faults.over_kafka.hub import Hub
from tests.faults.over_kafka.programs import consume
from tests.faults.over_kafka.sending import FINISH, send
from tests.faults.over_kafka.witness import watch
from tests.faults.points import meeting
from tests.faults.process import Child, Fate, Role, Task

BETWEEN = "after the offsets, before the receipts"
FATE = Fate(BETWEEN, passing=3)
SESSION_MS = 3_000
WRITERS = 3


def consume_eagerly(
    task: Task, stopping: threading.Event, *, bootstrap: str, session_ms: int
) -> None:
    """Answer commands as the ledger never does."""
    _send_after_commit(meeting(FATE, task.journal()))
    consume(task, stopping, bootstrap=bootstrap, session_ms=session_ms)


def _send_after_commit(passing: Callable[[str], None]) -> None:
    send_now, commit = KafkaOutgoing.send, KafkaIncoming.commit
    late: list[tuple[KafkaOutgoing, Sequence[Leaving]]] = []

    def held_back(self: KafkaOutgoing, leaving: Sequence[Leaving]) -> None:
        late.append((self, leaving))

    def committed_first(self: KafkaIncoming, offsets: Mapping[Partition, int]) -> bool:
        kept = commit(self, offsets)
        passing(BETWEEN)
        while late:
            send_now(*late.pop())
        return kept

    KafkaOutgoing.send = held_back  # type: ignore[method-assign]  # the canary is made ill
    KafkaIncoming.commit = committed_first  # type: ignore[method-assign]  # in this way


def sing(conninfo: str, broker: Broker, folder: Path, seed: str) -> list[Finding]:
    """Let it answer until it is killed, and a good one in its place; what the checks find then.

    The database is empty, and the broker a new one, which is ended.
    """
    employ(conninfo, folder)
    children: list[Child] = []

    def start(name: str, role: Callable[..., None], threads: int = 1) -> Child:
        day, began = datetime.now(UTC).date(), time.monotonic()
        task = Task(name, 0, seed, folder, conninfo, day, began, threads=threads)
        placed: Role = partial(role, bootstrap=broker.plain)
        children.append(Child(placed, task))
        return children[-1]

    try:
        hub = Hub(broker)
        start("witness", watch)
        sender = start("sender-0", send, WRITERS)
        ill = start("consumer-ill", partial(consume_eagerly, session_ms=SESSION_MS))
        _await(lambda: not ill.alive)
        (folder / FINISH).touch()
        start("consumer-well", partial(consume, session_ms=SESSION_MS))
        _await(lambda: not sender.alive and not unanswered(hub))
        time.sleep(1.0)  # the witness looks once more
        for child in children:
            child.end()
        left = gather(hub, conninfo, folder, evidence.gather(conninfo, folder).answers)
    finally:
        for child in children:
            child.kill()
        broker.kill()
    return [*of_receipts(left), *of_offsets(left)]


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LEVEL_S_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the canary did not come to its end")
        time.sleep(LOOK_S)
