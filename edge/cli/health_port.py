"""The port at which a process that runs for long says how it does, as its options name it."""

import errno
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated

import structlog
import typer

from domain.errors import BadValue
from edge.health_door import HEALTH, HOST, METRICS, Page, answering
from edge.starting import Absent, Event, Present

OF_THE_PORT = {errno.EADDRINUSE, errno.EACCES}  # what else fails is the address

HealthPort = Annotated[
    int | None,
    typer.Option(
        "--health-port",
        metavar="PORT",
        min=1,
        max=65_535,
        help="Answer GET /health and GET /metrics on this port.",
    ),
]
HealthHost = Annotated[
    str,
    typer.Option(
        "--health-host",
        metavar="ADDRESS",
        help="Where that port is open: on this machine only, unless an address is given.",
    ),
]


def open_health_port(
    opened: ExitStack,
    port: int | None,
    host: str,
    health: Callable[[], Page],
    metrics: Callable[[], Page],
) -> None:
    """Answer at this port, if there is one, until the stack ends. Raises `BadValue` (E102)."""
    if port is None:
        if host != HOST:
            raise BadValue("--health-host", "it goes with --health-port")
        return
    if not host:  # which the system takes for every address that there is
        raise BadValue("--health-host", "an address, such as 127.0.0.1")
    try:
        opened.enter_context(answering({HEALTH: health, METRICS: metrics}, port, host))
    except OSError as error:
        option = "--health-port" if error.errno in OF_THE_PORT else "--health-host"
        raise BadValue(option, f"it cannot be used: {error.strerror}") from None


def log_start(event: Event) -> None:
    """One line an event, by the rules of the log."""
    log = structlog.get_logger()
    match event:
        case Absent():
            away = "waiting for the database" if event.database else "waiting for the broker"
            log.warning(away, code=event.code)
        case Present():
            milliseconds = round(event.waited_s * 1_000)
            log.info("there", tries=event.tries, milliseconds=milliseconds)
