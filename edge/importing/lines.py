"""From bytes to the cells of each row of a CSV file; a row that is broken breaks no other.

A quoted cell may hold line breaks. When a quote is opened and not closed soon, or its closing does
not leave a whole row, only the line that opened it is taken for broken: otherwise one stray quote
would swallow rows of other claims, and leave half of their histories to be imported.
"""

import csv
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from domain.errors import Refused
from edge.importing.refusals import HoldsNul, NotUtf8, QuotesBroken, RowTooLong, WrongNumberOfCells

LINE_BYTES_MAX = 64 * 1024  # a note of 4,000 characters and all other cells take less than half
ROW_LINES_MAX = 100  # of one row: a note may have lines, and a quote left open swallows no file
PAGE_LINES = 256  # looked at together, so that a plain one costs little: 16 MB at the very most
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


class _Cut(bytes):
    """The beginning of a line that is longer than allowed; the rest of it is gone."""


def header(stream: BinaryIO) -> list[str]:
    """The names in the first line; none when there is no line.

    Raises the `RowUnusable` that keeps the line from being read.
    """
    line = next(_lines(stream), None)
    if line is None:
        return []
    names = _Cut(line) if isinstance(line, _Cut) else line.removeprefix(BOM)
    cells = _row(names, deque(), iter(()), None)
    if isinstance(cells, Broken):
        raise cells.error
    return cells


def rows(stream: BinaryIO, width: int) -> Iterator[Cells | None]:
    """The rows that follow the header; None for one that holds nothing."""
    source = _lines(stream)
    page = deque[bytes]()
    while page := page or deque(itertools.islice(source, PAGE_LINES)):
        for cells in _plain(page, width):
            page.popleft()
            yield cells
        for _ in range(len(page)):  # from the first line that is not plain, one by one
            if page:
                yield _next(page, source, width)


def _plain(page: Iterable[bytes], width: int) -> Iterator[list[str] | None]:
    """The rows of lines that are a sound row each, up to the first line that may be none."""
    if _Cut in set(map(type, page)):
        return
    content = b"\n".join(page)
    if b"\0" in content:
        return
    try:
        reader = csv.reader(content.decode().split("\n"), strict=True)
        for number, cells in enumerate(reader, start=1):
            if reader.line_num != number or (cells and len(cells) != width):
                return
            yield cells if any(cells) else None
    except (UnicodeDecodeError, csv.Error):
        return


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends; of one that is too long only its beginning is held."""
    while line := stream.readline(LINE_BYTES_MAX + 2):
        content = line.rstrip(b"\r\n")
        if len(content) <= LINE_BYTES_MAX or line.endswith(b"\n"):
            yield content
            continue
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES_MAX)
        yield _Cut(content)


def _next(ahead: deque[bytes], source: Iterator[bytes], width: int) -> Cells | None:
    line = ahead.popleft()
    cells = _row(line, ahead, source, width) if line else []
    return cells if isinstance(cells, Broken) or any(cells) else None


def _row(line: bytes, ahead: deque[bytes], source: Iterator[bytes], width: int | None) -> Cells:
    if isinstance(line, _Cut):
        return Broken(RowTooLong(LINE_BYTES_MAX), _made_out(line))
    found = _parsed([line], width)
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
    line: bytes, ahead: deque[bytes], source: Iterator[bytes], width: int | None
) -> list[str] | None:
    """The row that the line begins, when the lines after it complete it; they stay if they do not.

    An even number of quotes is what a whole row has, so that only such ends are tried.
    """
    taken = [line]
    quotes = line.count(b'"')
    size = len(line)
    number = 0
    while len(taken) < ROW_LINES_MAX and size <= LINE_BYTES_MAX:
        if number == len(ahead):
            following = next(source, None)
            if following is None:
                return None
            ahead.append(following)
        following = ahead[number]
        number += 1
        if isinstance(following, _Cut):
            return None
        taken.append(following)
        quotes += following.count(b'"')
        size += len(following)
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
