"""An import from end to end: rows sorted by claim, each claim read, judged and sent, or set aside.

A claim's command_id is made of what its rows say, so that the same history again is the same
command: what is answered already is not sent again, and an import that was killed goes on where it
was when it is run again. A claim is judged before it is sent, and one that fails is not sent at
all: its answer would be kept, and repeated on a later day, when it may be allowed.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from commands.fields import ActorIn, Reference
from commands.file import claim_file
from commands.history_import import ROWS_MAX, ImportHistory, Row, RowRefused, import_history
from commands.ledger import STREAM_FACTS_MAX
from commands.ports import Answered, Head
from commands.receipt import Receipt
from domain.errors import BadValue, Refused, StoreUnavailable, StreamTooLong
from domain.money import EXPONENT
from domain.refusals.state import ClaimAlreadyNotified
from edge.importing.outcome import ClaimMoney, Outcome, Rejects
from edge.importing.refusals import HistoryTooLong, ImportStopped, MixedCurrencies
from edge.importing.rows import row_of, values_of
from edge.importing.source import Watch
from edge.importing.staging import Reject, Staged, Staging, reject

BATCH_ROWS = 2_000  # one transaction, of some 3,000 facts
BATCH_CLAIMS = 500
PASSING = frozenset({"E603", "E604", "E605"})  # answers that are not kept: send it again
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)  # between tries while the database is away

T = TypeVar("T")
_references: TypeAdapter[str] = TypeAdapter(Reference)


class Kept(Protocol):
    """What the ledger holds already; `commands.ports.Store` has more."""

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        """The answers already kept, by command_id."""
        ...

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        """The last fact of each stream that has one."""
        ...


Send = Callable[[Sequence[ImportHistory]], Sequence[Receipt]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is imported as what: `currency` is that of rows that name none.

    `today` is the day of recording. With `dry_run` everything is judged and nothing is sent.
    Raises `BadValue` (E102) for a source or a currency that is none.
    """

    source: str
    actor: ActorIn
    today: date
    currency: str = "GBP"
    dry_run: bool = False

    def __post_init__(self) -> None:
        require_source(self.source)
        if self.currency not in EXPONENT:
            raise BadValue("--currency", "an ISO 4217 currency, such as GBP")


def require_source(name: str) -> None:
    """A source is named as any other reference is; raises `BadValue` (E102)."""
    try:
        _references.validate_python(name)
    except ValidationError:
        rule = "1 to 64 printable characters, and no space at either end"
        raise BadValue("--source", rule) from None


@dataclass(slots=True)
class History:
    """One claim as its rows tell it; with a fault in any of them `rows` is empty."""

    claim_ref: str
    rows: list[Row] = field(default_factory=list[Row])
    count: int = 0
    currency: str = ""
    money: ClaimMoney = field(default_factory=ClaimMoney)
    faults: int = 0
    facts: int = 0  # that it comes to, once it was judged


class Importer:
    """Imports the rows of one file that were staged.

    `send` is `Ledger.handle_many`; `pause` waits, in seconds, while the database is away.
    """

    def __init__(
        self,
        plan: Plan,
        kept: Kept,
        send: Send,
        rejects: Rejects,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._plan = plan
        self._kept = kept
        self._send = send
        self._rejects = rejects
        self._pause = pause
        self._waiting: list[tuple[History, ImportHistory]] = []
        self.outcome = Outcome(plan.source, plan.dry_run)

    def run(self, staging: Staging, watch: Watch) -> Outcome:
        """Import claim by claim, in the order of references; `watch` hears how many rows are done.

        Raises `ImportStopped` (E606), with whole claims imported and no half of any.
        """
        rows = done = 0
        for claim_ref, found in staging.claims():
            history = self._history(claim_ref, found)
            done += history.count
            if history.faults:
                self._leave_out(history)
                continue
            rows += history.count
            self._waiting.append((history, command_of(history, self._plan)))
            if rows >= BATCH_ROWS or len(self._waiting) == BATCH_CLAIMS:
                self._import()
                rows = 0
                watch(done, staging.rows)
        self._import()
        watch(staging.rows, staging.rows)
        return self.outcome

    def _history(self, claim_ref: str, found: Iterator[Staged]) -> History:
        """Read a claim's rows; every fault of every row is named, so that all can be mended."""
        history = History(claim_ref)
        for staged in found:
            history.count += 1
            self._take(history, staged)
        if history.count > ROWS_MAX:
            self._fault(history, reject(claim_ref, 0, HistoryTooLong(ROWS_MAX)))
        if history.faults:
            history.rows.clear()
        return history

    def _take(self, history: History, staged: Staged) -> None:
        if staged.fault is not None:
            self._fault(history, staged.fault)
        if not staged.cells:
            return
        values, faults = values_of(staged.cells, self._plan.currency)
        history.money.take(values)
        if staged.fault is not None:
            return  # of a row that is no claim's, its other faults say nothing
        currency = values.get("currency", history.currency)
        history.currency = history.currency or currency
        if currency != history.currency:
            faults.append(("currency", MixedCurrencies(history.currency, currency)))
        if not faults:
            row = row_of(staged.row, values)
            if isinstance(row, tuple):
                faults.append(row)
            elif not history.faults and history.count <= ROWS_MAX:
                history.rows.append(row)
        for column, error in faults:
            self._fault(history, reject(history.claim_ref, staged.row, error, column))

    def _fault(self, history: History, fault: Reject) -> None:
        history.faults += 1
        self._rejects.add(fault)

    def _leave_out(self, history: History, *faults: Reject) -> None:
        for fault in faults:
            self._fault(history, fault)
        named = bool(history.claim_ref)
        self.outcome.left_out.add(history.count, history.money.figures, claims=int(named))
        if not named:
            self.outcome.rows_without_claim += history.count

    def _import(self) -> None:
        """Import the claims that wait, in one transaction."""
        waiting, self._waiting = self._waiting, []
        ids = [command.command_id for _, command in waiting]
        answers = self._patiently(lambda: self._kept.answered(ids))
        fresh: list[tuple[History, ImportHistory]] = []
        for history, command in waiting:
            answer = answers.get(command.command_id)
            if answer is not None:
                self._answered(history, Receipt(answer.receipt), known=True)
                continue
            judgement = judged(command, self._plan.today)
            if isinstance(judgement, Reject):
                self._leave_out(history, judgement)
            else:
                history.facts = judgement
                fresh.append((history, command))
        if self._plan.dry_run:
            self._only_look(fresh)
        else:
            receipts = self._patiently(lambda: self._sent([command for _, command in fresh]))
            for (history, _), receipt in zip(fresh, receipts, strict=True):
                self._answered(history, receipt, known=False)

    def _answered(self, history: History, receipt: Receipt, *, known: bool) -> None:
        told = receipt.data
        if told["outcome"] != "accepted":
            self._leave_out(history, _refused(history, told))
            return
        share = self.outcome.already_there if known else self.outcome.imported
        share.add(history.count, history.money.figures, len(told["facts"]))

    def _only_look(self, fresh: list[tuple[History, ImportHistory]]) -> None:
        streams = [command.stream for _, command in fresh]
        taken = self._patiently(lambda: self._kept.heads(streams))
        for history, command in fresh:
            if command.stream in taken:
                row = command.rows[0].row
                error = ClaimAlreadyNotified(command.claim)
                self._leave_out(history, reject(command.claim, row, error, "claim_ref"))
            else:
                self.outcome.imported.add(history.count, history.money.figures, history.facts)

    def _sent(self, commands: Sequence[ImportHistory]) -> Sequence[Receipt]:
        if not commands:
            return ()
        receipts = self._send(commands)
        for receipt in receipts:
            if receipt.code in PASSING:
                raise StoreUnavailable(str(receipt.data["message"]))
        return receipts

    def _patiently(self, call: Callable[[], T]) -> T:
        """The call's answer, when the database is only away for moments."""
        for pause in PAUSES_S:
            try:
                return call()
            except StoreUnavailable:
                self._pause(pause)
        try:
            return call()
        except StoreUnavailable as error:
            raise ImportStopped(self.outcome.imported.claims, error.why) from error


def command_of(history: History, plan: Plan) -> ImportHistory:
    """The command that imports a claim; the same rows from the same source give the same id.

    Not so the rows' numbers: rows of other claims may come and go between them in a later file.
    """
    said = [plan.source, history.claim_ref, history.currency, *map(_said, history.rows)]
    told = json.dumps(said, separators=(",", ":"), sort_keys=True)
    return ImportHistory(
        command_id=f"import:{hashlib.sha256(told.encode()).hexdigest()}",
        actor=plan.actor,
        claim=history.claim_ref,
        source=plan.source,
        currency=history.currency,
        rows=tuple(history.rows),
    )


def _said(row: Row) -> dict[str, str]:
    """What a row says, written by hand: command_ids are kept for ever and rest on it."""
    said: dict[str, str] = {
        "kind": row.kind.value,
        "effective_on": row.effective_on.isoformat(),
        "line": f"{row.line.cost_type}/{row.line.head or ''}/{row.line.basis}",
        "amount": row.amount.decimal() if row.amount else "",
        "estimate": row.estimate.decimal() if row.estimate else "",
        "handler": row.handler,
        "pathway": row.pathway or "",
        "jurisdiction": row.jurisdiction or "",
        "event_date": row.event_date.isoformat() if row.event_date else "",
        "notified_on": row.notified_on.isoformat() if row.notified_on else "",
        "note": row.note,
    }
    return {name: value for name, value in said.items() if value}


def judged(command: ImportHistory, today: date) -> int | Reject:
    """How many facts the history comes to, or why a new file could not have it."""
    try:
        ruling = import_history(claim_file(command.stream, ()), command, today)
        if len(ruling.decided) > STREAM_FACTS_MAX:
            raise StreamTooLong(command.stream, len(ruling.decided), STREAM_FACTS_MAX)
    except RowRefused as error:
        told = (error.path, error.code_of_rule, error.rule, error.remedy_of_rule)
        return Reject(command.claim, error.row, *told)
    except Refused as error:
        return reject(command.claim, 0, error, "claim_ref")
    return len(ruling.decided)


def _refused(history: History, told: dict[str, Any]) -> Reject:
    """The ledger's refusal; of a row, the rule that the row broke."""
    if told["code"] == RowRefused.code:
        why: dict[str, str] = told["evidence"]
        rule = (why["path"], why["code_of_rule"], why["rule"], why["remedy_of_rule"])
        return Reject(history.claim_ref, int(why["row"]), *rule)
    rule = ("claim_ref", told["code"], told["message"], told["remedy"])
    return Reject(history.claim_ref, 0, *rule)
