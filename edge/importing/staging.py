"""The rows of a file, sorted by claim on disk, so that memory does not grow with the file.

SQLite serves as a sorter that spills and as nothing else: its file has no name, holds rows for as
long as one import runs, and is gone with the process. That keeps an import that is only tried, or
whose file is damaged, from needing any database; the ledger itself has one store, PostgreSQL.
"""

import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from types import TracebackType
from typing import NamedTuple, Self

from domain.errors import Refused
from edge.importing.refusals import NoRoomToSort
from edge.importing.source import Found

ROWS_AT_ONCE = 1_000
SORT_MEMORY_KB = 8_192

_MAKE = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{SORT_MEMORY_KB};
CREATE TABLE found (claim_ref TEXT, row INTEGER, content TEXT);
BEGIN;
"""
_TAKE = "INSERT INTO found VALUES (?, ?, ?)"
_SORTED = "SELECT claim_ref, row, content FROM found ORDER BY claim_ref, row"


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


@dataclass(frozen=True, slots=True)
class Staged:
    """A row as it comes back: its cells, empty if unreadable, and its fault, if it has one."""

    row: int
    cells: tuple[str, ...]
    fault: Reject | None


class Staging:
    """Takes rows in any order, and gives them back claim by claim, in the order of the file."""

    def __init__(self) -> None:
        self.rows = 0
        self._sorter = sqlite3.connect("", isolation_level=None)
        self._sorter.executescript(_MAKE)

    def take(self, found: Iterable[Found]) -> None:
        """Take the rows. Raises `NoRoomToSort` (E156), and what reading them raises."""
        packed = map(_packed, found)
        while some := list(islice(packed, ROWS_AT_ONCE)):
            with _room():
                self._sorter.executemany(_TAKE, some)
            self.rows += len(some)

    def claims(self) -> Iterator[tuple[str, Iterator[Staged]]]:
        """Each claim's reference with its rows, to be read before the next claim is."""
        for claim_ref, rows in groupby(self._sorted(), key=lambda each: each[0]):
            yield claim_ref, (_unpacked(*each) for each in rows)

    def _sorted(self) -> Iterator[tuple[str, int, str]]:
        with _room():
            yield from self._sorter.execute(_SORTED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sorter.close()


@contextmanager
def _room() -> Generator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # "database or disk is full", "disk I/O error"
        raise NoRoomToSort(str(error)) from error


def _packed(found: Found) -> tuple[str, int, str]:
    content: list[object] = [*found.cells]
    if found.broken is not None:
        fault = reject(found.claim_ref, found.row, found.broken, found.column)
        content.append([fault.column, fault.code, fault.message, fault.remedy])
    return found.claim_ref, found.row, json.dumps(content, ensure_ascii=False)


def _unpacked(claim_ref: str, row: int, content: str) -> Staged:
    cells: list[str | list[str]] = json.loads(content)
    fault = None
    if cells and isinstance(cells[-1], list):
        fault = Reject(claim_ref, row, *cells.pop())
    return Staged(row, tuple(map(str, cells)), fault)
