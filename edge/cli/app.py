"""The command line, put together: `claims --help` is its table of contents."""

from typing import Annotated

import typer

from edge.cli import files, operating, replaying, reports, submitting
from edge.cli.asking import caller_named
from edge.cli.demo import demo
from edge.cli.importing import import_histories
from edge.logging import set_up_logging

app = typer.Typer(
    name="claims",
    help="The claims ledger: every action on a claim an immutable fact, every total explained.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a traceback is for us, not for a user
    epilog=(
        "Exit codes: 0 done, 1 something was refused, 2 wrong usage, 3 claims of an import were"
        " set aside, 4 something stored cannot be read or a chain is broken, 5 the database is"
        " away."
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
) -> None:
    """Read who asks and set up the log before any command runs."""
    caller = caller_named(who)
    context.obj = caller
    set_up_logging(caller.settings.log_level, json=log_json or caller.settings.log_json)


app.command("demo")(demo)
app.command("submit")(submitting.submit)
app.command("file")(files.file)
app.command("history")(files.history)
app.command("caseload")(reports.caseload)
app.command("reserves")(reports.reserves)
app.command("movements")(reports.movements)
app.command("verify")(operating.verify)
app.command("migrate")(operating.migrate)
app.command("down")(operating.down)

importing = typer.Typer(help="Take over what another system recorded.", no_args_is_help=True)
importing.command("histories")(import_histories)
app.add_typer(importing, name="import")

replay = typer.Typer(help="Files as they were known, at any coordinate.", no_args_is_help=True)
replay.command("file")(replaying.replay_file)
replay.command("diff")(replaying.replay_diff)
app.add_typer(replay, name="replay")

views = typer.Typer(help="The read models.", no_args_is_help=True)
views.command("status")(operating.views_status)
views.command("rebuild")(operating.views_rebuild)
app.add_typer(views, name="views")
