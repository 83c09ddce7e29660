"""Which topics there must be, how each is kept, and who may write and read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from commands.door import COMMAND_BYTES_MAX
from commands.sources import Source
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from edge.settings import Settings

DAY_MS = 86_400_000  # what the times below are counted in
# Past the largest command a message may hold so much: what is a little too large arrives, and goes
# aside by name, and a fact has room for its envelope and its headers.
MESSAGE_BYTES_MAX = COMMAND_BYTES_MAX + 200_000
# A dead letter is the whole message and where it came from: there is none that cannot go aside.
DEAD_LETTER_BYTES_MAX = MESSAGE_BYTES_MAX + 50_000
# Longer than a ledger may be down over the days on which nobody looks.
COMMANDS_KEPT_MS_MAX = 14 * DAY_MS
RECEIPTS_KEPT_MS_MAX = 14 * DAY_MS  # a sender that waits longer sends again, and is answered again
EVENTS_KEPT_MS_MAX = 30 * DAY_MS  # who was away longer takes them from the log again
DEAD_KEPT_MS_MAX = 90 * DAY_MS  # somebody has to look at each of them
DEAD_PARTITIONS = 1  # there are few, and they are read in the order they came


class Right(StrEnum):
    """What a user may do; to write or to read a topic is also to see that it is there."""

    WRITE = "write"
    READ = "read"


class On(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUPS = "groups"  # of consumers, all whose name begins with the one given


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one user."""

    on: On
    name: str
    user: str
    right: Right


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must be; `settings` are Kafka's own, by Kafka's names."""

    name: str
    partitions: int
    replication: int
    settings: dict[str, str] = field(default_factory=dict[str, str])


def topics(settings: Settings) -> list[Topic]:
    """Every topic there must be, by name."""
    return sorted(_topics(settings), key=lambda topic: topic.name)


def grants(settings: Settings) -> list[Grant]:
    """Every right there must be: none of them lets a source write what is another's."""
    return sorted(_grants(settings))


def groups_of(user: str) -> str:
    """How the names begin of all groups of consumers that a user may form."""
    return f"{user}."


def _topics(settings: Settings) -> Iterator[Topic]:
    many, replication = settings.kafka_partitions, settings.kafka_replication
    for source in Source:
        kept = _kept(COMMANDS_KEPT_MS_MAX, MESSAGE_BYTES_MAX, replication)
        yield Topic(commands_topic(source), many, replication, kept)
    kept = _kept(RECEIPTS_KEPT_MS_MAX, MESSAGE_BYTES_MAX, replication)
    yield Topic(RECEIPTS, many, replication, kept)
    kept = _kept(EVENTS_KEPT_MS_MAX, MESSAGE_BYTES_MAX, replication)
    yield Topic(EVENTS, many, replication, kept)
    kept = _kept(DEAD_KEPT_MS_MAX, DEAD_LETTER_BYTES_MAX, replication)
    yield Topic(DEAD, DEAD_PARTITIONS, replication, kept)


def _kept(ms_max: int, bytes_max: int, replication: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        # A small compressed message may hold a huge one. Uncompressed by the broker, what is too
        # large is refused to its sender, and never comes to a consumer that could not put it aside.
        "compression.type": "uncompressed",
        "max.message.bytes": str(bytes_max),
        # By a sender's clock that is wrong, a message would be deleted at once, or kept for ever.
        "message.timestamp.type": "LogAppendTime",
        # One broker of several may be away, and what was acknowledged is still on two.
        "min.insync.replicas": str(max(1, replication - 1)),
        "retention.bytes": "-1",
        "retention.ms": str(ms_max),
    }


def _grants(settings: Settings) -> Iterator[Grant]:
    ledger = settings.kafka_ledger
    for source in Source:
        yield Grant(On.TOPIC, commands_topic(source), source, Right.WRITE)
        yield Grant(On.TOPIC, RECEIPTS, source, Right.READ)
        yield Grant(On.TOPIC, commands_topic(source), ledger, Right.READ)
    for topic in (RECEIPTS, EVENTS, DEAD):
        yield Grant(On.TOPIC, topic, ledger, Right.WRITE)
    yield Grant(On.TOPIC, DEAD, ledger, Right.READ)
    for follower in settings.kafka_followers:
        yield Grant(On.TOPIC, EVENTS, follower, Right.READ)
    for user in {*Source, ledger, *settings.kafka_followers}:
        yield Grant(On.GROUPS, groups_of(user), user, Right.READ)
