"""The messages that the documentation shows, made by a ledger in memory.

`python -m tests.consumers.examples` prints them, one JSON object each, for the page to be mended.
"""

import json
import sys
from typing import Any

from commands.door import Unread, read
from commands.receipt import not_kept
from commands.sources import Source
from consumers.command_messages import Arrived, Dead, read_command, write_command, write_receipt
from consumers.dead_letters import dead_letter, write_dead
from consumers.fact_messages import write_fact
from consumers.messages import Record
from consumers.topics import commands_topic
from domain.schema import to_stored
from domain.value import replace
from tests.commands.bodies import START, Desk, matter
from tests.consumers.records import TRACE

LEDGER = "urn:claims-ledger"


def examples() -> dict[str, Record]:
    """One whole message of each kind, by what it is."""
    desk = Desk()
    opening = _asked("crm-81", "notify-matter", "c.desk", "customer_service", **matter())
    found = read_command(opening, Source.CRM)
    assert isinstance(found, Arrived)
    (receipt,) = desk.ledger.handle_many([found.command])
    desk.told("allocate-claim", "bob", "MY-1", pathway="dental", team="dental-1", handler="ann")
    desk.told("set-strategy", "ann", "MY-1", objective="settle", review_on="2026-05-01")
    wrong = _asked("tel-7", "approve-payment", "t.one", "customer_service", payment_id="P-1")
    dead = read_command(wrong, Source.TELEPHONY)
    assert isinstance(dead, Dead)
    topic = commands_topic(Source.TELEPHONY)
    return {
        "command": opening,
        "receipt": write_receipt(receipt, LEDGER, found.traceparent),
        "fact": _fact(desk, 0),
        "withheld": _fact(desk, 2),
        "dead letter": write_dead(
            dead_letter(wrong, topic, 3, 1204, dead.error.code, str(dead.error), START)
        ),
        "its receipt": write_receipt(
            not_kept(dead.command_id, dead.stream, dead.error), LEDGER, dead.traceparent
        ),
    }


def _asked(command_id: str, kind: str, person: str, role: str, **fields: Any) -> Record:
    told = {"type": kind, "command_id": command_id, "actor": {"person": person, "role": role}}
    body = json.dumps({**told, "claim": "MY-1", **fields}, separators=(",", ":")).encode()
    command = read(body)
    assert not isinstance(command, Unread), command.error
    return write_command(command, body, f"urn:{command_id[:3]}", TRACE)


def _fact(desk: Desk, place: int) -> Record:
    record = desk.history("claim-MY-1")[place]
    name, stored = to_stored(record)
    return write_fact(name, stored, replace(record, position=place + 1), LEDGER)


def shown(record: Record) -> str:
    """A message as the page shows it: the value is the JSON that its bytes are."""
    told = {
        "key": (record.key or b"").decode(),
        "headers": {name: (value or b"").decode() for name, value in record.headers},
        "value": json.loads(record.value or b""),
    }
    return json.dumps(told, ensure_ascii=False)


if __name__ == "__main__":
    for name, record in examples().items():
        sys.stdout.write(f"{name}\n{shown(record)}\n")
