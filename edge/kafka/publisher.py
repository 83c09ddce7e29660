"""Publishing to a topic so that no message is ever there without those before it of its key.

A producer that has several batches of one partition under way may fail with the first and succeed
with the second. So what is sent goes in parts of at most one batch for each partition, each part
acknowledged whole before the next; and a producer that failed, in whatever way, is not used again.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from kafka.errors import (
    AuthorizationError,
    InvalidRecordError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from consumers.messages import Record
from consumers.relaying import NotAcknowledged
from edge.kafka.clients import abandon, broker_errors, consumer, leave, producer
from edge.kafka.errors import BrokerUnavailable, NotAuthorised, TopicMissing
from edge.settings import Settings

# Sent and acknowledged together: a batch of it fits a topic with Kafka's own limit on a message.
PART_BYTES_MAX = 1_000_000
BATCH_BYTES_MAX = PART_BYTES_MAX + 1_000  # so that the part is one batch even for one partition
FRAME_BYTES_MAX = 60  # of a message besides key, value and headers: a few small numbers
HEADER_FRAME_BYTES_MAX = 20  # of a header besides name and value: two lengths
# From the send to the last acknowledgement: a broker that is killed and started again takes 4 s.
ACKNOWLEDGED_S_MAX = 30.0
# Longer than any part waits: it is the part that gives up, whole, and never one batch of it.
NEVER_MS = 2**31 - 1
LINGER_MS_MAX = 3_600_000  # a part leaves when it is whole, and no batch of it before

# The broker has it, and does not want it, or not from us: to send it again would not help.
_NOT_TAKEN = (
    AuthorizationError,
    InvalidRecordError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
# In words only the library says that a user without any right to write may not begin.
_MAY_NOT_BEGIN = "ClusterAuthorizationFailed"


class Publisher:
    """`consumers.relaying.Outgoing` to one topic, by a producer made anew when it failed."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._client: Any = None

    def require_topic(self) -> None:
        """Require a broker that has the topic. Raises a `BrokerUnavailable`."""
        # A producer would wait, in silence, for a topic that is not there.
        asking = consumer(self._settings, None)
        try:
            with broker_errors(self._settings):
                if not asking.partitions_for_topic(self._topic):
                    raise TopicMissing(self._settings.kafka_bootstrap or "", self._topic)
        finally:
            asking.close()

    def send(self, records: Sequence[Record]) -> None:
        """As `Outgoing.send`. Raises `NotAuthorised` (E773) or `BrokerRefused` (E775) for what the
        broker will never take.
        """
        for part in parts(records):
            try:
                self._send(part)
            except BaseException as error:
                self._abandon()
                if not isinstance(error, KafkaError | BrokerUnavailable):
                    raise
                why = " ".join(str(error).split()) or type(error).__name__
                if _MAY_NOT_BEGIN in why:
                    raise NotAuthorised(self._settings.kafka_user or "anonymous", why) from error
                if isinstance(error, _NOT_TAKEN):
                    with broker_errors(self._settings):
                        raise
                raise NotAcknowledged(self._topic, why) from error

    def _send(self, part: Sequence[Record]) -> None:
        if self._client is None:
            self._client = producer(
                self._settings,
                batch_size=BATCH_BYTES_MAX,
                linger_ms=LINGER_MS_MAX,
                delivery_timeout_ms=NEVER_MS,
            )
        sent = [
            self._client.send(
                self._topic, key=each.key, value=each.value, headers=list(each.headers)
            )
            for each in part
        ]
        self._client.flush(ACKNOWLEDGED_S_MAX)
        for each in sent:
            each.get(0)  # they are all decided: it raises, or returns at once

    def close(self) -> None:
        """Leave the broker."""
        client, self._client = self._client, None
        if client is not None:
            leave(client)

    def _abandon(self) -> None:
        """Send nothing more of what is under way."""
        client, self._client = self._client, None
        if client is not None:
            abandon(client)


def parts(records: Sequence[Record]) -> Iterator[list[Record]]:
    """The records in their order, in parts that fit one batch; one that does not goes alone."""
    part: list[Record] = []
    size = 0
    for record in records:
        needed = _size(record)
        if part and size + needed > PART_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(record)
        size += needed
    if part:
        yield part


def _size(record: Record) -> int:
    """At most so many bytes of a batch."""
    headers = sum(
        len(name) + len(value or b"") + HEADER_FRAME_BYTES_MAX for name, value in record.headers
    )
    return len(record.key or b"") + len(record.value or b"") + headers + FRAME_BYTES_MAX
