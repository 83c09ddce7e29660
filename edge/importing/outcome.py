"""What an import came to: how many claims, rows and how much money went in, and were left out."""

import csv
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from commands.history_import import RowKind
from domain.money import Money
from domain.terms import Line
from edge.importing.refusals import RejectsNotWritten
from edge.importing.rows import Values
from edge.importing.staging import Reject

REJECTS_SHOWN_MAX = 20  # enough to see what is wrong; the file of rejects has them all


@dataclass(slots=True)
class Figures:
    """Whole minor units of one currency."""

    paid: int = 0
    incurred: int = 0
    recovered: int = 0

    @property
    def outstanding(self) -> int:
        """What is estimated and not paid."""
        return self.incurred - self.paid

    def add(self, other: "Figures") -> None:
        """Add another's figures to these."""
        self.paid += other.paid
        self.incurred += other.incurred
        self.recovered += other.recovered


Totals = dict[str, Figures]


@dataclass(slots=True)
class ClaimMoney:
    """The money that a claim's rows speak of, as far as they could be read."""

    figures: Totals = field(default_factory=Totals)
    estimates: dict[Line, int] = field(default_factory=dict[Line, int])

    def take(self, values: Values) -> None:
        """Add one row; its estimate takes the place of its line's earlier one."""
        amount, estimate = values.get("amount"), values.get("estimate")
        line: Line | None = values.get("line")
        if estimate is not None and line is not None:
            self._of(estimate).incurred += estimate.minor - self.estimates.get(line, 0)
            self.estimates[line] = estimate.minor
        if amount is not None:
            kind, figures = values.get("kind"), self._of(amount)
            if kind is RowKind.PAYMENT:
                figures.paid += amount.minor
            elif kind is RowKind.RECOVERY:
                figures.recovered += amount.minor

    def _of(self, amount: Money) -> Figures:
        figures = self.figures.get(amount.currency)
        if figures is None:
            figures = self.figures[amount.currency] = Figures()
        return figures


@dataclass(slots=True)
class Share:
    """A part of the file: its claims, rows, facts and money by currency."""

    claims: int = 0
    rows: int = 0
    facts: int = 0
    money: Totals = field(default_factory=Totals)

    def add(self, rows: int, money: Mapping[str, Figures], facts: int = 0, claims: int = 1) -> None:
        """Add one claim, or with `claims` 0 rows that name none."""
        self.claims += claims
        self.rows += rows
        self.facts += facts
        for currency, figures in money.items():
            self.money.setdefault(currency, Figures()).add(figures)

    def add_all(self, other: "Share") -> None:
        """Add all claims of another share."""
        self.add(other.rows, other.money, other.facts, other.claims)


@dataclass(slots=True)
class Outcome:
    """What became of a file's rows; every row that holds something is in one of the shares.

    When the import was only tried, `imported` is what would have gone in.
    """

    source: str
    dry_run: bool
    imported: Share = field(default_factory=Share)
    already_there: Share = field(default_factory=Share)
    left_out: Share = field(default_factory=Share)
    rows_without_claim: int = 0  # among those left out

    def add(self, other: "Outcome") -> None:
        """Add what became of other rows of the file."""
        self.imported.add_all(other.imported)
        self.already_there.add_all(other.already_there)
        self.left_out.add_all(other.left_out)
        self.rows_without_claim += other.rows_without_claim

    @property
    def all_in(self) -> bool:
        """Nothing was left out."""
        return self.left_out.rows == 0


class Rejects:
    """Why claims were set aside: the first few held, all of them written where a file is named."""

    def __init__(self, path: Path | None) -> None:
        self.count = 0
        self.first: list[Reject] = []
        self._path = path
        self._open = ExitStack()
        self._write: Callable[[Iterable[object]], object] = _nowhere

    def add(self, reject: Reject) -> None:
        """Keep one. Raises `RejectsNotWritten` (E157)."""
        self.count += 1
        if len(self.first) < REJECTS_SHOWN_MAX:
            self.first.append(reject)
        with _written(self._path):
            self._write(reject)

    def __enter__(self) -> Self:
        if self._path is not None:
            with _written(self._path):
                file = self._open.enter_context(self._path.open("w", encoding="utf-8", newline=""))
                self._write = csv.writer(file).writerow
                self._write(Reject._fields)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _written(self._path):
            self._open.close()


def _nowhere(_cells: Iterable[object]) -> None:
    """Where rejects go when no file is named."""


@contextmanager
def _written(path: Path | None) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise RejectsNotWritten(str(path), error.strerror or str(error)) from None
