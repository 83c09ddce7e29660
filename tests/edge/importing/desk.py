"""An import desk for the tests: rows of a bordereau in, what became of them out."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from commands.fields import ActorIn
from commands.history_import import ImportHistory
from commands.ledger import Ledger
from commands.ports import Store
from commands.receipt import Receipt
from domain.envelope import Imported, Recorded, recorded_day
from domain.schema import NAME_OF
from domain.terms import Role
from edge.importing.importer import Importer
from edge.importing.intake import Intake, Plan
from edge.importing.outcome import Outcome, Rejects
from edge.importing.sharing import sharing
from edge.importing.source import COLUMNS, read
from edge.importing.staging import Reject, Staging
from edge.store.memory_store import MemoryStore

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HISTORY_FACTS = 7  # of `history`
CLERK = ActorIn(person="clerk", role=Role.SERVICE)

Row = dict[str, str]
Send = Callable[[Sequence[ImportHistory]], Sequence[Receipt]]


def row(claim_ref: str, effective_on: str, kind: str, **cells: str) -> Row:
    """One row; what is not given is empty."""
    assert set(cells) <= set(COLUMNS)
    return {"claim_ref": claim_ref, "effective_on": effective_on, "kind": kind, **cells}


def history(claim_ref: str, year: int = 2020) -> list[Row]:
    """A sound history of five rows."""
    return [
        row(claim_ref, f"{year}-01-15", "opened", estimate="1000.00", note="a note"),
        row(claim_ref, f"{year}-03-01", "payment", amount="250.00"),
        row(claim_ref, f"{year}-05-01", "estimate", estimate="900.00"),
        row(claim_ref, f"{year}-06-01", "payment", amount="700.00", estimate="950.00"),
        row(claim_ref, f"{year}-07-01", "closed"),
    ]


def text(rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> str:
    """The rows as a CSV file has them."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Ran:
    """What an import came to, and every fault it found."""

    outcome: Outcome
    faults: list[Reject]

    @property
    def told(self) -> list[tuple[str, int, str, str]]:
        """Each fault in short: claim, row, column, code."""
        return [(each.claim_ref, each.row, each.column, each.code) for each in self.faults]


class _All(Rejects):
    """Every fault, and not only the first few."""

    def __init__(self) -> None:
        super().__init__(None)
        self.all: list[Reject] = []

    def add(self, reject: Reject) -> None:
        super().add(reject)
        self.all.append(reject)


def imported(
    path: Path,
    store: Store,
    *,
    source: str = "legacy",
    currency: str = "GBP",
    dry_run: bool = False,
    now: datetime = NOW,
    actor: ActorIn = CLERK,
    send: Send | None = None,
    pause: Callable[[float], None] = lambda _: None,
) -> Ran:
    """Import a file into a store."""
    plan = Plan(source, actor, recorded_day(now), currency, dry_run)
    ledger = Ledger(store, lambda: now)
    with Staging() as staging, _All() as faults:
        staging.take(read(path, _nothing))
        intake = Intake(plan, store, send or ledger.handle_many, pause)
        with sharing(lambda: nullcontext(intake), 1) as dealing:
            return Ran(Importer(plan, faults, dealing).run(staging, _nothing), faults.all)


def _nothing(_done: int, _total: int) -> None:
    pass


@dataclass
class Desk:
    """A ledger in memory and a folder to put files into."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)

    def file(self, content: str | bytes | Iterable[Row], name: str = "bordereau.csv") -> Path:
        """A file of these rows, this text or these bytes."""
        if not isinstance(content, str | bytes):
            content = text(content)
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def takes(self, content: str | bytes | Iterable[Row], **how: Any) -> Ran:
        """Import these rows, this text or these bytes."""
        return imported(self.file(content), self.store, **how)

    def facts(self, claim_ref: str) -> list[Recorded[Any]]:
        """What the ledger holds of a claim."""
        return list(self.store.load([f"claim-{claim_ref}"])[f"claim-{claim_ref}"])

    def names(self, claim_ref: str) -> list[str]:
        """The names of a claim's facts."""
        return [NAME_OF[type(record.fact)] for record in self.facts(claim_ref)]

    @property
    def head(self) -> int:
        """The position of the last fact of any kind."""
        return self.store.recorder.max_notification_id() or 0


def said(records: Iterable[Recorded[Any]]) -> list[tuple[int, str, Any, date, Imported | None]]:
    """What facts say, without when and by which run they were recorded."""
    return [
        (
            record.envelope.version,
            NAME_OF[type(record.fact)],
            record.fact,
            record.envelope.effective_on,
            record.envelope.imported,
        )
        for record in records
    ]
