"""A cycle over Kafka, from the first process to the last check, on servers of its own."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from kafka.errors import KafkaError

from commands.sources import Source
from consumers.topics import commands_topic
from edge.kafka.errors import BrokerUnavailable
from tests.brokers.broker import Broker
from tests.faults import checks, evidence
from tests.faults.checks import Evidence, Finding, Kind
from tests.faults.cycle import employ
from tests.faults.over_kafka import checks as transport
from tests.faults.over_kafka.checks import Left
from tests.faults.over_kafka.evidence import as_told, gather
from tests.faults.over_kafka.hub import Hub
from tests.faults.over_kafka.sending import FINISH
from tests.faults.over_kafka.storm import Form, Storm
from tests.faults.over_kafka.witness import Looking
from tests.faults.server import Server

LEVEL_S_MAX = 180.0  # until everything is answered and published, in calm
LOOK_S = 0.5
_LEVEL = """
SELECT coalesce((SELECT min(position) FROM relay.position), 0)
    >= (SELECT coalesce(max(notification_id), 0) FROM ledger.facts)
"""


@dataclass(frozen=True)
class Outcome:
    """What a cycle was, and what went wrong in it.

    `asked` are ids, as are `outcomes`: accepted, refused and dead. What follows is counted in
    messages of the topics, but for `facts`, which the log has.
    """

    seed: str
    seconds: float
    asked: int
    outcomes: Counter[str]
    messages: int
    receipts: int
    dead_letters: int
    facts: int
    published: int
    faults: Counter[str]
    findings: list[Finding]


def cycle(
    server: Server,
    broker: Broker,
    folder: Path,
    seed: str,
    form: Form,
    tell: Callable[[Storm], None] = lambda _: None,
) -> Outcome:
    """Hurt everything, then ask whether all still holds. The broker is a new one, and ended."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    name = f"kafka_{seed}"
    conninfo = server.database(name)
    employ(conninfo, folder)
    try:
        hub = Hub(broker)
        with hub.proxy() as proxy:
            storm = Storm(server, hub, proxy, conninfo, folder, seed, form, tell=tell)
            try:
                storm.blow()
                storm.calm()
                _settle(storm)
                storm.end("consumer", "relay", "sender", "witness")
            finally:
                storm.abandon()
        kept = evidence.gather(conninfo, folder)
        left = gather(hub, conninfo, folder, kept.answers)
    finally:
        broker.kill()
    findings = [*storm.findings, *of_everything(left, as_told(left, kept, folder), conninfo)]
    if not findings:
        server.drop(name)
    return Outcome(
        seed,
        time.monotonic() - began,
        len(left.asks),
        transport.outcomes(left),
        len(left.inputs),
        len(left.receipts),
        len(left.letters),
        len(left.log),
        len(left.events),
        storm.all_faults(),
        findings,
    )


def of_everything(left: Left, kept: Evidence, conninfo: str) -> Iterator[Finding]:
    """All that has to hold once everything is answered."""
    yield from transport.of_sending(left)
    yield from transport.of_outcomes(left)
    yield from transport.of_letters(left)
    yield from transport.of_receipts(left)
    yield from transport.of_facts(left)
    yield from transport.of_offsets(left)
    yield from checks.of_acknowledged(kept)
    yield from checks.of_effects(kept)
    yield from checks.of_redelivery(kept)
    yield from checks.of_order(kept.log)
    yield from evidence.of_chains(conninfo)


def _settle(storm: Storm) -> None:
    """Wait until everything was sent ten times, is answered, and is published."""
    (storm.folder / FINISH).touch()
    deadline = time.monotonic() + LEVEL_S_MAX
    while behind := _behind(storm):
        if time.monotonic() > deadline:
            storm.findings.append(Finding(Kind.HUNG, f"never level: {behind}"))
            return
        time.sleep(LOOK_S)
        storm.tend()  # a process may meet, in calm, what was in store for it


def _behind(storm: Storm) -> list[str]:
    """What is not done yet."""
    if senders := [each.name for each in storm.called("sender") if each.alive]:
        return senders
    if unread := unanswered(storm.hub):
        return unread
    with psycopg.connect(storm.conninfo) as connection:
        ((level,),) = connection.execute(_LEVEL).fetchall()
    return [] if level else ["relay"]


def unanswered(hub: Hub) -> list[str]:
    """Which partitions the group has not read to their ends."""
    try:
        looking = Looking(hub.settings)
    except BrokerUnavailable:
        return ["broker"]
    try:
        ends = looking.ends(*map(commands_topic, Source))
        committed = looking.committed()
    except KafkaError:
        return ["broker"]
    finally:
        looking.close()
    return [f"{place}" for place, end in ends.items() if end and committed.get(place) != end]
