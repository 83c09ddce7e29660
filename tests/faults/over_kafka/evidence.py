"""Gathering what is left: every topic from its beginning to its end, the journals, and the log."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from commands.sources import Source
from consumers.answering import Partition
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from edge.kafka.clients import REQUEST_MS_MAX, consumer
from edge.kafka.library import TopicPartition
from edge.kafka.verbatim import record_of
from edge.settings import Settings
from tests.faults.checks import Evidence
from tests.faults.exchanges import exchanges
from tests.faults.over_kafka.asks import asked, body_of, stored
from tests.faults.over_kafka.checks import Fact, Left, Placed
from tests.faults.over_kafka.hub import Hub
from tests.faults.over_kafka.witness import WITNESS, Looking, all_seen

EMPLOYER = "employer.jsonl"
_FACTS = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger.facts ORDER BY notification_id
"""


def gather(hub: Hub, conninfo: str, folder: Path, answers: Mapping[str, str]) -> Left:
    """All of it, as of now; `answers` are those that the ledger keeps."""
    paths = sorted(folder.glob("sender-*.jsonl"))
    with psycopg.connect(conninfo) as connection:
        log = [
            Fact(stream, version, name, bytes(state), position)
            for stream, version, name, state, position in connection.execute(_FACTS)
        ]
    looking = Looking(hub.settings)
    try:
        committed, ends = looking.committed(), looking.ends(*map(commands_topic, Source))
    finally:
        looking.close()
    return Left(
        asks={ask.key: ask for path in paths for ask in asked(path)},
        stored=[
            (key, partition, offset) for path in paths for key, partition, offset in stored(path)
        ],
        inputs=[
            each for source in Source for each in everything(hub.settings, commands_topic(source))
        ],
        receipts=everything(hub.settings, RECEIPTS),
        letters=everything(hub.settings, DEAD),
        events=everything(hub.settings, EVENTS),
        log=log,
        answers=answers,
        seen=list(all_seen(folder / WITNESS)),
        committed=committed,
        ends=ends,
    )


def as_told(left: Left, kept: Evidence, folder: Path) -> Evidence:
    """The evidence for the checks of the ledger: receipts that came by Kafka are what was told."""
    told = exchanges([folder / EMPLOYER])
    for ask in left.asks.values():
        if not ask.code:
            told.sent.setdefault(ask.key, []).append(dict(body_of(ask.record)))
    for key, records in left.by_id.items():
        if key in left.asks and not left.asks[key].code:
            told.acknowledged[key] = {(each.value or b"").decode() for each in records}
    return replace(kept, told=told)


def everything(settings: Settings, topic: str) -> list[Placed]:
    """All that a topic holds by now, partition by partition, in order."""
    client: Any = consumer(settings, None)
    found: dict[int, list[Placed]] = {}
    try:
        held = [TopicPartition(topic, each) for each in client.partitions_for_topic(topic)]
        client.assign(held)
        client.seek_to_beginning(*held)
        ends = client.end_offsets(held)
        while any(client.position(each) < ends[each] for each in held):
            for place, messages in client.poll(REQUEST_MS_MAX).items():
                found.setdefault(place.partition, []).extend(
                    Placed(Partition(*place), each.offset, record_of(each)) for each in messages
                )
    finally:
        client.close()
    return [each for number in sorted(found) for each in found[number]]
