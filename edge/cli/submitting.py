"""`claims submit`: JSON lines of commands in, JSON lines of receipts out, in the same order."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import typer

from commands.door import COMMAND_BYTES_MAX, read
from domain.errors import BadValue
from edge.cli.asking import OK, REFUSED, UNAVAILABLE, Caller, Json, answering
from edge.cli.output import write_line

BATCH_COMMANDS = 200  # one transaction; large enough to share its cost, small enough to answer soon
BATCH_BYTES = 4_000_000
AWAY = ("E603", "E605")  # nothing was judged: the database did not answer


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
    with _opened(source) as lines, caller.books() as books:
        for batch in _batches(lines):
            commands = [read(line, caller.sender) for line in batch]
            for receipt in books.ledger.handle_many(commands):
                write_line(receipt.body)
                codes[receipt.code] += 1
            sys.stdout.flush()
    if not codes:
        raise BadValue("FILE", "it holds no command")
    if any(codes[code] for code in AWAY):
        return UNAVAILABLE
    return OK if set(codes) == {""} else REFUSED


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
        if len(batch) == BATCH_COMMANDS or size >= BATCH_BYTES:
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
