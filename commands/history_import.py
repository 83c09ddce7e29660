"""Importing one claim's whole history: all of its rows or none, in their order, judged by source.

Neither mandates nor back-dating windows apply to what another system has already judged; every
other invariant does. Each row becomes the facts that the same event would have been here, and
nothing that a row says is passed over: what has no place in its kind of row is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from commands.fields import Amount, Currency, Day, Maybe, Part, Reference, Text
from commands.file import Decided, File
from commands.parts import ClaimCommand
from commands.ruling import Ruling
from domain.claim import Claim, Fact, decisions, evolve_all, lifecycle
from domain.claim.lifecycle import ClaimNotified
from domain.claim.payments import PaymentIssued
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.dating import require_not_future
from domain.envelope import Imported
from domain.errors import BadValue, DateOrder, MissingField, Refused
from domain.money import Money, nil
from domain.refusals.closure import OutstandingRemains
from domain.refusals.money import AmountNegative, EstimateBelowPaid
from domain.refusals.state import (
    ClaimAlreadyNotified,
    FileClosed,
    FreshEstimateMissing,
    IllegalTransition,
    UnknownReference,
)
from domain.terms import (
    ClosureCode,
    Jurisdiction,
    Line,
    MatterType,
    Pathway,
    RecoveryCategory,
    Trigger,
)

ROWS_MAX = 1_000  # of one claim: a row is one to three facts, and a file holds 2,000


class RowKind(StrEnum):
    """What a row of a source's bordereau says."""

    OPENED = "opened"
    ESTIMATE = "estimate"
    PAYMENT = "payment"
    RECOVERY = "recovery"
    CLOSED = "closed"
    REOPENED = "reopened"


class Row(Part):
    """One transaction of the source; `estimate` is the line's after this row.

    `handler` and `pathway` say who has the file from this row on. `jurisdiction`, `event_date` and
    `notified_on` belong to the row that opens the file; a later one may repeat them.
    """

    row: Annotated[int, Field(ge=1)]
    kind: RowKind
    effective_on: Day
    line: Line
    amount: Amount | None = None
    estimate: Amount | None = None
    handler: Maybe = ""
    pathway: Pathway | None = None
    jurisdiction: Jurisdiction | None = None
    event_date: Day | None = None
    notified_on: Day | None = None
    note: Text = ""


class ImportHistory(ClaimCommand):
    """Record a claim's whole history from another system."""

    type: Literal["import-history"] = "import-history"
    source: Reference
    currency: Currency
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=ROWS_MAX)]


@dataclass(eq=False)
class RowRefused(Refused):
    """Row {row} of {source} was refused with {code_of_rule}: {rule}"""

    code = "E140"
    remedy = "Mend the row in the source and import the claim again; nothing of it was recorded."
    source: str
    row: int
    code_of_rule: str
    path: str
    rule: str
    remedy_of_rule: str


@dataclass(eq=False)
class HistoryNotOpened(Refused):
    """The history of {claim} begins with a row {kind}; a whole history begins with opened."""

    code = "E141"
    remedy = "Import the claim with all of its rows, the one that opens it first."
    where = "kind"
    claim: str
    kind: str


# Where a rule's field is not the column of the row that broke it.
_COLUMN: dict[type[Refused], str] = {
    AmountNegative: "estimate",
    EstimateBelowPaid: "estimate",
    FreshEstimateMissing: "estimate",
    OutstandingRemains: "estimate",
    ClaimAlreadyNotified: "claim_ref",
    FileClosed: "kind",
    IllegalTransition: "kind",
    UnknownReference: "line",
}


def import_history(file: File[Claim], command: ImportHistory, on: date) -> Ruling:
    """Every row in order; the first that breaks a rule refuses the claim, naming its row."""
    claim, decided, latest = file.state, list[Decided](), date.min
    for number, row in enumerate(command.rows):
        try:
            if number == 0 and row.kind is not RowKind.OPENED:
                raise HistoryNotOpened(command.claim, row.kind.value)
            require_not_future(row.effective_on, on)
            if row.effective_on < latest:
                raise DateOrder("effective_on", str(latest), str(row.effective_on))
            facts = _ROWS[row.kind](claim, row, command)
        except Refused as error:
            column = _COLUMN.get(type(error), error.field.partition(".")[0])
            raise RowRefused(
                command.source, row.row, error.code, column, str(error), error.remedy
            ) from error
        origin = Imported(command.source, row.row)
        decided += [Decided(fact, _day(fact, row), origin) for fact in facts]
        claim, latest = evolve_all(claim, facts, row.effective_on), row.effective_on
    return Ruling(tuple(decided), by_source=True)


def _day(fact: Fact, row: Row) -> date:
    """A notification is true on the day of notification, everything else on the row's day."""
    return fact.notified_on if isinstance(fact, ClaimNotified) else row.effective_on


def _opened(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    if command.rows[0] is not row:
        raise IllegalTransition("the file", claim.lifecycle.status.value, "opened once more")
    notified_on = row.notified_on or row.effective_on
    notified = ClaimNotified(
        matter_type=MatterType.CLAIM,
        jurisdiction=row.jurisdiction or Jurisdiction.OTHER,
        currency=nil(command.currency).currency,
        event_date=row.event_date or notified_on,
        notified_on=notified_on,
        pathway_hint=row.pathway,
        allegations=row.note,
    )
    facts: list[Fact] = [*lifecycle.notify(claim.lifecycle, notified, command.claim)]
    if row.effective_on < notified_on:
        raise DateOrder("effective_on", str(notified_on), str(row.effective_on))
    facts += _handled(evolve_all(claim, facts, notified_on), row)
    return _and_estimate(claim, row, facts)


def _estimate(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    if row.estimate is None:
        raise MissingField("estimate")
    return _and_estimate(claim, row, _handled(claim, row))


def _payment(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    """The estimate of a payment row is set before the payment."""
    facts = _and_estimate(claim, row, _handled(claim, row))
    paid = PaymentIssued(_id(row, command), row.line, _amount(row))
    raised = evolve_all(claim, facts, row.effective_on)
    return [*facts, *decisions.pay_at_source(raised, paid)]


def _recovery(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    facts = _handled(claim, row)
    category = RecoveryCategory.CONTRIBUTION
    recovered = RecoveryReceived(_id(row, command), row.line, category, _amount(row))
    return _and_estimate(claim, row, [*facts, *decisions.receive_recovery(claim, recovered)])


def _closed(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    """An estimate on a closing row is set first, so that it may take out what is outstanding."""
    facts = _and_estimate(claim, row, _handled(claim, row))
    settled = evolve_all(claim, facts, row.effective_on)
    paid = any(state.paid for state in settled.reserves.lines.values())
    closure = ClosureCode.SETTLED if paid else ClosureCode.NIL_WITHDRAWN
    outcome = row.note or "closed by the source"
    return [*facts, *decisions.close(settled, closure, outcome, row.effective_on)]


def _reopened(claim: Claim, row: Row, command: ImportHistory) -> list[Fact]:
    _require_no_amount(row)
    fresh = [_estimate_set(row, row.estimate)] if row.estimate is not None else []
    why = row.note or "reopened by the source"
    facts = decisions.reopen(claim, why, fresh, row.effective_on)
    return [*facts, *_handled(evolve_all(claim, facts, row.effective_on), row)]


_ROWS: dict[RowKind, Callable[[Claim, Row, ImportHistory], list[Fact]]] = {
    RowKind.OPENED: _opened,
    RowKind.ESTIMATE: _estimate,
    RowKind.PAYMENT: _payment,
    RowKind.RECOVERY: _recovery,
    RowKind.CLOSED: _closed,
    RowKind.REOPENED: _reopened,
}


def _handled(claim: Claim, row: Row) -> list[Fact]:
    """Who has the file from this row on; a row that repeats what stands adds nothing.

    A pathway without a handler is, on the row that opens the file, where it is expected to go.
    """
    life = claim.lifecycle
    _require_same_matter(life.notified, row)
    if not row.handler and row.pathway in (None, life.pathway, _hinted(life)):
        return []
    if row.handler == life.handler and row.pathway in (None, life.pathway):
        return []
    pathway, handler = row.pathway or life.pathway, row.handler or life.handler
    if pathway is None:
        raise BadValue("handler", "a file goes to a handler of a pathway: name both")
    if not handler:
        raise BadValue("pathway", "a file goes to a pathway with a handler: name both")
    if pathway is life.pathway:
        return [*lifecycle.change_handler(life, handler, life.team)]
    return [*lifecycle.allocate(life, pathway, f"{pathway.value}-imported", handler)]


def _hinted(life: lifecycle.Lifecycle) -> Pathway | None:
    return life.notified.pathway_hint if life.notified and life.pathway is None else None


def _require_same_matter(notified: ClaimNotified | None, row: Row) -> None:
    for name in ("jurisdiction", "event_date", "notified_on"):
        said = getattr(row, name)
        if said is not None and notified is not None and said != getattr(notified, name):
            raise BadValue(name, f"the row that opens the file says {getattr(notified, name)}")


def _id(row: Row, command: ImportHistory) -> str:
    """What identifies a payment or a recovery of the source on its file."""
    return f"{command.source[:40]}/{row.row}"


def _amount(row: Row) -> Money:
    if row.amount is None:
        raise MissingField("amount")
    return row.amount


def _require_no_amount(row: Row) -> None:
    if row.amount is not None:
        raise BadValue("amount", f"a row {row.kind.value} has no amount")


def _estimate_set(row: Row, amount: Money) -> EstimateSet:
    return EstimateSet(row.line, nil(row.line.currency), amount, Trigger.SOURCE)


def _and_estimate(claim: Claim, row: Row, facts: list[Fact]) -> list[Fact]:
    """The facts of a row, and the estimate it leaves, where it names one."""
    if row.kind not in (RowKind.PAYMENT, RowKind.RECOVERY):
        _require_no_amount(row)
    if row.estimate is None:
        return facts
    so_far = evolve_all(claim, facts, row.effective_on)
    estimate = _estimate_set(row, row.estimate)
    return [*facts, *decisions.set_estimates(so_far, [estimate], row.effective_on)]
