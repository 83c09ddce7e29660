"""Every limit of the code as one page, each with its value, its unit and the reason beside it.

`python -m tests.limits` writes the page; a test holds it to the code.
"""

import ast
import importlib
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edge.postgres.connections import LIMITS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "limits.md"
ROOMS = ("domain", "commands", "projections", "consumers", "replay", "edge")
NO_LIMITS = "portfolio_"  # how a made-up portfolio is shaped limits nobody
# What says, somewhere in its name, that a constant is a limit: a most or least, a time, a portion.
MARKS = {"MAX", "MIN", "LIMIT", "S", "MS", "BYTES", "PAGE", "FETCH", "REPORT", "WORKER", "ONCE"}
UNITS = {
    "S": "seconds",
    "MS": "milliseconds",
    "MB": "MiB",
    "MINUTES": "minutes",
    "DAYS": "days",
    "BYTES": "bytes",
    "CHARS": "characters",
    "CHARACTERS": "characters",
    "COMMANDS": "commands",
    "FACTS": "facts",
    "FILES": "files",
    "LINES": "lines",
    "PARTIES": "parties",
    "PROCESSES": "processes",
    "ROWS": "rows",
    "STREAMS": "streams",
    "TRIES": "tries",
    "WORKERS": "processes",
    "MINOR": "minor units",
}
HEAD = """\
# Limits

Every limit is a constant with a name, and its reason stands beside it in the code. This page is
drawn from there by `python -m tests.limits`; a test fails when the two differ, or when a limit has
no reason. Who meets a limit hears so by a named refusal, see [why](why.md).
"""
TABLE = "| limit | value | unit | why |\n|---|---:|---|---|\n"
BY_ROLE = """
## Time-outs in the database, by role

In milliseconds, 0 for none; set by the server before a connection's first statement.

| role | statement | wait for a lock | idle in a transaction |
|---|---:|---:|---:|
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: where it is, and what the code says of it."""

    name: str
    value: str
    reason: str

    @property
    def unit(self) -> str:
        """What is counted, as the name says; a number of what the name says, otherwise."""
        words = self.name.rpartition(".")[2].split("_")
        return next((UNITS[word] for word in words if word in UNITS), "number")


def limits(room: str) -> Iterator[Limit]:
    """The limits of one room, by module and in the order of each file."""
    for path in sorted((ROOT / room).rglob("*.py")):
        if path.name.startswith(NO_LIMITS):
            continue
        text = path.read_text("utf-8")
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, first, last in _constants(ast.parse(text)):
            value = getattr(importlib.import_module(module), name)
            if said := _said(value):
                yield Limit(f"{module}.{name}", said, _reason(text, first, last))


def page() -> str:
    """The whole page."""
    rooms = "".join(_of_room(room) for room in ROOMS)
    roles = "".join(
        f"| {role.name.lower()} | {each.statement_ms_max:,} | {each.lock_ms_max:,} |"
        f" {each.idle_in_transaction_ms_max:,} |\n"
        for role, each in LIMITS.items()
    )
    return HEAD + rooms + BY_ROLE + roles


def _of_room(room: str) -> str:
    rows = "".join(
        f"| `{each.name}` | {each.value} | {each.unit} | {each.reason} |\n" for each in limits(room)
    )
    return f"\n## {room}\n\n{TABLE}{rows}" if rows else ""


def _constants(module: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Name, first and last line of what looks like a limit."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name.isupper() and MARKS & set(name.strip("_").split("_")):
                    yield name, node.lineno, node.end_lineno or node.lineno
            case _:
                pass


def _said(value: object) -> str:
    """A number, or several, as people read them; "" for anything else."""
    match value:
        case bool():
            return ""
        case int() | float():
            return f"{value:,}"
        case tuple():
            return ", ".join(map(_said, cast("tuple[object, ...]", value)))
        case _:
            return ""


def _reason(text: str, first: int, last: int) -> str:
    """The comment at the end of a constant, else the lines of comment right above it."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {
        each.start[0]: each.string.lstrip("# ") for each in tokens if each.type == tokenize.COMMENT
    }
    beside = [comments[line] for line in range(first, last + 1) if line in comments]
    above: list[str] = []
    lines = text.splitlines()
    while (line := first - 1 - len(above)) in comments and lines[line - 1].startswith("#"):
        above.insert(0, comments[line])
    said = beside or above
    return " ".join(part.split("# noqa")[0].strip() for part in said).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
