"""What every command of the command line shares: who asks, at which coordinate, in which form."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import wraps
from typing import Annotated, Any

import typer

from domain.envelope import recorded_day
from domain.errors import BadValue, LedgerError, Unreadable
from edge.cli.output import show_error
from edge.settings import Settings, read_settings
from edge.wiring import Books, open_books

# Exit codes, as documented in docs/how-to/command-line.md.
OK, REFUSED, USAGE, SET_ASIDE, UNREADABLE, UNAVAILABLE = 0, 1, 2, 3, 4, 5

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="MOMENT",
        help="What had been recorded by then: a moment (2026-03-02T09:00Z) or a day, to its end.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DAY", help="What was true on that day, as known."),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="KEY", help="Group by it; may be given more than once."),
]
Basis = Annotated[
    str, typer.Option("--basis", metavar="gross|our_share", help="The whole claim, or our share.")
]
Reference = Annotated[str, typer.Argument(metavar="REF", help="The claim's reference.")]


@dataclass(slots=True)
class Caller:
    """Who uses the command line, as its first options say."""

    settings: Settings
    person: str = ""
    role: str = ""
    team: str = ""

    @property
    def sender(self) -> dict[str, str] | None:
        """The actor that this door vouches for, None when nobody was named."""
        if not self.person:
            return None
        named = {"person": self.person, "role": self.role, "team": self.team}
        return {key: value for key, value in named.items() if value}

    def books(self) -> Books:
        """The ledger of this caller's settings."""
        return open_books(self.settings)


def caller_named(who: str | None) -> Caller:
    """The caller from `--as PERSON[:ROLE[:TEAM]]`."""
    parts = (who or "").split(":")
    if len(parts) > 3:
        raise BadValue("--as", "PERSON, PERSON:ROLE or PERSON:ROLE:TEAM")
    return Caller(read_settings(), *parts)


@dataclass(frozen=True, slots=True)
class When:
    """The coordinate that is read at, always explicit so that the answer can be asked again."""

    known_at: datetime
    as_of: date


def when(books: Books, known_at: str | None, as_of: str | None) -> When:
    """The coordinate asked for: by default everything recorded so far, as of that day."""
    moment = books.clock() if known_at is None else moment_of(known_at)
    day = recorded_day(moment) if as_of is None else day_of(as_of, "--as-of")
    return When(moment, day)


def moment_of(text: str, option: str = "--known-at") -> datetime:
    """A moment with its zone, or a day, which means its last moment in UTC."""
    try:
        if len(text) <= 10:
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(option, "a moment such as 2026-03-02T09:00:00Z, or a day") from None
    if moment.tzinfo is None:
        raise BadValue(option, "the moment has to say its time zone, such as Z or +02:00")
    return moment.astimezone(UTC)


def day_of(text: str, option: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue(option, "a day such as 2026-03-02") from None


def exit_code_of(error: LedgerError) -> int:
    """How the process ends for a named error."""
    if isinstance(error, Unreadable):
        return UNREADABLE
    return UNAVAILABLE if error.code.startswith("E6") else REFUSED


def answering(command: Callable[..., int | None]) -> Callable[..., None]:
    """A command of the command line: named errors become answers, and never a traceback."""

    @wraps(command)
    def answered(**options: Any) -> None:
        try:
            code = command(**options)
        except LedgerError as error:
            show_error(error, as_json=bool(options.get("json")))
            raise typer.Exit(exit_code_of(error)) from None
        except BrokenPipeError:
            raise typer.Exit(OK) from None  # the reader had enough
        raise typer.Exit(code or OK)

    return answered
