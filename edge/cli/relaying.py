"""`claims relay`: every fact of the log published to Kafka, in order, by one process of several."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Annotated

import structlog
import typer
from rich.text import Text

from commands.sources import Source
from consumers.relaying import (
    Back,
    CaughtUp,
    Event,
    Lost,
    Published,
    Relay,
    Started,
    Stopping,
    Waiting,
    Working,
)
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from consumers.waiting import PositionBeyondLog
from domain.errors import BadValue
from edge.cli.asking import OK, Caller, Json, answering
from edge.cli.health_port import HealthHost, HealthPort, log_start, open_health_port
from edge.cli.output import console, errors, in_lines, progress_in_facts
from edge.health_door import HOST, Page, health_page
from edge.kafka.clients import require_settings
from edge.kafka.publisher import Publisher
from edge.keeping import Stop, require_rights, world_of
from edge.logging import set_up_logging
from edge.metrics.relay import RelayMetrics
from edge.metrics.scraping import metrics_page
from edge.postgres.connections import Role
from edge.relay_health import Health, State, Unsent, as_data, during, unsent
from edge.relaying import RelayPosition, ReplayPosition
from edge.starting import Absent, Present, Starting, StopAsked
from edge.starting import Event as StartEvent
from edge.wiring import Books, system_clock

Tell = Callable[[Event | StartEvent], None]

# Whoever reads these would take a fact for a command or an answer.
NOT_FOR_FACTS = {RECEIPTS, DEAD, *map(commands_topic, Source)}


@answering
def relay(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End when the topic holds the log.")] = False,
    first: Annotated[
        int | None,
        typer.Option(
            "--from",
            metavar="POSITION",
            min=1,
            help="Replay the log from this position on (1: all of it), and end; with --to.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TOPIC", help="Where a replay goes; with --from."),
    ] = None,
    port: HealthPort = None,
    host: HealthHost = HOST,
    json: Json = False,
) -> int:
    """Publish every fact to claims.events, in order, until SIGTERM or SIGINT.

    What is under way is finished; a second signal ends at once. It tells JSON lines with --json,
    and logs otherwise. Of several, one works, and another takes over when it ends.
    """
    caller: Caller = context.obj
    topic = _topic_of(first, to)
    require_settings(caller.settings)
    ends = once or first is not None
    if first is not None and port is not None:
        raise BadValue("--health-port", "it tells of a topic's own relay, not of a replay")
    stop = Stop()
    with ExitStack() as opened:
        opened.enter_context(stop.heard())
        tell = opened.enter_context(_telling(caller, json=json, replay=first is not None))
        watch = _Watch(topic, Starting(stop, tell, patience=not ends), tell)
        open_health_port(opened, port, host, watch.health, watch.metrics)
        try:
            working = _opened(opened, caller, stop, watch, first)
        except StopAsked:
            return OK
        working.run(once=ends)
    if first is not None and not json:
        told = f"Sent {working.facts:,} facts to {topic}, up to position {working.position:,}."
        console.print(Text(told))
    return OK


def _opened(
    opened: ExitStack, caller: Caller, stop: Stop, watch: "_Watch", first: int | None
) -> Relay:
    """The relay, once the database and the broker are there. Raises `StopAsked`."""
    there, topic = watch.starting.there, watch.topic
    watch.books = books = opened.enter_context(there(caller.books))
    there(lambda: require_rights(books))
    publisher = opened.enter_context(closing(Publisher(caller.settings, topic)))
    there(publisher.require_topic)
    kept = _kept(books, topic, first)
    opened.callback(kept.close)
    world = world_of(books, stop, _nothing)
    uri = caller.settings.ledger_uri
    watch.relay = Relay(topic, uri, books.log, publisher, kept, world, watch.tell)
    return watch.relay


class _Watch:
    """How the process does, for its log and for who asks at its port."""

    def __init__(self, topic: str, starting: Starting, tell: Tell) -> None:
        self.topic = topic
        self.starting = starting
        self.books: Books | None = None
        self.relay: Relay | None = None
        self._tell = tell
        self._metrics = RelayMetrics(self._look)

    def tell(self, event: Event) -> None:
        self._metrics.take(event)
        self._tell(event)

    def health(self) -> Page:
        answer = self._look()
        return health_page(as_data(answer, self.topic), well=answer.state is State.LEVEL)

    def metrics(self) -> Page:
        return metrics_page(self._metrics.registry)

    def _look(self) -> Health:
        now, starting = system_clock(), self.starting
        books, relay, absent = self.books, self.relay, starting.absent
        found = unsent(partial(books.connected, Role.READER), self.topic, now) if books else None
        if found is None or relay is None:
            waited_s = time.monotonic() - starting.since_s if absent else 0.0
            known = found if isinstance(found, Unsent) else None
            return Health(now, known, lost=absent, lost_s=waited_s)
        return during(now, time.monotonic(), relay.pulse, found, relay.facts)


def _topic_of(first: int | None, to: str | None) -> str:
    """The topic that facts go to. Raises `BadValue` (E102)."""
    if (first is None) != (to is None):
        given, missing = ("--to", "--from") if first is None else ("--from", "--to")
        raise BadValue(given, f"a replay names {missing} as well")
    if to in NOT_FOR_FACTS:
        raise BadValue("--to", "a topic of facts, not one of commands, receipts or dead letters")
    if to == "":
        raise BadValue("--to", "the name of a topic")
    return to or EVENTS


def _kept(books: Books, topic: str, first: int | None) -> RelayPosition:
    if first is None:
        return RelayPosition(books, topic)
    head = books.log.head()
    if first > head + 1:  # which is where the next fact may come to be
        raise PositionBeyondLog(first, head)
    return ReplayPosition(books, topic, first - 1)


def _nothing() -> None:
    """Before it waits there is nothing to draw."""


@contextmanager
def _telling(caller: Caller, *, json: bool, replay: bool) -> Generator[Tell]:
    """How it is told what happens: JSON lines, progress for who watches a replay, or the log."""
    if json:
        yield in_lines(system_clock)
    elif replay and errors.is_terminal:
        with progress_in_facts() as bar:
            task = bar.add_task("Sending", total=None, facts=0)
            sent = 0

            def draw(event: Event | StartEvent) -> None:
                nonlocal sent
                match event:
                    case Published():
                        sent += event.facts
                        bar.update(task, facts=sent)
                    case Lost():
                        bar.update(task, description=f"Trying again after {event.code}")
                    case Back():
                        bar.update(task, description="Sending")
                    case _:
                        pass

            yield draw
    else:
        set_up_logging(caller.settings.log_level, json=caller.log_json)
        yield _in_log


def _in_log(event: Event | StartEvent) -> None:
    """One line an event, by the rules of the log."""
    log = structlog.get_logger()
    match event:
        case Absent() | Present():
            log_start(event)
        case Started():
            log.info("relay started", topic=event.topic)
        case Waiting():
            log.info("another relay works")
        case Working():
            log.info("relay works", position=event.position)
        case Published():
            log.info("facts published", count=event.facts, position=event.position)
        case CaughtUp():
            log.info("caught up", count=event.facts, position=event.position)
        case Lost():
            away = "lost the database" if event.database else "lost the broker"
            log.warning(away, code=event.code)
        case Back():
            milliseconds = round(event.away_s * 1000)
            log.info("back again", tries=event.tries, milliseconds=milliseconds)
        case Stopping():
            log.info("stopping", count=event.facts, position=event.position)
