"""Kafka as a run has it: a broker with the ledger's topics, and what may happen to it."""

from typing import Any

from kafka.errors import KafkaError, NoError

from consumers.topics import DEAD
from edge.kafka import upkeep
from edge.kafka.clients import admin
from edge.kafka.errors import BrokerUnavailable
from edge.kafka.library import ConfigResource, OffsetAndMetadata
from edge.kafka.topics import DEAD_LETTER_BYTES_MAX, topics
from edge.settings import Settings
from tests.brokers.broker import ALONE, SETTINGS, Broker
from tests.faults.over_kafka.proxy import HOST, Proxy
from tests.faults.over_kafka.witness import GROUP

PARTITIONS = 3  # one for each consumer, of each topic
SESSION_MS_MIN = "1000"  # a short run has short sessions
LIMIT = "max.message.bytes"


class Hub:
    """A broker that the harness hurts, and the proxy before its third door."""

    def __init__(self, broker: Broker) -> None:
        """Format it and start it."""
        self.broker = broker
        self.broker.format(
            SETTINGS | ALONE | {"group.min.session.timeout.ms": SESSION_MS_MIN}, passwords={}
        )
        self.broker.start()
        self.settings = Settings.model_validate(
            {"kafka_bootstrap": self.broker.plain, "kafka_partitions": PARTITIONS}
        )
        client = admin(self.settings)
        upkeep.create(client, topics(self.settings), [])
        client.close()

    @property
    def direct(self) -> str:
        return self.broker.plain

    @property
    def proxied(self) -> str:
        return f"{HOST}:{self.broker.ports().before}"

    def proxy(self) -> Proxy:
        """A proxy that is at the door while it is entered."""
        ports = self.broker.ports()
        return Proxy(ports.before, ports.behind)

    def take_dead_letters(self, *, taken: bool) -> bool:
        """Let the topic of dead letters take what it is sent, or nothing; False if nobody heard."""
        limit = str(DEAD_LETTER_BYTES_MAX if taken else 1)
        try:
            client = admin(self.settings)
        except BrokerUnavailable:
            return False
        try:
            answer = client.alter_configs([ConfigResource("TOPIC", DEAD, {LIMIT: limit})])
        except KafkaError:
            return False
        finally:
            client.close()
        return bool(answer["topic"][DEAD] == "OK")

    def members(self) -> set[str]:
        """Who is in the group, by the names of their clients; nobody where none can be asked."""
        return {str(each["client_id"]) for each in self._group().get("members", ())}

    def reset_offsets(self) -> bool:
        """Let the group read everything again; False while somebody is in it."""
        try:
            client = admin(self.settings)
        except BrokerUnavailable:
            return False
        try:
            kept = client.list_group_offsets({GROUP: None})[GROUP]
            asked = {place: OffsetAndMetadata(0, "", -1) for place in kept}
            done: dict[Any, Any] = client.alter_group_offsets(GROUP, asked)
        except KafkaError:
            return False
        finally:
            client.close()
        return bool(done) and all(kind is NoError for kind in done.values())

    def _group(self) -> dict[str, Any]:
        try:
            client = admin(self.settings)
        except BrokerUnavailable:
            return {}
        try:
            found: dict[str, Any] = client.describe_groups([GROUP])[GROUP]
        except KafkaError:
            return {}
        else:
            return found
        finally:
            client.close()
