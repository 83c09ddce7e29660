"""The command line, put together: `claims --help` is its table of contents."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import typer

from edge.cli.on_demand import on_demand


@dataclass(frozen=True, slots=True)
class Asking:
    """The options that stand before the command, as they were given."""

    who: str | None
    log_json: bool


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"claims-ledger {version('claims-ledger')}")
        raise typer.Exit


app = typer.Typer(
    name="claims",
    cls=on_demand(
        {
            "demo": "edge.cli.demo:demo",
            "submit": "edge.cli.submitting:submit",
            "schema": "edge.cli.schemas:schema",
            "file": "edge.cli.files:file",
            "history": "edge.cli.files:history",
            "caseload": "edge.cli.reports:caseload",
            "reserves": "edge.cli.reports:reserves",
            "movements": "edge.cli.reports:movements",
            "run": "edge.cli.running:run",
            "health": "edge.cli.running:health",
            "relay": "edge.cli.relaying:relay",
            "consume": "edge.cli.consuming:consume",
            "verify": "edge.cli.operating:verify",
            "migrate": "edge.cli.operating:migrate",
            "down": "edge.cli.operating:down",
        }
    ),
    help="The claims ledger: every action on a claim an immutable fact, every total explained.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a traceback is for us, not for a user
    epilog=(
        "Exit codes: 0 done, 1 something was refused, 2 wrong usage, 3 claims of an import were"
        " set aside, 4 something stored cannot be read or a chain is broken, 5 the database or"
        " Kafka is away or is not what this program needs."
    ),
)


@app.callback()
def ask(
    context: typer.Context,
    who: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON[:ROLE[:TEAM]]", help="Who asks."),
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log in JSON, to stderr.")] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Say the version."),
    ] = False,
) -> None:
    """Keep what stands before the command until it runs."""
    del show_version
    context.obj = Asking(who, log_json)


def _group(name: str, told: str, places: dict[str, str]) -> None:
    app.add_typer(typer.Typer(cls=on_demand(places), help=told, no_args_is_help=True), name=name)


_group(
    "import",
    "Take over what another system recorded.",
    {"histories": "edge.cli.importing:import_histories"},
)
_group(
    "contracts",
    "What messages look like to other programs.",
    {
        "export": "edge.cli.contracts:contracts_export",
        "check": "edge.cli.contracts:contracts_check",
    },
)
_group(
    "replay",
    "Files as they were known, at any coordinate.",
    {"file": "edge.cli.replaying:replay_file", "diff": "edge.cli.replaying:replay_diff"},
)
_group(
    "views",
    "The read models.",
    {
        "status": "edge.cli.views:views_status",
        "rebuild": "edge.cli.views:views_rebuild",
        "rollback": "edge.cli.views:views_rollback",
        "release": "edge.cli.views:views_release",
    },
)
_group(
    "topics",
    "Kafka's topics, and who may write and read them.",
    {"create": "edge.cli.topics:topics_create", "check": "edge.cli.topics:topics_check"},
)
_group(
    "dead",
    "Messages from Kafka that were put aside.",
    {
        "list": "edge.cli.dead:dead_list",
        "show": "edge.cli.dead:dead_show",
        "retry": "edge.cli.dead:dead_retry",
    },
)
