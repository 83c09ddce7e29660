"""The tests' Kafka is a real one: it asks who is there, and keeps what it was given."""

import secrets
from pathlib import Path

import pytest

from edge.kafka.clients import admin, broker_errors, consumer, producer
from edge.kafka.errors import LoginRefused, NotAuthorised
from edge.settings import Settings
from tests.brokers import jars
from tests.brokers.broker import ALONE, SETTINGS, STRANGER, Broker, NotStarted
from tests.brokers.console import consume, produce

TAKE_MS = 20_000


@pytest.fixture
def topic(kafka: Broker) -> str:
    """A topic of the test's own, that only the administrator may use."""
    return made(kafka)


def made(broker: Broker) -> str:
    name = f"test-{secrets.token_hex(4)}"
    client = admin(broker.settings())
    client.create_topics({name: {"num_partitions": 1}}, wait_for_metadata=True)
    client.close()
    return name


def send(settings: Settings, topic: str, *values: bytes) -> None:
    client = producer(settings)
    try:
        with broker_errors(settings):
            for sent in [client.send(topic, value) for value in values]:
                sent.get(TAKE_MS / 1_000)
    finally:
        client.close()


def taken(settings: Settings, topic: str, count: int) -> list[bytes]:
    client = consumer(settings, None, consumer_timeout_ms=TAKE_MS)
    client.subscribe([topic])
    try:
        return [message.value for message, _ in zip(client, range(count), strict=False)]
    finally:
        client.close()


def test_whoever_comes_to_the_plain_door_is_served(kafka: Broker, topic: str) -> None:
    send(kafka.settings(), topic, b"one", b"two")
    assert taken(kafka.settings(), topic, 2) == [b"one", b"two"]


def test_a_user_with_its_password_is_served(kafka: Broker, topic: str) -> None:
    send(kafka.settings("admin"), topic, b"one")
    assert taken(kafka.settings("admin"), topic, 1) == [b"one"]


def test_a_wrong_password_is_refused(kafka: Broker) -> None:
    with pytest.raises(LoginRefused):
        admin(kafka.settings("admin", kafka_password="guessed"))


def test_a_user_without_the_right_is_refused(kafka: Broker, topic: str) -> None:
    with pytest.raises(NotAuthorised):
        send(kafka.settings(STRANGER), topic, b"let me in")


def test_a_broker_that_was_killed_comes_back_with_its_messages(own_broker: Broker) -> None:
    topic, settings = made(own_broker), own_broker.settings()
    send(settings, topic, b"before")
    own_broker.kill()
    assert not own_broker.alive
    own_broker.start()
    send(settings, topic, b"after")
    assert taken(settings, topic, 2) == [b"before", b"after"]


def test_a_broker_that_cannot_start_says_why(run_folder: Path) -> None:
    broker = Broker(run_folder, "kafka-unfit")
    broker.format(SETTINGS | ALONE, {})
    with (broker.folder / "server.properties").open("a") as settings:
        settings.write("log.retention.hours=soon\n")
    with pytest.raises(NotStarted, match=r"log\.retention\.hours"):
        broker.start()


def test_the_programs_that_come_with_kafka_speak_to_it(
    kafka: Broker, topic: str, run_folder: Path
) -> None:
    settings = kafka.settings("admin")
    produce(run_folder, settings, topic, ["kind:greeting\tclaim-1\thello"])
    assert consume(run_folder, settings, topic, 1, "admin.console") == [
        ["kind:greeting", "claim-1", "hello"]
    ]


def test_a_jar_that_is_not_the_locked_one_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = jars.LOCKED.read_text("utf-8").splitlines()[-1].split()
    (tmp_path / "jars.lock").write_text(f"{name} {'0' * 64}\n")
    monkeypatch.setattr(jars, "LOCKED", tmp_path / "jars.lock")
    monkeypatch.setattr(jars, "REPOSITORY", tmp_path / "repository")
    with pytest.raises(jars.WrongJar, match=name):
        jars.class_path(tmp_path)
