"""The witness: how far the group has committed, and what of its answers is there by then."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from kafka.errors import KafkaError

from consumers.answering import Partition
from consumers.topics import DEAD, RECEIPTS
from edge.kafka.clients import admin, consumer
from edge.kafka.errors import BrokerUnavailable
from edge.kafka.library import TopicPartition
from edge.settings import Settings
from tests.faults.journal import entries
from tests.faults.process import Task

LOOK_S = 0.7
AWAY_S = 0.3
GROUP = "ledger.consume"
WITNESS = "witness.jsonl"  # the journal

Places = dict[Partition, int]


class Seen(NamedTuple):
    """What was committed, and, looked up afterwards, where the topics of answers ended."""

    committed: Places
    ends: Places


class Looking:
    """Asks a broker for both; made anew for one that went away."""

    def __init__(self, settings: Settings) -> None:
        """Raises a `BrokerUnavailable`."""
        self._admin = admin(settings)
        try:
            self._consumer = consumer(settings, None)
        except BaseException:
            self._admin.close()
            raise

    def seen(self) -> Seen:
        """Both, as of now. Raises a `KafkaError`."""
        return Seen(self.committed(), self.ends(RECEIPTS, DEAD))

    def committed(self) -> Places:
        """Where the group reads on, of every partition that it has committed."""
        found: dict[Any, Any] = self._admin.list_group_offsets({GROUP: None})[GROUP]
        return {Partition(*place): told.offset for place, told in found.items() if told.offset >= 0}

    def ends(self, *topics: str) -> Places:
        """Where topics end now."""
        places = [
            TopicPartition(topic, number)
            for topic in topics
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        found: dict[Any, int] = self._consumer.end_offsets(places)
        return {Partition(*place): end for place, end in found.items()}

    def close(self) -> None:
        for client in (self._admin, self._consumer):
            with suppress(KafkaError):
                client.close()


def watch(task: Task, stopping: threading.Event, *, bootstrap: str) -> None:
    """Look and write down until told to stop, through every absence of the broker."""
    journal, settings = task.journal(), Settings.model_validate({"kafka_bootstrap": bootstrap})
    while not stopping.is_set():
        try:
            looking = Looking(settings)
        except BrokerUnavailable:
            stopping.wait(AWAY_S)
            continue
        try:
            while not stopping.wait(LOOK_S):
                committed, ends = looking.seen()
                journal.write(committed=_listed(committed), ends=_listed(ends))
        except (KafkaError, BrokerUnavailable):
            stopping.wait(AWAY_S)
        finally:
            looking.close()


def all_seen(path: Path) -> Iterator[Seen]:
    """What a witness wrote down."""
    for entry in entries(path):
        if "committed" in entry:
            yield Seen(_places(entry["committed"]), _places(entry["ends"]))


def _listed(places: Places) -> list[tuple[str, int, int]]:
    return [(place.topic, place.number, offset) for place, offset in places.items()]


def _places(listed: list[tuple[str, int, int]]) -> Places:
    return {Partition(topic, number): offset for topic, number, offset in listed}
