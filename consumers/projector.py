"""The projector: reads the log page by page, and writes each view's rows with its position.

A page's rows and the position they bring a view to are one transaction, so a projector that stops
anywhere resumes exactly there. Several may run at once: the row that holds a view's position is
locked for the page, and who finds it moved reads on from where it is. A file with a fact that
cannot be applied is parked, and nothing is skipped in silence.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from consumers import positions
from consumers.applying import broken_by_name, run, untouched, without, write_around
from consumers.files import Files
from consumers.positions import LIVE, Schema, Stand, writing
from consumers.quarantine import FileStops, Page, PlacedLog, read_page, what_stops_a_file
from projections.view import View, ViewOutdated, Write

PAGE_FACTS = 2_000  # enough to share a transaction's cost, a few megabytes in memory
# A page waits for dozens of answers of the database. After each, the thread that writes it waits
# so long for the one that folds the next; with Python's own 5 ms the server would idle meanwhile.
LET_GO_S = 0.0005


@dataclass(frozen=True, slots=True)
class Progress:
    """A page that was written: which views it brought where, and how many facts it held."""

    views: tuple[str, ...]
    position: int
    facts: int


class Projector:
    """Brings views level with the log. `connection` is the projector role's, in autocommit.

    `schema` is the place of the builds that are brought level, the live ones unless it is said.
    """

    def __init__(
        self,
        log: PlacedLog,
        connection: Connection[Any],
        page_facts: int = PAGE_FACTS,
        schema: Schema = LIVE,
    ) -> None:
        self._log = log
        self._connection = connection
        self._page_facts = page_facts
        self._schema: Schema = schema
        self._files = Files(log)

    def catch_up(
        self,
        views: Sequence[View],
        until: int | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> int:
        """Read on until every view holds what the log holds, or what it holds up to a position.

        Views that stand at different positions meet: the one furthest behind is read on first.
        Returns how many facts were read. Raises `ViewOutdated` (E641), or `TooManyParked` (E644)
        when what stops a view is not a few files.
        """
        facts = 0
        if not views:
            return facts
        sys.setswitchinterval(min(sys.getswitchinterval(), LET_GO_S))  # and left so
        with ThreadPoolExecutor(1) as beside:
            turn = self._next(views, self._stands(views), until)
            while turn is not None:
                written, ahead = self._take(turn, beside, views, until)
                facts += turn.page.facts
                if progress is not None and written:
                    progress(Progress(written, turn.page.position, turn.page.facts))
                turn = ahead or self._next(views, self._stands(views), until)
        return facts

    def _take(
        self, turn: "_Turn", beside: Executor, views: Sequence[View], until: int | None
    ) -> tuple[tuple[str, ...], "_Turn | None"]:
        """Write a page; which views it brought forward, and the next page, if it is ready.

        Behind a full page comes another, so that is read and folded while the database writes.
        """
        if turn.writes is None:
            return self._write_apart(turn), None
        done = beside.submit(self._write, turn, turn.writes)
        ahead = None
        if turn.page.facts == self._page_facts:
            ahead = self._next(views, turn.stands_after(), until)
        try:
            with what_stops_a_file():
                written = done.result()
        except FileStops:
            return self._write_apart(turn), None
        return written, ahead if len(written) == len(turn.due) else None

    def _next(
        self, views: Sequence[View], found: Mapping[str, Stand], until: int | None
    ) -> "_Turn | None":
        """Read and fold the next page for the views furthest behind, if there is one."""
        after = min(at.position for at in found.values())
        ends = [at.position for at in found.values() if at.position > after]
        if until is not None:
            ends.append(until)
        page = read_page(self._log, after, self._page_facts, min(ends) if ends else None)
        if not page.facts:
            return None
        due = [view for view in views if found[view.name].position == after]
        try:
            with what_stops_a_file():
                writes = None if page.unread else self._fold(due, found, page)
        except FileStops:
            writes = None
        return _Turn(due, found, page, writes)

    def _fold(
        self, due: Sequence[View], found: Mapping[str, Stand], page: Page
    ) -> dict[str, list[Write]]:
        """What each view writes of a page, but for the files that it has parked."""
        first, *others = (found[view.name] for view in due)
        nowhere = first.parked.intersection(*(at.parked for at in others))
        changes = self._files.changes(without(page.records, nowhere), first.position)
        return {
            view.name: view.fold(untouched(changes, found[view.name].parked - nowhere))
            for view in due
        }

    def _stands(self, views: Iterable[View]) -> dict[str, Stand]:
        """Where each view stands; one that was never built is made, and stands before all facts."""
        wanted = {view.name: view for view in views}
        found = positions.stands(self._connection, self._schema, list(wanted))
        for name in wanted.keys() - found.keys():
            with broken_by_name(name), writing(self._connection, self._schema):
                positions.create(self._connection, self._schema, wanted[name])
        if len(found) < len(wanted):
            found = positions.stands(self._connection, self._schema, list(wanted))
        for name, view in wanted.items():
            if found[name].version != view.version:
                raise ViewOutdated(name, found[name].version, view.version)
        return found

    def _write(self, turn: "_Turn", writes: Mapping[str, Sequence[Write]]) -> tuple[str, ...]:
        """Write the page whole; views that moved meanwhile are left."""
        with writing(self._connection, self._schema):
            locked = positions.lock(self._connection, self._schema, turn.stands)
            for name in writes.keys() & locked:
                run(self._connection, self._schema, name, writes[name])
            positions.move(self._connection, self._schema, locked, turn.page.position)
        return tuple(name for name in writes if name in locked)

    def _write_apart(self, turn: "_Turn") -> tuple[str, ...]:
        """Write what can be written of a page, and park the files that stop in it."""
        self._files = Files(self._log)  # it may have stopped halfway through a file
        connection, schema = self._connection, self._schema
        with writing(connection, schema):
            locked = positions.lock(connection, schema, turn.stands)
            for view in turn.due:
                if view.name in locked:
                    at = turn.found[view.name]
                    write_around(
                        connection, schema, self._log, view, at.parked, turn.page, at.position
                    )
            positions.move(connection, schema, locked, turn.page.position)
        return tuple(view.name for view in turn.due if view.name in locked)


@dataclass(frozen=True, slots=True)
class _Turn:
    """The next page of the views that are furthest behind; `writes` where it was folded whole."""

    due: Sequence[View]
    found: Mapping[str, Stand]  # of all views, when the page was read
    page: Page
    writes: Mapping[str, Sequence[Write]] | None

    @property
    def stands(self) -> dict[str, Stand]:
        """Where the views stand that the page is for."""
        return {view.name: self.found[view.name] for view in self.due}

    def stands_after(self) -> dict[str, Stand]:
        """Where all views stand when the page is written."""
        moved = {name: replace(at, position=self.page.position) for name, at in self.stands.items()}
        return {**self.found, **moved}
