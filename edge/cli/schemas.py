"""`claims schema`: what may be asked, and the fields that each command takes."""

import inspect
from typing import Annotated, Any

import typer

from commands.door import command_types
from domain.errors import UnknownCommand
from edge.cli.asking import Json, answering
from edge.cli.output import console, print_json, table


@answering
def schema(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(metavar="TYPE", help="A command's type, such as set-estimate.")
    ] = None,
    json: Json = False,
) -> None:
    """The commands by type, or the JSON Schema of one."""
    del context
    known = command_types()
    if kind is not None:
        if kind not in known:
            raise UnknownCommand(kind[:64])
        print_json(known[kind].model_json_schema())
        return
    told = {name: (inspect.getdoc(command) or "").split("\n")[0] for name, command in known.items()}
    if json:
        print_json({"commands": told})
        return
    rows: list[list[Any]] = [[name, does] for name, does in sorted(told.items())]
    console.print(table("Commands", ["type", "does"], rows))
