"""A file at a glance: who has it, how far it is and what it is worth, as a caseload counts it."""

from datetime import date
from typing import NamedTuple

from domain.claim import Claim
from domain.claim.exposure import UNALLOCATED
from domain.terms import CostType


class Standing(NamedTuple):
    """How a file stands; amounts are whole minor units of its own currency, over all its lines.

    `incurred` is what is paid and outstanding together; what is kept in `other_currencies` is in
    none of the amounts.
    """

    status: str
    handler: str
    team: str
    pathway: str
    jurisdiction: str
    matter_type: str
    stage: str
    closure: str
    currency: str
    other_currencies: str
    damages_estimate: int
    incurred: int
    paid: int
    open_escalations: int
    reopened: int
    event_date: date
    notified_on: date
    closed_on: date | None
    review_on: date | None

    @property
    def outstanding(self) -> int:
        """What is still expected to be paid."""
        return self.incurred - self.paid


def standing_of(claim: Claim) -> Standing | None:
    """How a file stands; None before it was notified."""
    life, notified, currency = claim.lifecycle, claim.lifecycle.notified, claim.currency
    if notified is None:
        return None
    damages = incurred = paid = 0
    others: set[str] = set()
    for line, state in claim.reserves.lines.items():
        if line.currency != currency:
            others.add(line.currency)
            continue
        incurred += state.estimate
        paid += state.paid
        if line.cost_type is CostType.DAMAGES:
            damages += state.estimate
    return Standing(
        status=str(life.status),
        handler=life.handler or UNALLOCATED,
        team=life.team or UNALLOCATED,
        pathway=str(life.pathway or UNALLOCATED),
        jurisdiction=str(notified.jurisdiction),
        matter_type=str(notified.matter_type),
        stage=str(life.stage),
        closure=str(life.closure or ""),
        currency=currency,
        other_currencies=" ".join(sorted(others)),
        damages_estimate=damages,
        incurred=incurred,
        paid=paid,
        open_escalations=sum(1 for _ in claim.escalations.undecided()),
        reopened=life.reopened,
        event_date=notified.event_date,
        notified_on=notified.notified_on,
        closed_on=life.closed_on,
        review_on=life.strategy.review_on if life.strategy else None,
    )


def alike(before: Claim, after: Claim) -> bool:
    """The two share all that `standing_of` reads, so that it says the same of both."""
    return (
        before.lifecycle is after.lifecycle
        and before.reserves is after.reserves
        and before.escalations is after.escalations
    )
