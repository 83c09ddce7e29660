"""Reserve lines: what each should cost in all, what was paid, what is outstanding, what came back.

An estimate is the expected total of its line, so outstanding = estimate - paid, never below nil,
and incurred = paid + outstanding.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from domain.claim.payments import PaymentIssued, PaymentVoided
from domain.errors import BadValue, CurrencyMismatch
from domain.money import Money, nil
from domain.refusals.money import AmountNegative, AmountNotPositive, EstimateBelowPaid
from domain.refusals.state import ReferenceTaken, UnknownReference
from domain.terms import CostType, EstimateBasis, Line, RecoveryCategory, Trigger
from domain.value import Value, field, replace


class EstimateSet(Value, frozen=True):
    """The expected total of a line was set; `previous` is what it was, nil for a new line.

    For `PROBABILITY_WEIGHTED`, `full_quantum` is the value at 100 % and `probability_bp` the
    probability in basis points (1/100 of a per cent) that was applied to it.
    """

    line: Line
    previous: Money
    amount: Money
    trigger: Trigger
    basis: EstimateBasis = EstimateBasis.MOST_LIKELY
    full_quantum: Money | None = None
    probability_bp: int | None = None


class RecoveryReceived(Value, frozen=True):
    """Money came back on a line; it never nets off what was paid."""

    recovery_id: str
    line: Line
    category: RecoveryCategory
    amount: Money
    source: str = ""


Fact = EstimateSet | RecoveryReceived | PaymentIssued | PaymentVoided


class LineState(Value, frozen=True):
    """One line, in whole minor units of its currency, and what its estimate claims to be."""

    estimate: int = 0
    paid: int = 0
    recovered: int = 0
    contributed: int = 0  # of what was recovered: by those who share the costs with us
    basis: EstimateBasis = EstimateBasis.MOST_LIKELY
    full_quantum: Money | None = None
    probability_bp: int | None = None

    @property
    def outstanding(self) -> int:
        """What is still expected to be paid."""
        return self.estimate - self.paid

    @property
    def incurred(self) -> int:
        """Paid and outstanding together."""
        return self.paid + self.outstanding


NIL_LINE = LineState()


class Reserves(Value, frozen=True):
    """The lines of a file, in the order in which they came up."""

    lines: Mapping[Line, LineState] = field(default_factory=dict[Line, LineState])
    recoveries: Mapping[str, Line] = field(default_factory=dict[str, Line])  # by their id

    def on(self, line: Line) -> LineState:
        """The line, or a nil one."""
        return self.lines.get(line, NIL_LINE)

    def estimate(self, line: Line) -> Money:
        """The expected total of the line."""
        return Money(self.on(line).estimate, line.currency)

    def paid(self, line: Line) -> Money:
        """What was paid on the line."""
        return Money(self.on(line).paid, line.currency)

    def outstanding(self, line: Line) -> Money:
        """What is still expected to be paid on the line."""
        return Money(self.on(line).outstanding, line.currency)

    def damages(self, currency: str) -> Iterator[tuple[Line, LineState]]:
        """The damages lines in a currency."""
        for line, state in self.lines.items():
            if line.cost_type is CostType.DAMAGES and line.currency == currency:
                yield line, state


def evolve(state: Reserves, fact: Fact) -> Reserves:
    """Remember one fact."""
    line = fact.line
    known = state.on(line)
    recoveries = state.recoveries
    match fact:
        case EstimateSet():
            new = LineState(
                fact.amount.minor,
                known.paid,
                known.recovered,
                known.contributed,
                fact.basis,
                fact.full_quantum,
                fact.probability_bp,
            )
        case PaymentIssued():
            new = _paid(known, fact.amount.minor)
        case PaymentVoided():
            new = _paid(known, -fact.amount.minor)
        case RecoveryReceived():
            back = fact.amount.minor
            shared = back if fact.category is RecoveryCategory.CONTRIBUTION else 0
            new = replace(
                known, recovered=known.recovered + back, contributed=known.contributed + shared
            )
            recoveries = {**recoveries, fact.recovery_id: line}
        case _:
            assert_never(fact)
    return Reserves({**state.lines, line: new}, recoveries)


def _paid(known: LineState, minor: int) -> LineState:
    return replace(known, paid=known.paid + minor)


def set_estimate(state: Reserves, asked: EstimateSet, committed: int, on: str) -> list[EstimateSet]:
    """Set what a line should cost in all; the same again adds nothing.

    `committed` is what is requested on the line and not yet issued (minor units): an estimate may
    fall neither below what was paid nor below what is on its way. `on` dates the message.
    """
    require_estimate(asked)
    floor = Money(state.on(asked.line).paid + committed, asked.line.currency)
    if asked.amount < floor:
        raise EstimateBelowPaid(asked.line, asked.amount, floor, on)
    previous = state.estimate(asked.line)
    stands = state.lines.get(asked.line)
    if stands and asked.amount == previous and _opinion(stands) == _opinion(asked):
        return []
    return [
        EstimateSet(
            asked.line,
            previous,
            asked.amount,
            asked.trigger,
            asked.basis,
            asked.full_quantum,
            asked.probability_bp,
        )
    ]


def require_estimate(asked: EstimateSet) -> None:
    """The amount is in the line's currency, nil or more, and what its basis makes of it."""
    require_line(asked.line, asked.amount)
    _require_basis(asked)
    if asked.amount.minor < 0:
        raise AmountNegative(asked.amount)


def _opinion(of: LineState | EstimateSet) -> tuple[object, ...]:
    """What an estimate claims to be, besides its amount."""
    return of.basis, of.full_quantum, of.probability_bp


def _require_basis(asked: EstimateSet) -> None:
    weighted = asked.basis is EstimateBasis.PROBABILITY_WEIGHTED
    told = [asked.full_quantum is not None, asked.probability_bp is not None]
    if told != [weighted, weighted]:
        raise BadValue(
            "basis", "full_quantum and probability_bp belong to a probability_weighted estimate"
        )
    if asked.full_quantum is not None and asked.probability_bp is not None:
        require_line(asked.line, asked.full_quantum)
        # Half a minor unit and more rounds up: whole-number arithmetic, the same everywhere.
        expected = (asked.full_quantum.minor * asked.probability_bp + 5_000) // 10_000
        if asked.amount.minor != expected:
            raise BadValue("amount", f"it has to be {Money(expected, asked.amount.currency)} then")


def receive_recovery(state: Reserves, recovery: RecoveryReceived) -> list[RecoveryReceived]:
    """Book money that came back, once."""
    if recovery.recovery_id in state.recoveries:
        raise ReferenceTaken("recovery", recovery.recovery_id)
    require_recovery(recovery)
    if recovery.line not in state.lines:
        raise UnknownReference("reserve line", str(recovery.line))
    so_far = Money(state.on(recovery.line).recovered, recovery.line.currency)
    _ = so_far + recovery.amount  # refuses what is beyond the largest amount the ledger keeps
    return [recovery]


def require_recovery(recovery: RecoveryReceived) -> None:
    """The amount is above nil, in the line's currency."""
    require_line(recovery.line, recovery.amount)
    require_positive(recovery.amount)


def require_line(line: Line, amount: Money) -> None:
    """The amount is in the line's currency, and a head of loss belongs to damages only."""
    if line.currency != amount.currency:
        raise CurrencyMismatch(expected=line.currency, found=amount.currency)
    if line.head is not None and line.cost_type is not CostType.DAMAGES:
        raise BadValue("line.head", f"a {line.cost_type.value} line has no head of loss")


def require_positive(amount: Money) -> None:
    """The amount is above nil."""
    if amount <= nil(amount.currency):
        raise AmountNotPositive(amount)
