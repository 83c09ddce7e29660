"""The rows of a file, sorted by claim on disk, so that memory does not grow with the file.

SQLite serves as a sorter that spills and as nothing else: its file has no name, holds rows for as
long as one import runs, and is gone with the process. That keeps an import that is only tried, or
whose file is damaged, from needing any database; the ledger itself has one store, PostgreSQL.
"""

import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from operator import itemgetter
from types import TracebackType
from typing import NamedTuple, Self

from domain.errors import Refused
from edge.importing.refusals import NoRoomToSort
from edge.importing.source import Found

ROWS_AT_ONCE = 1_000  # enough to share a round trip, a megabyte in memory
SORT_MEMORY_KB = 8_192

_MAKE = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{SORT_MEMORY_KB};
CREATE TABLE found (claim_ref TEXT, row INTEGER, cells TEXT, fault TEXT);
BEGIN;
"""
_TAKE = "INSERT INTO found VALUES (?, ?, ?, ?)"
_SORTED = "SELECT claim_ref, row, cells, fault FROM found ORDER BY claim_ref, row"
_BETWEEN = "\0"  # no cell and no fault holds one


class Reject(NamedTuple):
    """Why a claim was set aside: one fault of one row, 0 where it is not about one row."""

    claim_ref: str
    row: int
    column: str
    code: str
    message: str
    remedy: str


def reject(claim_ref: str, row: int, error: Refused, column: str = "") -> Reject:
    """A refusal as the reason for which a claim is set aside."""
    where = column or error.field
    return Reject(claim_ref, row, where, error.code, str(error), error.remedy)


# A row as it lies there: claim_ref, number, and what `cells_of` and `fault_of` make out.
Packed = tuple[str, int, str, str | None]


class Staging:
    """Takes rows in any order, and gives them back claim by claim, in the order of the file."""

    def __init__(self) -> None:
        self.rows = 0
        self._sorter = sqlite3.connect("", isolation_level=None)
        self._sorter.executescript(_MAKE)

    def take(self, found: Iterable[Found]) -> None:
        """Take the rows. Raises `NoRoomToSort` (E156), and what reading them raises."""
        packed = map(_packed, found)
        while some := list(itertools.islice(packed, ROWS_AT_ONCE)):
            try:
                self._sorter.executemany(_TAKE, some)
            except sqlite3.OperationalError as error:  # "database or disk is full"
                raise NoRoomToSort(str(error)) from error
            self.rows += len(some)

    def claims(self) -> Iterator[tuple[str, Iterator[Packed]]]:
        """Each claim's reference with its rows, to be read before the next claim is."""
        return itertools.groupby(self._sorted(), itemgetter(0))

    def _sorted(self) -> Iterator[Packed]:
        try:
            for packed in self._sorter.execute(_SORTED):  # noqa: UP028 - closing it ends no cursor
                yield packed
        except sqlite3.OperationalError as error:
            raise NoRoomToSort(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sorter.close()


def cells_of(packed: Packed) -> list[str]:
    """The cells of a row in the order of `source.COLUMNS`; none where it cannot be read."""
    cells = packed[2]
    return cells.split(_BETWEEN) if cells else []


def fault_of(packed: Packed) -> Reject | None:
    """Why a row cannot be used."""
    claim_ref, row, _, fault = packed
    return None if fault is None else Reject(claim_ref, row, *fault.split(_BETWEEN))


def _packed(found: Found) -> Packed:
    cells = _BETWEEN.join(found.cells)
    if found.broken is None:
        return found.claim_ref, found.row, cells, None
    fault = reject(found.claim_ref, found.row, found.broken, found.column)
    return found.claim_ref, found.row, cells, _BETWEEN.join(fault[2:])
