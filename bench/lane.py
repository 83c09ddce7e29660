"""Topics that messages go through: filled, emptied and counted the same way for either side.

Like everything that the mover imports it knows nothing of the product.
"""

import subprocess
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from signal import SIGCONT, SIGSTOP
from typing import Any, NamedTuple

_kafka: Any = import_module("kafka")  # ships without types

PASSING_S_MAX = 600.0
LOOK_S = 0.01  # between two looks at how much has come out
ACKNOWLEDGED_S_MAX = 60.0


class Sent(NamedTuple):
    """A message as kafka-python takes it."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def consumer(bootstrap: str, **chosen: Any) -> Any:
    """A `KafkaConsumer` that commits nothing by itself."""
    return _kafka.KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **chosen)


def producer(bootstrap: str, **chosen: Any) -> Any:
    """A `KafkaProducer` whose messages are stored just once, by all there are to store them."""
    return _kafka.KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, **chosen
    )


def partitions(client: Any, topic: str) -> list[Any]:
    """The partitions of a topic that is there."""
    return [_kafka.TopicPartition(topic, each) for each in client.partitions_for_topic(topic)]


def put(bootstrap: str, topic: str, messages: Sequence[Sent]) -> None:
    """Have a topic hold these as well."""
    client = producer(bootstrap, batch_size=131_072, linger_ms=5)
    sent = [client.send(topic, each.value, key=each.key, headers=each.headers) for each in messages]
    client.flush(ACKNOWLEDGED_S_MAX)
    for each in sent:
        each.get(0)
    client.close()


def held(bootstrap: str, topic: str) -> Iterator[Sent]:
    """What a topic holds now."""
    client = consumer(bootstrap)
    try:
        places = partitions(client, topic)
        ends = client.end_offsets(places)
        client.assign(places)
        client.seek_to_beginning(*places)
        while any(client.position(place) < ends[place] for place in places):
            for messages in client.poll(1_000).values():
                for each in messages:
                    yield Sent(each.key, each.value, list(each.headers))
    finally:
        client.close()


@contextmanager
def counting(bootstrap: str, topics: Sequence[str]) -> Generator[Callable[[], list[int]]]:
    """How many messages each of these topics has ever held, whenever asked."""
    client = consumer(bootstrap)
    try:
        places = {topic: partitions(client, topic) for topic in topics}

        def count() -> list[int]:
            ends = client.end_offsets([each for some in places.values() for each in some])
            return [sum(ends[place] for place in some) for some in places.values()]

        yield count
    finally:
        client.close()


Program = subprocess.Popen[Any]


@contextmanager
def halted(programs: Iterable[Program]) -> Generator[None]:
    """Nothing of them moves meanwhile; they know of nothing, and go on afterwards."""
    for program in programs:
        program.send_signal(SIGSTOP)
    try:
        yield
    finally:
        for program in programs:
            program.send_signal(SIGCONT)


def pass_through(
    bootstrap: str, topics: Sequence[str], messages: Sequence[Sent], programs: Collection[Program]
) -> float:
    """Let the programs turn messages that lie ready in the first topic into as many on each other.

    Returns the seconds from when they start to when the last one is there, acknowledged.
    """
    source, *out = topics
    with counting(bootstrap, out) as count:
        asked = [each + len(messages) for each in count()]
        with halted(programs):
            put(bootstrap, source, messages)
        started = time.perf_counter()
        wait_until(count, asked, programs, LOOK_S)
        return time.perf_counter() - started


def wait_until(
    count: Callable[[], list[int]], asked: list[int], programs: Collection[Program], look_s: float
) -> None:
    """Return when topics hold as many messages as asked; none may hold more, and no program end."""
    until = time.perf_counter() + PASSING_S_MAX
    while (found := count()) != asked:
        assert all(map(int.__le__, found, asked)), f"{found} where {asked} were asked"
        assert time.perf_counter() < until, f"{found} of {asked} after {PASSING_S_MAX:.0f} s"
        ended = [each.args for each in programs if each.poll() is not None]
        assert not ended, f"{ended} ended, at {found} of {asked}"
        time.sleep(look_s)
