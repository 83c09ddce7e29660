"""Facts as they leave: the bytes that are stored, or a stub where their labels forbid it."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commands.door import shown
from consumers.messages import (
    Record,
    json_object,
    key_text,
    number_of,
    read_event,
    require_same,
    sequence,
    trace_of,
    write_event,
)
from consumers.refusals import BadHeader, NotAMessage, UnknownMessageType
from domain.envelope import DataClass, Labels, Privilege, Recorded
from domain.schema import digest

FACT = "claims.fact."


def withheld_for(labels: Labels) -> str:
    """The label for which a fact does not leave; "" for one that may: ordinary, not privileged."""
    if labels.privilege is not Privilege.NONE:
        return labels.privilege.value
    return "" if labels.data_class is DataClass.ORDINARY else labels.data_class.value


def write_fact(name: str, stored: bytes, record: Recorded[Any], ledger: str) -> Record:
    """The record of a fact: `stored` are its bytes, `name` is what they are stored under.

    `record` is what the bytes say, with its digest and position; `ledger` is the URI that the
    ledger goes by. What may not leave is told as a stub, so that the order has no hole.
    """
    envelope = record.envelope
    withheld = withheld_for(envelope.labels)
    return write_event(
        envelope.stream,
        _stub(name, record, withheld) if withheld else stored,
        id=f"{envelope.stream}/{envelope.version}",
        source=ledger,
        type=FACT + name,
        subject=envelope.stream,
        time=envelope.recorded_at,
        sequence=sequence(record.position),
        effectiveon=envelope.effective_on.isoformat(),
        digest=record.digest,
        withheld=withheld,
        traceparent=trace_of(envelope.correlation_id),
    )


def _stub(name: str, record: Recorded[Any], withheld: str) -> bytes:
    """Where a fact stands, and nothing that it says."""
    envelope = record.envelope
    told = {
        "stream": envelope.stream,
        "version": envelope.version,
        "recorded_at": envelope.recorded_at.isoformat().replace("+00:00", "Z"),
        "effective_on": envelope.effective_on.isoformat(),
        "previous": envelope.previous,
    }
    stub = {"name": name, "envelope": told, "withheld": withheld}
    return json.dumps(stub, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Followed:
    """A fact that came in: its place in its stream and in the log, its name, and its bytes.

    `withheld` is the label for which the body is a stub, "" for a whole fact. `digest` is that of
    the stored bytes in either case. To apply each `stream` and `version` once is enough.
    """

    stream: str
    version: int
    name: str
    position: int
    recorded_at: datetime
    effective_on: date
    digest: str
    withheld: str
    body: bytes
    traceparent: str

    @property
    def data(self) -> dict[str, Any]:
        """The body, decoded."""
        return json_object(self.body)


def read_fact(record: Record) -> Followed:
    """The fact that a record holds, its bytes proved by their digest.

    Raises a `Refused` of the messages.
    """
    required = ("subject", "time", "sequence", "effectiveon", "digest")
    attributes, body = read_event(record, *required)
    if not attributes["type"].startswith(FACT):
        raise UnknownMessageType(shown(attributes["type"], 64), f"{FACT}NAME.VERSION")
    name = attributes["type"].removeprefix(FACT)
    stream, _, number = attributes["id"].rpartition("/")
    version = number_of("ce_id", number)
    withheld = attributes.get("withheld", "")
    require_same("ce_subject", attributes["subject"], stream)
    require_same("key", key_text(record), stream)
    if not withheld:
        require_same("ce_digest", attributes["digest"], digest(body))
    _require_names(body, name, stream, version, withheld)
    return Followed(
        stream,
        version,
        name,
        number_of("ce_sequence", attributes["sequence"]),
        attributes["time"],
        _day(attributes["effectiveon"]),
        attributes["digest"],
        withheld,
        body,
        trace_of(attributes.get("traceparent")),
    )


def _require_names(body: bytes, name: str, stream: str, version: int, withheld: str) -> None:
    data = json_object(body)
    envelope = data.get("envelope")
    if not isinstance(envelope, dict):
        raise NotAMessage("it has no envelope")
    require_same("ce_type", name, str(data.get("name")))
    require_same("ce_id", stream, str(envelope.get("stream")))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - outside data
    require_same("ce_id", str(version), str(envelope.get("version")))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - outside data
    require_same("ce_withheld", withheld, str(data.get("withheld", "")))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadHeader("ce_effectiveon", "a day such as 2026-03-02") from None
