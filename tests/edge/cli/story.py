"""A small portfolio for the command line to read: what was sent, when, and what it comes to."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]

NAMES: Body = {"person": "n.ames", "role": "negotiator"}
FINN: Body = {"person": "f.inn", "role": "finance"}
DESK: Body = {"person": "c.desk", "role": "customer_service"}
HEAD: Body = {"person": "h.head", "role": "head_of_department"}
MANN: Body = {"person": "l.mann", "role": "line_manager"}

ODD = "D 4/ü%[/b]:x:"  # spaces, slashes, brackets: nothing a shell, a database or rich may read
DEFENCE: Body = {"cost_type": "defence_costs", "currency": "GBP"}
LIMITS = {"GBP": "500000.00", "ZAR": "9000000.00", "JPY": "10000000"}
DECISIONS = ("reserve", "offer", "settle", "pay", "apportion", "correct")


def money(amount: str, currency: str = "GBP") -> Body:
    return {"amount": amount, "currency": currency}


def damages(head: str | None = None, currency: str = "GBP") -> Body:
    """A line of damages."""
    return {"cost_type": "damages", "currency": currency} | ({"head": head} if head else {})


@dataclass
class Writer:
    """Writes commands, each with an id of its own, in the order in which they will be sent."""

    prefix: str = "c"
    bodies: list[Body] = field(default_factory=list[Body])
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def write(self, kind: str, actor: Body, /, **fields: Any) -> Body:
        body = {"command_id": f"{self.prefix}-{next(self.numbers)}", "type": kind, "actor": actor}
        self.bodies.append(body | fields)
        return self.bodies[-1]

    def mandate(self, person: str, role: str) -> None:
        """A mandate for everything, everywhere, signed by all three."""
        everywhere = {
            "pathways": ["dental", "medical"],
            "jurisdictions": ["england_wales", "south_africa", "other"],
            "stages": ["claim_intimated", "letter_of_claim", "responded", "negotiating"],
        }
        limits = [
            {"decision": decision, "maximum": money(amount, currency), **everywhere}
            for decision in DECISIONS
            for currency, amount in LIMITS.items()
        ]
        self.write(
            "grant-mandate", HEAD, person=person, role=role, valid_from="2024-01-01", limits=limits
        )
        signed = (("holder", {"person": person, "role": role}), ("line_manager", MANN))
        for attestor, actor in (*signed, ("head_of_department", HEAD)):
            self.write("attest-mandate", actor, person=person, attestor=attestor)

    def notified(
        self,
        claim: str,
        on: str,
        jurisdiction: str = "england_wales",
        currency: str = "GBP",
    ) -> Body:
        return self.write(
            "notify-matter",
            DESK,
            claim=claim,
            matter_type="claim",
            jurisdiction=jurisdiction,
            currency=currency,
            event_date="2024-05-14",
            notified_on=on,
        )

    def allocated(self, claim: str, pathway: str = "dental", team: str = "dental-north") -> Body:
        return self.write(
            "allocate-claim", DESK, claim=claim, pathway=pathway, team=team, handler="n.ames"
        )

    def estimated(self, claim: str, *lines: tuple[Body, str], **fields: Any) -> Body:
        estimates = [
            {"line": line, "amount": money(amount, line["currency"])} for line, amount in lines
        ]
        return self.write("set-estimate", NAMES, claim=claim, estimates=estimates, **fields)

    def offered(self, claim: str, offer_id: str, amount: str, served_on: str) -> Body:
        terms = {
            "type": "part36",
            "damages": {"gross": money(amount), "net": money(amount)},
            "costs_terms": "plus_reasonable_costs",
            "served_on": served_on,
            "relevant_period_days": 21,
        }
        return self.write("make-offer", NAMES, claim=claim, offer_id=offer_id, terms=terms)


@dataclass(frozen=True)
class Chapter:
    """What was sent at one moment, as one batch; `refused` are the codes expected, in order."""

    at: datetime
    bodies: Sequence[Body]
    refused: Sequence[str] = ()


def _at(month: int, day: int) -> datetime:
    return datetime(2025, month, day, 10, tzinfo=UTC)


def _mandates() -> Chapter:
    writer = Writer("mandate")
    writer.mandate("n.ames", "negotiator")
    writer.mandate("f.inn", "finance")
    return Chapter(_at(1, 6), writer.bodies)


def _opened() -> Chapter:
    writer = Writer("opened")
    writer.notified("A-1", "2025-01-10")
    writer.allocated("A-1")
    why = "Two implants and a crown, replaced once."
    lines = (damages("future_treatment"), "18500.00"), (DEFENCE, "3000.00")
    writer.estimated("A-1", *lines, rationale=why)
    writer.notified("B-1", "2025-01-13", "south_africa", "ZAR")
    writer.allocated("B-1", "medical", "cape")
    writer.estimated("B-1", (damages("psla", "ZAR"), "250000.00"))
    writer.notified("C-1", "2025-01-13")
    writer.allocated("C-1")
    writer.estimated("C-1", (damages(), "4000.00"))
    writer.notified("E-1", "2025-01-13", "other", "JPY")
    writer.allocated("E-1", "medical", "cape")
    writer.estimated("E-1", (damages(currency="JPY"), "120000"))
    writer.notified(ODD, "2025-01-13")
    return Chapter(_at(1, 13), writer.bodies)


def _paid() -> Chapter:
    writer = Writer("paid")
    payment = {"claim": "A-1", "payment_id": "P-1"}
    writer.write(
        "request-payment",
        NAMES,
        **payment,
        line=DEFENCE,
        amount=money("1200.00"),
        kind="invoice",
        payee="solicitor-7",
    )
    writer.write("approve-payment", FINN, **payment)
    writer.write("issue-payment", FINN, **payment)
    return Chapter(_at(2, 10), writer.bodies)


def _corrected() -> Chapter:
    """Fact 3 of C-1 had a nought too many."""
    writer = Writer("corrected")
    again = {"kind": "estimate", "line": damages(), "amount": money("400.00")}
    writer.write(
        "correct-fact", NAMES, claim="C-1", version=3, replacement=again, why="A nought too many."
    )
    return Chapter(_at(3, 10), writer.bodies)


def _offered() -> Chapter:
    writer = Writer("offered")
    strategy = {"objective": "Settle before issue.", "review_on": "2025-06-30"}
    writer.write("set-strategy", NAMES, claim="A-1", **strategy)
    writer.offered("A-1", "O-1", "620000.00", "2025-04-14")
    writer.offered("A-1", "O-1", "15000.00", "2025-04-14")
    return Chapter(_at(4, 14), writer.bodies, refused=["E301"])


def _closed() -> Chapter:
    writer = Writer("closed")
    writer.estimated("C-1", (damages(), "0.00"))
    outcome = {"closure": "nil_withdrawn", "outcome": "Not pursued."}
    writer.write("close-claim", NAMES, claim="C-1", **outcome)
    writer.write(
        "receive-recovery",
        FINN,
        claim="A-1",
        recovery_id="R-1",
        line=DEFENCE,
        category="costs_order",
        amount=money("500.00"),
    )
    return Chapter(_at(5, 12), writer.bodies)


STORY = (_mandates(), _opened(), _paid(), _corrected(), _offered(), _closed())


def as_lines(bodies: Sequence[Body]) -> bytes:
    """Commands as `claims submit` reads them."""
    return b"".join(json.dumps(body, ensure_ascii=False).encode() + b"\n" for body in bodies)
