"""Bodies of commands by short names, and a ledger in memory with a clock that tests turn."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from commands.door import read
from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.claim import Claim, evolve
from domain.envelope import Recorded, recorded_day
from domain.history import fold
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Stage
from edge.store.memory_store import MemoryStore

Body = dict[str, Any]

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = START.date()
EVERYWHERE = {
    "pathways": [each.value for each in Pathway],
    "jurisdictions": [each.value for each in Jurisdiction],
    "stages": [each.value for each in Stage],
}
ROLES = {
    "ann": "negotiator",
    "bob": "case_manager",
    "cat": "pathway_lead",
    "fin": "finance",
    "mike": "line_manager",
    "hedda": "head_of_department",
}
DAMAGES = {"cost_type": "damages", "currency": "GBP"}
DEFENCE = {"cost_type": "defence_costs", "currency": "GBP"}


def gbp(pounds: int | str) -> Body:
    return {"amount": str(pounds), "currency": "GBP"}


def damages(pounds: int) -> Body:
    return {"gross": gbp(pounds), "net": gbp(pounds)}


def part36(pounds: int, served_on: date = DAY) -> Body:
    return {
        "type": "part36",
        "damages": damages(pounds),
        "costs_terms": "plus_reasonable_costs",
        "served_on": served_on.isoformat(),
        "relevant_period_days": 21,
    }


def matter(on: date = DAY, **fields: Any) -> Body:
    return {
        "matter_type": "claim",
        "jurisdiction": "england_wales",
        "currency": "GBP",
        "event_date": (on - timedelta(days=100)).isoformat(),
        "notified_on": on.isoformat(),
        **fields,
    }


def estimate(pounds: int | str, line: Body | None = None, **fields: Any) -> Body:
    return {"line": line or DAMAGES, "amount": gbp(pounds), **fields}


@dataclass
class Desk:
    """A ledger in memory, the clock it is given, and everything it was ever asked."""

    now: datetime = START
    store: MemoryStore = field(default_factory=MemoryStore)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.store, lambda: self.now)

    @property
    def today(self) -> date:
        return recorded_day(self.now)

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def body(self, kind: str, by: str = "ann", /, **fields: Any) -> Body:
        """A command's body under an id of its own."""
        return {
            "type": kind,
            "command_id": f"c-{next(self.numbers)}",
            "actor": {"person": by, "role": ROLES[by]},
            **fields,
        }

    def send(self, *bodies: Body | bytes) -> list[Receipt]:
        """Send one batch."""
        raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in bodies]
        return self.ledger.handle_many([read(each) for each in raw])

    def ask(self, kind: str, by: str = "ann", claim: str = "C1", /, **fields: Any) -> Receipt:
        """Ask one thing about a claim."""
        return self.send(self.body(kind, by, claim=claim, **fields))[0]

    def told(self, kind: str, by: str = "ann", claim: str = "C1", /, **fields: Any) -> Receipt:
        """Ask one thing that has to be accepted."""
        receipt = self.ask(kind, by, claim, **fields)
        assert receipt.accepted, receipt.data
        return receipt

    def employ(self, person: str, pounds: int, **scope: Sequence[str]) -> None:
        """Give somebody a mandate for every decision, signed by the three."""
        limits = [
            {"decision": each.value, "maximum": gbp(pounds), **EVERYWHERE, **scope}
            for each in Decision
        ]
        granted = self.body(
            "grant-mandate",
            "hedda",
            person=person,
            role=ROLES[person],
            limits=limits,
            valid_from=self.today.isoformat(),
        )
        signers = {"holder": person, "line_manager": "mike", "head_of_department": "hedda"}
        signed = [
            self.body("attest-mandate", signers[each.value], person=person, attestor=each.value)
            for each in Attestor
        ]
        for receipt in self.send(granted, *signed):
            assert receipt.accepted, receipt.data

    def opened(self, claim: str = "C1", days_ago: int = 0) -> None:
        """A file that is notified, allocated to ann, and has a strategy."""
        notified_on = self.today - timedelta(days=days_ago)
        self.told("notify-matter", "bob", claim, **matter(notified_on))
        self.told("allocate-claim", "bob", claim, pathway="dental", team="dental-1", handler="ann")
        review = (self.today + timedelta(days=60)).isoformat()
        self.told("set-strategy", "ann", claim, objective="settle", review_on=review)

    def history(self, stream: str) -> Sequence[Recorded[Any]]:
        return self.store.load([stream])[stream]

    def claim(self, claim: str = "C1") -> Claim:
        """The file as its facts tell it."""
        return fold(self.history(f"claim-{claim}"), evolve, Claim())

    def lengths(self) -> Mapping[str, int]:
        """How many facts each stream has."""
        lengths: dict[str, int] = {}
        for event in self.store.recorder.select_notifications(start=None, limit=10**6):
            stream = str(event.originator_id)
            lengths[stream] = lengths.get(stream, 0) + 1
        return lengths
