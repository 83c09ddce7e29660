"""One Kafka broker for a measurement, with the ledger's topics and as many again for the mover."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.turns import Given
from commands.sources import Source
from consumers.topics import EVENTS, RECEIPTS, commands_topic
from edge.kafka import upkeep
from edge.kafka.clients import admin
from edge.kafka.topics import topics
from edge.settings import Settings
from tests.brokers.broker import Broker

COMMANDS = commands_topic(Source.DESK)  # the application that may send every command


@contextmanager
def own_broker() -> Generator[Given]:
    """A broker of this run's own; where it is, and the topics of either side: in, and out.

    The mover's are set as those that they stand for.
    """
    run = Path(tempfile.mkdtemp(prefix="claims-bench-kafka-"))
    broker = Broker(run, "kafka")
    try:
        broker.start()
        settings = broker.settings()
        _make_topics(settings)
        passed = (COMMANDS, RECEIPTS, EVENTS)
        yield {
            "bootstrap": settings.kafka_bootstrap,
            "topics": passed,
            "mover_topics": [_movers(name) for name in passed],
        }
    finally:
        broker.kill()
        shutil.rmtree(run)


def _make_topics(settings: Settings) -> None:
    """As `claims topics create` does it."""
    asked = topics(settings)
    again = [
        replace(topic, name=_movers(topic.name))
        for topic in asked
        if topic.name in (COMMANDS, RECEIPTS, EVENTS)
    ]
    client = admin(settings)
    try:
        upkeep.create(client, [*asked, *again], [])
        left = upkeep.settled(client, [*asked, *again], [])
        assert not left, left
    finally:
        client.close()


def _movers(name: str) -> str:
    return f"mover.{name}"
