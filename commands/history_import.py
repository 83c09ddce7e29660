"""Importing one claim's whole history: all of its rows or none, in their order, judged by source.

Neither mandates nor back-dating windows apply to what another system has already judged; every
other invariant does. Each row becomes the facts that the same event would have been here, and
nothing that a row says is passed over: what has no place in its kind of row is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from commands.fields import Amount, Currency, Day, Maybe, Reference, ReserveLine, Text
from commands.file import Decided, File
from commands.parts import ClaimCommand
from commands.ruling import Ruling
from domain.claim import Claim, Fact, decisions, evolve, lifecycle
from domain.claim.lifecycle import ClaimNotified, HandlerChanged
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


@dataclass(frozen=True, slots=True)
class Row:
    """One transaction of the source; `estimate` is the line's after this row.

    Whoever reads rows holds them to the bounds of these fields: a bulk import has no time to have
    each row checked twice.
    `handler` and `pathway` say who has the file from this row on. `jurisdiction`, `event_date` and
    `notified_on` belong to the row that opens the file; a later one may repeat them.
    """

    row: Annotated[int, Field(ge=1)]
    kind: RowKind
    effective_on: Day
    line: ReserveLine
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
    # Not dumped: a history's command_id is made of what its rows say.
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=ROWS_MAX, exclude=True)]
    _known: tuple[tuple[object, ...], Ruling] | None = PrivateAttr(default=None)

    def on_new_file(self, on: date) -> Ruling:
        """What it comes to on a file without a fact, if it is recorded on that day.

        Worked out once: an import judges a history before it sends it, and the ledger again.
        """
        basis = on, self.source, self.claim, self.currency, self.rows  # a copy may have others
        if self._known is None or self._known[0] != basis:
            self._known = basis, _ruled(Claim(), self, on)
        return self._known[1]


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


@dataclass(slots=True)
class _Draft:
    """A claim in the making: each decision is taken on what the ones before it have left."""

    claim: Claim
    decided: list[Decided]
    origin: Imported
    on: date = date.min
    note: str = ""

    def add(self, facts: Sequence[Fact], on: date | None = None) -> None:
        """Take facts of the row's day, or of another."""
        day = on or self.on
        for fact in facts:
            self.decided.append(Decided(fact, day, self.origin, self.note))
            self.claim = evolve(self.claim, fact, day)
            if isinstance(fact, EstimateSet) and len(self.claim.reserves.lines) > 1:
                self.claim.damages_estimated(fact.line.currency)  # refused where it cannot be kept


def import_history(file: File[Claim], command: ImportHistory, on: date) -> Ruling:
    """Every row in order; the first that breaks a rule refuses the claim, naming its row."""
    return _ruled(file.state, command, on) if file.version else command.on_new_file(on)


def _ruled(claim: Claim, command: ImportHistory, on: date) -> Ruling:
    draft = _Draft(claim, [], Imported(command.source, 0))
    for number, row in enumerate(command.rows):
        draft.origin = Imported(command.source, row.row)
        try:
            if number == 0 and row.kind is not RowKind.OPENED:
                raise HistoryNotOpened(command.claim, row.kind.value)
            require_not_future(row.effective_on, on)
            if row.effective_on < draft.on:
                raise DateOrder("effective_on", str(draft.on), str(row.effective_on))
            draft.on, draft.note = row.effective_on, row.note
            _ROWS[row.kind](draft, row, command)
        except Refused as error:
            column = _COLUMN.get(type(error), error.field.partition(".")[0])
            raise RowRefused(
                command.source, row.row, error.code, column, str(error), error.remedy
            ) from error
    return Ruling(tuple(draft.decided))


def _opened(draft: _Draft, row: Row, command: ImportHistory) -> None:
    if command.rows[0] is not row:
        status = draft.claim.lifecycle.status.value
        raise IllegalTransition("the file", status, "opened once more")
    notified_on = row.notified_on or row.effective_on
    notified = ClaimNotified(
        matter_type=MatterType.CLAIM,
        jurisdiction=row.jurisdiction or Jurisdiction.OTHER,
        currency=nil(command.currency).currency,
        event_date=row.event_date or notified_on,
        notified_on=notified_on,
        pathway_hint=row.pathway,
    )
    facts = lifecycle.notify(draft.claim.lifecycle, notified, command.claim)
    if row.effective_on < notified_on:
        raise DateOrder("effective_on", str(notified_on), str(row.effective_on))
    draft.add(facts, notified_on)  # a notification is true on the day of notification
    _handled(draft, row)
    _without_amount(row)
    _estimated(draft, row)


def _estimate(draft: _Draft, row: Row, command: ImportHistory) -> None:
    _handled(draft, row)
    _without_amount(row)
    if row.estimate is None:
        raise MissingField("estimate")
    _estimated(draft, row)


def _payment(draft: _Draft, row: Row, command: ImportHistory) -> None:
    """The estimate of a payment row is set before the payment."""
    _handled(draft, row)
    _estimated(draft, row)
    paid = PaymentIssued(_id(row, command), row.line, _amount(row))
    draft.add(decisions.pay_at_source(draft.claim, paid))


def _recovery(draft: _Draft, row: Row, command: ImportHistory) -> None:
    _handled(draft, row)
    category = RecoveryCategory.BY_SOURCE
    recovered = RecoveryReceived(_id(row, command), row.line, category, _amount(row))
    draft.add(decisions.receive_recovery(draft.claim, recovered))
    _estimated(draft, row)


def _closed(draft: _Draft, row: Row, command: ImportHistory) -> None:
    """An estimate on a closing row is set first, so that it may take out what is outstanding."""
    _handled(draft, row)
    _without_amount(row)
    _estimated(draft, row)
    outcome = row.note or "closed by the source"
    draft.add(decisions.close(draft.claim, ClosureCode.BY_SOURCE, outcome, row.effective_on))


def _reopened(draft: _Draft, row: Row, command: ImportHistory) -> None:
    """The estimate of a row that reopens is the fresh one that reopening needs."""
    _without_amount(row)
    fresh = [_estimate_set(row, row.estimate)] if row.estimate is not None else []
    why = row.note or "reopened by the source"
    draft.add(decisions.reopen(draft.claim, why, fresh, row.effective_on))
    _handled(draft, row)


_ROWS: dict[RowKind, Callable[[_Draft, Row, ImportHistory], None]] = {
    RowKind.OPENED: _opened,
    RowKind.ESTIMATE: _estimate,
    RowKind.PAYMENT: _payment,
    RowKind.RECOVERY: _recovery,
    RowKind.CLOSED: _closed,
    RowKind.REOPENED: _reopened,
}


def _handled(draft: _Draft, row: Row) -> None:
    """Who has the file from this row on; a row that repeats what stands adds nothing.

    A pathway without a handler is, on the row that opens the file, where it is expected to go.
    """
    life = draft.claim.lifecycle
    _require_same_matter(life.notified, row)
    if row.pathway is None and not row.handler:
        return
    expected = life.notified.pathway_hint if life.notified and not life.pathway else life.pathway
    if row.pathway in (None, expected) and row.handler in ("", life.handler):
        return
    pathway, handler = row.pathway or life.pathway, row.handler or life.handler
    if not handler:
        raise BadValue("pathway", "a file goes to a pathway with a handler: name both")
    if pathway is None:  # the source knows no pathways, and still who had the file
        draft.add([HandlerChanged(life.handler, handler, "imported")])
    elif pathway is life.pathway:
        draft.add(lifecycle.change_handler(life, handler, life.team))
    else:
        draft.add(lifecycle.allocate(life, pathway, f"{pathway.value}-imported", handler))


def _require_same_matter(notified: ClaimNotified | None, row: Row) -> None:
    if notified is None:
        return
    for name, said, stands in (
        ("jurisdiction", row.jurisdiction, notified.jurisdiction),
        ("event_date", row.event_date, notified.event_date),
        ("notified_on", row.notified_on, notified.notified_on),
    ):
        if said not in (None, stands):
            raise BadValue(name, f"the row that opens the file says {stands}")


def _id(row: Row, command: ImportHistory) -> str:
    """What identifies a payment or a recovery of the source on its file."""
    return f"{command.source[:40]}/{row.row}"


def _amount(row: Row) -> Money:
    if row.amount is None:
        raise MissingField("amount")
    return row.amount


def _without_amount(row: Row) -> None:
    if row.amount is not None:
        raise BadValue("amount", f"a row {row.kind.value} has no amount")


def _estimated(draft: _Draft, row: Row) -> None:
    """The estimate that the row leaves, where it names one."""
    if row.estimate is not None:
        estimate = _estimate_set(row, row.estimate)
        draft.add(decisions.set_estimates(draft.claim, [estimate], row.effective_on))


def _estimate_set(row: Row, amount: Money) -> EstimateSet:
    return EstimateSet(row.line, nil(row.line.currency), amount, Trigger.SOURCE)
