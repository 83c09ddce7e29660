"""What the ledger sends: every record whole, and acknowledged before anybody relies on it."""

from collections.abc import Sequence
from typing import Any

from kafka.errors import KafkaError

from consumers.answering import Leaving
from consumers.refusals import NotSent
from edge.kafka.clients import leave, producer
from edge.kafka.errors import BrokerUnavailable
from edge.kafka.verbatim import WHOLE_RECORDS, send_record
from edge.settings import Settings

# Less than a third of what may pass between two polls: a sender that waits still polls in time.
DELIVERY_MS_MAX = 15_000
ANSWER_S_MAX = 20.0  # past its last attempt the library itself says what became of a record


class KafkaOutgoing:
    """`consumers.commanding.Outgoing` over kafka-python, whose producers are made anew.

    One that failed at something does not know whether it is stored, and may have lost its place.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None

    def send(self, leaving: Sequence[Leaving]) -> None:
        try:
            if self._client is None:
                self._client = producer(
                    self._settings, delivery_timeout_ms=DELIVERY_MS_MAX, **WHOLE_RECORDS
                )
            sent = [send_record(self._client, each.topic, each.record) for each in leaving]
            for each in sent:
                each.get(ANSWER_S_MAX)
        except (KafkaError, BrokerUnavailable) as error:
            self.close()
            raise NotSent(" ".join(str(error).split()) or type(error).__name__) from error

    def close(self) -> None:
        """End the producer; what it has not sent by now it does not send."""
        client, self._client = self._client, None
        if client is not None:
            leave(client)
