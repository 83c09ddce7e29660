"""A Kafka of the tests' own, in memory: partitions, a group whose members move, and what was sent.

Everything that a loop asks of its world is a step; a test says at which one the process ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from commands.ledger import Ledger
from commands.parts import Command
from commands.receipt import Receipt, not_kept
from consumers.answering import Answering, Leaving, Message, Partition
from consumers.commanding import Event, Loop, Polled, World
from consumers.messages import Record
from consumers.refusals import NotSent
from consumers.topics import DEAD
from domain.errors import DamagedFact, StoreUnavailable, TooContended
from edge.store.errors import NOT_KEPT, CommitInDoubt
from tests.commands.bodies import Desk

LEDGER = "urn:claims-ledger"
POLL_MESSAGES = 4  # few, so that what a partition holds takes several polls
DAMAGED = "claim-DAMAGED"  # a file that cannot be read, as long as it is not mended


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Place:
    """The world around the loops: what is there, what is away, and when a process ends."""

    partitions: dict[Partition, list[Record]] = field(default_factory=dict[Partition, list[Record]])
    committed: dict[Partition, int] = field(default_factory=dict[Partition, int])
    stored: list[Leaving] = field(default_factory=list[Leaving])
    desk: Desk = field(default_factory=Desk)
    database: str = "there"  # away, in doubt: it stores and does not say so, half: it goes midway
    topics: str = "there"  # away, or dead: only the topic of dead letters
    offsets: str = "there"  # or away: nothing that is committed is kept
    mended: bool = False
    now_s: float = 0.0
    crash_in: int | None = None
    move_in: int | None = None
    members: dict[int, "Member"] = field(default_factory=dict[int, "Member"])
    generation: int = 0
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def step(self) -> None:
        """Something that a process was about to do, or just did."""
        if self.move_in is not None:
            self.move_in -= 1
            if self.move_in < 0:
                self.move_in = None
                self.rebalance(turn=1)
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise Crash

    def put(self, place: Partition, record: Record) -> Message:
        log = self.partitions.setdefault(place, [])
        log.append(record)
        return Message(place, len(log) - 1, record)

    def join(self) -> "Member":
        member = Member(self, next(self.numbers))
        self.members[member.number] = member
        self.rebalance()
        return member

    def leave(self, member: "Member") -> None:
        """It ended, or is held to have ended."""
        del self.members[member.number]
        self.rebalance()

    def rebalance(self, turn: int = 0) -> None:
        """Share the partitions out anew; each member hears of it at its next poll."""
        self.generation += 1
        numbers = sorted(self.members)
        for number in numbers:
            self.members[number].told = set()
        for at, place in enumerate(sorted(self.partitions)):
            if numbers:
                self.members[numbers[(at + turn) % len(numbers)]].told.add(place)

    def lag(self) -> int:
        return sum(
            len(log) - self.committed.get(place, 0) for place, log in self.partitions.items()
        )

    def handler(self) -> Callable[[Sequence[Command]], list[Receipt]]:
        """`handle_many` of a process that began just now: it remembers no file."""
        ledger = Ledger(self.desk.store, lambda: self.desk.now)

        def handle_many(commands: Sequence[Command]) -> list[Receipt]:
            self.step()
            receipts = self._judged(ledger, commands)
            self.step()
            return receipts

        return handle_many

    def _judged(self, ledger: Ledger, commands: Sequence[Command]) -> list[Receipt]:
        if self.database == "away":
            return [_unkept(each, StoreUnavailable("gone")) for each in commands]
        readable = [each for each in commands if each.stream != DAMAGED or self.mended]
        if self.database == "half":
            kept = ledger.handle_many(readable[: len(readable) // 2])
            rest = readable[len(readable) // 2 :]
            kept += [_unkept(each, TooContended(each.stream, 20)) for each in rest]
        else:
            kept = ledger.handle_many(readable)
        if self.database == "in doubt":
            return [_unkept(each, CommitInDoubt("cut")) for each in commands]
        told = iter(kept)
        damage = DamagedFact(DAMAGED, 1, "claim-notified.1", "no JSON")
        return [
            next(told) if each.stream != DAMAGED or self.mended else _unkept(each, damage)
            for each in commands
        ]


def _unkept(command: Command, error: StoreUnavailable | TooContended | DamagedFact) -> Receipt:
    return not_kept(command.command_id, command.stream, error)


@dataclass
class Member:
    """One process: a member of the group, and where it sends."""

    place: Place
    number: int
    told: set[Partition] = field(default_factory=set[Partition])  # by the group, not heard yet
    held: set[Partition] = field(default_factory=set[Partition])
    at: dict[Partition, int] = field(default_factory=dict[Partition, int])
    generation: int = 0
    paused: bool = False
    events: list[Event] = field(default_factory=list[Event])
    polls: list[float] = field(default_factory=list[float])
    stopping: bool = False

    def loop(self) -> Loop:
        world = World(lambda: self.place.now_s, lambda: 0.0, lambda: self.stopping)
        answering = Answering(self.place.handler(), NOT_KEPT, LEDGER, lambda: self.place.desk.now)
        return Loop(self, self, answering, world, self.events.append)

    def poll(self, timeout_s: float) -> Polled:
        self.place.step()
        self.polls.append(timeout_s)
        self.place.now_s += timeout_s
        revoked: set[Partition] = set()
        if self.generation != self.place.generation:
            revoked, self.held = self.held, set(self.told)
            self.generation = self.place.generation
            self.at = {each: self.place.committed.get(each, 0) for each in self.held}
        messages: list[Message] = []
        for each in sorted(self.held):
            log, start = self.place.partitions[each], self.at[each]
            stop = start if self.paused else min(len(log), start + POLL_MESSAGES - len(messages))
            messages += [Message(each, offset, log[offset]) for offset in range(start, stop)]
            self.at[each] = stop
        self.place.step()
        return Polled(messages, revoked)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        self.place.step()
        assert set(offsets) <= self.held, "it commits what it was told it no longer has"
        if self.generation != self.place.generation:
            return False  # the broker knows better than a member that has not heard yet
        if self.place.offsets == "away":
            return False
        for each, offset in offsets.items():
            assert offset >= self.place.committed.get(each, 0), "it commits what is done already"
        self.place.committed.update(offsets)
        self.place.step()
        return True

    def send(self, leaving: Sequence[Leaving]) -> None:
        for number, each in enumerate(leaving):
            self.place.step()
            away = self.place.topics == "away" and number >= len(leaving) // 2
            if away or (self.place.topics == "dead" and each.topic == DEAD):
                raise NotSent("no broker answers")
            self.place.stored.append(each)
        self.place.step()
