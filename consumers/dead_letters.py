"""Dead letters: what nobody could read, its bytes untouched, where it came from, and why."""

from dataclasses import dataclass
from datetime import datetime

from commands.door import shown
from consumers.messages import Record
from consumers.refusals import BadHeader, MissingHeader

WHY_BYTES_MAX = 1_000  # of a reason: a sentence or two, and what it quotes is cut already
HEADERS = ("dead_topic", "dead_partition", "dead_offset", "dead_code", "dead_why", "dead_at")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was put aside, as it came, with its place, and the code and words of why."""

    record: Record
    topic: str
    partition: int
    offset: int
    code: str
    why: str
    at: datetime


def dead_letter(
    record: Record, topic: str, partition: int, offset: int, code: str, why: str, at: datetime
) -> DeadLetter:
    """A message of this place, put aside at this moment (with its zone); the reason is shortened to
    what a header may hold.
    """
    short = shown(why, WHY_BYTES_MAX).encode()[:WHY_BYTES_MAX].decode(errors="ignore")
    return DeadLetter(record, topic, partition, offset, code, short, at)


def write_dead(letter: DeadLetter) -> Record:
    """The record of a dead letter: the message, and six headers after its own."""
    told = (
        letter.topic,
        str(letter.partition),
        str(letter.offset),
        letter.code,
        letter.why,
        letter.at.isoformat(),
    )
    added = [(name, value.encode()) for name, value in zip(HEADERS, told, strict=True)]
    return letter.record._replace(headers=(*letter.record.headers, *added))


def read_dead(record: Record) -> DeadLetter:
    """The dead letter that a record holds. Raises `MissingHeader` or `BadHeader`.

    Only the last headers count: what stands before them is the message's, whatever it is called.
    """
    own, added = record.headers[: -len(HEADERS)], record.headers[-len(HEADERS) :]
    for expected, (name, value) in zip(HEADERS, added, strict=False):
        if name != expected or value is None:
            raise MissingHeader(expected)
    if len(added) < len(HEADERS):
        raise MissingHeader(HEADERS[len(added)])
    try:
        topic, partition, offset, code, why, at = ((value or b"").decode() for _, value in added)
    except UnicodeDecodeError:
        raise BadHeader("dead_why", "it is not UTF-8") from None
    try:
        place, moment = (int(partition), int(offset)), datetime.fromisoformat(at)
    except ValueError:
        raise BadHeader("dead_offset", "a place in whole numbers, and a moment") from None
    return DeadLetter(record._replace(headers=tuple(own)), topic, *place, code, why, moment)
