"""`claims run` and `health`: the views kept level by one process, and how that goes."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Annotated

import typer

from consumers.running import Loop
from edge.cli.asking import OK, REFUSED, UNAVAILABLE, Caller, Json, answering
from edge.cli.health_port import HealthHost, HealthPort, log_start, open_health_port
from edge.cli.output import console, in_lines, print_json
from edge.cli.watching import InLines, InLog, Watcher, draw_health, drawn
from edge.health import Health, State, as_data
from edge.health import health as health_of
from edge.health_door import HOST, Page, health_page
from edge.keeping import BooksReading, Stop, require_rights, world_of
from edge.logging import set_up_logging
from edge.metrics.scraping import metrics_page
from edge.metrics.views import ViewsMetrics
from edge.postgres.connections import Role
from edge.postgres.errors import ServerDidNotAnswer
from edge.starting import Starting, StopAsked
from edge.wiring import Books, system_clock
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
    port: HealthPort = None,
    host: HealthHost = HOST,
    json: Json = False,
) -> int:
    """Keep the views level with the log, until SIGTERM or SIGINT.

    The page under way is finished; a second signal ends at once. It draws on a terminal, tells
    JSON lines with --json, and logs otherwise.
    """
    caller: Caller = context.obj
    stop = Stop()
    tell = in_lines(system_clock) if json else log_start
    starting = Starting(stop, tell, patience=not once)
    watch = _Watch(starting)
    drawing = console.is_terminal and not json
    if not (json or drawing):
        set_up_logging(caller.settings.log_level, json=caller.log_json)
    with ExitStack() as opened:
        opened.enter_context(stop.heard())
        open_health_port(opened, port, host, watch.health, watch.metrics)
        watcher: Watcher = InLines(system_clock) if json else InLog()
        if drawing:
            watcher = drawing_on = opened.enter_context(drawn(watch.look))
            starting.tell = drawing_on.tell_start
        try:
            watch.books = books = opened.enter_context(starting.there(caller.books))
            starting.there(lambda: require_rights(books))
        except StopAsked:
            return OK
        world = world_of(books, stop, watcher.idle)
        watch.loop = loop = Loop(views(), BooksReading(books), world, watcher.tell)
        loop.run(once=once)
    return REFUSED if once and loop.pulse.left_out else OK


class _Watch:
    """How the process does, for who asks at its port."""

    def __init__(self, starting: Starting) -> None:
        self.books: Books | None = None
        self.loop: Loop | None = None
        self._starting = starting
        self._metrics = ViewsMetrics(self.look)

    def look(self) -> Health:
        books, loop, now = self.books, self.loop, system_clock()
        if books is None or loop is None:
            absent = self._starting.absent
            return Health(now, None, absent.why if absent else "it has only begun to start")
        stuck = loop.pulse.stuck(time.monotonic())
        connect = partial(books.connected, Role.READER)
        return health_of(connect, views(), now, loop.pulse, stuck=stuck)

    def health(self) -> Page:
        answer = self.look()
        return health_page(as_data(answer), well=answer.state is State.LEVEL)

    def metrics(self) -> Page:
        return metrics_page(self._metrics.registry)


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
