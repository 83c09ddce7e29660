"""The topics and rights there must be are made once, and every difference from them is named."""

import gzip
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commands.sources import Source
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from edge.kafka import upkeep
from edge.kafka.clients import admin, broker_errors, consumer, producer, subscribe
from edge.kafka.errors import (
    BrokerDidNotAnswer,
    BrokerRefused,
    KafkaSettingMissing,
    NotAuthorised,
    TopicMissing,
)
from edge.kafka.library import ConfigResource
from edge.kafka.topics import (
    DEAD_LETTER_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    Grant,
    On,
    Right,
    grants,
    groups_of,
    topics,
)
from edge.settings import Settings
from tests.brokers.broker import Broker, password_of
from tests.edge.cli.invoking import Line

COMMANDS = {commands_topic(source): source for source in Source}

SENT_S_MAX = 20
PLAIN = Settings.model_validate({})


@pytest.fixture
def claims(kafka: Broker) -> Line:
    """The command line of the administrator, on the run's broker."""
    return Line(
        {
            "CLAIMS_KAFKA_BOOTSTRAP": kafka.sasl,
            "CLAIMS_KAFKA_SECURITY": "sasl_plaintext",
            "CLAIMS_KAFKA_USER": "admin",
            "CLAIMS_KAFKA_PASSWORD": password_of("admin"),
        }
    )


@pytest.fixture
def with_topics(claims: Line) -> Line:
    # In a process of its own: it sets the log of its process up, and Kafka's threads go on here.
    assert claims.apart("topics", "create").code == 0
    return claims


@pytest.fixture
def own(own_broker: Broker) -> Line:
    """The same on a broker that is the test's to spoil."""
    return Line({"CLAIMS_KAFKA_BOOTSTRAP": own_broker.plain})


def send(settings: Settings, topic: str, value: bytes, **chosen: object) -> None:
    client = producer(settings, **chosen)
    try:
        with broker_errors(settings):
            client.send(topic, value).get(SENT_S_MAX)
    finally:
        client.close()


def test_each_source_has_a_topic_and_nobody_else_may_write_to_it() -> None:
    may = {(each.name, each.user) for each in grants(PLAIN) if each.right is Right.WRITE}
    assert {(topic, user) for topic, user in may if topic in COMMANDS} == {
        (commands_topic(source), source) for source in Source
    }
    assert {topic.name for topic in topics(PLAIN)} == {*COMMANDS, RECEIPTS, EVENTS, DEAD}


def test_only_the_ledger_writes_what_the_ledger_says() -> None:
    said = {RECEIPTS, EVENTS, DEAD}
    writers = {
        each.user for each in grants(PLAIN) if each.right is Right.WRITE and each.name in said
    }
    assert writers == {PLAIN.kafka_ledger}


def test_a_message_that_arrives_can_always_be_put_aside_whole() -> None:
    limits = {each.name: int(each.settings["max.message.bytes"]) for each in topics(PLAIN)}
    assert limits[DEAD] > max(limits[topic] for topic in COMMANDS)


def test_several_followers_may_each_read_the_facts_in_groups_of_their_own() -> None:
    settings = Settings.model_validate({"kafka_followers": "reports, reinsurer"})
    rights = grants(settings)
    for user in ("reports", "reinsurer"):
        assert Grant(On.TOPIC, EVENTS, user, Right.READ) in rights
        assert Grant(On.GROUPS, groups_of(user), user, Right.READ) in rights


def test_to_create_is_repeatable_and_then_there_is_no_difference(with_topics: Line) -> None:
    again = with_topics("topics", "create", "--json")
    assert (again.code, again.data) == (0, {"done": [], "differences": []})
    assert with_topics("topics", "check", "--json").data["differences"] == []
    assert "as they must be" in with_topics("topics", "check").out


def test_every_difference_is_named_by_topic_and_setting(own: Line, own_broker: Broker) -> None:
    assert own.apart("topics", "create").code == 0
    client = admin(own_broker.settings())
    client.alter_configs([ConfigResource("TOPIC", EVENTS, {"retention.ms": "1000"})])
    client.create_acls([upkeep.rule(Grant(On.TOPIC, EVENTS, "stranger", Right.READ))])
    client.delete_topics([DEAD])
    client.close()
    more = own.with_settings(CLAIMS_KAFKA_PARTITIONS="7", CLAIMS_KAFKA_FOLLOWERS="reports")
    found = more("topics", "check", "--json")
    said = {(each["subject"], each["setting"]): each for each in found.data["differences"]}
    assert found.code == 1
    assert said[EVENTS, "retention.ms"]["found"] == "1000"
    assert said[EVENTS, "partitions"] == {
        "subject": EVENTS,
        "setting": "partitions",
        "must_be": "7",
        "found": "6",
    }
    assert said[EVENTS, "read by stranger"]["must_be"] == "not allowed"
    assert said[EVENTS, "read by reports"]["must_be"] == "allowed"
    assert said[DEAD, "topic"]["found"] == "missing"
    left = own("topics", "create", "--json").data
    assert f"made the topic {DEAD}" in left["done"]
    assert [each["setting"] for each in left["differences"]] == ["read by stranger"]


def test_a_source_writes_its_own_commands_and_no_other_s(with_topics: Line, kafka: Broker) -> None:
    send(kafka.settings("bank"), commands_topic(Source.BANK), b"{}")
    with pytest.raises(NotAuthorised):
        send(kafka.settings("bank"), commands_topic(Source.CRM), b"{}")
    with pytest.raises(NotAuthorised):
        send(kafka.settings("bank"), RECEIPTS, b"{}")


def test_a_follower_reads_facts_in_a_group_of_its_own(with_topics: Line, kafka: Broker) -> None:
    send(kafka.settings("ledger"), EVENTS, b"fact")
    with reading(kafka.settings("follower"), groups_of("follower") + "reports") as client:
        subscribe(client, kafka.settings("follower"), [EVENTS])
        assert next(client).value == b"fact"


def test_a_follower_reads_in_no_group_of_another_s(with_topics: Line, kafka: Broker) -> None:
    settings = kafka.settings("follower")
    with reading(settings, groups_of("ledger") + "consume") as client:
        subscribe(client, settings, [EVENTS])
        with pytest.raises(NotAuthorised), broker_errors(settings):
            next(client)


@pytest.mark.parametrize("topic", [commands_topic(Source.BANK), "claims.no-such"])
def test_a_topic_that_cannot_be_read_is_refused_and_not_waited_for(
    with_topics: Line, kafka: Broker, topic: str
) -> None:
    settings = kafka.settings("follower")
    group = groups_of("follower") + "reports"
    with reading(settings, group) as client, pytest.raises(TopicMissing, match=topic):
        subscribe(client, settings, [topic])


def test_a_sender_s_clock_makes_no_message_older_or_younger(
    with_topics: Line, kafka: Broker
) -> None:
    topic, settings = commands_topic(Source.MAILROOM), kafka.settings("ledger")
    client = producer(kafka.settings("mailroom"))
    client.send(topic, b"{}", timestamp_ms=1).get(SENT_S_MAX)
    client.close()
    with reading(settings, groups_of("ledger") + "clocks") as client:
        subscribe(client, settings, [topic])
        assert next(client).timestamp > 1


@contextmanager
def reading(settings: Settings, group: str) -> Generator[Any]:
    client = consumer(settings, group, consumer_timeout_ms=SENT_S_MAX * 1_000)
    try:
        yield client
    finally:
        client.close()


def test_what_is_huge_when_unpacked_is_refused_to_its_sender(
    with_topics: Line, kafka: Broker
) -> None:
    huge = b" " * (DEAD_LETTER_BYTES_MAX * 2)
    assert len(gzip.compress(huge)) < MESSAGE_BYTES_MAX
    with pytest.raises(BrokerRefused, match="MessageSizeTooLarge"):
        send(
            kafka.settings("bank"),
            commands_topic(Source.BANK),
            huge,
            compression_type="gzip",
            max_request_size=len(huge) * 2,
        )


@pytest.mark.parametrize(
    ("changed", "code", "exit_code"),
    [
        ({"CLAIMS_KAFKA_PASSWORD": "guessed"}, "E772", 5),
        ({"CLAIMS_KAFKA_PASSWORD": ""}, "E770", 2),
        ({"CLAIMS_KAFKA_USER": "bank", "CLAIMS_KAFKA_PASSWORD": password_of("bank")}, "E773", 5),
    ],
)
def test_whoever_may_not_is_told_so_by_name(
    with_topics: Line, changed: dict[str, str], code: str, exit_code: int
) -> None:
    told = with_topics.with_settings(**changed)("topics", "check", "--json")
    assert "guessed" not in told.out
    told.refused(code, exit_code)


def test_a_broker_that_is_not_there_is_named_and_so_is_one_nobody_named() -> None:
    with pytest.raises(BrokerDidNotAnswer, match=r"127\.0\.0\.1:1 "):
        admin(Settings.model_validate({"kafka_bootstrap": "127.0.0.1:1", "kafka_wait_s": 0.5}))
    with pytest.raises(KafkaSettingMissing, match="CLAIMS_KAFKA_BOOTSTRAP"):
        admin(PLAIN)


@pytest.mark.parametrize("held", [None, "", "no certificate"])
def test_a_file_of_authorities_that_cannot_be_used_is_refused_by_its_setting(
    tmp_path: Path, held: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if held is not None:
        file.write_text(held)
    nobody = Line(
        {
            "CLAIMS_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "CLAIMS_KAFKA_SECURITY": "SSL",
            "CLAIMS_KAFKA_CA_FILE": str(file),
        }
    )
    for command in (("topics", "check"), ("relay",), ("consume",)):
        told = nobody(*command, "--json").refused("E632", 2)
        assert told["evidence"]["name"] == "CLAIMS_KAFKA_CA_FILE"
