"""What the writers say they sent and were answered, read from their journals."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands.receipt import Receipt
from tests.commands.bodies import Body
from tests.faults.journal import Journal, entries


@dataclass
class Exchanges:
    """By command_id: every body it was sent with, and every kept receipt it was answered with.

    `unkept` counts, by code, the answers that promise nothing, such as "the database is away".
    """

    sent: dict[str, list[Body]] = field(default_factory=dict[str, list[Body]])
    acknowledged: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    unkept: Counter[str] = field(default_factory=Counter[str])

    def take(self, path: Path) -> None:
        """Add what one journal tells."""
        for entry in entries(path):
            for text in entry.get("sent", ()):
                body = body_of(text)
                known = self.sent.setdefault(body["command_id"], []) if body else None
                if known is not None and body not in known:
                    known.append(body)
            for text in entry.get("got", ()):
                told = json.loads(text)
                if is_kept(told):
                    self.acknowledged.setdefault(told["command_id"], set()).add(text)
                else:
                    self.unkept[told["code"]] += 1

    def unanswered(self) -> list[Body]:
        """One body of each command that has no kept receipt."""
        return [bodies[0] for key, bodies in self.sent.items() if key not in self.acknowledged]


def exchanges(paths: Iterable[Path]) -> Exchanges:
    """What these journals tell together."""
    told = Exchanges()
    for path in paths:
        told.take(path)
    return told


def body_of(text: str) -> Body:
    """What was sent; empty when it has no command_id that could be read."""
    try:
        body: Body = json.loads(text)
    except ValueError:
        return {}
    return body


def is_kept(told: dict[str, Any]) -> bool:
    """The answer was stored with what it tells of, and so promises it."""
    return told["outcome"] == "accepted" or bool(told["kept_in"])


def note_sent(journal: Journal, batch: Sequence[str]) -> None:
    """Write down commands before they go."""
    journal.write(sent=batch)


def note_got(journal: Journal, receipts: Sequence[Receipt]) -> None:
    """Write down answers before anybody counts on them."""
    journal.write(got=[receipt.body.decode() for receipt in receipts])
