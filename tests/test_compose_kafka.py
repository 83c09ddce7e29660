"""The Kafka of the compose file is the one the tests know: its settings, users and topics."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from edge.settings import Settings
from tests.brokers.broker import SETTINGS, STRANGER, USERS, Broker
from tests.brokers.jars import LOCKED
from tests.edge.cli.invoking import Line

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
ADDED = re.compile(r'--add-scram "SCRAM-SHA-512=\[name=([\w-]+),password=\$\$\{(\w+)\}\]"')


@pytest.fixture(scope="module")
def compose() -> Any:
    reader: Any = YAML(typ="safe")
    return reader.load((ROOT / "docker-compose.yml").read_text("utf-8"))


def properties(compose: Any, name: str) -> dict[str, str]:
    """A file of settings that the compose file hands to the broker, with the defaults filled in."""
    text = DEFAULT.sub(r"\1", compose["configs"][name]["content"])
    pairs = [line.partition("=") for line in text.splitlines()]
    return {key: value for key, _, value in pairs}


def users(compose: Any) -> dict[str, str]:
    """The users that the broker is made with, and their passwords."""
    kafka = compose["services"]["kafka"]
    environment = kafka["environment"]
    return {
        user: DEFAULT.sub(r"\1", environment[variable])
        for user, variable in ADDED.findall(kafka["command"][0])
    }


def settings_of(compose: Any, service: str) -> dict[str, str]:
    environment = compose["services"][service]["environment"]
    return {name: DEFAULT.sub(r"\1", str(value)) for name, value in environment.items()}


def test_its_broker_is_set_as_that_of_the_tests(compose: Any) -> None:
    assert SETTINGS.items() <= properties(compose, "broker").items()


def test_its_broker_is_of_the_version_that_the_tests_run(compose: Any) -> None:
    (version,) = re.findall(r"org\.apache\.kafka:kafka_2\.13:(\S+) ", LOCKED.read_text("utf-8"))
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{version}"


def test_its_broker_serves_nobody_who_does_not_say_who_they_are(compose: Any) -> None:
    doors = properties(compose, "broker")["listeners"].split(",")
    assert doors == ["SASL_PLAINTEXT://:9092", "CONTROLLER://localhost:9093"]


def test_every_user_that_has_a_right_is_made_with_a_password_of_its_own(compose: Any) -> None:
    made = users(compose)
    assert set(made) == set(USERS) - {STRANGER}
    assert len(set(made.values())) == len(made)


def test_its_topics_are_those_that_the_settings_of_the_tests_say(compose: Any) -> None:
    """Nothing about the topics is set there, so they are as in the tests: the defaults."""
    about = {"CLAIMS_KAFKA_PARTITIONS", "CLAIMS_KAFKA_REPLICATION", "CLAIMS_KAFKA_FOLLOWERS"}
    for service in compose["services"]:
        assert not about & set(compose["services"][service].get("environment", {}))
    assert compose["services"]["topics"]["command"] == ["topics", "create"]
    assert Settings.model_validate({}).kafka_replication == 1


@pytest.mark.parametrize("service", ["consume", "ledger", "relay", "topics"])
def test_its_services_log_in_with_the_password_that_the_broker_was_given(
    compose: Any, service: str
) -> None:
    told = settings_of(compose, service)
    assert users(compose)[told["CLAIMS_KAFKA_USER"]] == told["CLAIMS_KAFKA_PASSWORD"]
    assert told["CLAIMS_KAFKA_SECURITY"] == "SASL_PLAINTEXT"
    assert told["CLAIMS_KAFKA_BOOTSTRAP"] == "kafka:9092"


def test_its_broker_starts_and_takes_the_topics(compose: Any, run_folder: Path) -> None:
    """Its own settings and users, on this machine: other ports, and another folder."""
    broker = Broker(run_folder, "of-compose")
    told, made = properties(compose, "broker"), users(compose)
    try:
        broker.format(told, made)
        broker.start()
        topics = settings_of(compose, "topics") | {"CLAIMS_KAFKA_BOOTSTRAP": broker.sasl}
        claims = Line(topics)
        assert claims.apart("topics", "create").code == 0
        assert claims.apart("topics", "check", "--json").data["differences"] == []
    finally:
        broker.kill()
