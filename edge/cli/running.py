"""`claims run` and `health`: the views kept level by one process, and how that goes."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Annotated

import typer

from consumers.running import Loop
from domain.errors import BadValue
from edge.cli.asking import OK, REFUSED, UNAVAILABLE, Caller, Json, answering
from edge.cli.output import console, print_json
from edge.cli.watching import InLines, InLog, Watcher, draw_health, drawn
from edge.health import Health, State, as_data
from edge.health import health as health_of
from edge.health_door import answering_health
from edge.keeping import BooksReading, Stop, require_rights, world_of
from edge.logging import set_up_logging
from edge.postgres.connections import Role
from edge.postgres.errors import ServerDidNotAnswer
from edge.wiring import system_clock
from projections.view import views

EXIT_CODES: Mapping[State, int] = {
    State.LEVEL: OK,
    State.BEHIND: REFUSED,
    State.STUCK: REFUSED,
    State.UNAVAILABLE: UNAVAILABLE,
}


@answering
def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End when the views are level.")] = False,
    health_port: Annotated[
        int | None,
        typer.Option(
            "--health-port",
            metavar="PORT",
            min=1,
            max=65_535,
            help="Answer GET /health on this port, on this machine only.",
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Keep the views level with the log, until SIGTERM or SIGINT.

    The page under way is finished; a second signal ends at once. It draws on a terminal, tells
    JSON lines with --json, and logs otherwise.
    """
    caller: Caller = context.obj
    stop = Stop()
    with ExitStack() as opened:
        opened.enter_context(stop.heard())
        books = opened.enter_context(caller.books())
        require_rights(books)

        def look() -> Health:
            stuck = loop.pulse.stuck(world.timer())
            connect = partial(books.connected, Role.READER)
            return health_of(connect, views(), books.clock(), loop.pulse, stuck=stuck)

        watcher: Watcher
        if json:
            watcher = InLines(books.clock)
        elif console.is_terminal:
            watcher = opened.enter_context(drawn(look))
        else:
            set_up_logging(caller.settings.log_level, json=caller.log_json)
            watcher = InLog()
        world = world_of(books, stop, watcher.idle)
        loop = Loop(views(), BooksReading(books), world, watcher.tell)
        if health_port is not None:
            try:
                opened.enter_context(answering_health(health_port, look))
            except OSError as error:
                raise BadValue("--health-port", f"it cannot be used: {error.strerror}") from None
        loop.run(once=once)
    return REFUSED if once and loop.pulse.left_out else OK


@answering
def health(context: typer.Context, json: Json = False) -> int:
    """How far the views are behind the log, whoever keeps them level.

    It ends with 0 when they are level, 1 when not, 5 when the database is away.
    """
    caller: Caller = context.obj
    try:
        with caller.books() as books:
            connect = partial(books.connected, Role.READER)
            answer = health_of(connect, views(), books.clock())
    except ServerDidNotAnswer as error:
        answer = Health(system_clock(), None, str(error))
    if json:
        print_json(as_data(answer))
    else:
        console.print(draw_health(answer))
    return EXIT_CODES[answer.state]
