"""Quarantine: a fact that cannot be applied parks its file, and everything else goes on.

A parked file's later facts wait in the log, in their order, until the file is released. What stops
a file is found by trying: the page without half of its files, and so on, then the file's facts.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import psycopg

from consumers.files import Log
from consumers.positions import Stopped
from domain.envelope import Recorded
from domain.errors import LedgerError, Refused, Unreadable

PARKED_FILES_MAX = 100  # of a view: a view that stops at more of them is itself what is wrong
WHY_CHARACTERS_MAX = 500  # of an error that somebody else worded


@dataclass(eq=False)
class TooManyParked(Refused):
    """The view {view} stopped at more than {limit} files, lastly at {stream}: {why}"""

    code = "E644"
    remedy = "Correct the view or what it reads, then let it go on; what it stands at is whole."
    view: str
    limit: int
    stream: str
    why: str


class Place(NamedTuple):
    """Where a fact is, whatever it says."""

    stream: str
    version: int
    position: int


class PlacedLog(Log, Protocol):
    """A log that also tells where facts are without reading them."""

    def places(self, after: int, limit: int) -> Sequence[Place]:
        """The places of the next facts after a position, in the order of positions."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """The next facts of the log: those that could be read, and where one could not be.

    What follows a fact that could not be read, in its file, is not among those that could.
    """

    records: Sequence[Recorded[Any]]
    unread: Sequence[Stopped] = ()

    @property
    def facts(self) -> int:
        return len(self.records) + len(self.unread)

    @property
    def position(self) -> int:
        """That of its last fact."""
        read = self.records[-1].position if self.records else 0
        return max(read, self.unread[-1].position if self.unread else 0)


def read_page(log: PlacedLog, after: int, limit: int, end: int | None) -> Page:
    """The next facts, none of them after `end`."""
    if end is not None and after >= end:
        return Page(())
    try:
        page, unread = log.page(after, limit), list[Stopped]()
    except Unreadable:
        page, unread = sift(log, log.places(after, limit))
    if end is not None:
        page = [record for record in page if record.position <= end]
        unread = [stopped for stopped in unread if stopped.position <= end]
    return Page(page, unread)


def sift(log: PlacedLog, places: Sequence[Place]) -> tuple[list[Recorded[Any]], list[Stopped]]:
    """Read the facts in these places, by halves around those that cannot be read."""
    if not places:
        return [], []
    try:
        return list(log.page(places[0].position - 1, len(places))), []
    except Unreadable as error:
        if len(places) == 1:
            return [], [stopped_at(places[0], error)]
    half = len(places) // 2
    (first, broken), (second, more) = sift(log, places[:half]), sift(log, places[half:])
    return first + second, broken + more


def can_stop_a_file(error: Exception) -> bool:
    """The error may lie in what a file says; otherwise it is the database's, or a broken view's."""
    match error:
        case Unreadable():
            return True
        # The last is a row that an index cannot hold, though psycopg takes it for the server's.
        case psycopg.DataError() | psycopg.IntegrityError() | psycopg.errors.ProgramLimitExceeded():
            return True
        case LedgerError() | psycopg.Error() | OSError() | MemoryError():
            return False
        case _:
            return True


class FileStops(Exception):
    """Something was raised that may lie in what a file says: `why` is what."""

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why


@contextmanager
def what_stops_a_file() -> Generator[None]:
    """Part what may lie in a file, as `FileStops`, from what is the database's or the view's."""
    try:
        yield
    except Exception as error:  # a fold may raise anything at what a file says
        if can_stop_a_file(error):
            raise FileStops(error) from error
        raise


Attempt = Callable[[Sequence[Recorded[Any]]], None]


def stops(
    records: Sequence[Recorded[Any]], attempt: Attempt, most: int
) -> tuple[list[Stopped], Exception | None]:
    """Where the files of a page stop, at most so many and one, and what the last of them raised.

    `attempt` raises for records that cannot be applied, and leaves nothing behind.
    """
    by_file = groupby(sorted(records, key=_stream), key=_stream)  # stable: facts stay in order
    return _stops([list(file) for _, file in by_file], attempt, most)


_stream = attrgetter("envelope.stream")


def _stops(
    files: Sequence[list[Recorded[Any]]], attempt: Attempt, most: int
) -> tuple[list[Stopped], Exception | None]:
    try:
        with what_stops_a_file():
            attempt([record for file in files for record in file])
    except FileStops as stop:
        if not files:
            raise stop.why from stop.why.__cause__  # there is none that it could lie in
        if len(files) == 1:
            return [_first_stop(files[0], attempt, stop.why)], stop.why
    else:
        return [], None
    half = len(files) // 2
    found, last = _stops(files[:half], attempt, most)
    if len(found) > most:
        return found, last
    more, later = _stops(files[half:], attempt, most - len(found))
    return found + more, later or last


def _first_stop(file: Sequence[Recorded[Any]], attempt: Attempt, why: Exception) -> Stopped:
    """The first of a file's facts that cannot be applied, when all of them together cannot."""
    works, fails = 0, len(file)
    while fails - works > 1:
        middle = (works + fails) // 2
        try:
            with what_stops_a_file():
                attempt(file[:middle])
            works = middle
        except FileStops as stop:
            fails, why = middle, stop.why
    record = file[fails - 1]
    envelope = record.envelope
    return stopped_at(Place(envelope.stream, envelope.version, record.position), why)


def stopped_at(place: Place, error: Exception) -> Stopped:
    """A stop at a place, in the error's words."""
    code = error.code if isinstance(error, LedgerError) else ""
    told = str(error) if code else f"{type(error).__name__}: {error}"
    why = " ".join(told.replace("\x00", "").split())[:WHY_CHARACTERS_MAX]
    return Stopped(*place, code, why.encode(errors="replace").decode())


def before(records: Sequence[Recorded[Any]], stopped: Sequence[Stopped]) -> Sequence[Recorded[Any]]:
    """The records without those at or after which their files stop."""
    if not stopped:
        return records
    first = {each.stream: each.version for each in stopped}
    return [
        record
        for record in records
        if record.envelope.version < first.get(record.envelope.stream, record.envelope.version + 1)
    ]
