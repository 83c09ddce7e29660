"""Named points of the consumer and the relay, at which they die by their own hand.

Found as those of the writers are: by what the product does there, through its own parts.
"""

from collections.abc import Callable, Mapping, Sequence

from consumers.answering import Answer, Answering, Message, NotYet, Partition
from edge.kafka.incoming import KafkaIncoming
from edge.relaying import RelayPosition
from tests.faults.journal import Journal
from tests.faults.points import meeting
from tests.faults.process import Fate

BEFORE_RECEIPTS = "after COMMIT, before the receipts"
BEFORE_OFFSETS = "after the receipts, before the offsets"
BEFORE_POSITION = "after publishing, before the position"
OF_A_CONSUMER = (BEFORE_RECEIPTS, BEFORE_OFFSETS)
OF_A_RELAY = (BEFORE_POSITION,)


def await_fate(fate: Fate, journal: Journal) -> None:
    """From now on, this process meets its fate when it passes the point often enough."""
    passing = meeting(fate, journal)
    _watch_answers(passing)
    _watch_offsets(passing)
    _watch_position(passing)


def _watch_answers(passing: Callable[[str], None]) -> None:
    """Only what was answered for the first time: the receipt of a repeat may be out already."""
    answers = Answering.answers

    def watched(self: Answering, messages: Sequence[Message]) -> list[Answer | NotYet]:
        found = answers(self, messages)
        if any(isinstance(each, Answer) and not (each.repeated or each.dead) for each in found):
            passing(BEFORE_RECEIPTS)
        return found

    Answering.answers = watched  # type: ignore[method-assign]  # the product answers through this


def _watch_offsets(passing: Callable[[str], None]) -> None:
    commit = KafkaIncoming.commit

    def watched(self: KafkaIncoming, offsets: Mapping[Partition, int]) -> bool:
        passing(BEFORE_OFFSETS)
        return commit(self, offsets)

    KafkaIncoming.commit = watched  # type: ignore[method-assign]  # the product commits through this


def _watch_position(passing: Callable[[str], None]) -> None:
    move = RelayPosition.move

    def watched(self: RelayPosition, position: int) -> None:
        passing(BEFORE_POSITION)
        move(self, position)

    RelayPosition.move = watched  # type: ignore[method-assign]  # the product keeps it through this
