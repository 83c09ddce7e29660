"""What a read model is: a name, a version, its tables, and what each fact adds to them.

A view declares itself as `VIEW` in a module of its own in this folder, beside its queries; adding
one means adding that file and nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection

import projections
from domain.claim import Claim
from domain.envelope import Recorded
from domain.errors import Refused
from domain.mandate import Mandate


@dataclass(eq=False)
class ViewOutdated(Refused):
    """The view {view} was built as version {stored}; this program reads and writes {known}."""

    code = "E641"
    remedy = "Build it again from the log: claims views rebuild NAME."
    view: str
    stored: int
    known: int


@dataclass(eq=False)
class ViewBroken(Refused):
    """The view {view} asks the database for what it cannot do: {why}"""

    code = "E653"
    remedy = "Correct the view's tables or statements; it stands where it stood, the others go on."
    view: str
    why: str


@dataclass(eq=False)
class ViewNotBuilt(Refused):
    """The view {view} was never built."""

    code = "E642"
    remedy = "Build it from the log: claims views rebuild NAME."
    view: str


@dataclass(eq=False)
class UnknownView(Refused):
    """There is no view {asked}; there are {known}."""

    code = "E643"
    remedy = "Use the name of one of the views."
    where = "view"
    asked: str
    known: tuple[str, ...]


State = Claim | Mandate


class Step(NamedTuple):
    """A stream as of a day, after one of the facts that stand."""

    day: date
    state: State


class Change(NamedTuple):
    """One fact, and what it made of its file.

    `before` and `after` are the stream's state as everything recorded until then tells it, None
    for a stream that has none (kept refusals). `latest` is the latest effective day that stood
    before. A fact `in_order` simply came after all that stood. Another one changed the past:
    `was` and `became` are the file's course as it was read before and as it is read since, step
    by step in the order of days, from the first one that differs to the first on which they agree
    again, or to the end; `common` is the one step before, none if they differ from the start.
    `together` are the facts before this one, and of its stream, that the same command recorded.
    """

    record: Recorded[Any]
    before: State | None
    after: State | None
    latest: date | None
    in_order: bool
    common: Sequence[Step]
    was: Sequence[Step]
    became: Sequence[Step]
    together: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows to add to a table of the view.

    `columns` may also map each name to its type (`int8`, `text`, `date`, ...): the rows then go in
    binary, at half the cost. A `json` column is a `text` there.
    """

    table: str
    columns: Sequence[str] | Mapping[str, str]
    rows: Sequence[tuple[Any, ...]]


def typed(names: Sequence[str], **types: Sequence[str]) -> Mapping[str, str]:
    """Columns with their types: text, except those that are named under another one."""
    of = {name: kind for kind, each in types.items() for name in each}
    return {name: of.get(name, "text") for name in names}


@dataclass(frozen=True, slots=True)
class Run:
    """A statement to run, with its parameters by name."""

    statement: LiteralString
    parameters: Mapping[str, Any]


Write = Copy | Run


@dataclass(frozen=True, slots=True)
class View:
    """A read model: what it keeps, and how a page of changes becomes rows.

    `tables` maps each table to the statements that create it and its indexes. They name it without
    a schema, and so do the statements of `fold` and `money`: a view is built beside the live one.
    `fold` is pure, and what it writes for a file depends on that file's changes alone: the rows are
    the same however the log is cut into pages, by position or by file. A change of `tables` or
    `fold` is a new `version`. `money`, where a view keeps any, selects what two builds of it are
    compared by: a line or another key, its currency, and sums in minor units.
    """

    name: str
    version: int
    tables: Mapping[str, LiteralString]
    fold: Callable[[Sequence[Change]], list[Write]]
    money: LiteralString | None = None

    def __post_init__(self) -> None:
        for table, statements in self.tables.items():
            if not statements.lstrip().startswith(f"CREATE TABLE {table} ("):
                raise ValueError(f"the view {self.name} does not begin with CREATE TABLE {table} (")


def _discover() -> Mapping[str, View]:
    found: dict[str, View] = {}
    for module in pkgutil.iter_modules(projections.__path__, "projections."):
        view = getattr(importlib.import_module(module.name), "VIEW", None)
        if isinstance(view, View):
            found[view.name] = view
    return MappingProxyType(found)


def views(*names: str) -> list[View]:
    """The views of these names, all of them when none is named.

    Raises `UnknownView` (E643).
    """
    known = _discover()
    for name in names:
        if name not in known:
            raise UnknownView(name, tuple(sorted(known)))
    return [known[name] for name in names or sorted(known)]


def position_of(connection: Connection[Any], view: View) -> int:
    """The position in the log that the view stands at: it holds every fact up to it.

    Raises `ViewNotBuilt` (E642) or `ViewOutdated` (E641).
    """
    row = connection.execute(
        "SELECT version, position FROM views.position WHERE view = %s", [view.name]
    ).fetchone()
    if row is None:
        raise ViewNotBuilt(view.name)
    stored, position = row
    if stored != view.version:
        raise ViewOutdated(view.name, stored, view.version)
    return int(position)


def hold(connection: Connection[Any]) -> None:
    """Keep the builds of all views in their places until the transaction ends.

    For the first statement of a transaction that reads one moment (REPEATABLE READ): the table that
    is swapped in after the moment was taken would hold what it held then, half of a view.
    """
    connection.execute("LOCK TABLE views.position IN ACCESS SHARE MODE")
