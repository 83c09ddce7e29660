"""`claims submit`: JSON lines of commands in, JSON lines of receipts out, in the same order."""

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from commands.door import COMMAND_BYTES_MAX, read
from domain.errors import BadValue
from edge.cli.asking import OK, REFUSED, UNAVAILABLE, UNREADABLE, Caller, Json, answering
from edge.cli.output import errors, write_line
from edge.store.errors import NOT_KEPT

BATCH_COMMANDS_MAX = 200  # one transaction: enough to share its cost, and to answer soon
BATCH_BYTES_MAX = 4_000_000  # thousands of ordinary commands, or four of the longest


@answering
def submit(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")],
    json: Json = False,
) -> int:
    """Send commands, JSON lines; each gets a receipt, a line too.

    The same command sent again gets the same receipt, byte for byte, and writes nothing.
    """
    del json  # receipts are JSON lines either way
    caller: Caller = context.obj
    codes = Counter[str]()
    with _opened(source) as lines, caller.books() as books, _progress(lines) as show:
        for batch in _batches(lines):
            commands = [read(line, caller.sender) for line in batch]
            for receipt in books.ledger.handle_many(commands):
                write_line(receipt.body)
                codes[receipt.code] += 1
            sys.stdout.flush()
            show(codes.total())
    if not codes:
        raise BadValue("FILE", "it holds no command")
    if any(codes[code] for code in NOT_KEPT):
        return UNAVAILABLE
    if any(code.startswith(("E8", "E9")) for code in codes):
        return UNREADABLE
    return OK if set(codes) == {""} else REFUSED


@contextmanager
def _progress(lines: IO[bytes]) -> Generator[Callable[[int], None]]:
    """Shows on stderr how many commands are answered, their rate, and how far a file is read.

    Drawn only for a person who is not shown the receipts themselves.
    """
    size = _size(lines)
    columns = () if size is None else (BarColumn(), DownloadColumn())
    drawn = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[commands]:,} commands, {task.fields[rate]:,.0f}/s"),
        *columns,
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        redirect_stdout=False,  # receipts are bytes, and go past what rich would put in its place
        disable=not errors.is_terminal or sys.stdout.isatty(),
    )
    task = drawn.add_task("submitting", total=size, commands=0, rate=0.0)

    def show(commands: int) -> None:
        elapsed_s = drawn.tasks[task].elapsed
        rate = commands / elapsed_s if elapsed_s else 0.0
        read_so_far = None if size is None else lines.tell()
        drawn.update(task, completed=read_so_far, commands=commands, rate=rate)

    with drawn:
        yield show


def _size(lines: IO[bytes]) -> int | None:
    """The bytes of a file; None of what comes as it comes, such as a pipe."""
    try:
        found = os.fstat(lines.fileno())
    except OSError:  # no file of the system's at all
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _opened(source: str) -> IO[bytes]:
    if source == "-":
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - it was closed before
            raise BadValue("FILE", "standard input is closed")
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise BadValue("FILE", f"it cannot be opened: {why}") from None


def _batches(lines: IO[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for line in _lines(lines):
        batch.append(line)
        size += len(line)
        if len(batch) == BATCH_COMMANDS_MAX or size >= BATCH_BYTES_MAX:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lines(lines: IO[bytes]) -> Iterator[bytes]:
    """The lines that hold something; of one that is too long, just enough for its refusal."""
    while line := lines.readline(COMMAND_BYTES_MAX + 2):
        rest = line
        while not rest.endswith(b"\n") and rest:
            rest = lines.readline(COMMAND_BYTES_MAX)
        if line.strip() or len(line) > COMMAND_BYTES_MAX:
            yield line.rstrip(b"\n")
