"""Building views from the whole log, file by file, in several processes at once.

What a view writes for a file depends on that file alone, so files need not be read in the order of
positions: a file is read whole, folded, copied and forgotten, and no file waits for another.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from threading import Event, Lock
from typing import Any, NamedTuple, Protocol

from psycopg import Connection, sql

from commands.collecting import search_seldom
from consumers import positions
from consumers.applying import run, write_around
from consumers.files import Files
from consumers.positions import NEXT, writing
from consumers.quarantine import (
    PARKED_FILES_MAX,
    FileStops,
    Page,
    PlacedLog,
    TooManyParked,
    what_stops_a_file,
)
from domain.errors import Refused
from projections.view import Run, View, Write

SHARES_A_WORKER = 8  # so that nobody waits long for the one with the longest files
LOOK_S = 1.0  # how long the others go on when one gave up
END_S_MAX = 60  # a worker is done with its page long before


@dataclass(eq=False)
class WorkerLost(Refused):
    """A process that built the views ended without a word; the live views are as they were."""

    code = "E649"
    remedy = "Look whether the machine ran out of memory, then build them again."


class Share(NamedTuple):
    """Files whose names lie from `first` to before `after`; to the end where it is None."""

    first: str
    after: str | None


class Archive(PlacedLog, Protocol):
    """A log that can also be read file by file."""

    def head(self) -> int:
        """The position of the last fact; 0 of an empty log."""
        ...

    def shares(self, parts: int) -> Sequence[Share]:
        """About so many shares, about as large, that hold all files together."""
        ...

    def whole_files(self, share: Share, up_to_position: int) -> Iterator[Page]:
        """The facts of a share's files, as far as a position; no page ends within a file."""
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """How a process opens the log and the views for itself; both can be handed to another."""

    log: Callable[[], AbstractContextManager[Archive]]
    connection: Callable[[], Connection[Any]]  # of the projector's role, in autocommit


@dataclass(frozen=True, slots=True)
class Deferred:
    """An index or a key that is made when the rows are there, and what makes it."""

    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class Build:
    """What is built: the views, each in which edition and with which indexes to come."""

    views: Sequence[View]
    editions: Mapping[str, int]
    deferred: Mapping[str, Sequence[Deferred]]
    up_to: int


def build(
    doors: Doors, what: Build, workers: int, progress: Callable[[int], None] | None = None
) -> int:
    """Write every fact up to the position into the builds; how many facts there were.

    This process is one of the workers. Raises `TooManyParked` (E644) or `WorkerLost` (E649).
    """
    counted, facts = Lock(), 0

    def told(more: int) -> None:
        nonlocal facts
        with counted:
            facts += more
            if progress is not None:
                progress(facts)

    with doors.log() as log, doors.connection() as connection:
        left = Shares(log.shares(workers * SHARES_A_WORKER if workers > 1 else 1))
        builder = Builder(log, connection, what)
        with _helped(doors, what, left, workers - 1, told) as require_well:
            while (share := left.take()) is not None:
                for page in log.whole_files(share, what.up_to):
                    builder.write(page)
                    told(page.facts)
                    require_well()
    return facts


class Builder:
    """Writes whole files into the builds, in one process."""

    def __init__(self, log: Archive, connection: Connection[Any], what: Build) -> None:
        self._log = log
        self._connection = connection
        self._what = what
        self._indexed = set[str]()

    def write(self, page: Page) -> None:
        """Write the files of a page into every build that is still under way."""
        if not page.unread:
            try:
                with what_stops_a_file():
                    self._write_whole(page)
                return
            except FileStops:
                pass  # written around, below
        with writing(self._connection, NEXT):
            held = self._held()
            for view in self._what.views:
                if view.name in held:
                    write_around(self._connection, NEXT, self._log, view, frozenset(), page, 0)
                    _require_few_parked(self._connection, view)

    def _write_whole(self, page: Page) -> None:
        changes = Files(self._log).changes(page.records, 0)
        writes = {view.name: view.fold(changes) for view in self._what.views}
        self._index_early(writes)
        with writing(self._connection, NEXT):
            for name in self._held():
                run(self._connection, NEXT, name, writes[name])

    def _index_early(self, writes: Mapping[str, Sequence[Write]]) -> None:
        """A view that changes rows it wrote looks for them, and cannot do without its indexes."""
        for name, each in writes.items():
            if name not in self._indexed and any(isinstance(write, Run) for write in each):
                complete(self._connection, name, self._what.deferred[name])
                self._indexed.add(name)

    def _held(self) -> set[str]:
        """Which builds are the ones that were begun; they are kept so for the transaction.

        One that was taken away belonged to a rebuild that died; nothing more is written to it.
        """
        rows = self._connection.execute(
            "SELECT view, edition FROM views_next.position WHERE view = ANY(%s)"
            " ORDER BY view FOR KEY SHARE",
            [list(self._what.editions)],
        ).fetchall()
        return {name for name, edition in rows if self._what.editions[name] == edition}


def defer(connection: Connection[Any], view: View) -> list[Deferred]:
    """Take the indexes and keys off a build's empty tables; what makes them again, keys first."""
    found: list[Deferred] = []
    for table in view.tables:
        name = sql.Identifier(NEXT, table)
        for kind, index, statement in connection.execute(_INDEXES, [NEXT, table]).fetchall():
            drop = "ALTER TABLE {} DROP CONSTRAINT {}" if kind == "key" else "DROP INDEX {1}"
            at = sql.Identifier(index) if kind == "key" else sql.Identifier(NEXT, index)
            connection.execute(sql.SQL(drop).format(name, at))
            found.append(Deferred(index, statement))
    return found


def complete(connection: Connection[Any], name: str, deferred: Sequence[Deferred]) -> None:
    """Make what was taken off and is not there yet; of several who would, one does."""
    if not deferred:
        return
    with writing(connection, NEXT):
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
        connection.execute(
            "SELECT FROM views_next.position WHERE view = %s FOR NO KEY UPDATE", [name]
        )
        for each in deferred:
            there = connection.execute(
                "SELECT to_regclass(%s)", [f'views_next."{each.name}"']
            ).fetchone()
            if there == (None,):
                connection.execute(each.statement.encode())


_INDEXES = """
SELECT CASE WHEN conname IS NULL THEN 'index' ELSE 'key' END, relname,
       CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
            ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
                        indrelid::regclass, conname, pg_get_constraintdef(constraints.oid)) END
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
LEFT JOIN pg_constraint AS constraints ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
WHERE indrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))
ORDER BY conname IS NULL, relname
"""


def _require_few_parked(connection: Connection[Any], view: View) -> None:
    """All workers together park no more files than one would."""
    parked = positions.stands(connection, NEXT, [view.name])[view.name].parked
    if len(parked) > PARKED_FILES_MAX:
        why = "see views_next.parked for the others"
        raise TooManyParked(view.name, PARKED_FILES_MAX, max(parked), why)


class Shares:
    """The shares that nobody has taken yet."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._left = deque(shares)
        self.given_up = Event()

    def take(self) -> Share | None:
        """The next one, None when there is none."""
        try:
            return None if self.given_up.is_set() else self._left.popleft()
        except IndexError:
            return None


@contextmanager
def _helped(
    doors: Doors, what: Build, left: Shares, workers: int, told: Callable[[int], None]
) -> Generator[Callable[[], None]]:
    """Other workers share the work until it is done; what is given raises what stopped one."""
    if not workers:
        yield lambda: None
        return
    with ThreadPoolExecutor(1) as beside:
        sharing = beside.submit(share_out, doors, what, left, workers, told)

        def require_well() -> None:
            if sharing.done():
                sharing.result()

        try:
            yield require_well
        except BaseException:
            left.given_up.set()
            raise
        sharing.result()


def share_out(
    doors: Doors, what: Build, left: Shares, workers: int, told: Callable[[int], None]
) -> None:
    """Let each of so many processes take the next share whenever it is done with one."""
    context = multiprocessing.get_context("spawn")  # a fork would share the pools' connections
    started: list[tuple[Any, Pipe]] = []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(doors, what, theirs), daemon=True)
            worker.start()
            theirs.close()
            started.append((worker, ours))
        asking = [pipe for _, pipe in started]
        while asking and not left.given_up.is_set():
            ready = wait(asking, LOOK_S)
            for pipe in [each for each in asking if each in ready]:
                said = _heard(pipe)
                if isinstance(said, Exception):
                    raise said
                if said is not None:
                    told(said)
                    continue
                share = left.take()
                with suppress(BrokenPipeError):  # it died, which the next look at it says
                    pipe.send(share)
                if share is None:
                    asking.remove(pipe)
    finally:
        for worker, pipe in started:
            pipe.close()
            worker.join(END_S_MAX)


def _heard(pipe: Pipe) -> int | Exception | None:
    try:
        said: int | Exception | None = pipe.recv()
        return said
    except EOFError:
        raise WorkerLost from None


def _work(doors: Doors, what: Build, pipe: Pipe) -> None:
    """A worker: it asks for a share with None, tells how many facts it wrote, or what stopped it.

    When the process that shares out is gone, there is nobody to ask, and the worker ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the one who shares out
    search_seldom()
    try:
        with doors.log() as log, doors.connection() as connection:
            builder = Builder(log, connection, what)
            pipe.send(None)
            while (share := pipe.recv()) is not None:
                for page in log.whole_files(share, what.up_to):
                    if pipe.poll():  # nothing is sent to who did not ask: it was closed
                        return
                    builder.write(page)
                    pipe.send(page.facts)
                pipe.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:  # noqa: BLE001 - it is raised where the shares are handed out
        pipe.send(error)
