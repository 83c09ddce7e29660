"""A file at a glance: who has it, how far it is and what it is worth, as a caseload counts it."""

from datetime import date
from typing import NamedTuple

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
    """What the lines tell, in the order of a standing."""

    other_currencies: str
    damages_estimate: int
    incurred: int
    paid: int


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
    # Amounts are in the file's own currency, which its notification tells.
    if same_lines and before.currency == after.currency:
        worth = _Worth._make(stood[_LINES:_ASKED])
    else:
        worth = _worth(after)
    if same_life:
        last = stood[_ASKED + 1 :]
        return Standing._make((*stood[:_LINES], *worth, _undecided(after), *last))
    return _standing(after.lifecycle, worth, _undecided(after))


_LINES = Standing._fields.index(_Worth._fields[0])
_ASKED = Standing._fields.index("open_escalations")


def _standing(life: Lifecycle, worth: _Worth, undecided: int) -> Standing | None:
    notified = life.notified
    if notified is None:
        return None
    return Standing(
        str(life.status),
        life.handler or UNALLOCATED,
        life.team or UNALLOCATED,
        str(life.pathway or UNALLOCATED),
        str(notified.jurisdiction),
        str(notified.matter_type),
        str(life.stage),
        str(life.closure or ""),
        notified.currency,
        *worth,
        undecided,
        life.reopened,
        notified.event_date,
        notified.notified_on,
        life.closed_on,
        life.strategy.review_on if life.strategy else None,
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
    return _Worth(" ".join(sorted(others)), damages, incurred, paid)


def _undecided(claim: Claim) -> int:
    asked = claim.escalations
    return sum(1 for _ in asked.undecided()) if asked.by_id else 0
