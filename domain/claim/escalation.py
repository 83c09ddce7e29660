"""Escalation: a question with what its asker saw, how it was decided, and approvals, used once."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import assert_never

from domain.errors import BadValue
from domain.money import Money
from domain.refusals.authority import (
    ApprovalExpired,
    ApprovalNotUsable,
    ApprovalTermsChanged,
    SelfApproval,
)
from domain.refusals.state import IllegalTransition, ReferenceTaken, UnknownReference
from domain.terms import Decision, EscalationKind, EscalationOutcome
from domain.value import Value, field, replace


class ApprovalAsk(Value, frozen=True):
    """What approval is asked for: a decision, a maximum of damages, and the terms it is bound to.

    `terms_digest` is the SHA-256 (hex) of the terms of an offer or a settlement, "" for a decision
    that has none.
    """

    decision: Decision
    maximum: Money
    terms_digest: str = ""


class Escalated(Value, frozen=True):
    """Somebody asked; `seen_version` is the version of the file that they had before them."""

    escalation_id: str
    kind: EscalationKind
    question: str
    asked_by: str
    seen_version: int
    approval: ApprovalAsk | None = None


class EscalationDecided(Value, frozen=True):
    """Somebody else decided; an approval is good until `valid_until`, that day included."""

    escalation_id: str
    outcome: EscalationOutcome
    decided_by: str
    directions: str = ""
    valid_until: date | None = None


class EscalationWithdrawn(Value, frozen=True):
    """The asker took the question back."""

    escalation_id: str


class ApprovalConsumed(Value, frozen=True):
    """The approval was used, once and for all, for the decision in the same transaction."""

    escalation_id: str
    decision: Decision
    amount: Money


Fact = Escalated | EscalationDecided | EscalationWithdrawn | ApprovalConsumed


class Escalation(Value, frozen=True):
    """One escalation."""

    asked: Escalated
    decided: EscalationDecided | None = None
    withdrawn: bool = False
    consumed: bool = False

    @property
    def open(self) -> bool:
        """Neither decided nor withdrawn."""
        return self.decided is None and not self.withdrawn

    @property
    def state(self) -> str:
        """In one word."""
        if self.consumed:
            return "used"
        if self.withdrawn:
            return "withdrawn"
        return self.decided.outcome.value if self.decided else "undecided"


class Escalations(Value, frozen=True):
    """The escalations of a file, by their id."""

    by_id: Mapping[str, Escalation] = field(default_factory=dict[str, Escalation])

    def undecided(self) -> Iterator[str]:
        """The ids of those that wait for an answer."""
        return (key for key, escalation in self.by_id.items() if escalation.open)


def evolve(state: Escalations, fact: Fact) -> Escalations:
    """Remember one fact; one about an escalation never told of changes nothing."""
    if isinstance(fact, Escalated):
        return Escalations({**state.by_id, fact.escalation_id: Escalation(fact)})
    known = state.by_id.get(fact.escalation_id)
    if known is None:
        return state
    match fact:
        case EscalationDecided():
            known = replace(known, decided=fact)
        case EscalationWithdrawn():
            known = replace(known, withdrawn=True)
        case ApprovalConsumed():
            known = replace(known, consumed=True)
        case _:
            assert_never(fact)
    return Escalations({**state.by_id, fact.escalation_id: known})


def escalate(state: Escalations, asked: Escalated) -> list[Fact]:
    """Ask; an approval says what it is asked for, a question does not."""
    if asked.escalation_id in state.by_id:
        raise ReferenceTaken("escalation", asked.escalation_id)
    if (asked.kind is EscalationKind.APPROVAL) != (asked.approval is not None):
        raise BadValue("approval", "an escalation of the kind approval has one, no other has")
    if asked.approval is not None and asked.approval.maximum.minor <= 0:
        raise BadValue("approval.maximum", "it has to be above nil")
    return [asked]


def decide(state: Escalations, decided: EscalationDecided, on: date) -> list[Fact]:
    """Answer a question that somebody else asked."""
    known = _open(state, decided.escalation_id, "decided")
    if known.asked.asked_by == decided.decided_by:
        raise SelfApproval(decided.decided_by, f"escalation {decided.escalation_id}")
    directed = decided.outcome is EscalationOutcome.APPROVED_WITH_DIRECTIONS
    if directed and not decided.directions:
        raise BadValue("directions", "an approval with directions has to give them")
    approves = known.asked.approval and decided.outcome is not EscalationOutcome.DECLINED
    if bool(approves) != (decided.valid_until is not None):
        raise BadValue("valid_until", "an approval that is given says until when, and nothing else")
    if decided.valid_until is not None and decided.valid_until < on:
        raise BadValue("valid_until", "it is before the day of the decision")
    return [decided]


def withdraw(state: Escalations, escalation_id: str, person: str) -> list[Fact]:
    """Take one's own question back."""
    known = _open(state, escalation_id, "withdrawn")
    if known.asked.asked_by != person:
        raise BadValue("actor", "only the one who asked may take the question back")
    return [EscalationWithdrawn(escalation_id)]


def asked_for(state: Escalations, escalation_id: str) -> ApprovalAsk | None:
    """What approval an escalation asks for, None for a question."""
    return _known(state, escalation_id).asked.approval


def use_approval(
    state: Escalations, escalation_id: str, use: ApprovalAsk, person: str, on: date
) -> tuple[ApprovalConsumed, Money]:
    """Use an approval for exactly what it was given for, by the one who asked, once.

    Answers with the fact, and the maximum that was approved.
    """
    known = _known(state, escalation_id)
    ask, decided = known.asked.approval, known.decided
    if ask is None or decided is None or decided.outcome is EscalationOutcome.DECLINED:
        raise ApprovalNotUsable(escalation_id, f"it is no approval that was given ({known.state})")
    if known.consumed:
        raise ApprovalNotUsable(escalation_id, "it was used before")
    if known.asked.asked_by != person:
        raise ApprovalNotUsable(escalation_id, "it was given to somebody else")
    if decided.valid_until is not None and decided.valid_until < on:
        raise ApprovalExpired(escalation_id, decided.valid_until)
    if ask.decision is not use.decision:
        raise ApprovalTermsChanged(escalation_id, f"it is for {ask.decision.value}")
    if ask.terms_digest != use.terms_digest:
        raise ApprovalTermsChanged(escalation_id, "the terms are not those that were approved")
    if ask.maximum < use.maximum:
        raise ApprovalTermsChanged(
            escalation_id, f"{use.maximum} is above the maximum of {ask.maximum}"
        )
    return ApprovalConsumed(escalation_id, use.decision, use.maximum), ask.maximum


def _known(state: Escalations, escalation_id: str) -> Escalation:
    known = state.by_id.get(escalation_id)
    if known is None:
        raise UnknownReference("escalation", escalation_id)
    return known


def _open(state: Escalations, escalation_id: str, asked: str) -> Escalation:
    known = _known(state, escalation_id)
    if not known.open:
        raise IllegalTransition(f"escalation {escalation_id}", known.state, asked)
    return known
