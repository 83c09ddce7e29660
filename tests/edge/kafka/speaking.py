"""What tests say to a ledger over Kafka as its applications do, and what they hear from it."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from consumers.dead_letters import DeadLetter, read_dead
from consumers.messages import Record, header_of
from consumers.topics import DEAD, RECEIPTS
from edge.kafka.clients import consumer, producer
from edge.kafka.verbatim import WHOLE_RECORDS, record_of, send_record
from edge.settings import Settings
from edge.wiring import system_clock
from tests.commands.bodies import matter
from tests.consumers.test_commanding_machine import carrying

HEARD_S_MAX = 60.0  # far beyond what an answer takes
SENT_S_MAX = 20


def notify(command_id: str, claim: str, **fields: Any) -> dict[str, Any]:
    """The body of a command that opens a file."""
    actor = {"person": "c.desk", "role": "customer_service"}
    told = {"type": "notify-matter", "command_id": command_id, "actor": actor, "claim": claim}
    return {**told, **matter(system_clock().date()), **fields}


def opening(command_id: str, claim: str, **fields: Any) -> Record:
    """The message that opens a file."""
    return carrying(notify(command_id, claim, **fields))


def say(settings: Settings, topic: str, records: Iterable[Record]) -> list[tuple[int, int]]:
    """Send records as they are; the partition and the offset of each."""
    client = producer(settings, **WHOLE_RECORDS)
    try:
        sent = [send_record(client, topic, record) for record in records]
        found = [each.get(SENT_S_MAX) for each in sent]
        return [(each.partition, each.offset) for each in found]
    finally:
        client.close()


def heard(settings: Settings, topic: str) -> Iterator[Record]:
    """What a topic holds, from its beginning, and what comes, for as long as anybody listens."""
    client = consumer(settings, None)
    client.subscribe([topic])
    until = time.monotonic() + HEARD_S_MAX
    try:
        while time.monotonic() < until:
            for messages in client.poll(200).values():
                yield from map(record_of, messages)
    finally:
        client.close()
    raise AssertionError(f"nothing more came on {topic}")


def receipts(settings: Settings, ids: Iterable[str], each: int = 1) -> dict[str, list[Record]]:
    """The receipts of these commands, once there are so many of each."""
    found: dict[str, list[Record]] = {command_id: [] for command_id in ids}
    for record in heard(settings, RECEIPTS):
        found.get(header_of(record, "ce_id"), []).append(record)
        if all(len(some) >= each for some in found.values()):
            break
    return found


def letters(settings: Settings, topic: str, places: Iterable[tuple[int, int]]) -> list[DeadLetter]:
    """The dead letters of messages that were at these places of a topic, in this order."""
    asked = list(places)
    found: dict[tuple[int, int], DeadLetter] = {}
    for record in heard(settings, DEAD):
        letter = read_dead(record)
        if letter.topic == topic:
            found[letter.partition, letter.offset] = letter
        if set(asked) <= set(found):
            break
    return [found[place] for place in asked]
