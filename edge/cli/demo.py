"""`claims demo`: a synthetic portfolio through the real path, and what the ledger makes of it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from commands.ledger import Ledger
from domain.errors import Refused
from edge.cli.asking import Caller, Json, answering
from edge.cli.demo_story import show, story_data
from edge.cli.output import errors, print_json
from edge.wiring import Books, open_books
from replay.portfolio import Ask, portfolio

SEED = 2_022
FILES = 300


@dataclass(eq=False)
class LedgerInUse(Refused):
    """The ledger at {place} holds facts that are not the demo's."""

    code = "E633"
    remedy = "Name an empty folder: CLAIMS_HOME=FOLDER claims demo."
    place: str


@dataclass(slots=True)
class Moments:
    """The demo's clock: it stands where the portfolio says."""

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Played:
    """How the portfolio's commands were answered."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    unintended: list[str] = field(default_factory=list[str])


@answering
def demo(
    context: typer.Context,
    files: Annotated[int, typer.Option("--files", min=10, max=5_000, help="How many.")] = FILES,
    json: Json = False,
) -> None:
    """Play four years of a synthetic portfolio, and show it; run again, it adds nothing."""
    caller: Caller = context.obj
    clock = Moments()
    asks = list(portfolio(SEED, files))
    with open_books(caller.settings, clock) as books:
        _require_ours(books, asks[0])
        with _progress() as bar:
            task = bar.add_task("Recording commands", total=len(asks))
            played = play(books.ledger, clock, asks, lambda count: bar.advance(task, count))
            task = bar.add_task("Building views", total=books.log.head())
            books.level(progress=lambda page: bar.update(task, completed=page.position))
        clock.now = datetime.now(UTC)
        if json:
            print_json(story_data(books, played.accepted, dict(played.refused)))
        else:
            show(books, played.accepted, dict(played.refused), asks[-1].at.date())
    if played.unintended:
        raise AssertionError(f"the portfolio asks what is not lawful: {played.unintended[:3]}")


def play(
    ledger: Ledger, clock: Moments, asks: Iterable[Ask], progress: Callable[[int], None]
) -> Played:
    """Send each day's commands as one batch, at the last of their moments."""
    played = Played()
    for _, group in groupby(asks, key=lambda ask: ask.at.date()):
        day = list(group)
        clock.now = day[-1].at
        receipts = ledger.handle_many([ask.command for ask in day])
        for ask, receipt in zip(day, receipts, strict=True):
            code = receipt.code
            played.accepted += not code
            played.refused.update([f"{receipt.data['name']} ({code})"] if code else [])
            if code != ask.intended:
                played.unintended.append(f"{ask.command.command_id}: {receipt.body.decode()}")
        progress(len(day))
    return played


def _require_ours(books: Books, first: Ask) -> None:
    """The ledger is empty, or began with the demo."""
    for record in books.log.page(0, 1):
        if record.envelope.command_id != first.command.command_id:
            raise LedgerInUse(books.server.where)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        disable=not errors.is_terminal,
    )
