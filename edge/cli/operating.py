"""`claims migrate`, `verify` and `down`: what keeps the ledger running and trusted."""

from typing import Annotated

import typer
from rich.text import Text

from domain.refusal_log import stream_of_refusals
from domain.refusals.state import UnknownClaim
from edge.cli.asking import OK, UNREADABLE, Caller, Json, answering, claim_stream
from edge.cli.output import console, print_json, progress_in_facts, table
from edge.postgres import migrate as migrations
from edge.postgres.server import reach, stop
from edge.store import verify as chains


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
        with progress_in_facts() as bar:
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


@answering
def down(context: typer.Context, json: Json = False) -> None:
    """Stop the embedded PostgreSQL of this data folder."""
    caller: Caller = context.obj
    stopped = stop(caller.settings.home)
    if json:
        print_json({"home": str(caller.settings.home), "was_running": stopped})
    else:
        console.print("Stopped." if stopped else "It was not running.")
