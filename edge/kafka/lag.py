"""How far a member of a group is behind in each partition that it holds, in messages and in time.

The lag is what a restart would read again or anew: from the oldest message that is polled and not
committed, or else from where the next poll reads, up to where the partition ends. So it grows, too,
while the member takes nothing in.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from consumers.answering import Partition


class Lag(NamedTuple):
    """One partition: messages not yet committed, and when the oldest of them came, in seconds of
    the Unix epoch, None when there is none.

    Of a message that was polled that is when the broker stored it. Of one that was not it is the
    last moment at which it cannot have been there.
    """

    partition: Partition
    messages: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True)
class Holding:
    """What a member holds. Threads may read it: it is replaced, never changed.

    `rebalances` counts how often the group gave it partitions. `well_s` is when the broker last did
    what was asked, by the monotonic timer.
    """

    well_s: float
    lags: tuple[Lag, ...] = ()
    rebalances: int = 0


@dataclass(slots=True)
class _Place:
    end: int = 0
    next: int = 0  # where the next poll reads
    none_s: float = 0.0  # the oldest that was not polled has come since
    polled: deque[tuple[int, float]] = field(default_factory=deque[tuple[int, float]])


class Lags:
    """The places of the partitions that are held; moments are in seconds of the Unix epoch."""

    def __init__(self) -> None:
        self._places: dict[Partition, _Place] = {}

    def polled(self, partition: Partition, messages: Iterable[tuple[int, float]]) -> None:
        """The offset of each message, and its time."""
        place = self._places.setdefault(partition, _Place())
        place.polled.extend(messages)
        if place.polled:
            place.next = place.polled[-1][0] + 1

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Everything before these offsets is done."""
        for partition, offset in offsets.items():
            place = self._places.get(partition)
            while place and place.polled and place.polled[0][0] < offset:
                _, came_s = place.polled.popleft()
                place.none_s = max(place.none_s, came_s)

    def read_anew(self) -> None:
        """All is read again from where it was committed."""
        for place in self._places.values():
            place.polled.clear()

    def looked(self, found: Mapping[Partition, tuple[int, int]], now_s: float) -> None:
        """Where the partitions that are held read next, and where they end; no other is held."""
        for partition in self._places.keys() - found.keys():
            del self._places[partition]
        for partition, (reads, end) in found.items():
            place = self._places.setdefault(partition, _Place(none_s=now_s))
            place.next, place.end = reads, end
            if end <= reads:
                place.none_s = now_s

    def let_go(self, partitions: Iterable[Partition]) -> None:
        """These were taken away."""
        for partition in partitions:
            self._places.pop(partition, None)

    def now(self) -> tuple[Lag, ...]:
        """The lags by partition."""
        return tuple(_lag(partition, place) for partition, place in sorted(self._places.items()))


def _lag(partition: Partition, place: _Place) -> Lag:
    if place.polled:
        first, came_s = place.polled[0]
        return Lag(partition, max(place.end, place.next) - first, came_s)
    waiting = max(0, place.end - place.next)
    return Lag(partition, waiting, place.none_s if waiting else None)
