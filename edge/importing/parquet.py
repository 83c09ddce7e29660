"""The rows of a Parquet file as the text that a CSV file would hold; pyarrow is an extra."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from edge.importing.refusals import FileDamaged, ParquetNotInstalled, WrongColumnType

BATCH_ROWS = 4_096
AMOUNTS = frozenset({"amount", "estimate"})
DAYS = frozenset({"effective_on", "event_date", "notified_on"})


class ParquetFile:
    """An opened Parquet file: its columns' names, and its rows cell by cell.

    Amounts are read from decimals, integers or text, days from dates or text, the rest from text.
    """

    def __init__(self, path: Path) -> None:
        """Raises `ParquetNotInstalled` (E155) or `FileDamaged` (E153)."""
        try:
            arrow: Any = import_module("pyarrow")  # an extra, without types
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            raise ParquetNotInstalled(path.name) from None
        self._types: Any = arrow.types
        self._damage: Any = (arrow.ArrowException, OSError)
        self._name = path.name
        try:
            self._file: Any = parquet.ParquetFile(path)
        except self._damage as error:
            raise FileDamaged(self._name, 0, _in_one_line(error)) from None
        self.columns: list[str] = list(self._file.schema_arrow.names)
        self.rows_total: int = self._file.metadata.num_rows

    def require_types(self) -> None:
        """Every column holds what can be read without loss; raises `WrongColumnType` (E154)."""
        for field in self._file.schema_arrow:
            wanted, fits = self._wanted(field.name)
            kind = field.type
            if self._types.is_dictionary(kind):
                kind = kind.value_type
            if not (self._types.is_null(kind) or self._is_text(kind) or fits(kind)):
                raise WrongColumnType(field.name, str(field.type), wanted)

    def rows(self) -> Iterator[list[str]]:
        """The cells of each row; what is not there is empty. Raises `FileDamaged` (E153)."""
        row = 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                columns = [column.to_pylist() for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    row += 1
                    yield _as_text(cells)
        except self._damage as error:
            raise FileDamaged(self._name, row, _in_one_line(error)) from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _wanted(self, column: str) -> tuple[str, Callable[[Any], bool]]:
        if column in AMOUNTS:
            return "decimals, integers or text", self._is_exact
        if column in DAYS:
            return "dates or text", self._types.is_date
        return "text", lambda _: False

    def _is_exact(self, kind: Any) -> bool:
        return bool(self._types.is_decimal(kind) or self._types.is_integer(kind))

    def _is_text(self, kind: Any) -> bool:
        types = self._types
        return bool(types.is_string(kind) or types.is_large_string(kind))


def _as_text(cells: Sequence[object]) -> list[str]:
    return [_text(cell) for cell in cells]


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case str():
            return cell
        case date():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case _:
            return str(cell)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
