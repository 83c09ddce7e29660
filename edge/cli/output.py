"""What leaves through the command line: JSON for programs, drawings for people, named errors."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from domain.errors import LedgerError
from domain.money import EXPONENT, Money

console = Console(soft_wrap=False, highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(data: object) -> None:
    """One JSON document, dates and moments in ISO form, amounts already decimal strings."""
    sys.stdout.write(json.dumps(data, default=_plain, ensure_ascii=False) + "\n")


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


def money(value: Money) -> dict[str, str]:
    """An amount as it leaves: a decimal string with its currency."""
    return {"amount": value.decimal(), "currency": value.currency}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; columns whose name ends in `>` are figures, aligned to the right."""
    drawn = Table(title=title, title_justify="left", title_style="bold", header_style="bold cyan")
    for name in columns:
        right = name.endswith(">")
        drawn.add_column(
            name.rstrip(">"), justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    return drawn


def show_error(error: LedgerError, *, as_json: bool) -> None:
    """A named error: what is wrong, where, and what to do about it."""
    if as_json:
        print_json(
            {
                "outcome": "refused",
                "code": error.code,
                "name": type(error).__name__,
                "field": error.field,
                "message": str(error),
                "remedy": error.remedy,
                "evidence": error.evidence(),
                "notes": list(getattr(error, "__notes__", ())),
            }
        )
        return
    told = Text(str(error))
    for note in getattr(error, "__notes__", ()):
        told.append(f"\n{note}")
    told.append(f"\n{error.remedy}", style="green")
    title = f"{error.code} {type(error).__name__}"
    errors.print(Panel(told, title=title, title_align="left", border_style="red"))
