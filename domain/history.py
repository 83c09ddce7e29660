"""A history, read at any coordinate: what was known at T, of what is held to have been true on D.

Rules (B1-B7 of the model): a correction takes the place of the fact it names, a void takes it out,
from the moment they were recorded; what remains is read in the order of effective days, and within
a day in the order of versions. That is the one order, for every reader, so that a decision, a
view and a replay cannot disagree.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TypeVar

from domain.envelope import Recorded
from domain.value import Value

F = TypeVar("F")
S = TypeVar("S")


class Coordinate(Value, frozen=True):
    """Where a history is read; what is None does not limit.

    `known_at`: recorded at that moment (UTC) or before. `as_of`: effective on that day or before.
    `version`: that version of the stream or an earlier one. `position`: likewise in the log.
    """

    known_at: datetime | None = None
    as_of: date | None = None
    version: int | None = None
    position: int | None = None

    def knows(self, record: Recorded[F]) -> bool:
        """The fact had been recorded at this coordinate."""
        envelope = record.envelope
        return (
            (self.known_at is None or envelope.recorded_at <= self.known_at)
            and (self.version is None or envelope.version <= self.version)
            and (self.position is None or record.position <= self.position)
        )


NOW = Coordinate()


def standing(history: Iterable[Recorded[F]], at: Coordinate = NOW) -> list[tuple[int, Recorded[F]]]:
    """The facts that stand at a coordinate, each with the version whose place it takes, in order.

    Complexity: one pass and one sort over the stream's facts.
    """
    slots: dict[int, Recorded[F]] = {}
    for record in history if at is NOW else filter(at.knows, history):
        envelope = record.envelope
        if envelope.voids is not None:
            slots.pop(envelope.voids, None)
        slots[envelope.corrects or envelope.version] = record
    dated = [
        (record.envelope.effective_on, slot, record)
        for slot, record in slots.items()
        if at.as_of is None or record.envelope.effective_on <= at.as_of
    ]
    dated.sort()  # no two have the same slot, so no records are compared
    return [(slot, record) for _, slot, record in dated]


def fold(
    history: Iterable[Recorded[F]],
    evolve: Callable[[S, F, date], S],
    initial: S,
    at: Coordinate = NOW,
) -> S:
    """The state at a coordinate: what stands there, remembered in order."""
    state = initial
    for _, record in standing(history, at):
        state = evolve(state, record.fact, record.envelope.effective_on)
    return state


def in_order(record: Recorded[F], latest: date | None) -> bool:
    """The fact simply comes after all that stands, so a state may take one step more.

    `latest` is the latest effective day that stands. False means: fold again.
    """
    envelope = record.envelope
    if envelope.corrects is not None or envelope.voids is not None:
        return False
    return latest is None or envelope.effective_on >= latest


def latest_day(history: Iterable[Recorded[F]]) -> date | None:
    """The latest effective day that stands."""
    days = [record.envelope.effective_on for _, record in standing(history)]
    return max(days, default=None)
