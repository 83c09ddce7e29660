"""The relay: the log is the outbox, and each of its facts is published, in order, at least once.

Some facts are sent, every message acknowledged, and only then is the position kept: a relay that
ends anywhere sends again what it may have sent, and leaves nothing out. Several may run at once, of
which one works. The loop has no clock, no client and no connection of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from consumers.fact_messages import write_fact
from consumers.messages import Record
from consumers.pace import POLL_S, PROGRESS_S_MIN, SUMMARY_S_MIN, World, is_stuck, pause_s
from domain.errors import Refused, StoreUnavailable, Unreadable
from domain.schema import from_stored

PAGE_FACTS = 1_000  # enough to share the wait for an acknowledgement; usually a megabyte
# Of keys, values and headers that are sent before the position moves: one wait for the broker,
# which the lock outlasts. With what frames 1,000 messages they are under a million, and one batch.
SEND_BYTES_MAX = 700_000


@dataclass(eq=False)
class NotAcknowledged(Refused):
    """What was sent to {topic} was not acknowledged, and some of it may be there: {why}"""

    code = "E776"
    remedy = "Look whether the broker runs; what is sent again does no harm to who follows."
    topic: str
    why: str


@dataclass(eq=False)
class RelayAtWork(Refused):
    """Another relay is at work on {topic}."""

    code = "E780"
    remedy = "Leave the work to it, or stop it first."
    topic: str


@dataclass(eq=False)
class LeavesAHole(Refused):
    """The topic {topic} has the log up to position {kept}; it would miss what is before {asked}."""

    code = "E781"
    remedy = "Start at the position after that, or before it, or send to a topic of its own."
    where = "--from"
    topic: str
    kept: int
    asked: int


class Stored(NamedTuple):
    """A fact as it is kept, whether or not it can be read: its place, its name and its bytes."""

    stream: str
    version: int
    name: str
    state: bytes
    position: int


class Log(Protocol):
    """The facts as they are kept. Raises `StoreUnavailable`."""

    def stored(self, after: int, limit: int) -> Sequence[Stored]:
        """The next facts past a position, in the order of positions; none at the end of the log."""
        ...


class Outgoing(Protocol):
    """The topic that facts are published to."""

    def send(self, records: Sequence[Record]) -> None:
        """Send in this order, and return when every one is acknowledged.

        Of one key, no record is ever there without those sent before it. Raises `NotAcknowledged`:
        then any part may be there, or come there later, and the next to be sent starts afresh.
        """
        ...


class Kept(Protocol):
    """Whose turn it is to publish, and up to where it was done. Raises `StoreUnavailable`."""

    def held(self) -> bool:
        """Whether the work is this relay's, from now on if it was nobody's."""
        ...

    def position(self) -> int:
        """Every fact up to it was acknowledged."""
        ...

    def move(self, position: int) -> None:
        """Keep a position further on, if the work is still this relay's."""
        ...


@dataclass(frozen=True, slots=True)
class Started:
    """The relay begins to publish to this topic, if nobody else does."""

    topic: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another relay is at work; this one takes over when it ends."""


@dataclass(frozen=True, slots=True)
class Working:
    """The work is this relay's, from a position on."""

    position: int


@dataclass(frozen=True, slots=True)
class Published:
    """So many facts were acknowledged since this was last said, up to a position."""

    facts: int
    position: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The topic holds the log; `facts` were published since this was last said."""

    facts: int
    position: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The database, or else the broker, does not answer, by the code of its refusal."""

    database: bool
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Back:
    """It answers again, at this try."""

    tries: int
    away_s: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """The relay ends; the topic holds every fact up to the position, of which it sent so many."""

    facts: int
    position: int


Event = Started | Waiting | Working | Published | CaughtUp | Lost | Back | Stopping


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the relay does. Threads may read it: it is replaced, never changed.

    `seen_s` is its last sign of life, by the timer: facts published, a turn ended, a try that
    failed. `working` is None before the first look and as long as the database is lost, False while
    another relay works. `lost` is what it does without, since `since_s`.
    """

    seen_s: float
    working: bool | None = None
    lost: Lost | None = None
    since_s: float = 0.0

    def stuck(self, now_s: float) -> bool:
        """Whether it has given no sign of life for `STUCK_S_MAX`."""
        return is_stuck(self.seen_s, now_s)


class Relay:
    """Publishes the log until it is asked to stop; `tell` hears what happens to it.

    `ledger` is the URI that the ledger goes by in what it says. Threads may read `facts`, which it
    sent, the `position` that it knows the topic to have, and `pulse`.
    """

    def __init__(
        self,
        topic: str,
        ledger: str,
        log: Log,
        outgoing: Outgoing,
        kept: Kept,
        world: World,
        tell: Callable[[Event], None],
    ) -> None:
        self._topic = topic
        self._ledger = ledger
        self._log = log
        self._outgoing = outgoing
        self._kept = kept
        self._world = world
        self._tell = tell
        self.facts = 0
        self.position = 0
        self.pulse = Pulse(world.timer())
        self._failures = 0
        self._lost_s = self._said_s = self._summed_s = float("-inf")
        self._published = 0  # facts since `Published` was told
        self._unsaid = 0  # and since `CaughtUp` was

    def run(self, *, once: bool = False) -> None:
        """Publish until a stop is asked for, or until the topic holds the log `once`.

        Raises an `Unreadable` for a fact that cannot be read, once all before it are published, and
        with `once` `RelayAtWork` where another relay is at work.
        """
        self._tell(Started(self._topic))
        while not self._world.stop_asked():
            try:
                level = self._turn(once=once)
            except (StoreUnavailable, NotAcknowledged) as error:
                self._lost(error)
                self._world.sleep(pause_s(self._failures, self._world.chance()))
                continue
            if level and once:
                break
            if not self._world.stop_asked():
                self._world.wait(POLL_S)
        self._tell(Stopping(self.facts, self.position))

    def _turn(self, *, once: bool) -> bool:
        """Publish what there is, if that is this relay's work; whether the topic is level."""
        if not self._kept.held():
            if once:
                raise RelayAtWork(self._topic)
            self._answered()
            if self.pulse.working is not False:
                self._tell(Waiting())
            self._seen(working=False)
            return False
        # Always asked anew: another may have worked since, and this one may have failed halfway.
        self.position = self._kept.position()
        if not self.pulse.working:
            self._tell(Working(self.position))
        self._seen(working=True)
        while page := self._log.stored(self.position, PAGE_FACTS):
            while page:
                page = page[self._publish(page) :]
                if self._world.stop_asked():
                    return False
        self._answered()
        self._level()
        return True

    def _publish(self, page: Sequence[Stored]) -> int:
        """Publish a page's first facts, and keep the position that brings the topic to; how many.

        Raises an `Unreadable` for the first that cannot be read, once those before it are kept.
        """
        records, unread = self._written(page)
        if records:
            self._outgoing.send(records)
            position = page[len(records) - 1].position
            self._kept.move(position)
            self._done(len(records), position)
        if unread is not None:
            place = page[len(records)].position
            unread.add_note(f"It is at position {place}; {self._topic} has all before it.")
            raise unread
        return len(records)

    def _written(self, page: Sequence[Stored]) -> tuple[list[Record], Unreadable | None]:
        """The messages of the first facts that go at once, and what is wrong with the next if it
        cannot be read.
        """
        records: list[Record] = []
        size = 0
        for stored in page:
            try:
                record = from_stored(*stored)
            except Unreadable as error:
                return records, error
            message = write_fact(stored.name, stored.state, record, self._ledger)
            size += _size(message)
            if records and size > SEND_BYTES_MAX:
                break
            records.append(message)
        return records, None

    def _done(self, facts: int, position: int) -> None:
        self._answered()
        self.position = position
        self.facts += facts
        self._published += facts
        self._unsaid += facts
        now_s = self._world.timer()
        if now_s - self._said_s >= PROGRESS_S_MIN:
            self._tell(Published(self._published, position))
            self._published, self._said_s = 0, now_s

    def _level(self) -> None:
        now_s = self._world.timer()
        first = self._summed_s == float("-inf")
        if first or (self._unsaid and now_s - self._summed_s >= SUMMARY_S_MIN):
            self._tell(CaughtUp(self._unsaid, self.position))
            self._published, self._unsaid, self._summed_s = 0, 0, now_s

    def _seen(self, *, working: bool) -> None:
        self.pulse = replace(self.pulse, seen_s=self._world.timer(), working=working)

    def _lost(self, error: StoreUnavailable | NotAcknowledged) -> None:
        now_s, before = self._world.timer(), self.pulse.lost
        lost = Lost(isinstance(error, StoreUnavailable), error.code, error.why)
        if before is None:
            self._lost_s = now_s
        self._failures += 1
        working = None if lost.database else self.pulse.working
        self.pulse = Pulse(now_s, working, lost, self._lost_s)
        if before is None or before.code != lost.code:
            self._tell(lost)

    def _answered(self) -> None:
        now_s = self._world.timer()
        self.pulse = replace(self.pulse, seen_s=now_s, lost=None)
        if self._failures:
            self._tell(Back(self._failures + 1, now_s - self._lost_s))
            self._failures, self._summed_s = 0, float("-inf")


def _size(message: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers
