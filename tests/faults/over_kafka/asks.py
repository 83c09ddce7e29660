"""A message that is sent many times, and what the ledger has to make of it."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.sources import MAY_SEND, Source
from consumers.messages import Record
from consumers.topics import commands_topic
from edge.kafka.verbatim import HeaderName
from tests.commands.bodies import Body
from tests.faults.asking import as_sent
from tests.faults.journal import Journal, entries

POISON = "poison: "


@dataclass(frozen=True, slots=True)
class Ask:
    """A message by its key in the journals, which is its `ce_id` where it has one.

    `code` is that by which it has to go aside, "" for a command, which has to be judged. `told`:
    whoever sent it has to get a receipt. `kind` is that of poison.
    """

    key: str
    topic: str
    record: Record
    code: str = ""
    told: bool = True
    kind: str = ""


def asking(body: Body, source: Source, key: str = "") -> Ask:
    """The message by which an application asks, always the same for the same command."""
    key = key or str(body["command_id"])
    return Ask(key, commands_topic(source), record_of(body, key))


def record_of(body: Body, key: str) -> Record:
    """A body in its envelope, on a trace that is the id's own."""
    trace = hashlib.sha256(key.encode()).hexdigest()
    stream = f"claim-{body['claim']}"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": key,
        "ce_source": "urn:faults",
        "ce_type": f"claims.command.{body['type']}.1",
        "ce_subject": stream,
        "ce_traceparent": f"00-{trace[:32]}-{trace[32:48]}-01",
    }
    told = tuple((name, value.encode()) for name, value in headers.items())
    return Record(stream.encode(), as_sent(body).encode(), told)


def sources_of(kind: str) -> list[Source]:
    """The applications that may send such a command."""
    return [source for source in Source if kind in MAY_SEND[source]]


def note_asked(journal: Journal, ask: Ask) -> None:
    """Write a message down before it is sent for the first time."""
    key, value, headers = ask.record
    told = [_text(key), _text(value), [(name, _text(each)) for name, each in headers]]
    journal.write(asked=[ask.key, ask.topic, told, ask.code, ask.told, ask.kind])
    if ask.kind:
        journal.write(fault=f"{POISON}{ask.kind}")


def note_stored(journal: Journal, key: str, partition: int, offset: int) -> None:
    """Write down that a message of this key was acknowledged, and its place."""
    journal.write(stored=[key, partition, offset])


def asked(path: Path) -> Iterator[Ask]:
    """The messages that a journal says were sent, in the order in which they first were."""
    for entry in entries(path):
        if "asked" in entry:
            name, topic, (key, value, headers), code, told, kind = entry["asked"]
            pairs = tuple((HeaderName(each), _bytes(text)) for each, text in headers)
            yield Ask(name, topic, Record(_bytes(key), _bytes(value), pairs), code, told, kind)


def stored(path: Path) -> Iterator[tuple[str, int, int]]:
    """The acknowledgements that a journal tells of: key, partition and offset."""
    for entry in entries(path):
        if "stored" in entry:
            key, partition, offset = entry["stored"]
            yield key, partition, offset


def body_of(record: Record) -> Mapping[str, Any]:
    """What a command's record asks."""
    body: Mapping[str, Any] = json.loads(record.value or b"")
    return body


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
