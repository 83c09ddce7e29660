"""Reading the topic of dead letters: from its beginning to where it ends now, or one of them."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from consumers.messages import Record
from consumers.topics import DEAD
from edge.kafka.clients import REQUEST_MS_MAX, broker_errors, consumer
from edge.kafka.errors import BrokerDidNotAnswer, NoDeadLetter, TopicMissing
from edge.kafka.library import TopicPartition
from edge.kafka.verbatim import record_of
from edge.settings import Settings


class Place(NamedTuple):
    """Where a dead letter is in its topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


def dead_records(settings: Settings) -> Iterator[tuple[Place, Record]]:
    """Every dead letter that is there now, in order. Raises a `BrokerUnavailable`."""
    with _reading(settings) as (client, held):
        ends: dict[Any, int] = client.end_offsets(held)
        client.seek_to_beginning(*held)
        while any(client.position(place) < ends[place] for place in held):
            for place, messages in _polled(client, settings).items():
                for message in messages:
                    if message.offset < ends[place]:
                        yield Place(message.partition, message.offset), record_of(message)


def dead_record(settings: Settings, place: Place) -> Record:
    """The dead letter at a place. Raises `NoDeadLetter` or a `BrokerUnavailable`."""
    with _reading(settings) as (client, held):
        asked = TopicPartition(DEAD, place.partition)
        if asked not in held:
            raise NoDeadLetter(str(place))
        first, end = client.beginning_offsets([asked])[asked], client.end_offsets([asked])[asked]
        if not first <= place.offset < end:
            raise NoDeadLetter(str(place))
        client.seek(asked, place.offset)
        client.pause(*(other for other in held if other != asked))
        message = _polled(client, settings, max_records=1)[asked][0]
        if message.offset != place.offset:  # a place that holds only a mark of a transaction
            raise NoDeadLetter(str(place))
        return record_of(message)


@contextmanager
def _reading(settings: Settings) -> Generator[tuple[Any, list[Any]]]:
    """A consumer of all partitions, in no group."""
    client = consumer(settings, None)
    try:
        with broker_errors(settings):
            numbers = client.partitions_for_topic(DEAD)
            if not numbers:
                raise TopicMissing(settings.kafka_bootstrap or "", DEAD)
            held = [TopicPartition(DEAD, number) for number in sorted(numbers)]
            client.assign(held)
            yield client, held
    finally:
        client.close()


def _polled(client: Any, settings: Settings, **limits: int) -> dict[Any, list[Any]]:
    """The next messages, of which there are some."""
    found: dict[Any, list[Any]] = client.poll(REQUEST_MS_MAX, **limits)
    if not found:
        raise BrokerDidNotAnswer(settings.kafka_bootstrap or "", "it hands out no dead letters")
    return found
