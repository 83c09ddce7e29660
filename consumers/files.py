"""The files a reader of the log has seen lately, so that each fact is one step for its file."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any, Protocol, get_args

from domain import claim, mandate
from domain.claim import Claim
from domain.envelope import Recorded
from domain.errors import DamagedFact
from domain.history import fold, in_order, latest_day, standing
from domain.mandate import Mandate
from domain.schema import NAME_OF
from projections.view import Change, State, Step

FACTS_HELD_MAX = 400_000  # and states of courses; measured: 0.3 to 0.4 kB each
FILE_FACTS = 4  # that a file takes as much memory as, beside its facts

_STREAMS: dict[type, tuple[Callable[..., Any], State]] = {
    **dict.fromkeys(get_args(claim.Fact), (claim.evolve, Claim())),
    **dict.fromkeys(get_args(mandate.Fact), (mandate.evolve, Mandate())),
}


class Log(Protocol):
    """The ledger's log. Raises an `Unreadable` for a fact that cannot be read."""

    def page(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """The next facts after a position, in the order of positions."""
        ...

    def histories(
        self, streams: Collection[str], up_to_position: int
    ) -> Mapping[str, Sequence[Recorded[Any]]]:
        """Each stream's facts, in versions, up to a position."""
        ...


class Course:
    """A stream's facts as they stand, in order, and the state that each of them led to."""

    def __init__(self, history: Sequence[Recorded[Any]]) -> None:
        stands = standing(history)
        self._keys = [(record.envelope.effective_on, slot) for slot, record in stands]
        self._days = {slot: day for day, slot in self._keys}
        self._facts = [record.fact for _, record in stands]
        self.steps: list[Step] = []
        for fact, (day, _) in zip(self._facts, self._keys, strict=True):
            self.steps.append(_step(self.steps[-1:], fact, day))

    def append(self, record: Recorded[Any], state: State) -> None:
        """Take a fact that simply comes after all that stands."""
        day, version = record.envelope.effective_on, record.envelope.version
        self._keys.append((day, version))
        self._days[version] = day
        self._facts.append(record.fact)
        self.steps.append(Step(day, state))

    def change(self, record: Recorded[Any]) -> tuple[Sequence[Step], list[Step], list[Step]]:
        """Take a fact that changes the past: the step before the change, what was, what became.

        Complexity: a step for each fact from the change to where both agree again.
        """
        before = len(self._keys)
        places = self._put(record)
        first, moved = min(places), len(self._keys) - before
        became: list[Step] = []
        end = before
        for place in range(first, len(self._keys)):
            earlier = became[-1:] or self.steps[first - 1 : first]
            became.append(_step(earlier, self._facts[place], self._keys[place][0]))
            known = place - moved
            if place > max(places) and became[-1].state == self.steps[known].state:
                became[-1] = self.steps[known]  # the same, and so is all that follows
                end = known + 1
                break
        was = self.steps[first:end]
        self.steps[first:end] = became
        return self.steps[max(first - 1, 0) : first], was, became

    def _put(self, record: Recorded[Any]) -> list[int]:
        """Put a fact in its place, and take out what gives way to it; the places touched."""
        envelope = record.envelope
        slot = envelope.corrects or envelope.version
        places: list[int] = []
        for gone in (envelope.voids, slot):
            day = self._days.pop(gone, None) if gone is not None else None
            if gone is not None and day is not None:
                places.append(bisect_left(self._keys, (day, gone)))
                del self._keys[places[-1]], self._facts[places[-1]]
        self._days[slot] = envelope.effective_on
        places.append(bisect_left(self._keys, (envelope.effective_on, slot)))
        self._keys.insert(places[-1], (envelope.effective_on, slot))
        self._facts.insert(places[-1], record.fact)
        return places


def _step(after: Sequence[Step], fact: Any, day: date) -> Step:
    """What a fact makes of a stream after a step, or of one that has not begun."""
    evolve, initial = _STREAMS[type(fact)]
    return Step(day, evolve(after[-1].state if after else initial, fact, day))


@dataclass(slots=True)
class File:
    """A stream as far as its fact of this version, and the latest day that stands.

    Its history is not kept, which would take most of the memory. Its course is, from the page on
    that first changes the past: few files have one.
    """

    version: int
    state: State
    latest: date | None
    command_id: str = ""
    together: tuple[Any, ...] = ()  # the facts that this command has recorded in it so far
    course: Course | None = None

    @property
    def held(self) -> int:
        """How many facts' worth of memory it takes, its course included."""
        return FILE_FACTS + self.version + (len(self.course.steps) if self.course else 0)

    def take(self, record: Recorded[Any]) -> Change:
        """Remember the stream's next fact."""
        envelope, fact = record.envelope, record.fact
        before, latest, course = self.state, self.latest, self.course
        same = envelope.command_id == self.command_id
        together = self.together if same else ()
        self.command_id, self.together = envelope.command_id, (*together, fact)
        self.version = envelope.version
        if not in_order(record, latest):
            if course is None:  # it is read before the page in which a fact first changes the past
                raise ValueError(f"{envelope.stream} has no course to change")
            parts = course.change(record)
            self.latest, self.state = course.steps[-1]
            return Change(record, before, self.state, latest, False, *parts, together)
        evolve, _ = _STREAMS[type(fact)]
        self.latest = day = envelope.effective_on
        self.state = evolve(before, fact, day)
        if course is not None:
            course.append(record, self.state)
        return Change(record, before, self.state, latest, True, (), (), (), together)


class Files:
    """The files seen lately, up to `FACTS_HELD_MAX` facts; others are loaded from the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._files: OrderedDict[str, File] = OrderedDict()
        self._held = 0

    def changes(self, page: Sequence[Recorded[Any]], after: int) -> list[Change]:
        """What each fact of the page of the log after a position made of its file."""
        files = self._load(page, after)
        held = sum(file.held for file in files)
        try:
            return [self._change(record) for record in page]
        finally:
            self._held += sum(file.held for file in files) - held
            self._forget()

    def _change(self, record: Recorded[Any]) -> Change:
        if type(record.fact) not in _STREAMS:
            return Change(record, None, None, None, True, (), (), (), ())
        envelope = record.envelope
        file = self._files[envelope.stream]
        if envelope.version != file.version + 1:
            name = NAME_OF[type(record.fact)]
            why = f"it follows fact {file.version}"
            raise DamagedFact(envelope.stream, envelope.version, name, why)
        return file.take(record)

    def _load(self, page: Sequence[Recorded[Any]], after: int) -> list[File]:
        """Have every file of the page at hand as it stood at the position."""
        records: dict[str, list[Recorded[Any]]] = {}
        for record in page:
            if type(record.fact) in _STREAMS:
                records.setdefault(record.envelope.stream, []).append(record)
        missing: list[str] = []
        for stream, found in records.items():
            file = self._files.get(stream)
            if (
                file is None
                or file.version != found[0].envelope.version - 1
                or (file.course is None and _changes_the_past(found, file.latest))
            ):
                missing.append(stream)
            else:
                self._files.move_to_end(stream)
        known = [stream for stream in missing if records[stream][0].envelope.version > 1]
        histories: Mapping[str, Sequence[Recorded[Any]]] = {}
        if known:
            histories = self._log.histories(known, after)
        for stream in missing:
            self._drop(stream)
            self._files[stream] = file = _read(histories.get(stream, ()), records[stream])
            self._held += file.held
        return [self._files[stream] for stream in records]

    def _drop(self, stream: str) -> None:
        file = self._files.pop(stream, None)
        self._held -= file.held if file else 0

    def _forget(self) -> None:
        while self._held > FACTS_HELD_MAX:
            _, file = self._files.popitem(last=False)
            self._held -= file.held


def _read(history: Sequence[Recorded[Any]], following: Sequence[Recorded[Any]]) -> File:
    """A file as its history tells it, ready for the facts that follow."""
    evolve, initial = _STREAMS[type(following[0].fact)]
    latest, course = latest_day(history), None
    if _changes_the_past(following, latest):
        course = Course(history)
        state = course.steps[-1].state if course.steps else initial
    else:
        state = fold(history, evolve, initial)
    file = File(len(history), state, latest, course=course)
    if history:
        file.command_id = history[-1].envelope.command_id
        last = takewhile(lambda each: each.envelope.command_id == file.command_id, history[::-1])
        file.together = tuple(record.fact for record in last)[::-1]
    return file


def _changes_the_past(records: Sequence[Recorded[Any]], latest: date | None) -> bool:
    """Some of a file's next facts does not simply come after all that stands by then."""
    for record in records:
        if not in_order(record, latest):
            return True
        latest = record.envelope.effective_on
    return False
