"""What a topic holds, and a broker with the ledger's topics for those who follow them."""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consumers.fact_messages import Followed, read_fact
from consumers.messages import Record
from edge.kafka.clients import admin, consumer
from edge.settings import Settings
from tests.brokers.broker import Broker, password_of
from tests.edge.cli.invoking import Line

TAKE_MS = 500
LEDGER = "ledger"


def line_on(broker: Broker, conninfo: str, user: str = LEDGER) -> Line:
    """The command line on a database and a broker."""
    return Line(
        {
            "CLAIMS_DSN": conninfo,
            "CLAIMS_KAFKA_BOOTSTRAP": broker.sasl,
            "CLAIMS_KAFKA_SECURITY": "sasl_plaintext",
            "CLAIMS_KAFKA_USER": user,
            "CLAIMS_KAFKA_PASSWORD": password_of(user),
        }
    )


def with_topics(broker: Broker) -> None:
    """Give a broker the ledger's topics."""
    done = Line({"CLAIMS_KAFKA_BOOTSTRAP": broker.plain}).apart("topics", "create")
    assert done.code == 0, done.err


@contextmanager
def of_its_own(run: Path, name: str) -> Generator[Broker]:
    """A broker that only these tests use, with the ledger's topics."""
    broker = Broker(run, f"{name}-{os.getpid()}")
    try:
        broker.start()
        with_topics(broker)
        yield broker
    finally:
        broker.kill()


def made(broker: Broker, topic: str, partitions: int = 3) -> None:
    """Make another topic."""
    client = admin(broker.settings())
    client.create_topics({topic: {"num_partitions": partitions}}, wait_for_metadata=True)
    client.close()


def everything(settings: Settings, topic: str) -> list[Record]:
    """All that a topic holds by now, partition by partition."""
    client: Any = consumer(settings, None)
    found: dict[int, list[Record]] = {}
    try:
        client.subscribe([topic])
        ends: dict[Any, int] = {}
        while not ends or any(client.position(each) < end for each, end in ends.items()):
            for partition, messages in client.poll(TAKE_MS).items():
                found.setdefault(partition.partition, []).extend(
                    Record(each.key, each.value, tuple(each.headers)) for each in messages
                )
            ends = ends or client.end_offsets(list(client.assignment()))
    finally:
        client.close()
    return [record for number in sorted(found) for record in found[number]]


def facts(records: Iterable[Record], prefix: str) -> list[Followed]:
    """The facts of the files whose names begin so, each as often as it is there."""
    ours = [each for each in records if (each.key or b"").startswith(prefix.encode())]
    return [read_fact(each) for each in ours]


def files(found: Iterable[Followed]) -> dict[str, list[int]]:
    """The versions of each file as a follower meets them that takes each id once."""
    met: dict[str, dict[int, None]] = {}
    for each in found:
        met.setdefault(each.stream, {})[each.version] = None
    return {stream: list(versions) for stream, versions in met.items()}
