"""A record of Kafka and the CloudEvent in it, in binary mode, by the cloudevents library."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from commands.door import shown
from consumers.refusals import BadHeader, EnvelopeMismatch, MissingHeader, NotAMessage

HEADER_BYTES_MAX = 1_024  # of one header's value: the longest that is ever needed has under 400
SEQUENCE_DIGITS = 20  # so that text sorts as the number does: a position has 19 at most
CONTENT_TYPE = "application/json"

_PREFIX = "ce_"
_NAME = re.compile("ce_[a-z0-9]+|content-type")
_MEDIA = re.compile(r'application/json(\s*;\s*charset\s*=\s*"?utf-8"?)?', re.IGNORECASE)
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Record(NamedTuple):
    """What a topic holds: a key, a value, and headers, which may repeat a name or have no value."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class _Verbatim(JSONFormat):
    """Data that is JSON already, and stays the bytes it is: digests cover them."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:
        del datacontenttype
        return body


_VERBATIM = _Verbatim()


def write_event(key: str, body: bytes, **attributes: str | datetime) -> Record:
    """The record of a CloudEvent: these attributes, without those that are empty, and this body.

    Raises `MissingHeader` for one without an id: the library would make one up.
    """
    told = {name: value for name, value in attributes.items() if value}
    if "id" not in told:
        raise MissingHeader("ce_id")
    event = CloudEvent({"specversion": "1.0", "datacontenttype": CONTENT_TYPE, **told}, body)
    if "time" not in told:
        # The library puts the clock there; what is told twice has to be the same twice.
        del event.get_attributes()["time"]
    message = to_binary(event, _VERBATIM, lambda _: key)
    return Record(key.encode(), message.value, tuple(message.headers.items()))


def read_event(record: Record, *required: str) -> tuple[dict[str, Any], bytes]:
    """The attributes of a record's CloudEvent, and its body.

    `required` names attributes that the caller needs besides those that every CloudEvent has.
    Raises `MissingHeader` or `BadHeader`.
    """
    headers = _headers(record)
    for name in ("specversion", "id", "source", "type", *required):
        if _PREFIX + name not in headers:
            raise MissingHeader(_PREFIX + name)
    try:
        event = from_binary(KafkaMessage(headers, None, record.value or b""), _VERBATIM, CloudEvent)
    except CloudEventValidationError as error:
        path = next(iter(error.errors))
        rule = "; ".join(str(each) for each in error.errors[path])
        raise BadHeader(_PREFIX + path, rule) from None
    except (ValueError, OverflowError):
        raise BadHeader(f"{_PREFIX}time", "a moment with its zone, in ISO form") from None
    return event.get_attributes(), record.value or b""


def _headers(record: Record) -> dict[str, bytes]:
    """The headers that are the CloudEvent's, each once, as text that can be read."""
    headers: dict[str, bytes] = {}
    for written, value in record.headers:
        name = written.lower()
        if value is None or not (name.startswith(_PREFIX) or name == "content-type"):
            continue  # those of others, such as a tracer's, are theirs
        wrong = _wrong_with(name, value)
        if wrong or name in headers:
            raise BadHeader(shown(name, 64), wrong or "it is there twice")
        headers[name] = value
    media = headers.get("content-type", CONTENT_TYPE.encode()).decode()
    if not _MEDIA.fullmatch(media):
        raise BadHeader("content-type", f"{CONTENT_TYPE}, with the attributes as headers beside it")
    return headers


def _wrong_with(name: str, value: bytes) -> str:
    """The rule that a header breaks, "" for none."""
    if not 0 < len(value) <= HEADER_BYTES_MAX:
        return f"it has 1 to {HEADER_BYTES_MAX} bytes"
    if not _NAME.fullmatch(name):
        return "an attribute has small letters and digits only"
    try:
        return "" if value.decode().isprintable() else "printable characters only"
    except UnicodeDecodeError:
        return "it is not UTF-8"


def header_of(record: Record, name: str) -> str:
    """The first value of a header that can be read as text, "" if there is none."""
    for found, value in record.headers:
        if found.lower() == name and value is not None:
            text = value[:HEADER_BYTES_MAX].decode(errors="replace")
            if text.isprintable():
                return text
    return ""


def trace_of(text: object) -> str:
    """A traceparent (W3C Trace Context) as it came; "" for what has not its form.

    What is wrong there costs the trace and not the message, as the recommendation asks.
    """
    return text if isinstance(text, str) and _TRACE.fullmatch(text) else ""


def sequence(position: int) -> str:
    """A position in the log as text that sorts as the number does."""
    return f"{position:0{SEQUENCE_DIGITS}d}"


def number_of(header: str, text: str) -> int:
    """The number that a header tells in digits. Raises `BadHeader`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= SEQUENCE_DIGITS):
        raise BadHeader(header, f"1 to {SEQUENCE_DIGITS} digits")
    return int(text)


def require_same(path: str, found: str, expected: str) -> None:
    """What stands around a body is what the body says. Raises `EnvelopeMismatch`."""
    if found != expected:
        raise EnvelopeMismatch(path, shown(found), shown(expected))


def key_text(record: Record) -> str:
    """The key as text; what is none comes to something that no stream is called."""
    return (record.key or b"").decode(errors="replace")


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises `NotAMessage`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAMessage("it is not JSON") from None
    if not isinstance(data, dict):
        raise NotAMessage("it is not a JSON object")
    return cast("dict[str, Any]", data)
