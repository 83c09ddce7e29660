"""Stores in memory that other writers use too, or that count what they are asked."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from commands.ports import Answered, Batch, Head, History, Store


@dataclass
class Watched:
    """Passes everything on to a store, and remembers what was read and what was to be stored.

    `before` happens once, right before the next batch is stored, and may raise.
    """

    store: Store
    loaded: list[str] = field(default_factory=list[str])
    batches: list[list[str]] = field(default_factory=list[list[str]])
    before: Callable[[], object] | None = None

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        return self.store.answered(command_ids)

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        self.loaded += sorted(streams)
        return self.store.load(streams)

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        return self.store.heads(streams)

    def append(self, batch: Batch) -> Sequence[bytes]:
        self.batches.append([answer.command_id for answer in batch.answers])
        before, self.before = self.before, None
        if before is not None:
            before()
        return self.store.append(batch)
