"""What deciding needs of a store, and what it hands to it: the only seam between the two."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from domain.envelope import Recorded
from domain.value import Value, field

History = Sequence[Recorded[Any]]


class Answered(Value, frozen=True):
    """What a command_id was answered with: the SHA-256 of the body, and the receipt's bytes."""

    body_sha256: bytes
    receipt: bytes


class Answer(Value, frozen=True):
    """An answer to keep, in the transaction that stores the facts it speaks of.

    `facts` are the indices of its facts in the batch. Their positions are known only under the
    store's lock: `receipt` makes the bytes to keep from them.
    """

    command_id: str
    body_sha256: bytes
    stream: str
    recorded_at: datetime
    facts: range
    receipt: Callable[[Sequence[int]], bytes]


class ToStore(Value, frozen=True):
    """One fact, ready to be stored: `state` is the bytes that the chain covers."""

    stream: str
    version: int
    name: str
    state: bytes


class Batch(Value, frozen=True):
    """Everything that one transaction stores, and the versions that its decisions rest on.

    `read` maps every stream that was read, written or not, to the version it was read at (0 for
    a stream without a fact). `digests` has the SHA-256 (hex) of the last fact of those that were
    not read for this batch but remembered: in a database that was restored meanwhile, another fact
    may have that version. The store proves all of it under its lock, or stores nothing.
    """

    facts: Sequence[ToStore]
    answers: Sequence[Answer]
    read: Mapping[str, int]
    digests: Mapping[str, str] = field(default_factory=dict[str, str])


class Head(Value, frozen=True):
    """Where a stream ends: what the next fact of it has to follow."""

    version: int
    digest: str  # SHA-256 (hex) of the last fact's stored bytes
    recorded_at: datetime


def head_of(last: Recorded[Any]) -> Head:
    """The head of a stream from its last fact."""
    return Head(last.envelope.version, last.digest, last.envelope.recorded_at)


class Moved(Exception):
    """Since it was read, a stream was written, or a command answered; nothing is stored.

    `streams` and `command_ids` are those of the batch that this happened to, as far as the store
    can tell: both empty, it may be any of them.
    """

    def __init__(self, streams: Iterable[str] = (), command_ids: Iterable[str] = ()) -> None:
        self.streams = frozenset(streams)
        self.command_ids = frozenset(command_ids)
        super().__init__(", ".join(sorted(self.streams | self.command_ids)))


class Store(Protocol):
    """The log and the answers. Raises `StoreUnavailable` when the database does not answer."""

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        """The answers already kept, by command_id."""
        ...

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        """The whole history of each stream, in versions; an empty one for a new stream."""
        ...

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        """The last fact of each stream that has one, without reading the others."""
        ...

    def append(self, batch: Batch) -> Sequence[bytes]:
        """Store it all or nothing, durably; the receipts kept, in the order of the answers.

        Raises `Moved` when a version read is not the stream's version any more, or when a
        command_id of the batch has been answered meanwhile.
        """
        ...
