"""A bordereau on disk: CSV, CSV.gz or Parquet, told apart by their first bytes, read row by row."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from domain.errors import Refused
from edge.importing import lines
from edge.importing.lines import Broken
from edge.importing.parquet import ParquetFile
from edge.importing.refusals import (
    FileDamaged,
    FileEmpty,
    FileNotOpened,
    HoldsNul,
    RowTooLong,
    WrongClaimReference,
    WrongHeader,
)

REQUIRED = ("claim_ref", "effective_on", "kind", "amount", "estimate")
OPTIONAL = (
    *("line", "currency", "handler", "pathway", "jurisdiction"),
    *("event_date", "notified_on", "note"),
)
COLUMNS = (*REQUIRED, *OPTIONAL)  # the order of a row's cells past this module
CLAIM_REF_CHARS_MAX = 64  # as a claim's reference may have
CELL_CHARS_MAX = lines.LINE_BYTES_MAX // 4  # a character takes up to four bytes
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
TELL_EVERY_ROWS = 2_000

Watch = Callable[[int, int], None]  # how much was read, of how much
Pick = Callable[[list[str]], tuple[str, ...]]  # our cells, out of a row's and an empty one


class Found(NamedTuple):
    """A row of the file, 1 = the first after the header: its cells in the order of `COLUMNS`.

    No cell holds a NUL. `broken` says why they cannot be used, and `column` where. `claim_ref` is
    then the claim that the row most likely belongs to, or a text of 65 characters that is no
    claim's; "" where nothing names a claim.
    """

    row: int
    claim_ref: str
    cells: tuple[str, ...]
    broken: Refused | None = None
    column: str = ""


def read(path: Path, watch: Watch) -> Iterator[Found]:
    """Every row of the file that holds something.

    Raises a `FileUnusable`, or for the header a `RowUnusable`, when the file cannot be read.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(len(PARQUET))
            raw.seek(0)
            size = path.stat().st_size
            if start == PARQUET:
                found = _parquet(path, watch)
            elif start.startswith(GZIP):
                found = _gzip(path.name, raw, size, watch)
            else:
                found = _csv(path.name, raw, raw, size, watch)
            yield from found
    except OSError as error:
        raise FileNotOpened(path.name, error.strerror or str(error)) from None


def _gzip(name: str, raw: BinaryIO, size: int, watch: Watch) -> Iterator[Found]:
    row = 0
    with gzip.open(raw) as unpacked:
        try:
            stream = cast("BinaryIO", io.BufferedReader(unpacked))
            for found in _csv(name, stream, raw, size, watch):
                row = found.row
                yield found
        except EOFError:
            raise FileDamaged(name, row, "it ends before its end") from None
        except (zlib.error, gzip.BadGzipFile) as error:
            raise FileDamaged(name, row, f"it is not what was packed ({error})") from None


def _csv(name: str, stream: BinaryIO, raw: BinaryIO, size: int, watch: Watch) -> Iterator[Found]:
    names = lines.header(stream)
    if not names:
        raise FileEmpty(name)
    pick, width = _picking(names), len(names)
    row = 0
    for row, cells in enumerate(lines.rows(stream, width), start=1):
        if cells is not None:
            yield _found(row, cells, pick, width)
        if row % TELL_EVERY_ROWS == 0:
            watch(raw.tell(), size)
    watch(size, size)
    if row == 0:
        raise FileEmpty(name)


def _parquet(path: Path, watch: Watch) -> Iterator[Found]:
    file = ParquetFile(path)
    try:
        pick, width = _picking(file.columns), len(file.columns)
        file.require_types()
        if file.rows_total == 0:
            raise FileEmpty(path.name)
        for row, cells in enumerate(file.rows(), start=1):
            if any(cells):
                yield _found(row, cells, pick, width)
            if row % TELL_EVERY_ROWS == 0 or row == file.rows_total:
                watch(row, file.rows_total)
    finally:
        file.close()


def _picking(names: list[str]) -> Pick:
    """How our columns are taken out of the file's; raises `WrongHeader` (E152)."""
    missing = [name for name in REQUIRED if name not in names]
    unknown = sorted({name[:40] for name in names if name not in COLUMNS})
    twice = sorted({name for name in COLUMNS if names.count(name) > 1})
    if missing or unknown or twice:
        told = (", ".join(part[:10]) or "none" for part in (missing, unknown, twice))
        raise WrongHeader(*told)
    return itemgetter(*(names.index(name) if name in names else len(names) for name in COLUMNS))


def _found(row: int, cells: lines.Cells, pick: Pick, width: int) -> Found:
    if isinstance(cells, Broken):
        padded = [*cells.cells, *[""] * width][:width]
        return Found(row, _shown(pick([*padded, ""])[0]), (), cells.error)
    cells.append("")
    ours = pick(cells)
    claim_ref = ours[0]
    rule = _unfit(claim_ref)
    whole = "".join(ours)
    if rule:
        kept = tuple(cell.replace("\0", "") for cell in ours) if "\0" in whole else ours
        return Found(row, _shown(claim_ref), kept, WrongClaimReference(rule), "claim_ref")
    if "\0" in whole or len(whole) > CELL_CHARS_MAX:
        return _fitting(Found(row, claim_ref, ours))
    return Found(row, claim_ref, ours)


def _fitting(found: Found) -> Found:
    """The row, when each of its cells can be kept."""
    for column, cell in zip(COLUMNS, found.cells, strict=True):
        if "\0" in cell:
            return found._replace(cells=(), broken=HoldsNul(), column=column)
        if len(cell) > CELL_CHARS_MAX:
            error = RowTooLong(lines.LINE_BYTES_MAX)
            return found._replace(cells=(), broken=error, column=column)
    return found


def _unfit(claim_ref: str) -> str:
    """What keeps a text from being a claim's reference, "" if nothing."""
    if not claim_ref:
        return "it is not there"
    if len(claim_ref) > CLAIM_REF_CHARS_MAX:
        return f"it has more than {CLAIM_REF_CHARS_MAX} characters"
    if claim_ref != claim_ref.strip() or not claim_ref.isprintable():
        return "it begins or ends with a space, or holds characters that are not printed"
    return ""


def _shown(claim_ref: str) -> str:
    """The claim that a reference most likely means: what is set aside has to be all of its rows.

    Where no usable reference can be made of it, it is cut, and no usable one's equal.
    """
    kept = "".join(filter(str.isprintable, claim_ref)).strip()
    return kept if not kept or not _unfit(kept) else kept[: CLAIM_REF_CHARS_MAX - 1] + " \u2026"
