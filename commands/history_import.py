"""Importing one claim's whole history: all of its rows or none, in their order, judged by source.

Neither mandates nor back-dating windows apply to what another system has already judged; every
other invariant does. Each row becomes the facts that the same event would have been here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from commands.fields import Amount, Currency, Day, Maybe, Part, Reference, Text
from commands.file import Decided, File
from commands.parts import ClaimCommand
from commands.ruling import Ruling
from domain.claim import Claim, decisions, evolve_all, lifecycle
from domain.claim.lifecycle import ClaimNotified, Status
from domain.claim.payments import PaymentIssued
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.dating import require_not_future
from domain.envelope import Imported
from domain.errors import BadValue, DateOrder, MissingField, Refused
from domain.money import Money, nil
from domain.refusals.state import UnknownClaim
from domain.terms import (
    ClosureCode,
    Jurisdiction,
    Line,
    MatterType,
    Pathway,
    RecoveryCategory,
    Trigger,
)

ROWS_MAX = 1_000  # of one claim: at most two facts a row, and a file holds 2,000


class RowKind(StrEnum):
    """What a row of a source's bordereau says."""

    OPENED = "opened"
    ESTIMATE = "estimate"
    PAYMENT = "payment"
    RECOVERY = "recovery"
    CLOSED = "closed"
    REOPENED = "reopened"


class Row(Part):
    """One transaction of the source; `estimate` is the line's after this row."""

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


def import_history(file: File[Claim], command: ImportHistory, on: date) -> Ruling:
    """Every row in order; the first that breaks a rule refuses the claim, naming its row."""
    claim, decided, latest = file.state, list[Decided](), date.min
    for row in command.rows:
        try:
            require_not_future(row.effective_on, on)
            if row.effective_on < latest:
                raise DateOrder("effective_on", str(latest), str(row.effective_on))
            facts = _ROWS[row.kind](claim, row, command)
        except Refused as error:
            raise RowRefused(
                command.source, row.row, error.code, error.field, str(error), error.remedy
            ) from error
        origin = Imported(command.source, row.row)
        decided += [Decided(fact, row.effective_on, origin) for fact in facts]
        claim, latest = evolve_all(claim, facts, row.effective_on), row.effective_on
    return Ruling(tuple(decided), by_source=True)


def _opened(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    notified = ClaimNotified(
        matter_type=MatterType.CLAIM,
        jurisdiction=row.jurisdiction or Jurisdiction.OTHER,
        currency=nil(command.currency).currency,
        event_date=row.event_date or row.notified_on or row.effective_on,
        notified_on=row.notified_on or row.effective_on,
        allegations=row.note,
    )
    facts: list[Any] = [*lifecycle.notify(claim.lifecycle, notified, command.claim)]
    if row.effective_on < notified.notified_on:
        raise DateOrder("effective_on", str(notified.notified_on), str(row.effective_on))
    if row.handler and row.pathway:
        opened = evolve_all(claim, facts, row.effective_on)
        team = f"{row.pathway.value}-imported"
        facts += lifecycle.allocate(opened.lifecycle, row.pathway, team, row.handler)
    return _and_estimate(claim, row, facts)


def _estimate(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    _require_opened(claim, command)
    if row.estimate is None:
        raise MissingField("estimate")
    return _and_estimate(claim, row, [])


def _payment(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    """The estimate of a payment row is set before the payment."""
    _require_opened(claim, command)
    facts = _and_estimate(claim, row, [])
    paid = PaymentIssued(f"{command.source[:40]}/{row.row}", row.line, _amount(row))
    raised = evolve_all(claim, facts, row.effective_on)
    return [*facts, *decisions.pay_at_source(raised, paid)]


def _recovery(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    _require_opened(claim, command)
    recovered = RecoveryReceived(
        f"{command.source[:40]}/{row.row}",
        row.line,
        RecoveryCategory.CONTRIBUTION,
        _amount(row),
    )
    return _and_estimate(claim, row, decisions.receive_recovery(claim, recovered))


def _closed(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    """An estimate on a closing row is set first, so that it may take out what is outstanding."""
    _require_opened(claim, command)
    facts = _and_estimate(claim, row, [])
    settled = evolve_all(claim, facts, row.effective_on)
    paid = any(state.paid for state in settled.reserves.lines.values())
    closure = ClosureCode.SETTLED if paid else ClosureCode.NIL_WITHDRAWN
    outcome = row.note or "closed by the source"
    return [*facts, *decisions.close(settled, closure, outcome, row.effective_on)]


def _reopened(claim: Claim, row: Row, command: ImportHistory) -> list[Any]:
    _require_opened(claim, command)
    fresh = [_estimate_set(row)] if row.estimate is not None else []
    return decisions.reopen(claim, row.note or "reopened by the source", fresh, row.effective_on)


_ROWS: dict[RowKind, Callable[[Claim, Row, ImportHistory], list[Any]]] = {
    RowKind.OPENED: _opened,
    RowKind.ESTIMATE: _estimate,
    RowKind.PAYMENT: _payment,
    RowKind.RECOVERY: _recovery,
    RowKind.CLOSED: _closed,
    RowKind.REOPENED: _reopened,
}


def _require_opened(claim: Claim, command: ImportHistory) -> None:
    if claim.lifecycle.status is Status.UNKNOWN:
        raise UnknownClaim(command.claim)


def _amount(row: Row) -> Money:
    if row.amount is None:
        raise MissingField("amount")
    return row.amount


def _estimate_set(row: Row) -> EstimateSet:
    if row.estimate is None:
        raise MissingField("estimate")
    return EstimateSet(row.line, nil(row.line.currency), row.estimate, Trigger.SOURCE)


def _and_estimate(claim: Claim, row: Row, facts: list[Any]) -> list[Any]:
    """The facts of a row, and the estimate it leaves, where it names one."""
    if row.kind not in (RowKind.PAYMENT, RowKind.RECOVERY) and row.amount is not None:
        raise BadValue("amount", f"a row {row.kind.value} has no amount")
    if row.estimate is None:
        return facts
    so_far = evolve_all(claim, facts, row.effective_on)
    return [*facts, *decisions.set_estimates(so_far, [_estimate_set(row)], row.effective_on)]
