"""`claims consume`: commands from Kafka's topics, each answered, until it is asked to stop."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from typing import Annotated

import structlog
import typer

from commands.sources import Source
from consumers.commanding import (
    Answered,
    Ended,
    Event,
    Loop,
    Need,
    NotCommitted,
    PutAside,
    ReadingOn,
    Revoked,
    Started,
    Waiting,
    World,
)
from consumers.topics import commands_topic
from edge.cli.asking import OK, Caller, Json, answering, sources_named
from edge.cli.health_port import HealthHost, HealthPort, log_start, open_health_port
from edge.cli.output import in_lines
from edge.consumer_health import WELL, Health, as_data, before, during
from edge.health_door import HOST, Page, health_page
from edge.kafka.clients import require_settings
from edge.kafka.consuming import answering_of, group_of
from edge.kafka.incoming import KafkaIncoming
from edge.kafka.outgoing import KafkaOutgoing
from edge.keeping import Stop
from edge.logging import set_up_logging
from edge.metrics.consumer import ConsumerMetrics
from edge.metrics.scraping import metrics_page
from edge.starting import Absent, Present, Starting, StopAsked
from edge.starting import Event as StartEvent
from edge.wiring import system_clock


@answering
def consume(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAME", help="Only of this application; repeatable."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="NAME", help="The consumer group, if another is meant."),
    ] = None,
    port: HealthPort = None,
    host: HealthHost = HOST,
    json: Json = False,
) -> int:
    """Take commands from Kafka and answer each, until SIGTERM or SIGINT.

    A database or a broker that is away is waited for. The batch under way is finished; a second
    signal ends at once, and what was not finished comes again. It logs, or tells JSON lines with
    --json.
    """
    caller: Caller = context.obj
    topics = [commands_topic(each) for each in sources_named(sources or list(Source))]
    require_settings(caller.settings)
    if not json:
        set_up_logging(caller.settings.log_level, json=caller.log_json)
    name = group or group_of(caller.settings)
    stop = Stop()
    tell = in_lines(system_clock) if json else _log
    watch = _Watch(name, Starting(stop, tell), tell)
    with ExitStack() as opened, suppress(StopAsked):
        opened.enter_context(stop.heard())
        open_health_port(opened, port, host, watch.health, watch.metrics)
        books = opened.enter_context(watch.starting.there(caller.books))
        incoming = watch.starting.there(lambda: KafkaIncoming(caller.settings, name, topics))
        opened.callback(incoming.close)
        outgoing = opened.enter_context(closing(KafkaOutgoing(caller.settings)))
        answers = answering_of(books, caller.settings)
        world = World(time.monotonic, random.random, lambda: stop.asked)
        watch.tell(Started(name, tuple(topics)))
        loop = Loop(incoming, outgoing, answers, world, watch.tell)
        watch.loop, watch.incoming = loop, incoming
        loop.run()
    return OK


class _Watch:
    """How the process does, for its log and for who asks at its port."""

    def __init__(self, group: str, starting: Starting, tell: Callable[[Event], None]) -> None:
        self.starting = starting
        self.loop: Loop | None = None
        self.incoming: KafkaIncoming | None = None
        self._group = group
        self._tell = tell
        self._metrics = ConsumerMetrics(self._look)

    def tell(self, event: Event) -> None:
        self._metrics.take(event)
        self._tell(event)

    def health(self) -> Page:
        answer = self._look()
        return health_page(as_data(answer, self._group), well=answer.state in WELL)

    def metrics(self) -> Page:
        return metrics_page(self._metrics.registry)

    def _look(self) -> Health:
        loop, incoming, now_s = self.loop, self.incoming, time.monotonic()
        if loop is None or incoming is None:
            starting = self.starting
            return before(system_clock(), starting.absent, now_s - starting.since_s)
        return during(system_clock(), now_s, loop.pulse, incoming.holding)


_WAITS = {
    Need.DATABASE: "lost the database",
    Need.TOPICS: "lost the topics",
    Need.FILE: "others keep changing a file",
}


def _log(event: Event | StartEvent) -> None:
    """One line an event, by the rules of the log."""
    log = structlog.get_logger()
    match event:
        case Absent() | Present():
            log_start(event)
        case Started():
            log.info("started", consumer=event.group, count=len(event.topics))
        case Answered():
            log.info(
                "answered",
                accepted=event.accepted,
                refused=event.refused,
                count=event.accepted + event.refused + event.dead,
                milliseconds=round(event.took_s * 1_000),
            )
        case PutAside():
            log.warning(
                "put aside",
                topic=event.topic,
                partition=event.partition,
                offset=event.offset,
                code=event.code,
            )
        case Waiting():
            log.warning(_WAITS[event.for_what], code=event.code, count=event.held)
        case ReadingOn():
            milliseconds = round(event.waited_s * 1_000)
            log.info("reading on", tries=event.tries, milliseconds=milliseconds)
        case Revoked():
            log.info("partitions revoked", count=event.let_go)
        case NotCommitted():
            log.warning("offsets not committed", count=event.partitions)
        case Ended():
            log.info("stopping", count=event.held)
