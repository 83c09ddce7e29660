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


@dataclass(frozen=True, slots=True)
class Change:
    """One fact, and what it made of its file.

    `before` and `after` are the stream's state as everything recorded until then tells it, None
    for a stream that has none (kept refusals). `latest` is the latest effective day that stood
    before. A fact `in_order` simply came after all that stood. Another one changed the past:
    `was` and `became` are the file's course as it was read before and as it is read since, step
    by step in the order of days, from the first one that differs; `common` is what they share.
    """

    record: Recorded[Any]
    before: State | None
    after: State | None
    latest: date | None
    in_order: bool
    common: Sequence[Step]
    was: Sequence[Step]
    became: Sequence[Step]
    file: Sequence[Recorded[Any]]  # it only ever grows, so that all its changes may share it

    @property
    def history(self) -> Sequence[Recorded[Any]]:
        """The stream's facts before this one."""
        return self.file[: self.record.envelope.version - 1]


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows to add to a table of the view."""

    table: str
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Run:
    """A statement to run, with its parameters by name."""

    statement: LiteralString
    parameters: Mapping[str, Any]


Write = Copy | Run


@dataclass(frozen=True, slots=True)
class View:
    """A read model: what it keeps, and how a page of changes becomes rows.

    `tables` maps each table, made in the schema `views`, to the statements that create it.
    `fold` is pure: the same changes give the same writes, however the log is cut into pages.
    A change of `tables` or `fold` is a new `version`.
    """

    name: str
    version: int
    tables: Mapping[str, LiteralString]
    fold: Callable[[Sequence[Change]], list[Write]]


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
    found = connection.execute("SELECT to_regclass('views.position')").fetchone()
    row = None
    if found is not None and found[0] is not None:
        row = connection.execute(
            "SELECT version, position FROM views.position WHERE view = %s", [view.name]
        ).fetchone()
    if row is None:
        raise ViewNotBuilt(view.name)
    stored, position = row
    if stored != view.version:
        raise ViewOutdated(view.name, stored, view.version)
    return int(position)
