"""What leaves through the command line: JSON for programs, drawings for people, named errors."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from domain.errors import LedgerError
from domain.money import EXPONENT, Money

WORD_MAX = 64  # characters of a word that no column breaks: a reference
DIGEST_SHOWN = 12  # characters of a digest where it is one value among others


class Page(Console):
    """A console that cuts nothing: half a figure or half a name says something else.

    What does not fit is set closer, and past that wider than the screen.
    """

    def print(self, *objects: Any, **how: Any) -> None:
        wide = self.options.update(width=10_000)
        needed = max((self.measure(each, options=wide).minimum for each in objects), default=0)
        if needed > self.width:
            for each in objects:
                if isinstance(each, Table):
                    each.padding = 0
                    needed = self.measure(each, options=wide).minimum
        super().print(*objects, width=max(needed, self.width), crop=False, **how)


console = Page(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)


def told_moment(moment: datetime) -> str:
    """A moment in full, so that it can be asked for again."""
    return moment.isoformat().replace("+00:00", "Z")


def write_line(line: bytes) -> None:
    """A line of an answer that programs read: these bytes, whatever the terminal's encoding.

    It stays in the buffer until that is flushed, so that many lines cost little.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(line + b"\n")


def print_json(data: object) -> None:
    """One JSON document, dates and moments in ISO form, amounts already decimal strings.

    It leaves at once: a program may be waiting for it at the other end of a pipe.
    """
    write_line(json.dumps(data, default=_plain, ensure_ascii=False).encode())
    sys.stdout.flush()


def in_lines(clock: Callable[[], datetime]) -> Callable[[Any], None]:
    """How a loop tells its events, each a dataclass, to the program that started it: a JSON object
    a line, with the event's name and moment, as soon as it happens.
    """

    def tell(event: Any) -> None:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(event).__name__).lower()
        print_json({"event": name, "at": clock(), **asdict(event)})

    return tell


def _plain(value: object) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value)


def amount(minor: int, currency: str) -> str:
    """Minor units as the decimal string of their currency; sums may exceed one file's limit."""
    digits = EXPONENT[currency]
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def pounds(minor: int, currency: str) -> str:
    """The same for people, with separators."""
    whole, _, part = amount(minor, currency).partition(".")
    grouped = f"{int(whole):,}" if whole != "-0" else "-0"
    return f"{grouped}.{part}" if part else grouped


_DIGEST = re.compile(r"[0-9a-f]{64}")
_MONEY = re.compile(r"(?P<currency>[A-Z]{3}) (?P<amount>-?\d+(\.\d+)?)")


def spoken(value: object) -> str:
    """A plain value as a person reads it; an amount with separators."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() if found := _MONEY.fullmatch(value):
            return f"{found['currency']} {Decimal(found['amount']):,}"
        case str() if _DIGEST.fullmatch(value):
            return f"{value[:DIGEST_SHOWN]}..."
        case _:
            return str(value)


def money(value: Money) -> dict[str, str]:
    """An amount as it leaves: a decimal string with its currency."""
    return {"amount": value.decimal(), "currency": value.currency}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; columns whose name ends in `>` are figures, aligned to the right.

    A column is never narrower than its longest word, so that none is broken.
    """
    drawn = light_table(title)
    cells = [[each if isinstance(each, Text) else Text(str(each)) for each in row] for row in rows]
    for place, name in enumerate(columns):
        right = name.endswith(">")
        texts = [name, *(row[place].plain for row in cells)]
        words = [word for text in texts for word in text.split()]
        drawn.add_column(
            name.rstrip(">"),
            justify="right" if right else "left",
            no_wrap=right,
            min_width=min(max(map(len, words), default=0), WORD_MAX),
            overflow="fold",
        )
    for row in cells:
        drawn.add_row(*row)
    return drawn


def light_table(title: str) -> Table:
    """A table without a frame, which leaves 80 columns to what it says."""
    return Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        header_style="bold cyan",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def progress_in_facts() -> Progress:
    """Progress on stderr, where no program reads an answer."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.fields[facts]:,} facts"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


def error_data(error: LedgerError) -> dict[str, Any]:
    """A named error as data."""
    return {
        "code": error.code,
        "name": type(error).__name__,
        "field": error.field,
        "message": str(error),
        "remedy": error.remedy,
        "evidence": error.evidence(),
        "notes": list(getattr(error, "__notes__", ())),
    }


def show_error(error: LedgerError, *, as_json: bool) -> None:
    """A named error: what is wrong, where, and what to do about it."""
    if as_json:
        print_json({"outcome": "refused", **error_data(error)})
        return
    told = Text(str(error))
    for note in getattr(error, "__notes__", ()):
        told.append(f"\n{note}")
    told.append(f"\n{error.remedy}", style="green")
    title = f"{error.code} {type(error).__name__}"
    errors.print(Panel(told, title=title, title_align="left", border_style="red"))
