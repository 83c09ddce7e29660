"""`claims relay`: every fact of the log published to Kafka, in order, by one process of several."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
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
from domain.errors import BadValue
from edge.cli.asking import Caller, Json, answering
from edge.cli.output import console, errors, in_lines, progress_in_facts
from edge.kafka.publisher import Publisher
from edge.keeping import Stop, require_rights, world_of
from edge.logging import set_up_logging
from edge.relaying import RelayPosition, ReplayPosition
from edge.wiring import Books, Clock

Tell = Callable[[Event], None]

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
    json: Json = False,
) -> int:
    """Publish every fact to claims.events, in order, until SIGTERM or SIGINT.

    What is under way is finished; a second signal ends at once. It tells JSON lines with --json,
    and logs otherwise. Of several, one works, and another takes over when it ends.
    """
    caller: Caller = context.obj
    topic = _topic_of(first, to)
    stop = Stop()
    with ExitStack() as opened:
        opened.enter_context(stop.heard())
        books = opened.enter_context(caller.books())
        require_rights(books)
        publisher = opened.enter_context(closing(Publisher(caller.settings, topic)))
        publisher.require_topic()
        kept = _kept(books, topic, first)
        opened.callback(kept.close)
        tell = opened.enter_context(_telling(caller, books.clock, json=json, replay=bool(first)))
        world = world_of(books, stop, _nothing)
        uri = caller.settings.ledger_uri
        working = Relay(topic, uri, books.log, publisher, kept, world, tell)
        working.run(once=once or first is not None)
    if first is not None and not json:
        told = f"Sent {working.facts:,} facts to {topic}, up to position {working.position:,}."
        console.print(Text(told))
    return 0


def _topic_of(first: int | None, to: str | None) -> str:
    """The topic that facts go to. Raises `BadValue` (E102)."""
    if (first is None) != (to is None):
        given, missing = ("--to", "--from") if first is None else ("--from", "--to")
        raise BadValue(given, f"a replay names {missing} as well")
    if to in NOT_FOR_FACTS:
        raise BadValue("--to", "a topic of facts, not one of commands, receipts or dead letters")
    return to or EVENTS


def _kept(books: Books, topic: str, first: int | None) -> RelayPosition:
    return RelayPosition(books, topic) if first is None else ReplayPosition(books, topic, first - 1)


def _nothing() -> None:
    """Before it waits there is nothing to draw."""


@contextmanager
def _telling(caller: Caller, clock: Clock, *, json: bool, replay: bool) -> Generator[Tell]:
    """How it is told what happens: JSON lines, progress for who watches a replay, or the log."""
    if json:
        yield in_lines(clock)
    elif replay and errors.is_terminal:
        with progress_in_facts() as bar:
            task = bar.add_task("Sending", total=None, facts=0)
            sent = 0

            def draw(event: Event) -> None:
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


def _in_log(event: Event) -> None:
    """One line an event, by the rules of the log."""
    log = structlog.get_logger()
    match event:
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
            log.warning("lost the database or the broker", code=event.code)
        case Back():
            milliseconds = round(event.away_s * 1000)
            log.info("back again", tries=event.tries, milliseconds=milliseconds)
        case Stopping():
            log.info("stopping", count=event.facts, position=event.position)
