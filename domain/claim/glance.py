"""A file at a glance: who has it, how far it is and what it is worth, as a caseload counts it."""

from datetime import date
from typing import Any, NamedTuple

from domain.claim import Claim
from domain.claim.exposure import UNALLOCATED
from domain.claim.lifecycle import Lifecycle
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


class _Worth(NamedTuple):
    """What the lines tell, by the names that a standing has for it."""

    other_currencies: str
    damages_estimate: int
    incurred: int
    paid: int


# Where a standing has what the lines tell; what the escalations tell comes next.
_WORTH = slice(
    Standing._fields.index(_Worth._fields[0]), Standing._fields.index("open_escalations")
)


def standing_of(claim: Claim) -> Standing | None:
    """How a file stands; None before it was notified."""
    return _standing(claim.lifecycle, _worth(claim), _undecided(claim))


def standing_after(stood: Standing, before: Claim, after: Claim) -> Standing | None:
    """How a file stands after a step, by how it `stood` before it.

    Complexity: what both states share as one object is taken over, and not looked into.
    """
    same_life, same_lines = before.lifecycle is after.lifecycle, before.reserves is after.reserves
    if same_life and same_lines and before.escalations is after.escalations:
        return stood
    told: tuple[Any, ...] = stood
    # Amounts are in the file's own currency, which its notification tells.
    if not same_lines or before.currency != after.currency:
        worth = _worth(after)
    else:
        worth = _Worth._make(told[_WORTH])
    undecided = _undecided(after)
    if same_life:
        return Standing._make((*told[: _WORTH.start], *worth, undecided, *told[_WORTH.stop + 1 :]))
    return _standing(after.lifecycle, worth, undecided)


def _standing(life: Lifecycle, worth: _Worth, undecided: int) -> Standing | None:
    notified = life.notified
    if notified is None:
        return None
    return Standing(
        status=str(life.status),
        handler=life.handler or UNALLOCATED,
        team=life.team or UNALLOCATED,
        pathway=str(life.pathway or UNALLOCATED),
        jurisdiction=str(notified.jurisdiction),
        matter_type=str(notified.matter_type),
        stage=str(life.stage),
        closure=str(life.closure or ""),
        currency=notified.currency,
        other_currencies=worth.other_currencies,
        damages_estimate=worth.damages_estimate,
        incurred=worth.incurred,
        paid=worth.paid,
        open_escalations=undecided,
        reopened=life.reopened,
        event_date=notified.event_date,
        notified_on=notified.notified_on,
        closed_on=life.closed_on,
        review_on=life.strategy.review_on if life.strategy else None,
    )


def _worth(claim: Claim) -> _Worth:
    currency = claim.currency
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
    return _Worth(" ".join(sorted(others)) if others else "", damages, incurred, paid)


def _undecided(claim: Claim) -> int:
    asked = claim.escalations
    return sum(1 for _ in asked.undecided()) if asked.by_id else 0
