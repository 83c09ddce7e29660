"""The topics as an AsyncAPI 3.0 document: which messages each holds, with headers and body."""

import inspect

from commands.door import command_types
from commands.sources import MAY_SEND, Source
from consumers.command_messages import COMMAND, COMMAND_VERSION, RECEIPT
from consumers.dead_letters import HEADERS as DEAD_HEADERS
from consumers.fact_messages import FACT
from consumers.messages import CONTENT_TYPE, HEADER_BYTES_MAX, SEQUENCE_DIGITS
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from domain.schema import NAMES
from edge.contracts.schemas import Schema

CONTRACT_VERSION = "1.0.0"  # the first digit goes up when something that was valid no longer is
_DIALECT = "application/schema+json;version=draft-2020-12"
_KEY = {
    "type": "string",
    "description": "The stream: what is about it keeps its order.",
}
_KEYED = {"kafka": {"key": _KEY, "bindingVersion": "0.5.0"}}

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": HEADER_BYTES_MAX}
_SEQUENCE: Schema = {
    "type": "string",
    "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
    "description": "The position in the log.",
}
_TRACE: Schema = {**_TEXT, "description": "W3C Trace Context; carried through."}
_MOMENT: Schema = {**_TEXT, "format": "date-time"}
_SUBJECT: Schema = {**_TEXT, "description": "The stream that it is about, as the key."}
_OPTIONAL = ("ce_traceparent", "content-type")


def asyncapi() -> Schema:
    """The document; the ledger is the application that it describes."""
    channels: Schema = {}
    operations: Schema = {}
    for source in Source:
        names = [f"{kind}.{COMMAND_VERSION}" for kind in sorted(MAY_SEND[source])]
        told = f"What {source} asks; nobody else may write here."
        _add(channels, operations, f"commands.{source}", commands_topic(source), told, names)
    answers = "An answer to every command that names an id, at least once, always the same."
    _add(channels, operations, "receipts", RECEIPTS, answers, ["receipt"])
    follow = "Every fact in the order of the log, at least once; apply each ce_id once."
    _add(channels, operations, "events", EVENTS, follow, sorted(NAMES))
    aside = "Messages that nobody could read, untouched, with six headers that say why."
    _add(channels, operations, "dead", DEAD, aside, ["dead"])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Claims ledger",
            "version": CONTRACT_VERSION,
            "description": "Commands in, receipts and facts out: CloudEvents 1.0 in binary mode.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {**_commands(), **_facts(), **_answers()},
            "messageTraits": _envelopes(),
        },
    }


def _add(
    channels: Schema, operations: Schema, name: str, topic: str, told: str, messages: list[str]
) -> None:
    """A channel, and what the ledger does there."""
    channels[name] = {
        "address": topic,
        "description": told,
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in messages},
    }
    operations[name] = {
        "action": "receive" if name.startswith("commands.") else "send",
        "channel": {"$ref": f"#/channels/{name}"},
    }


def _message(told: str, kind: str, envelope: str, body: Schema) -> Schema:
    """A message: its type, and what it shares with others of its envelope as a trait."""
    return {
        "summary": told,
        "headers": {"type": "object", "properties": {"ce_type": {"const": kind}}},
        "payload": {"schemaFormat": _DIALECT, "schema": body},
        "traits": [{"$ref": f"#/components/messageTraits/{envelope}"}],
    }


def _commands() -> Schema:
    messages: Schema = {}
    for kind, model in sorted(command_types().items()):
        name = f"{kind}.{COMMAND_VERSION}"
        body = {"$ref": f"commands.json#/$defs/{name}"}
        messages[name] = _message(_first_line(model), COMMAND + name, "command", body)
    return messages


def _facts() -> Schema:
    messages: Schema = {}
    for name, kind in sorted(NAMES.items()):
        whole, stub = (f"facts.json#/$defs/{each}" for each in (name, "withheld"))
        body = {"oneOf": [{"$ref": whole}, {"$ref": stub}]}
        messages[name] = _message(_first_line(kind), FACT + name, "fact", body)
    return messages


def _answers() -> Schema:
    headers = {name: {"type": "string"} for name in DEAD_HEADERS}
    return {
        "receipt": _message(
            "The answer to a command.", RECEIPT, "receipt", {"$ref": "receipts.json"}
        ),
        "dead": {
            "summary": "A message that was put aside; its own headers stand before these.",
            "headers": {"type": "object", "properties": headers, "required": list(headers)},
        },
    }


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0]


def _envelopes() -> Schema:
    """What the messages of one direction have in common, by its name."""
    return {
        "command": _envelope("ce_time", subject=_SUBJECT, time=_MOMENT),
        "receipt": _envelope(
            "ce_subject", "ce_time", subject=_SUBJECT, time=_MOMENT, sequence=_SEQUENCE
        ),
        "fact": _envelope(
            "ce_withheld",
            subject=_SUBJECT,
            time=_MOMENT,
            sequence=_SEQUENCE,
            effectiveon={**_TEXT, "format": "date", "description": "When it was true."},
            digest={**_TEXT, "description": "SHA-256 (hex) of the bytes as stored."},
            withheld={**_TEXT, "description": "The label for which the body is a stub."},
        ),
    }


def _envelope(*optional: str, **more: Schema) -> Schema:
    """A key, and the headers of a CloudEvent with these attributes besides its own."""
    headers: Schema = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _TEXT,
        "ce_source": _TEXT,
        "ce_type": _TEXT,
        **{f"ce_{name}": schema for name, schema in more.items()},
        "ce_traceparent": _TRACE,
        "content-type": {"const": CONTENT_TYPE},
    }
    required = [name for name in headers if name not in (*_OPTIONAL, *optional)]
    return {
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": headers, "required": required},
        "bindings": _KEYED,
    }
