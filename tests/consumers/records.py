"""Records as applications send them, to be changed in one place and read again."""

import json
from typing import Any

from commands.door import Unread, read
from commands.sources import Source
from consumers.command_messages import Dead, read_command, write_command
from consumers.messages import Record
from tests.commands.bodies import Body, estimate

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BODY: Body = {
    "type": "set-estimate",
    "command_id": "q-1",
    "actor": {"person": "ann", "role": "negotiator"},
    "claim": "C1",
    "estimates": [estimate(100)],
}


def asking(trace: str = TRACE, **fields: Any) -> Record:
    """The record that asks `BODY`, or it with other fields."""
    body = json.dumps({**BODY, **fields}).encode()
    command = read(body)
    assert not isinstance(command, Unread), command.error
    return write_command(command, body, "urn:desk", trace)


def headed(record: Record, **headers: bytes | None) -> Record:
    """The record with other headers; those of None are left out."""
    kept = [each for each in record.headers if each[0] not in headers]
    return record._replace(headers=(*kept, *((n, v) for n, v in headers.items() if v is not None)))


def refused(record: Record, code: str, source: Source = Source.DESK) -> Dead:
    """The record is no command, by this code."""
    dead = read_command(record, source)
    assert isinstance(dead, Dead)
    assert dead.error.code == code, str(dead.error)
    assert str(dead.error)
    assert dead.error.remedy
    return dead
