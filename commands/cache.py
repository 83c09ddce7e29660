"""Files as they were last read or written here, so that a batch need not read them again.

Only a cache: the store proves the version of each file that a decision rests on, so what is stale
costs a second judgement and nothing else. It keeps what a file's facts came to and not the facts;
the few commands that look at the past read them from the store, and find out if they are others.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from commands.file import File
from commands.ports import Head, History, Moved
from domain.envelope import Recorded
from domain.value import Value

# A file of five facts counts for 5 kB and takes less, so this is 12,000 of them: as many as are
# worked on in a day, in a sixth of the memory that a process of the ledger may take.
CACHE_BYTES_MAX = 64_000_000
FILE_BYTES = 1_000  # what is kept about any file, besides what its facts came to


@dataclass(slots=True)
class Earlier:
    """The facts of a file of which only the state was kept; read once, when asked for.

    Raises `Moved` when the stored facts are not those that the state was made of.
    """

    read: Callable[[Collection[str]], Mapping[str, History]]
    stream: str
    head: Head
    facts: Sequence[Recorded[Any]] | None = None

    def __call__(self) -> Sequence[Recorded[Any]]:
        facts = self.facts  # looked at once: another thread may let go of them
        if facts is None:
            facts = self.read([self.stream])[self.stream][: self.head.version]
            if len(facts) < self.head.version or facts[-1].digest != self.head.digest:
                raise Moved([self.stream])
            self.facts = facts
        return facts


class Known(Value, frozen=True):
    """A file as it was last known, where its stream ended, and the bytes that this counts for.

    What facts came to takes no more than the bytes that they are stored in, which are counted.
    That a stream has no fact yet is known as well: few people have a mandate.
    """

    file: File[Any]
    head: Head | None
    size: int = 0


class Cache:
    """Files by stream, those used last, bounded in bytes. Threads may share it."""

    def __init__(
        self,
        read: Callable[[Collection[str]], Mapping[str, History]],
        bytes_max: int = CACHE_BYTES_MAX,
    ) -> None:
        self._read = read
        self._bytes_max = bytes_max
        self._known: dict[str, Known] = {}  # the one used longest ago comes first
        self._size = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        """About how many bytes the files take."""
        return self._size

    def find(self, streams: Iterable[str]) -> dict[str, Known]:
        """Those of the files that are known."""
        found: dict[str, Known] = {}
        with self._lock:
            for stream in streams:
                known = self._known.pop(stream, None)
                if known is not None:
                    found[stream] = self._known[stream] = known
        return found

    def keep(self, files: Iterable[Known]) -> None:
        """Remember files; the facts in hand of one that was found here were added since."""
        with self._lock:
            for each in files:
                file, stream = each.file, each.file.stream
                before = self._known.get(stream)
                if before is None or before.file.version < file.version:  # else it is later
                    self._forget(stream)
                    size = before.size if before else FILE_BYTES
                    size += sum(len(record.stored) for record in file.added)
                    # Without the facts, which take far more than what they came to.
                    if each.head is not None:
                        file = file.resting_on(Earlier(self._read, stream, each.head))
                    self._known[stream] = Known(file, each.head, size)
                    self._size += size
                elif isinstance(before.file.earlier, Earlier):
                    before.file.earlier.facts = None  # a command that was refused had read them
            while self._size > self._bytes_max:
                self._forget(next(iter(self._known)))

    def drop(self, streams: Iterable[str]) -> None:
        """Forget files that are not as they were known."""
        with self._lock:
            for stream in streams:
                self._forget(stream)

    def clear(self) -> None:
        """Forget all: a database that was away may be another one when it comes back."""
        with self._lock:
            self._known.clear()
            self._size = 0

    def _forget(self, stream: str) -> None:
        known = self._known.pop(stream, None)
        if known is not None:
            self._size -= known.size
