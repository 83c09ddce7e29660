"""What every command of the command line shares: who asks, at which coordinate, in which form."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import wraps
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from commands.fields import EARLIEST_DAY, LATEST_DAY
from commands.fields import Reference as ReferenceText
from commands.sources import Source
from consumers.refusals import NotSent
from consumers.release import NotParked
from consumers.swap import BuildUnderWay, KeptOutdated, NothingKept
from consumers.waiting import NotYetThere, PositionBeyondLog
from domain.envelope import recorded_day
from domain.errors import BadValue, CutoffNotFound, LedgerError, Refused, Unreadable
from domain.terms import Role
from edge.cli.app import Asking
from edge.cli.output import show_error
from edge.kafka.errors import BrokerUnavailable
from edge.logging import set_up_logging
from edge.settings import Settings, SettingsUnfit, read_settings
from edge.wiring import Books, database_errors, open_books
from projections.view import UnknownView

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
AtLeast = Annotated[
    int | None,
    typer.Option(
        "--at-least", metavar="POSITION", min=0, help="Answer at or past the position of a receipt."
    ),
]
Reference = Annotated[str, typer.Argument(metavar="REF", help="The claim's reference.")]


@dataclass(eq=False)
class NotReadOrWritten(Refused):
    """The machine did not let the command read its input or write its answer: {why}."""

    code = "E636"
    remedy = "Make room or name another file; the same command, sent again, is answered the same."
    why: str


@dataclass(slots=True)
class Caller:
    """Who uses the command line, as its first options say."""

    settings: Settings
    person: str = ""
    role: str = ""
    team: str = ""
    log_json: bool = False

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
    """The caller from `--as PERSON[:ROLE[:TEAM]]`, in a role that an actor may have."""
    settings = read_settings()
    if who is None:
        return Caller(settings)
    person, role, team, *more = *who.split(":"), "", ""
    if any(more):
        raise BadValue("--as", "PERSON, PERSON:ROLE or PERSON:ROLE:TEAM")
    if role and role not in list(Role):
        raise BadValue("--as", f"the role is one of {', '.join(Role)}")
    for part in (person, *([team] if team else [])):
        _require_reference(part, "--as")
    return Caller(settings, person, role, team)


_references: TypeAdapter[str] = TypeAdapter(ReferenceText)


def _require_reference(text: str, where: str) -> None:
    try:
        _references.validate_python(text)
    except ValidationError:
        rule = "1 to 64 printable characters, and no space at either end"
        raise BadValue(where, rule) from None


def claim_stream(reference: str) -> str:
    """The stream of a claim, by a reference that a claim can have."""
    _require_reference(reference, "REF")
    return f"claim-{reference}"


def sources_named(names: Iterable[str]) -> list[Source]:
    """The applications of these names."""
    asked = list(names)
    if not set(asked) <= set(Source):
        raise BadValue("--source", f"one of {', '.join(Source)}")
    return [Source(name) for name in asked]


@dataclass(frozen=True, slots=True)
class When:
    """The coordinate that is read at, always explicit so that the answer can be asked again."""

    known_at: datetime
    as_of: date


def when(books: Books, known_at: str | None, as_of: str | None) -> When:
    """The coordinate asked for: by default everything recorded so far, as of that day.

    What will be known at a moment to come nobody can say: it is answered as now.
    """
    now = books.now()
    moment = now if known_at is None else min(now, moment_of(known_at))
    day = recorded_day(moment) if as_of is None else day_of(as_of, "--as-of")
    return When(moment, day)


def moment_of(text: str, option: str = "--known-at") -> datetime:
    """A moment with its zone, or a day, which means its last moment in UTC."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(_require_sensible(day, option), time.max, UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(option, "a moment such as 2026-03-02T09:00:00Z, or a day") from None
    if moment.tzinfo is None:
        raise BadValue(option, "the moment has to say its time zone, such as Z or +02:00")
    _require_sensible(moment.date(), option)
    return moment.astimezone(UTC)


def day_of(text: str, option: str) -> date:
    """A day."""
    try:
        return _require_sensible(date.fromisoformat(text), option)
    except ValueError:
        raise BadValue(option, "a day such as 2026-03-02") from None


def _require_sensible(day: date, option: str) -> date:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise BadValue(option, f"a day between {EARLIEST_DAY.year} and {LATEST_DAY.year}")
    return day


def exit_code_of(error: LedgerError) -> int:
    """How the process ends for a named error."""
    match error:
        case BadValue() | SettingsUnfit() | UnknownView():  # a command's own come as receipts
            return USAGE
        case CutoffNotFound() | PositionBeyondLog() | NotYetThere():
            return REFUSED  # nothing stored is wrong, the coordinate is
        case NothingKept() | KeptOutdated() | NotParked() | BuildUnderWay():
            return REFUSED  # the views are fit to answer, only not for this
        case BrokerUnavailable() | NotSent():
            return UNAVAILABLE
        case Unreadable():
            return UNREADABLE
        case _:
            return UNAVAILABLE if error.code.startswith("E6") else REFUSED


def answering(command: Callable[..., int | None]) -> Callable[..., None]:
    """A command of the command line: named errors become answers, and never a traceback.

    The command finds its `Caller` in its context.
    """

    @wraps(command)
    def answered(**options: Any) -> None:
        try:
            code = _answer(command, options)
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # a reader that has had enough is no error
        except OSError as error:
            _give_up_answering()
            show_error(NotReadOrWritten(error.strerror or str(error)), as_json=False)
            code = UNAVAILABLE
        raise typer.Exit(code)

    return answered


def _answer(command: Callable[..., int | None], options: dict[str, Any]) -> int:
    """Run a command; a named error is an answer, too."""
    context: typer.Context = options["context"]
    asking: Asking = context.obj
    try:
        caller = context.obj = caller_named(asking.who)
        caller.log_json = asking.log_json or caller.settings.log_json
        _set_up_log(caller)
        with database_errors():
            return command(**options) or OK
    except LedgerError as error:
        show_error(error, as_json=bool(options.get("json")))
        return exit_code_of(error)


def _give_up_answering() -> None:
    """What is left of the answer goes nowhere, so that leaving does not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _set_up_log(caller: Caller) -> None:
    """A person has the answer before their eyes: unless asked for, only warnings go beside it."""
    unasked = "log_level" not in caller.settings.model_fields_set
    quiet = unasked and not caller.log_json
    set_up_logging("warning" if quiet else caller.settings.log_level, json=caller.log_json)
