"""One claim as a bordereau tells it: its rows made out, and the command that they come to."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from commands.fields import ActorIn
from commands.file import claim_file
from commands.history_import import ROWS_MAX, ImportHistory, Row, RowRefused, import_history
from commands.ledger import STREAM_FACTS_MAX
from domain.errors import Refused, StreamTooLong
from edge.importing.outcome import ClaimMoney
from edge.importing.refusals import HistoryTooLong, MixedCurrencies
from edge.importing.rows import row_of, values_of
from edge.importing.staging import Packed, Reject, cells_of, fault_of, reject

Tell = Callable[[Reject], None]


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


def history_of(claim_ref: str, found: Iterable[Packed], currency: str, tell: Tell) -> History:
    """A claim's rows made out; `tell` hears of every fault of every row, so that all can be mended.

    `currency` is that of rows that name none.
    """
    history = History(claim_ref)
    for packed in found:
        history.count += 1
        for fault in _take(history, packed, currency):
            history.faults += 1
            tell(fault)
    if history.count > ROWS_MAX:
        history.faults += 1
        tell(reject(claim_ref, 0, HistoryTooLong(ROWS_MAX)))
    if history.faults:
        history.rows.clear()
    return history


def _take(history: History, packed: Packed, currency: str) -> list[Reject]:
    """Take one row, and tell its faults."""
    row, cells, unusable = packed[1], cells_of(packed), fault_of(packed)
    if not cells:
        return [unusable] if unusable else []
    values, faults = values_of(cells, currency)
    history.money.take(values)
    if unusable:
        return [unusable]  # of a row that is no claim's, its other faults say nothing
    own = values.get("currency", history.currency)
    history.currency = history.currency or own
    if own != history.currency:
        faults.append(("currency", MixedCurrencies(history.currency, own)))
    if not (faults or history.faults) and history.count <= ROWS_MAX:
        history.rows.append(row_of(row, values))
    return [reject(history.claim_ref, row, error, column) for column, error in faults]


def command_of(history: History, source: str, actor: ActorIn) -> ImportHistory:
    """The command that imports a claim; the same rows from the same source give the same id."""
    told = said(source, history.claim_ref, history.currency, history.rows)
    return ImportHistory(
        command_id=f"import:{hashlib.sha256(told.encode()).hexdigest()}",
        actor=actor,
        claim=history.claim_ref,
        source=source,
        currency=history.currency,
        rows=tuple(history.rows),
    )


def said(source: str, claim_ref: str, currency: str, rows: Iterable[Row]) -> str:
    """What a history says, as JSON: command_ids are kept for ever and rest on these characters.

    Not the rows' numbers: rows of other claims may come and go between them in a later file.
    """
    return f"[{','.join((*map(json.dumps, (source, claim_ref, currency)), *map(_said, rows)))}]"


def _said(row: Row) -> str:
    """The columns that hold something, in the order of their names; by hand, as it is for speed."""
    line = row.line
    told = [f'"amount":"{row.amount.decimal()}"'] if row.amount else []
    told.append(f'"effective_on":"{row.effective_on}"')
    if row.estimate:
        told.append(f'"estimate":"{row.estimate.decimal()}"')
    if row.event_date:
        told.append(f'"event_date":"{row.event_date}"')
    if row.handler:
        told.append(f'"handler":{json.dumps(row.handler)}')
    if row.jurisdiction:
        told.append(f'"jurisdiction":"{row.jurisdiction}"')
    told.append(f'"kind":"{row.kind}","line":"{line.cost_type}/{line.head or ""}/{line.basis}"')
    if row.note:
        told.append(f'"note":{json.dumps(row.note)}')
    if row.notified_on:
        told.append(f'"notified_on":"{row.notified_on}"')
    if row.pathway:
        told.append(f'"pathway":"{row.pathway}"')
    return f"{{{','.join(told)}}}"


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
