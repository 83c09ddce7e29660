"""What the ledger writes about its own work: one line an event, and never what a file says.

A log is read by more people than a file is, and is kept where forgetting cannot reach. So nothing
passes that is not on a closed list of names, and under those names only short tokens, numbers and
moments: no free text, no exception message, no line that a library wrote.
"""

import logging
import re
import sys
from datetime import date
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from domain.errors import LedgerError

NAMES = frozenset(
    {
        *("event", "level", "timestamp", "logger", "error", "error_at", "dropped_keys"),
        # who asked what, about which file
        *("command", "command_id", "correlation_id", "actor", "claim", "stream", "code", "reason"),
        # where in the log
        *("position", "position_from", "position_to", "version", "fact", "digest", "source"),
        # which part of the ledger
        *("view", "consumer", "topic", "partition", "offset", "migration", "pid", "port", "seed"),
        # how much, how long, how often
        *("count", "accepted", "refused", "batch_size", "bytes", "lag", "attempt", "tries"),
        *("milliseconds", "lag_ms", "waited_ms"),
    }
)
# An event is a name written in the code, such as "batch appended", never a sentence with a value.
EVENT = re.compile(r"[a-z][a-z0-9 ._-]{0,59}")
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,119}")
UNNAMED = "unnamed event"
OF_A_LIBRARY = "library message"


def set_up_logging(level: str, *, json: bool) -> None:
    """Send every line of this process to stderr: for a person, or as JSON, one object a line.

    `level` is debug, info, warning or error. Calling it again replaces the earlier set-up.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_the_error,
            let_pass,
            _renderer(json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Libraries()], level=level.upper(), force=True)
    # Kafka's library tells of every connection that it makes; who looks for a bug wants to know.
    quiet = logging.WARNING if level == "info" else logging.NOTSET
    logging.getLogger("kafka").setLevel(quiet)
    # Each attempt to connect is an error there, by the dozen; what comes of them is raised.
    silent = logging.NOTSET if level == "debug" else logging.CRITICAL
    logging.getLogger("kafka.net").setLevel(silent)


def name_the_error(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Put an exception's class, code and place in the line, and leave its message out.

    A database's message repeats the row it is about, and a parser's the text it could not read.
    """
    error = _exception(line.pop("exc_info", None))
    if error is not None:
        line["error"] = type(error).__name__
        line["error_at"] = _place(error.__traceback__)
        if isinstance(error, LedgerError):
            line.setdefault("code", error.code)
    return line


def let_pass(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Keep what is on the list and looks like a token; count, and do not name, what was dropped."""
    passed: EventDict = {}
    dropped = 0
    for name, value in line.items():
        plain = _plain(value)
        if name == "event":
            known = isinstance(plain, str) and EVENT.fullmatch(plain)
            passed[name] = plain if known else UNNAMED
            dropped += not known
        elif name in NAMES and (not isinstance(plain, str) or TOKEN.fullmatch(plain)):
            passed[name] = plain
        else:
            dropped += 1
    if dropped:
        passed["dropped_keys"] = dropped
    return passed


def _plain(value: object) -> str | int | float | None:
    """The value as JSON knows it; text that cannot be a token for whatever else it is."""
    match value:
        case Enum():
            return _plain(value.value)
        case str() | int() | float() | None:
            return value
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return ""


def _renderer(json: bool) -> Processor:
    if json:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _exception(exc_info: object) -> BaseException | None:
    """The exception meant by what was given as `exc_info`: itself, a triple of `sys`, or True."""
    if isinstance(exc_info, tuple):
        exc_info = cast("tuple[object, ...]", exc_info)[1]
    if isinstance(exc_info, BaseException):
        return exc_info
    return sys.exception() if exc_info else None


def _place(trace: TracebackType | None) -> str:
    """File and line of the frame that raised."""
    if trace is None:
        return "unraised"
    while trace.tb_next is not None:
        trace = trace.tb_next
    path = Path(trace.tb_frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{trace.tb_lineno}"


class _Libraries(logging.Handler):
    """Says that a library wrote a line, which one and where, but not what: it may quote a value."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            OF_A_LIBRARY,
            logger=record.name,
            error_at=f"{record.module}:{record.lineno}",
            exc_info=record.exc_info,
        )
