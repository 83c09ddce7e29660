"""`claims contracts`: what messages look like, and whether a change of it is compatible."""

from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.asking import OK, REFUSED, UNREADABLE, Caller, Json, answering
from edge.cli.output import console, print_json, table
from edge.contracts.documents import PUBLISHED, broken, export
from edge.contracts.stored import Held, held
from edge.postgres.connections import Role


@answering
def contracts_export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where they are written.")],
    json: Json = False,
) -> None:
    """Write the JSON Schemas and the AsyncAPI document, unless they break those that are there."""
    del context
    written = [str(path) for path in export(folder)]
    if json:
        print_json({"written": written})
    else:
        console.print("\n".join(written))


@answering
def contracts_check(
    context: typer.Context,
    against: Annotated[
        Path, typer.Option("--against", metavar="FOLDER", help="Contracts exported before.")
    ] = PUBLISHED,
    log: Annotated[bool, typer.Option(help="Also read samples from the log.")] = True,
    json: Json = False,
) -> int:
    """Whether all that was valid stays valid, and every kind of fact in the log is readable."""
    found = [{"where": each.where, "why": each.why} for each in broken(against)]
    stored = [_told(each) for each in _held(context.obj)] if log else []
    unreadable = [each for each in stored if each["code"]]
    if json:
        print_json({"breaks": found, "stored": stored, "unreadable": len(unreadable)})
    else:
        _show(found, stored, unreadable)
    if unreadable:
        return UNREADABLE
    return REFUSED if found else OK


def _held(caller: Caller) -> list[Held]:
    with caller.books() as books, books.connected(Role.READER) as connection:
        return held(connection)


def _told(each: Held) -> dict[str, Any]:
    error = each.error
    code, why = (error.code, str(error)) if error else ("", "")
    return {"name": each.name, "facts": each.facts, "code": code, "why": why}


def _show(
    found: list[dict[str, str]], stored: list[dict[str, Any]], unreadable: list[dict[str, Any]]
) -> None:
    if found:
        rows = [[each["where"], each["why"]] for each in found]
        console.print(table("Broken contracts", ["where", "why"], rows))
    if unreadable:
        rows = [[each["name"], each["facts"], each["code"], each["why"]] for each in unreadable]
        console.print(table("Unreadable facts", ["name", "facts>", "code", "why"], rows))
    if not found and not unreadable:
        facts = sum(each["facts"] for each in stored)
        console.print(
            "[green]Compatible:[/] all that was valid stays valid; the log holds"
            f" {len(stored)} kinds of fact ({facts:,} facts), and all are readable."
            if stored
            else "[green]Compatible:[/] all that was valid stays valid."
        )
