"""The projector: reads the log page by page, and writes each view's rows with its position.

A page's rows and the position they bring a view to are one transaction, so a projector that stops
anywhere resumes exactly there. Several may run at once: the row that holds a view's position is
locked for the page, and who finds it moved reads on from where it is. A fact that cannot be read
stops the projector; nothing is skipped.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, get_args

from psycopg import Connection, sql

from consumers.files import Files, Log
from domain import claim
from domain.envelope import Recorded
from domain.errors import Unreadable
from domain.schema import NAME_OF
from projections.view import Copy, Run, View, ViewOutdated, Write

PAGE_FACTS = 2_000
SETTING_UP = 0x7669657773  # "views": the advisory lock of projectors that make tables

_MAKE_POSITION: LiteralString = """
CREATE TABLE IF NOT EXISTS views.position (
    view text COLLATE "C" PRIMARY KEY,
    version int NOT NULL,
    position bigint NOT NULL,  -- every fact up to it is in the view
    tables text[] NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50)
"""
_LAG: LiteralString = """
SELECT count(*), count(DISTINCT originator_id) FILTER (WHERE topic = ANY(%(of_claims)s))
FROM ledger.facts WHERE notification_id > %(position)s
"""
_OF_CLAIMS = [NAME_OF[kind] for kind in get_args(claim.Fact)]


@dataclass(frozen=True, slots=True)
class Status:
    """Where a view stands: `version` is what it was built as, 0 if it never was.

    `head` is the last position of the log, `lag` how many facts the view does not have yet, and
    `left_out_files` how many claim files those belong to.
    """

    name: str
    version: int
    position: int
    head: int
    lag: int
    left_out_files: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A page that was written: which views it brought where, and how many facts it held."""

    views: tuple[str, ...]
    position: int
    facts: int


class Projector:
    """Brings views level with the log. `connection` is the projector role's, in autocommit."""

    def __init__(self, log: Log, connection: Connection[Any], page_facts: int = PAGE_FACTS) -> None:
        self._log = log
        self._connection = connection
        self._page_facts = page_facts
        self._files = Files(log)

    def catch_up(
        self,
        views: Sequence[View],
        until: int | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> int:
        """Read on until every view holds what the log holds, or what it holds up to a position.

        Views that stand at different positions meet: the one furthest behind is read on first.
        Returns how many facts were read. Raises `ViewOutdated` (E641), or the `Unreadable` of the
        fact that stopped it.
        """
        facts = 0
        while True:
            positions = self._positions(views)
            after = min(positions.values(), default=0)
            meet = [at for at in positions.values() if at > after]
            page = self._page(
                after, min([*meet, *([] if until is None else [until])], default=None)
            )
            if not page:
                return facts
            due = [view for view in views if positions[view.name] == after]
            written = self._write(due, page, after)
            facts += len(page)
            if progress is not None and written:
                progress(Progress(written, page[-1].position, len(page)))

    def rebuild(self, view: View, progress: Callable[[Progress], None] | None = None) -> int:
        """Empty the view, whatever version it was built as, and read the log from its beginning."""
        with self._connection.transaction():
            self._set_up()
            self._connection.execute(
                "SELECT FROM views.position WHERE view = %s FOR UPDATE", [view.name]
            )
            self._create(view)
        return self.catch_up([view], progress=progress)

    def _positions(self, views: Iterable[View]) -> dict[str, int]:
        """Where each view stands; one that was never built is made, and stands before all facts."""
        stored = _stored(self._connection)
        if any(view.name not in stored for view in views):
            with self._connection.transaction():
                self._set_up()
                stored = _stored(self._connection)
                for view in views:
                    if view.name not in stored:
                        self._create(view)
                        stored[view.name] = (view.version, 0)
        for view in views:
            if stored[view.name][0] != view.version:
                raise ViewOutdated(view.name, stored[view.name][0], view.version)
        return {view.name: stored[view.name][1] for view in views}

    def _set_up(self) -> None:
        """Of several projectors that find no tables, one makes them."""
        self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETTING_UP])
        self._connection.execute(_MAKE_POSITION)

    def _create(self, view: View) -> None:
        run = self._connection.execute
        known = run("SELECT tables FROM views.position WHERE view = %s", [view.name]).fetchone()
        for table in {*view.tables, *(known[0] if known else ())}:
            run(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("views", table)))
        for statements in view.tables.values():
            run(statements)
        run(
            "INSERT INTO views.position (view, version, position, tables) VALUES (%s, %s, 0, %s)"
            " ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = 0,"
            " tables = excluded.tables, moved_at = clock_timestamp()",
            [view.name, view.version, list(view.tables)],
        )

    def _page(self, after: int, end: int | None) -> Sequence[Recorded[Any]]:
        """The next facts, none of them after `end`, and none that cannot be read."""
        if end is not None and after >= end:
            return ()
        limit = self._page_facts
        while True:
            try:
                page = self._log.page(after, limit)
                return [record for record in page if end is None or record.position <= end]
            except Unreadable as error:
                if limit == 1:
                    self._say_where(error, after)
                    raise
                limit //= 2  # what comes before it is written first

    def _say_where(self, error: Unreadable, after: int) -> None:
        at = self._connection.execute(
            "SELECT notification_id FROM ledger.facts"
            " WHERE originator_id = %s AND originator_version = %s",
            [getattr(error, "stream", ""), getattr(error, "version", 0)],
        ).fetchone()
        where = f"at position {at[0]} of the log" if at else "in the log"
        error.add_note(f"It is {where}; the views hold every fact up to position {after}.")

    def _write(
        self, views: Sequence[View], page: Sequence[Recorded[Any]], after: int
    ) -> tuple[str, ...]:
        """Bring the views from one position past a page; those that moved meanwhile are left."""
        changes = self._files.changes(page, after)
        writes = {view.name: view.fold(changes) for view in views}
        with self._connection.transaction():
            # Lost in a crash, rows and position are lost together, and read from the log again.
            self._connection.execute("SET LOCAL synchronous_commit = off")
            locked = self._connection.execute(
                "SELECT view, version, position FROM views.position WHERE view = ANY(%s)"
                " ORDER BY view FOR UPDATE",
                [list(writes)],
            ).fetchall()
            expected = {view.name: (view.version, after) for view in views}
            due = [str(name) for name, *at in locked if tuple(at) == expected[name]]
            for name in due:
                self._run(writes[name])
            self._connection.execute(
                "UPDATE views.position SET position = %s, moved_at = clock_timestamp()"
                " WHERE view = ANY(%s)",
                [page[-1].position, due],
            )
        return tuple(due)

    def _run(self, writes: Iterable[Write]) -> None:
        with self._connection.cursor() as cursor:
            for write in writes:
                match write:
                    case Run():
                        cursor.execute(write.statement, write.parameters)
                    case Copy():
                        into = sql.SQL("COPY {} ({}) FROM STDIN").format(
                            sql.Identifier("views", write.table),
                            sql.SQL(", ").join(map(sql.Identifier, write.columns)),
                        )
                        with cursor.copy(into) as copy:
                            for row in write.rows:
                                copy.write_row(row)


def status(connection: Connection[Any], views: Sequence[View]) -> list[Status]:
    """Where each view stands; the reader's role is enough."""
    stored = _stored(connection)
    found = connection.execute("SELECT max(notification_id) FROM ledger.facts").fetchone()
    head = int(found[0] or 0) if found else 0
    told: list[Status] = []
    for view in views:
        version, position = stored.get(view.name, (0, 0))
        counted = connection.execute(
            _LAG, {"position": position, "of_claims": _OF_CLAIMS}
        ).fetchone()
        lag, files = counted or (0, 0)
        told.append(Status(view.name, version, position, head, lag, files))
    return told


def _stored(connection: Connection[Any]) -> dict[str, tuple[int, int]]:
    """Version and position of each view that was ever built."""
    found = connection.execute("SELECT to_regclass('views.position')").fetchone()
    if found is None or found[0] is None:
        return {}
    rows = connection.execute("SELECT view, version, position FROM views.position")
    return {str(name): (int(version), int(position)) for name, version, position in rows}
