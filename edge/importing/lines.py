"""From bytes to the cells of each row of a CSV file; a row that is broken breaks no other.

A quoted cell may hold line breaks. When a quote is opened and not closed soon, or its closing does
not leave a whole row, only the line that opened it is taken for broken: otherwise one stray quote
would swallow rows of other claims, and leave half of their histories to be imported.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from domain.errors import Refused
from edge.importing.refusals import HoldsNul, NotUtf8, QuotesBroken, RowTooLong, WrongNumberOfCells

LINE_BYTES_MAX = 64 * 1024  # a note of 4,000 characters and all other cells take less than half
ROW_LINES_MAX = 100
_RULES = (
    ("end of data", "one is opened and not closed"),
    ("expected after", "text follows a closing one"),
    ("new-line", "a line break stands outside of them"),
)
BOM = b"\xef\xbb\xbf"  # spreadsheets begin UTF-8 with it


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is not one, and its cells as far as they could be made out."""

    error: Refused
    cells: list[str]


Cells = list[str] | Broken


@dataclass(frozen=True, slots=True)
class _Line:
    content: bytes
    cut: bool = False  # it was longer than allowed, and the rest of it is gone


def header(stream: BinaryIO) -> list[str]:
    """The names in the first line; none when there is no line.

    Raises the `RowUnusable` that keeps the line from being read.
    """
    line = next(_lines(stream), None)
    if line is None:
        return []
    cells = _row(_Line(line.content.removeprefix(BOM), line.cut), deque(), iter(()), None)
    if isinstance(cells, Broken):
        raise cells.error
    return cells


def rows(stream: BinaryIO, width: int) -> Iterator[Cells | None]:
    """The rows that follow the header; None for one that holds nothing."""
    source = _lines(stream)
    ahead = deque[_Line]()
    while True:
        line = ahead.popleft() if ahead else next(source, None)
        if line is None:
            return
        if not line.content:
            yield None
            continue
        cells = _row(line, ahead, source, width)
        empty = not isinstance(cells, Broken) and not any(cells)
        yield None if empty else cells


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    """The lines without their ends; of one that is too long only its beginning is held."""
    while line := stream.readline(LINE_BYTES_MAX + 2):
        content = line.rstrip(b"\r\n")
        if line.endswith(b"\n") or len(content) <= LINE_BYTES_MAX:
            yield _Line(content)
            continue
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES_MAX)
        yield _Line(content, cut=True)


def _row(line: _Line, ahead: deque[_Line], source: Iterator[_Line], width: int | None) -> Cells:
    if line.cut:
        return Broken(RowTooLong(LINE_BYTES_MAX), _made_out(line.content))
    found = _parsed([line.content], width)
    if isinstance(found, Broken) and isinstance(found.error, QuotesBroken):
        return _continued(line, ahead, source, width) or found
    return found


def _parsed(lines: list[bytes], width: int | None) -> Cells:
    """One row, from one line or more."""
    content = b"\n".join(lines)
    if b"\0" in content:
        return Broken(HoldsNul(), _made_out(content))
    try:
        # As one piece of text: a line break is then data inside quotes, and an error outside.
        cells = next(csv.reader([content.decode()], strict=True))
    except UnicodeDecodeError:
        return Broken(NotUtf8(), _made_out(content))
    except csv.Error as error:
        rule = next((ours for theirs, ours in _RULES if theirs in str(error)), str(error))
        return Broken(QuotesBroken(rule), _made_out(content))
    if width is not None and len(cells) != width:
        return Broken(WrongNumberOfCells(len(cells), width), cells)
    return cells


def _continued(
    line: _Line, ahead: deque[_Line], source: Iterator[_Line], width: int | None
) -> list[str] | None:
    """The row that the line begins, when the lines after it complete it; they stay if they do not.

    An even number of quotes is what a whole row has, so that only such ends are tried.
    """
    taken = [line.content]
    quotes = line.content.count(b'"')
    size = len(line.content)
    number = 0
    while len(taken) < ROW_LINES_MAX and size <= LINE_BYTES_MAX:
        if number == len(ahead):
            following = next(source, None)
            if following is None:
                return None
            ahead.append(following)
        following = ahead[number]
        number += 1
        if following.cut:
            return None
        taken.append(following.content)
        quotes += following.content.count(b'"')
        size += len(following.content)
        if quotes % 2 == 0:
            found = _parsed(taken, width)
            if isinstance(found, Broken):
                return None
            for _ in range(number):
                ahead.popleft()
            return found
    return None


def _made_out(content: bytes) -> list[str]:
    """The cells of a broken row as far as they can be told, to see whose row it is."""
    text = content.decode(errors="replace").replace("\0", "")
    try:
        return next(csv.reader([text or "\n"]))
    except csv.Error:
        return text.split(",")
