"""A log, a topic and the relay's books in memory, and the ways in which each of them fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from consumers.fact_messages import Followed, read_fact
from consumers.messages import Record
from consumers.pace import World
from consumers.relaying import Event, NotAcknowledged, Relay, Stored
from domain.errors import StoreUnavailable
from domain.schema import to_stored
from tests.projections.ledgers import Log

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEDGER = "urn:claims-ledger"
TOPIC = "claims.events"
PARTITIONS = 2


def rows(log: Log) -> list[Stored]:
    """A log as it is kept."""
    return [
        Stored(each.envelope.stream, each.envelope.version, *to_stored(each), each.position)
        for each in log
    ]


class Killed(BaseException):
    """The process of a relay ended here."""


@dataclass
class Shelf:
    """A log of rows, that can be away."""

    rows: list[Stored] = field(default_factory=list[Stored])
    away: bool = False

    def stored(self, after: int, limit: int) -> Sequence[Stored]:
        if self.away:
            raise StoreUnavailable("connection refused")
        return [row for row in self.rows if row.position > after][:limit]


@dataclass
class Topic:
    """Partitions of records. Of what is sent together, each partition's part comes whole or not.

    `fate` says of a part whether it is "stored", "lost", or comes "late" (when `late` is let in);
    unless all are stored, the sender hears that nothing was acknowledged.
    """

    partitions: dict[int, list[Record]] = field(default_factory=dict[int, list[Record]])
    late: list[tuple[int, list[Record]]] = field(default_factory=list[tuple[int, list[Record]]])
    fate: Callable[[], str] = lambda: "stored"

    def send(self, records: Sequence[Record]) -> None:
        parts: dict[int, list[Record]] = {}
        for record in records:
            parts.setdefault(sum(record.key or b"") % PARTITIONS, []).append(record)
        fates = {partition: self.fate() for partition in parts}
        for partition, fate in fates.items():
            if fate == "stored":
                self.partitions.setdefault(partition, []).extend(parts[partition])
            elif fate == "late":
                self.late.append((partition, parts[partition]))
        if set(fates.values()) != {"stored"}:
            raise NotAcknowledged(TOPIC, "no answer")

    def let_in(self) -> None:
        """What was under way arrives."""
        for partition, part in self.late:
            self.partitions.setdefault(partition, []).extend(part)
        self.late.clear()

    def followed(self) -> Iterator[Followed]:
        """What a follower has that takes each id once, partition by partition."""
        seen = set[tuple[str, int]]()
        for partition in sorted(self.partitions):
            for record in self.partitions[partition]:
                found = read_fact(record)
                if (found.stream, found.version) not in seen:
                    seen.add((found.stream, found.version))
                    yield found

    def files(self) -> dict[str, list[int]]:
        """The versions of each file, in the order in which a follower meets them."""
        found: dict[str, list[int]] = {}
        for each in self.followed():
            found.setdefault(each.stream, []).append(each.version)
        return found


@dataclass
class Book:
    """The position that all relays share, and who holds the lock."""

    position: int = 0
    holder: object = None
    away: bool = False


@dataclass
class Turn:
    """`consumers.relaying.Kept` of one relay: its session with the book, that can be cut."""

    book: Book
    cut: bool = False

    def held(self) -> bool:
        self._require_there()
        self.cut = False
        if self.book.holder is None:
            self.book.holder = self
        return self.book.holder is self

    def position(self) -> int:
        self._require_there()
        self._require_session()
        return self.book.position

    def move(self, position: int) -> None:
        self._require_there()
        self._require_session()
        assert position >= self.book.position, "it only moves forward"
        self.book.position = position

    def lose(self) -> None:
        """The session ends, and the lock with it."""
        self.cut = True
        if self.book.holder is self:
            self.book.holder = None

    def _require_there(self) -> None:
        if self.book.away:
            raise StoreUnavailable("connection refused")

    def _require_session(self) -> None:
        if self.cut:
            raise StoreUnavailable("the connection was cut")


@dataclass
class Stage:
    """One relay in a world whose clock moves when it is used."""

    shelf: Shelf = field(default_factory=Shelf)
    topic: Topic = field(default_factory=Topic)
    book: Book = field(default_factory=Book)
    now_s: float = 0.0
    stopping: bool = False
    waits: int = 0
    waits_max: int = 1_000
    script: dict[int, Callable[[], None]] = field(default_factory=dict[int, Callable[[], None]])
    sleeps: list[float] = field(default_factory=list[float])
    told: list[Event] = field(default_factory=list[Event])

    def __post_init__(self) -> None:
        self.turn = Turn(self.book)

    def relay(self) -> Relay:
        world = World(
            lambda: NOON + timedelta(seconds=self.now_s),
            lambda: self.now_s,
            self.wait,
            self.sleep,
            lambda: 0.0,
            lambda: self.stopping,
        )
        return Relay(TOPIC, LEDGER, self.shelf, self.topic, self.turn, world, self.told.append)

    def run(self) -> Relay:
        """Run until the script, or the patience of the stage, ends it."""
        relay = self.relay()
        relay.run()
        return relay

    def wait(self, timeout_s: float) -> bool:
        self.now_s += timeout_s
        self._passed()
        return False

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_s += seconds
        self._passed()

    def _passed(self) -> None:
        self.waits += 1
        self.script.pop(self.waits, lambda: None)()
        self.stopping = self.stopping or self.waits >= self.waits_max

    def stop(self) -> None:
        self.stopping = True
