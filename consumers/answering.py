"""A message from a topic of commands, and everything that leaves for it: one way, whoever asks."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from commands.parts import Command
from commands.receipt import Receipt, not_kept
from consumers.command_messages import Arrived, Dead, read_command, write_receipt
from consumers.dead_letters import dead_letter, write_dead
from consumers.messages import Record
from consumers.topics import DEAD, RECEIPTS, source_of

OF_UNREADABLE = ("E8", "E9")  # how the codes begin of what is stored and cannot be read


class Partition(NamedTuple):
    """One partition of a topic: what is in it has an order."""

    topic: str
    number: int


class Message(NamedTuple):
    """A record, and where it is."""

    partition: Partition
    offset: int
    record: Record


class Leaving(NamedTuple):
    """A record that leaves, and the topic it goes to."""

    topic: str
    record: Record


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message came to, for good, and what leaves for it.

    `code` is that of the refusal, "" for an accepted command. `dead`: it was no command, or one on
    a file that cannot be read, and goes aside. `repeated`: it had been answered before.
    """

    code: str
    dead: bool
    repeated: bool
    leaving: tuple[Leaving, ...]


@dataclass(frozen=True, slots=True)
class NotYet:
    """The ledger cannot say now, for a reason that is not the command's: ask again."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Answering:
    """What it takes to answer messages.

    `handle_many` is the ledger's. `not_yet` are the codes of refusals that the ledger does not keep
    because it judged nothing. `ledger` is the URI that it goes by.
    """

    handle_many: Callable[[Sequence[Command]], Sequence[Receipt]]
    not_yet: Collection[str]
    ledger: str
    clock: Callable[[], datetime]

    def answers(self, messages: Sequence[Message]) -> list[Answer | NotYet]:
        """An answer to each message: the commands in them are one batch, in this order.

        Raises `UnknownSource` for a message from a topic that is no application's.
        """
        read = [read_command(each.record, source_of(each.partition.topic)) for each in messages]
        commands = [each.command for each in read if isinstance(each, Arrived)]
        receipts = iter(self.handle_many(commands) if commands else ())
        return [
            self._put_aside(message, found)
            if isinstance(found, Dead)
            else self._answered(message, next(receipts), found.traceparent)
            for message, found in zip(messages, read, strict=True)
        ]

    def _answered(self, message: Message, receipt: Receipt, trace: str) -> Answer | NotYet:
        code = receipt.code
        if code in self.not_yet:
            return NotYet(code, receipt.data["message"])
        leaving = Leaving(RECEIPTS, write_receipt(receipt, self.ledger, trace))
        if not code.startswith(OF_UNREADABLE):
            return Answer(code, dead=False, repeated=receipt.repeated, leaving=(leaving,))
        aside = self._aside(message, code, receipt.data["message"])
        return Answer(code, dead=True, repeated=False, leaving=(aside, leaving))

    def _put_aside(self, message: Message, dead: Dead) -> Answer:
        leaving = [self._aside(message, dead.error.code, str(dead.error))]
        if dead.command_id:  # without an id nobody can be told
            receipt = not_kept(dead.command_id, dead.stream, dead.error)
            told = write_receipt(receipt, self.ledger, dead.traceparent)
            leaving.append(Leaving(RECEIPTS, told))
        return Answer(dead.error.code, dead=True, repeated=False, leaving=tuple(leaving))

    def _aside(self, message: Message, code: str, why: str) -> Leaving:
        (topic, number), offset, record = message
        letter = dead_letter(record, topic, number, offset, code, why, self.clock())
        return Leaving(DEAD, write_dead(letter))
