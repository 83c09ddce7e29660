"""Commands as they come in and receipts as they go out: read, or refused by name, never a crash."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from commands.door import Unread, read, shown
from commands.fields import CommandId
from commands.parts import Command
from commands.receipt import Receipt
from commands.sources import Source, require_may_send
from commands.workspace import type_name
from consumers.messages import (
    Record,
    header_of,
    json_object,
    key_text,
    number_of,
    read_event,
    require_same,
    sequence,
    trace_of,
    write_event,
)
from consumers.refusals import MessageTooNew, NotAMessage, UnknownMessageType
from domain.errors import Refused

COMMAND = "claims.command."
COMMAND_VERSION = 1
RECEIPT = "claims.receipt.1"
_ids: TypeAdapter[str] = TypeAdapter(CommandId)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A command that came in, and the trace it came on ("" for none)."""

    command: Command
    traceparent: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that is no command which its application may send, and why.

    `command_id` and `stream` are "" where none could be read: without an id nobody can be
    answered. The id is the envelope's where it has one, and otherwise the body's.
    """

    command_id: str
    stream: str
    error: Refused
    traceparent: str


def read_command(record: Record, source: Source) -> Arrived | Dead:
    """The command of a record from the topic of an application, or why there is none."""
    try:
        attributes, body = read_event(record, "subject")
        kind = _kind(attributes["type"])
        command = read(body)
        if isinstance(command, Unread):
            raise command.error
        _require_agreement(record, attributes, kind, command)
        require_may_send(source, kind, command)
    except Refused as error:
        return _dead(record, error)
    trace = trace_of(attributes.get("traceparent"))
    return Arrived(command.carried(source, trace), trace)


def _kind(told: str) -> str:
    """The type of the command that a message of this type asks."""
    kind, _, version = told.removeprefix(COMMAND).rpartition(".")
    if not told.startswith(COMMAND) or not kind or not version.isdecimal():
        raise UnknownMessageType(shown(told, 64), f"{COMMAND}TYPE.{COMMAND_VERSION}")
    if version != str(COMMAND_VERSION):
        raise MessageTooNew(shown(told, 64), COMMAND_VERSION)
    return kind


def _require_agreement(
    record: Record, attributes: dict[str, Any], kind: str, command: Command
) -> None:
    require_same("ce_id", attributes["id"], command.command_id)
    require_same("ce_type", kind, type_name(command))
    require_same("ce_subject", attributes["subject"], command.stream)
    require_same("key", key_text(record), command.stream)


def _dead(record: Record, error: Refused) -> Dead:
    named = read(record.value or b"")
    told = header_of(record, "ce_id")
    return Dead(
        command_id=told if _is_id(told) else named.command_id,
        stream=named.stream,
        error=error,
        traceparent=trace_of(header_of(record, "ce_traceparent")),
    )


def _is_id(text: str) -> bool:
    try:
        _ids.validate_python(text)
    except ValidationError:
        return False
    return True


def write_command(command: Command, body: bytes, source: str, traceparent: str = "") -> Record:
    """The record by which an application asks: `body` is the command's JSON, `source` its URI."""
    return write_event(
        command.stream,
        body,
        id=command.command_id,
        source=source,
        type=f"{COMMAND}{type_name(command)}.{COMMAND_VERSION}",
        subject=command.stream,
        traceparent=traceparent,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A receipt that came in: whose command it answers, what it says, and on which trace.

    `position` is the last position in the log that it speaks of: 0 where nothing was kept.
    """

    command_id: str
    receipt: Receipt
    position: int
    traceparent: str


def write_receipt(receipt: Receipt, ledger: str, traceparent: str = "") -> Record:
    """The record of a receipt: its bytes as they are kept, and nothing that a second one lacks.

    `ledger` is the URI that the ledger goes by. What is about no stream is keyed by its command.
    Raises `MissingHeader` for the answer to a command without an id, which nobody can wait for.
    """
    told = receipt.data
    return write_event(
        told["stream"] or told["command_id"],
        receipt.body,
        id=told["command_id"],
        source=ledger,
        type=RECEIPT,
        subject=told["stream"],
        sequence=sequence(told["position"]),
        traceparent=traceparent,
    )


def read_receipt(record: Record) -> Answer:
    """The receipt that a record holds. Raises a `Refused` of the messages."""
    attributes, body = read_event(record, "sequence")
    if attributes["type"] != RECEIPT:
        raise UnknownMessageType(shown(attributes["type"], 64), RECEIPT)
    told = json_object(body)
    if told.get("outcome") not in ("accepted", "refused"):
        raise NotAMessage("it says neither accepted nor refused")
    require_same("ce_id", attributes["id"], str(told.get("command_id")))
    require_same("ce_subject", attributes.get("subject", ""), str(told.get("stream")))
    position = number_of("ce_sequence", attributes["sequence"])
    require_same("ce_sequence", str(position), str(told.get("position")))
    trace = trace_of(attributes.get("traceparent"))
    return Answer(attributes["id"], Receipt(body), position, trace)
