"""`claims migrate`, `verify`, `views` and `down`: what keeps the ledger running and trusted."""

from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from consumers.projector import Progress as Page
from consumers.projector import status
from domain.refusal_log import stream_of_refusals
from domain.refusals.state import UnknownClaim
from edge.cli.asking import OK, UNREADABLE, Caller, Json, answering, claim_stream
from edge.cli.output import console, errors, print_json, table
from edge.postgres import migrate as migrations
from edge.postgres.server import reach, stop
from edge.store import verify as chains
from projections.view import views


@answering
def migrate(context: typer.Context, json: Json = False) -> None:
    """Bring the tables to what this program needs, as their owner."""
    caller: Caller = context.obj
    server = reach(caller.settings.dsn, caller.settings.home)
    applied = [f"{each.number:04d}_{each.name}" for each in migrations.migrate(server.conninfo)]
    if json:
        print_json({"database": server.where, "applied": applied})
    else:
        console.print(f"Applied: {', '.join(applied) or 'nothing, it is up to date'}")


@answering
def verify(
    context: typer.Context,
    reference: Annotated[
        str | None, typer.Argument(metavar="REF", help="One claim's reference.")
    ] = None,
    json: Json = False,
) -> int:
    """Follow the chain of one file, or of all, and every receipt.

    The chains are followed through the bytes as they are stored.
    """
    caller: Caller = context.obj
    stream = "" if reference is None else claim_stream(reference)
    with caller.books() as books:
        if reference is not None:
            found = chains.verify(books.log, stream)
            if not found.facts:
                raise UnknownClaim(reference)
            refusals = chains.verify(books.log, stream_of_refusals(stream))
            _show_one(reference, found, refusals, json=json)
            return OK
        with _progress() as bar:
            task = bar.add_task("verifying", facts=0)
            summary = chains.verify_all(
                books.log, lambda _streams, facts: bar.update(task, facts=facts)
            )
    told = {
        "streams": summary.streams,
        "facts": summary.facts,
        "broken": [
            {"stream": each.stream, "version": each.version, "why": each.why}
            for each in summary.broken
        ],
    }
    if json:
        print_json(told)
    elif summary.broken:
        rows = [[each.stream, each.version, each.why] for each in summary.broken]
        console.print(table("Broken chains", ["stream", "version>", "why"], rows))
    else:
        console.print(
            f"[green]Whole:[/] {summary.facts:,} facts in {summary.streams:,} streams,"
            " every link and every receipt as it was given."
        )
    return UNREADABLE if summary.broken else OK


def _show_one(
    reference: str, found: chains.Verified, refusals: chains.Verified, *, json: bool
) -> None:
    if json:
        print_json(
            {
                "claim": reference,
                "facts": found.facts,
                "digest": found.digest,
                "refusals": refusals.facts,
            }
        )
        return
    told = f" {reference}, {found.facts} facts, {refusals.facts} refusals beside it."
    console.print(Text.assemble(("Whole:", "green"), told))
    console.print(f"Its last fact's digest: {found.digest}")


def _progress() -> Progress:
    """Progress on stderr, where no program reads an answer."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.fields[facts]:,} facts"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


@answering
def views_status(context: typer.Context, json: Json = False) -> None:
    """Where each view stands, and how far behind the log it is."""
    caller: Caller = context.obj
    with caller.books() as books, books.reading(level=False) as connection:
        found = status(connection, views())
    if json:
        print_json(
            [
                {
                    "view": each.name,
                    "version": each.version,
                    "position": each.position,
                    "head": each.head,
                    "lag": each.lag,
                    "left_out": {"files": each.left_out_files},
                }
                for each in found
            ]
        )
        return
    columns = ["view", "version>", "position>", "head>", "lag>", "files left out>"]
    rows = [
        [each.name, each.version, each.position, each.head, each.lag, each.left_out_files]
        for each in found
    ]
    console.print(table("Views", columns, rows))


@answering
def views_rebuild(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME")] = None,
    json: Json = False,
) -> None:
    """Build views again from the log: those named, or all."""
    caller: Caller = context.obj
    told: dict[str, int] = {}
    with caller.books() as books, _progress() as bar:
        for view in views(*(names or ())):
            task = bar.add_task(view.name, facts=0)
            told[view.name] = books.projector.rebuild(view, partial(_step, bar, task))
    if json:
        print_json({"rebuilt": told})
    else:
        for name, facts in told.items():
            console.print(f"{name}: built again from {facts:,} facts")


def _step(bar: Progress, task: TaskID, page: Page) -> None:
    bar.update(task, facts=page.position)


@answering
def down(context: typer.Context, json: Json = False) -> None:
    """Stop the embedded PostgreSQL of this data folder."""
    caller: Caller = context.obj
    stopped = stop(caller.settings.home)
    if json:
        print_json({"home": str(caller.settings.home), "was_running": stopped})
    else:
        console.print("Stopped." if stopped else "It was not running.")
