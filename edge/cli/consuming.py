"""`claims consume`: commands from Kafka's topics, each answered, until it is asked to stop."""

import random
import time
from contextlib import ExitStack, closing
from typing import Annotated

import structlog
import typer

from commands.sources import Source
from consumers.commanding import (
    Answered,
    Ended,
    Event,
    Loop,
    NotCommitted,
    PutAside,
    ReadingOn,
    Revoked,
    Started,
    Waiting,
    World,
)
from consumers.topics import commands_topic
from domain.errors import BadValue
from edge.cli.asking import OK, Caller, Json, answering
from edge.cli.output import in_lines
from edge.kafka.consuming import answering_of, group_of
from edge.kafka.incoming import KafkaIncoming
from edge.kafka.outgoing import KafkaOutgoing
from edge.keeping import Stop
from edge.logging import set_up_logging


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
    json: Json = False,
) -> int:
    """Take commands from Kafka and answer each, until SIGTERM or SIGINT.

    The batch under way is finished; a second signal ends at once, and what was not finished comes
    again. It logs, or tells JSON lines with --json.
    """
    caller: Caller = context.obj
    topics = [commands_topic(each) for each in _sources(sources)]
    stop = Stop()
    with ExitStack() as opened:
        opened.enter_context(stop.heard())
        books = opened.enter_context(caller.books())
        if not json:
            set_up_logging(caller.settings.log_level, json=caller.log_json)
        name = group or group_of(caller.settings)
        incoming = opened.enter_context(closing(KafkaIncoming(caller.settings, name, topics)))
        outgoing = opened.enter_context(closing(KafkaOutgoing(caller.settings)))
        answers = answering_of(books, caller.settings)
        world = World(time.monotonic, random.random, lambda: stop.asked)
        tell = in_lines(books.clock) if json else _log
        tell(Started(name, tuple(topics)))
        Loop(incoming, outgoing, answers, world, tell).run()
    return OK


def _sources(named: list[str] | None) -> list[Source]:
    unknown = [name for name in named or () if name not in list(Source)]
    if unknown:
        raise BadValue("--source", f"one of {', '.join(Source)}")
    return [Source(name) for name in named] if named else list(Source)


def _log(event: Event) -> None:
    """One line an event, by the rules of the log."""
    log = structlog.get_logger()
    match event:
        case Started():
            log.info("started", consumer=event.group, count=len(event.topics))
        case Answered():
            log.info(
                "answered",
                accepted=event.accepted,
                refused=event.refused,
                count=event.accepted + event.refused + event.dead,
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
            lost = "lost the database" if event.database else "lost the topics"
            log.warning(lost, code=event.code, count=event.held)
        case ReadingOn():
            milliseconds = round(event.waited_s * 1_000)
            log.info("reading on", tries=event.tries, milliseconds=milliseconds)
        case Revoked():
            log.info("partitions revoked", count=event.let_go)
        case NotCommitted():
            log.warning("offsets not committed", count=event.partitions)
        case Ended():
            log.info("stopping", count=event.held)
