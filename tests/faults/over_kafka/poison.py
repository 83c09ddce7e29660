"""Messages that are no command: of every kind, and the code by which each has to go aside."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from commands.door import COMMAND_BYTES_MAX
from commands.sources import Source
from consumers.messages import Record
from consumers.topics import commands_topic
from tests.commands.bodies import Body
from tests.faults.asking import command, opening
from tests.faults.over_kafka.asks import Ask, asking, record_of

DEEP = 50_000  # brackets within one another
OVERSIZE_BYTES = 100_000  # past what a command may have
TOO_LARGE = "too large"


def _random_bytes(body: Body) -> Record:
    return _of(body, b"\xff" + random.Random(str(body)).randbytes(200))


def _of(body: Body, value: bytes | None) -> Record:
    return record_of(body, str(body["command_id"]))._replace(value=value)


def _saying(text: str) -> Callable[[Body], Record]:
    """The claim is said in this text."""

    def made(body: Body) -> Record:
        said = json.dumps({**body, "claim": "@"}).replace('"@"', text, 1)
        return _of(body, said.encode())

    return made


def _headed(name: str, value: bytes | None) -> Callable[[Body], Record]:
    """With another value of a header, or without it."""

    def made(body: Body) -> Record:
        record = record_of(body, str(body["command_id"]))
        kept = [each for each in record.headers if each[0] != name]
        return record._replace(headers=(*kept, *([(name, value)] if value is not None else [])))

    return made


def _keyed(key: bytes | None) -> Callable[[Body], Record]:
    return lambda body: record_of(body, str(body["command_id"]))._replace(key=key)


def _with(**fields: str) -> Callable[[Body], Record]:
    return lambda body: record_of({**body, **fields}, str(body["command_id"]))


Kinds = Mapping[str, tuple[str, Callable[[Body], Record]]]

# By name: the code, and how the message is made from the body of a command that opens a file.
KINDS: Kinds = {
    "random bytes": ("E108", _random_bytes),
    "cut short": ("E108", lambda body: _of(body, json.dumps(body)[:-3].encode())),
    "deep nesting": ("E108", lambda body: _of(body, b"[" * DEEP)),
    "not a number": ("E102", _saying("NaN")),
    "too great a number": ("E102", _saying("1e400")),
    "half a character": ("E102", _saying(r'"\ud800"')),
    "a NUL": ("E102", _saying(r'"\u0000"')),
    "a name twice": ("E108", _saying('"C", "claim": "C"')),
    TOO_LARGE: ("E108", lambda body: _of(body, b" " * (COMMAND_BYTES_MAX + OVERSIZE_BYTES))),
    "no value": ("E108", lambda body: _of(body, None)),
    "unknown field": ("E106", _with(colour="red")),
    "unknown type": ("E107", _with(type="unheard")),
    "unknown type in the header": ("E705", _headed("ce_type", b"claims.command.unheard.1")),
    "newer version": ("E704", _headed("ce_type", b"claims.command.notify-matter.2")),
    "wrong key": ("E705", _keyed(b"claim-another")),
    "no key": ("E705", _keyed(None)),
    "no type": ("E700", _headed("ce_type", None)),
    "another application's": ("E707", _with(source_system="bank")),
}
NOT_OF_SOURCE = "not its application's"
BARE = "nothing but a number"
NAMES = (*KINDS, NOT_OF_SOURCE, BARE)


def poison(name: str, key: str, day: date, source: Source) -> Ask:
    """A message of this kind, under this key, from an application that may open files."""
    body = {**opening(f"{key}-file", day)[0], "command_id": key}
    if name == NOT_OF_SOURCE:
        wrong = command("approve-payment", "cat", key, body["claim"], payment_id="p")
        return replace(asking(wrong, Source.TELEPHONY), code="E706", kind=name)
    topic = commands_topic(source)
    if name == BARE:  # without an id nobody can be answered
        bare = Record(None, None, (("n", key.encode()),))
        return Ask(key, topic, bare, "E700", told=False, kind=name)
    code, make = KINDS[name]
    return Ask(key, topic, make(body), code, kind=name)
