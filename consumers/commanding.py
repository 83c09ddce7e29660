"""The loop that answers commands from Kafka: a poll, one batch, its answers out, then its offsets.

An offset is committed only once everything that leaves for its message is stored. So wherever the
loop ends, what it had not finished comes again, and the ledger answers it as before. Like the loop
of the views it has no clock, no chance and no connection of its own: all are handed in.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from consumers.answering import Answer, Answering, Leaving, Message, NotYet, Partition
from consumers.pace import is_stuck, pause_s
from consumers.refusals import NotSent
from domain.errors import TooContended

POLL_S = 1.0  # with nothing to do; a stop is heard within it


class Polled(NamedTuple):
    """What a poll brought.

    `revoked` are the partitions that were taken away since the poll before, also those that came
    back at once: what was held of them is to be let go, and comes again to whoever has them.
    """

    messages: Sequence[Message]
    revoked: Collection[Partition] = ()


class Incoming(Protocol):
    """Where messages come from: the partitions that this member of a group holds."""

    def poll(self, timeout_s: float) -> Polled:
        """The next messages, each partition's in its order, after so long at most.

        It has to be called all the time, or others are given the partitions. Nothing is handed over
        or taken away but here.
        """
        ...

    def pause(self) -> None:
        """Let polls bring nothing, of whatever partition, until `resume`."""
        ...

    def resume(self) -> None: ...

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Keep where to read on; False if it is not kept, so that some messages may come again."""
        ...


class Outgoing(Protocol):
    """Where answers go."""

    def send(self, leaving: Sequence[Leaving]) -> None:
        """Return when all are stored for good. Raises `NotSent`: some may be, and all go again."""
        ...


@dataclass(frozen=True, slots=True)
class Started:
    """A member of this group reads these topics."""

    group: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Messages were answered and their answers are out: commands by outcome, and what went aside.

    `repeated` of the accepted and refused had been answered before. `codes` counts the refused; of
    the dead, `PutAside` tells each. `took_s` is the time since the poll of this turn, in seconds.
    """

    accepted: int
    refused: int
    dead: int
    repeated: int
    codes: Mapping[str, int]
    took_s: float


@dataclass(frozen=True, slots=True)
class PutAside:
    """This message is among the dead letters now, by this code."""

    topic: str
    partition: int
    offset: int
    code: str


class Need(StrEnum):
    """What a message may have to wait for."""

    DATABASE = "database"
    TOPICS = "topics"  # for what leaves
    FILE = "file"  # that others changed each time it was tried


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is needed cannot be used now: messages are held for it."""

    for_what: Need
    code: str
    why: str
    held: int


@dataclass(frozen=True, slots=True)
class ReadingOn:
    """Nothing waits any longer: it was done at this try, or was taken away."""

    tries: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class Revoked:
    """Partitions were taken away, and so many messages let go that were held of them."""

    partitions: int
    let_go: int


@dataclass(frozen=True, slots=True)
class NotCommitted:
    """Where to read on in so many partitions was not kept, and is tried again at each turn.

    Should they be taken away before it is, some messages come again.
    """

    partitions: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The loop ends, as it was asked to; what it holds comes again to whoever is next."""

    held: int


Event = Started | Answered | PutAside | Waiting | ReadingOn | Revoked | NotCommitted | Ended


@dataclass(frozen=True, slots=True)
class World:
    """What the loop is given of the world."""

    timer: Callable[[], float]  # in seconds; never runs backwards, as a clock may
    chance: Callable[[], float]  # between 0 and 1
    stop_asked: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the loop does. Threads may read it: it is replaced, never changed.

    `seen_s` is when its last turn ended, by the timer. `waiting` is what it waits for, since
    `since_s`.
    """

    seen_s: float
    held: int = 0
    waiting: Waiting | None = None
    since_s: float = 0.0

    def stuck(self, now_s: float) -> bool:
        """Whether it has ended no turn for `STUCK_S_MAX`."""
        return is_stuck(self.seen_s, now_s)


@dataclass(slots=True)
class _Held:
    """A message from its poll until it is answered, and all that are before it."""

    message: Message
    answer: Answer | None = None
    out: bool = False


class Loop:
    """Answers commands until it is asked to stop; `tell` hears what happens to it."""

    def __init__(
        self,
        incoming: Incoming,
        outgoing: Outgoing,
        answering: Answering,
        world: World,
        tell: Callable[[Event], None],
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._answering = answering
        self._world = world
        self._tell = tell
        self._held: list[_Held] = []
        self._unkept: dict[Partition, int] = {}  # where to read on, as no commit has kept it yet
        self._tries = 0  # in vain, since the last turn that left nothing waiting
        self._waits_for: Need | None = None
        self._since_s = self._paused_s = self._began_s = 0.0
        self.pulse = Pulse(world.timer())

    def run(self) -> None:
        """Turn until a stop is asked for; the turn under way is finished."""
        while not self._world.stop_asked():
            self.turn()
        self._tell(Ended(len(self._held)))

    def turn(self) -> None:
        """Poll once, and bring what is held as far as it goes."""
        self._poll()
        waiting = self._judge()
        waiting = self._send() or waiting
        self._commit()
        self._settle(waiting)

    def _poll(self) -> None:
        """While something waits nothing new comes, and the poll is the pause between two tries."""
        timeout_s = pause_s(self._tries, self._world.chance()) if self._tries else POLL_S
        polled = self._incoming.poll(timeout_s)
        if polled.revoked:
            kept = [each for each in self._held if each.message.partition not in polled.revoked]
            self._tell(Revoked(len(polled.revoked), len(self._held) - len(kept)))
            self._held = kept
            for place in polled.revoked:
                self._unkept.pop(place, None)
        self._held += map(_Held, polled.messages)
        self._began_s = self._world.timer()

    def _judge(self) -> Waiting | None:
        asked = [each for each in self._held if each.answer is None]
        if not asked:
            return None
        not_yet: list[NotYet] = []
        answers = self._answering.answers([each.message for each in asked])
        for each, found in zip(asked, answers, strict=True):
            if isinstance(found, NotYet):
                not_yet.append(found)
            else:
                each.answer = found
        if not not_yet:
            return None
        # Without a database all wait, and for a file only what is about it: the worst is told.
        worst = min(not_yet, key=lambda each: each.code == TooContended.code)
        need = Need.FILE if worst.code == TooContended.code else Need.DATABASE
        return Waiting(need, worst.code, worst.why, len(self._held))

    def _send(self) -> Waiting | None:
        ready = [
            (each, each.answer) for each in self._held if each.answer is not None and not each.out
        ]
        if not ready:
            return None
        try:
            self._outgoing.send([each for _, answer in ready for each in answer.leaving])
        except NotSent as error:
            return Waiting(Need.TOPICS, error.code, error.why, len(self._held))
        for each, answer in ready:
            each.out = True
            if answer.dead:
                (topic, number), offset, _ = each.message
                self._tell(PutAside(topic, number, offset, answer.code))
        took_s = self._world.timer() - self._began_s
        self._tell(_summary([answer for _, answer in ready], took_s))
        return None

    def _commit(self) -> None:
        """Of each partition, up to the first message that is not finished."""
        done: dict[Partition, int] = {}
        left: list[_Held] = []
        unfinished = set[Partition]()
        for each in self._held:
            place = each.message.partition
            if each.out and place not in unfinished:
                done[place] = each.message.offset + 1
            else:
                unfinished.add(place)
                left.append(each)
        self._held = left
        self._unkept |= done
        if self._unkept and self._incoming.commit(self._unkept):
            self._unkept = {}
        elif done:
            self._tell(NotCommitted(len(done)))

    def _settle(self, waiting: Waiting | None) -> None:
        """Pause when something waits, and read on when nothing does any longer."""
        if waiting is not None:
            if not self._tries:
                self._incoming.pause()
                self._paused_s = self._world.timer()
            self._tries += 1
            if waiting.for_what is not self._waits_for:
                self._waits_for, self._since_s = waiting.for_what, self._world.timer()
                self._tell(waiting)
        elif self._tries:
            self._incoming.resume()
            self._tell(ReadingOn(self._tries + 1, self._world.timer() - self._paused_s))
            self._tries, self._waits_for = 0, None
        self.pulse = Pulse(self._world.timer(), len(self._held), waiting, self._since_s)


def _summary(answers: Sequence[Answer], took_s: float) -> Answered:
    codes: dict[str, int] = {}
    for answer in answers:
        if answer.code and not answer.dead:
            codes[answer.code] = codes.get(answer.code, 0) + 1
    dead = sum(answer.dead for answer in answers)
    accepted = sum(not answer.code for answer in answers)
    return Answered(
        accepted=accepted,
        refused=len(answers) - accepted - dead,
        dead=dead,
        repeated=sum(answer.repeated for answer in answers),
        codes=codes,
        took_s=took_s,
    )
