"""Every way Kafka says no, by name.

The tree (codes from E770)::

    SettingsUnfit
    └── E770 KafkaSettingMissing
    BrokerUnavailable           no broker that does what it is asked
    ├── E771 BrokerDidNotAnswer      E772 LoginRefused
    ├── E773 NotAuthorised           E774 TopicMissing
    └── E775 BrokerRefused
    E785 NoDeadLetter           what was named is not there
"""

from dataclasses import dataclass

from domain.errors import Refused
from edge.settings import SettingsUnfit


@dataclass(eq=False)
class KafkaSettingMissing(SettingsUnfit):
    """Kafka cannot be reached without the setting {name}."""

    code = "E770"
    remedy = "Set it in the environment; docs/how-to/kafka-topics.md lists what Kafka needs."
    name: str


class BrokerUnavailable(Refused):
    """There is no Kafka broker that does what the ledger asks."""


@dataclass(eq=False)
class BrokerDidNotAnswer(BrokerUnavailable):
    """Kafka at {bootstrap} did not answer in time: {why}."""

    code = "E771"
    remedy = (
        "Look whether the broker runs and is reachable from here, and whether"
        " CLAIMS_KAFKA_SECURITY names what it speaks."
    )
    bootstrap: str
    why: str


@dataclass(eq=False)
class LoginRefused(BrokerUnavailable):
    """Kafka at {bootstrap} does not take the user {user} with the password that was given."""

    code = "E772"
    remedy = "Correct CLAIMS_KAFKA_USER and CLAIMS_KAFKA_PASSWORD, or give the broker that user."
    bootstrap: str
    user: str


@dataclass(eq=False)
class NotAuthorised(BrokerUnavailable):
    """Kafka does not let {user} do what was asked: {why}."""

    code = "E773"
    remedy = "Run claims topics check as an administrator: it names every right that is missing."
    user: str
    why: str


@dataclass(eq=False)
class TopicMissing(BrokerUnavailable):
    """Kafka at {bootstrap} has no such topic, or not for this user: {why}."""

    code = "E774"
    remedy = "Run claims topics create as an administrator, then claims topics check."
    bootstrap: str
    why: str


@dataclass(eq=False)
class BrokerRefused(BrokerUnavailable):
    """Kafka at {bootstrap} refused what was asked: {why}."""

    code = "E775"
    remedy = "Correct what the broker names; what it had done before stays done."
    bootstrap: str
    why: str


@dataclass(eq=False)
class NoDeadLetter(Refused):
    """There is no dead letter at {place}."""

    code = "E785"
    remedy = "Take a place that claims dead list names; the oldest ones are no longer kept."
    place: str
