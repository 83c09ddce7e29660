"""`claims submit`: JSON lines of commands in, JSON lines of receipts out, in the same order."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import typer

from commands.door import COMMAND_BYTES_MAX, read
from domain.errors import BadValue
from edge.cli.asking import OK, REFUSED, Caller, Json, answering

BATCH_COMMANDS = 200  # one transaction; large enough to share its cost, small enough to answer soon


@answering
def submit(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")],
    json: Json = False,
) -> int:
    """Send commands; each gets a receipt, and the same command sent again the same receipt."""
    del json  # receipts are JSON lines either way
    caller: Caller = context.obj
    refused = 0
    with _opened(source) as lines, caller.books() as books:
        for batch in _batches(lines):
            commands = [read(line, caller.sender) for line in batch]
            for receipt in books.ledger.handle_many(commands):
                sys.stdout.write(receipt.body.decode() + "\n")
                refused += not receipt.accepted
            sys.stdout.flush()
    return REFUSED if refused else OK


def _opened(source: str) -> IO[bytes]:
    if source == "-":
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise BadValue("FILE", f"it cannot be opened: {error.strerror}") from None


def _batches(lines: IO[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in _lines(lines):
        batch.append(line)
        if len(batch) == BATCH_COMMANDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _lines(lines: IO[bytes]) -> Iterator[bytes]:
    """The lines that hold something; of one that is too long, just enough for its refusal."""
    while line := lines.readline(COMMAND_BYTES_MAX + 2):
        rest = line
        while not rest.endswith(b"\n") and rest:
            rest = lines.readline(COMMAND_BYTES_MAX)
        if line.strip():
            yield line.rstrip(b"\n")
