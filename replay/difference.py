"""What changed between two coordinates of a file, field by field, and which facts changed it.

The way from one coordinate to the other is walked a fact at a time: first through what the ledger
was told in between, then through what came true in between. A field that differs at the two ends
was changed by at least one step, so each has its facts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from domain.claim import Claim, Fact, evolve
from domain.difference import Plain, changed_fields
from domain.envelope import Recorded, recorded_day
from domain.history import Coordinate, fold, in_order, standing
from domain.schema import NAME_OF
from replay.file import FileAt, History, file_at


class FactRef(NamedTuple):
    """A fact of the file: its version in the stream, and its name on disk."""

    version: int
    name: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field by its path, its plain values (None: not there), and the facts that changed it."""

    path: str
    before: Plain
    after: Plain
    facts: tuple[FactRef, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from `before` to `after`.

    `hindsight` are the facts that were true at the earlier coordinate and recorded only after it:
    what nobody could have read there. They are among the facts of the changes, too.
    """

    before: FileAt
    after: FileAt
    changes: tuple[FieldChange, ...]
    hindsight: tuple[FactRef, ...]


class _Step(NamedTuple):
    record: Recorded[Fact]
    before: Claim
    after: Claim


def difference(history: History, before: Coordinate, after: Coordinate) -> Difference:
    """The difference between two coordinates, in either direction of time.

    Raises `CutoffNotFound` when either does not exist.
    Complexity: a step for each fact in between; one that is not simply the next of the file (a
    correction, a void, a back-dated fact) reads the file again.
    """
    ends = file_at(history, before), file_at(history, after)
    touched: dict[str, list[FactRef]] = {}
    for step in _between(history, *ends):
        for changed in changed_fields(step.before, step.after):
            touched.setdefault(changed.path, []).append(_ref(step.record))
    changes = tuple(
        FieldChange(path, old, new, tuple(sorted(set(touched[path]))))
        for path, old, new in changed_fields(ends[0].claim, ends[1].claim)
    )
    return Difference(*ends, changes, _hindsight(history, *ends))


def _between(history: History, before: FileAt, after: FileAt) -> Iterator[_Step]:
    """The steps between two coordinates, in whatever direction: which fields each one touches."""
    told = sorted([before.known, after.known])
    yield from _told(history, told[0], told[1], before.at.as_of)
    as_of = sorted([before.at.as_of or date.max, after.at.as_of or date.max])
    yield from _come_true(history, after.known, as_of[0], as_of[1])


def _told(history: History, first: int, last: int, as_of: date | None) -> Iterator[_Step]:
    """Each fact that was recorded after version `first`, up to `last`, and what it changed."""
    state = fold(history, evolve, Claim(), Coordinate(version=first, as_of=as_of))
    latest = _latest(history, first, as_of)
    for record in history[first:last]:
        envelope, old = record.envelope, state
        if not in_order(record, latest):
            at = Coordinate(version=envelope.version, as_of=as_of)
            state = fold(history, evolve, Claim(), at)
            latest = _latest(history, envelope.version, as_of)
        elif as_of is None or envelope.effective_on <= as_of:
            latest = envelope.effective_on
            state = evolve(state, record.fact, latest)
        yield _Step(record, old, state)


def _come_true(history: History, told: int, first: date, last: date) -> Iterator[_Step]:
    """Each fact that was effective after day `first`, up to `last`, and what it changed."""
    state = fold(history, evolve, Claim(), Coordinate(version=told, as_of=first))
    for _, record in standing(history, Coordinate(version=told, as_of=last)):
        day, old = record.envelope.effective_on, state
        if day > first:
            state = evolve(state, record.fact, day)
            yield _Step(record, old, state)


def _latest(history: History, version: int, as_of: date | None) -> date | None:
    stands = standing(history, Coordinate(version=version, as_of=as_of))
    return stands[-1][1].envelope.effective_on if stands else None


def _hindsight(history: History, before: FileAt, after: FileAt) -> tuple[FactRef, ...]:
    """What was true by the day of the earlier coordinate, and recorded between the two."""
    earlier = min(before, after, key=lambda file: file.known)
    told_since = history[earlier.known : max(before.known, after.known)]
    day = _day(history, earlier)
    return tuple(_ref(record) for record in told_since if record.envelope.effective_on <= day)


def _day(history: History, file: FileAt) -> date:
    """The day of a coordinate: as it says, else the day on which its last fact was recorded."""
    if file.at.as_of is not None:
        return file.at.as_of
    last = history[file.known - 1].envelope.recorded_at
    return recorded_day(file.at.known_at or last)


def _ref(record: Recorded[Fact]) -> FactRef:
    return FactRef(record.envelope.version, NAME_OF[type(record.fact)])
