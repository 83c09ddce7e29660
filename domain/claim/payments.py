"""Payments: requested by one person, approved by another, issued by the bank's word, voided."""

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from domain.money import Money
from domain.refusals.authority import SelfApproval
from domain.refusals.money import AmountNotPositive, PaymentExceedsOutstanding
from domain.refusals.state import IllegalTransition, ReferenceTaken, UnknownReference
from domain.terms import CostType, Line, PaymentKind
from domain.value import Value, field


class PaymentRequested(Value, frozen=True):
    """Somebody asked for a payment on a line to a payee (a party's reference)."""

    payment_id: str
    line: Line
    amount: Money
    kind: PaymentKind
    payee: str
    requested_by: str


class PaymentApproved(Value, frozen=True):
    """Somebody else, with the authority, approved it."""

    payment_id: str
    approved_by: str


class PaymentRejected(Value, frozen=True):
    """The request was turned down or withdrawn."""

    payment_id: str
    why: str


class PaymentIssued(Value, frozen=True):
    """The money left; its effective day is the bank's value date."""

    payment_id: str
    line: Line
    amount: Money


class PaymentVoided(Value, frozen=True):
    """An issued payment was taken back; it restores exactly what was outstanding."""

    payment_id: str
    line: Line
    amount: Money
    why: str


Fact = PaymentRequested | PaymentApproved | PaymentRejected | PaymentIssued | PaymentVoided


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    ISSUED = "issued"
    VOIDED = "voided"


class Payment(Value, frozen=True):
    """One payment."""

    line: Line
    amount: Money
    status: PaymentStatus
    requested_by: str = ""

    @property
    def in_progress(self) -> bool:
        """Asked for, and neither issued nor turned down."""
        return self.status in (PaymentStatus.REQUESTED, PaymentStatus.APPROVED)


class Payments(Value, frozen=True):
    """The payments of a file, by their id."""

    by_id: Mapping[str, Payment] = field(default_factory=dict[str, Payment])

    def in_progress_on(self, line: Line) -> int:
        """What is on its way on a line, in minor units."""
        on_line = (p for p in self.by_id.values() if p.in_progress and p.line == line)
        return sum(p.amount.minor for p in on_line)

    def approved_damages(self, currency: str) -> int:
        """Damages that are approved and not yet issued, in minor units."""
        return sum(
            p.amount.minor
            for p in self.by_id.values()
            if p.status is PaymentStatus.APPROVED
            and p.line.cost_type is CostType.DAMAGES
            and p.amount.currency == currency
        )


def evolve(state: Payments, fact: Fact) -> Payments:
    """Remember one fact; a payment whose request was never told (imported) is known when issued."""
    match fact:
        case PaymentRequested():
            new = Payment(fact.line, fact.amount, PaymentStatus.REQUESTED, fact.requested_by)
            return _with(state, fact.payment_id, new)
        case PaymentApproved():
            return _moved(state, fact.payment_id, PaymentStatus.APPROVED)
        case PaymentRejected():
            return _moved(state, fact.payment_id, PaymentStatus.REJECTED)
        case PaymentIssued():
            known = state.by_id.get(fact.payment_id)
            asker = known.requested_by if known else ""
            new = Payment(fact.line, fact.amount, PaymentStatus.ISSUED, asker)
            return _with(state, fact.payment_id, new)
        case PaymentVoided():
            return _moved(state, fact.payment_id, PaymentStatus.VOIDED)
        case _:
            assert_never(fact)


def _with(state: Payments, payment_id: str, payment: Payment) -> Payments:
    return Payments({**state.by_id, payment_id: payment})


def _moved(state: Payments, payment_id: str, status: PaymentStatus) -> Payments:
    known = state.by_id.get(payment_id)
    if known is None:
        return state
    moved = Payment(known.line, known.amount, status, known.requested_by)
    return _with(state, payment_id, moved)


def request(state: Payments, asked: PaymentRequested, outstanding: Money) -> list[Fact]:
    """Ask for a payment: no more than is outstanding on the line and not already on its way."""
    require_new(state, asked.payment_id)
    require_payable(state, asked.line, asked.amount, outstanding)
    return [asked]


def approve(state: Payments, payment_id: str, approver: str) -> list[Fact]:
    """Approve a request of somebody else."""
    payment = _in(state, payment_id, "approved", PaymentStatus.REQUESTED)
    if payment.requested_by == approver:
        raise SelfApproval(approver, f"payment {payment_id}")
    return [PaymentApproved(payment_id, approver)]


def reject(state: Payments, payment_id: str, why: str) -> list[Fact]:
    """Turn a payment down before it is issued."""
    _in(state, payment_id, "rejected", PaymentStatus.REQUESTED, PaymentStatus.APPROVED)
    return [PaymentRejected(payment_id, why)]


def issue(state: Payments, payment_id: str) -> list[PaymentIssued]:
    """The bank's word that the approved amount left."""
    payment = _in(state, payment_id, "issued", PaymentStatus.APPROVED)
    return [PaymentIssued(payment_id, payment.line, payment.amount)]


def void(state: Payments, payment_id: str, why: str) -> list[Fact]:
    """Take an issued payment back, whole."""
    payment = _in(state, payment_id, "voided", PaymentStatus.ISSUED)
    return [PaymentVoided(payment_id, payment.line, payment.amount, why)]


def require_payable(state: Payments, line: Line, amount: Money, outstanding: Money) -> None:
    """The amount is above nil and fits what is outstanding and not already on its way."""
    if amount.minor <= 0:
        raise AmountNotPositive(amount)
    free = Money(outstanding.minor - state.in_progress_on(line), outstanding.currency)
    if free < amount:
        raise PaymentExceedsOutstanding(line, amount, free)


def require_new(state: Payments, payment_id: str) -> None:
    """No payment has this id yet."""
    if payment_id in state.by_id:
        raise ReferenceTaken("payment", payment_id)


def _in(state: Payments, payment_id: str, asked: str, *allowed: PaymentStatus) -> Payment:
    payment = state.by_id.get(payment_id)
    if payment is None:
        raise UnknownReference("payment", payment_id)
    if payment.status not in allowed:
        raise IllegalTransition(f"payment {payment_id}", payment.status.value, asked)
    return payment
