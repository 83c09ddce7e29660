"""Stores in memory that a test holds up, breaks, or takes away for a while."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from threading import Event

from commands.ports import Answered, Batch, History
from domain.errors import StoreUnavailable
from edge.store.memory_store import MemoryStore


class HeldStore(MemoryStore):
    """Stores a batch only while its gate is open, and remembers how many answers each had.

    It is away for as many batches as it is told, and raises what it is told when a stream is read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()
        self.gate.set()
        self.reached = Event()  # a batch stands at the gate, or went through it
        self.batches: list[int] = []
        self.away = 0
        self.broken: dict[str, Exception] = {}

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        for stream in streams:
            error = self.broken.get(stream)
            if error is not None:
                raise error
        return super().load(streams)

    def append(self, batch: Batch) -> Sequence[bytes]:
        self.reached.set()
        self.gate.wait()
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the test says so")
        self.batches.append(len(batch.answers))
        return super().append(batch)


class FlakyStore(MemoryStore):
    """Is away whenever its script says so; a script's end is a store that stays."""

    def __init__(self, away: Iterator[bool]) -> None:
        super().__init__()
        self.away = away

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        self._come_and_go()
        return super().answered(command_ids)

    def append(self, batch: Batch) -> Sequence[bytes]:
        self._come_and_go()
        receipts = super().append(batch)
        self._come_and_go()  # stored, and nobody hears so
        return receipts

    def _come_and_go(self) -> None:
        if next(self.away, False):
            raise StoreUnavailable("the script says so")
