"""A file at any coordinate of its history: known at T, as of D, at a position, before one fact.

Pure: no clock, no store, no order of hashing. What was recorded after the coordinate cannot be
seen from it, so no later correction changes the answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from domain.claim import Claim, Fact, evolve
from domain.difference import Plain, changed_fields
from domain.envelope import Recorded
from domain.errors import CutoffNotFound
from domain.history import NOW, Coordinate, standing

History = Sequence[Recorded[Fact]]


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file at a coordinate.

    `known` is how many facts the ledger had been told; `stands` are those of them that count
    there, each with the version whose place it takes, in the order in which they are read.
    """

    stream: str
    at: Coordinate
    known: int
    stands: tuple[tuple[int, Recorded[Fact]], ...]
    claim: Claim

    def fields(self) -> dict[str, Plain]:
        """Every field of the state by its path, in the order of the paths; nothing is "not there".

        The one rendering of a state: the same on every machine and in every process.
        """
        return {path: value for path, _, value in changed_fields(None, self.claim)}

    def render(self) -> bytes:
        """The fields as JSON, byte for byte the same for the same history and coordinate."""
        return json.dumps(self.fields(), separators=(",", ":"), ensure_ascii=False).encode()


def file_at(history: History, at: Coordinate = NOW) -> FileAt:
    """The file at a coordinate of its history (all of its facts, in versions).

    Raises `CutoffNotFound` for a version the file does not have and for a coordinate at which the
    file had not begun. That T or a position still lies ahead of the log is not for a history to
    know: such a coordinate is read as its end.
    Complexity: one pass, one sort and one fold over the file's facts.
    """
    if at.version is not None and not 1 <= at.version <= len(history):
        raise CutoffNotFound(_stream(history), f"fact {at.version}")
    stands = tuple(standing(history, at))
    if not stands:
        raise CutoffNotFound(_stream(history), f"fact {_limits(at)}".rstrip())
    claim = Claim()
    for _, record in stands:
        claim = evolve(claim, record.fact, record.envelope.effective_on)
    return FileAt(history[0].envelope.stream, at, known(history, at), stands, claim)


def just_before(history: History, version: int) -> Coordinate:
    """The coordinate that saw everything but this fact and what came after it.

    Raises `CutoffNotFound` for a version the file does not have, and for the first: before it
    there was no file.
    """
    if not 1 <= version <= len(history):
        raise CutoffNotFound(_stream(history), f"fact {version}")
    if version == 1:
        raise CutoffNotFound(_stream(history), "state before its first fact")
    return Coordinate(version=version - 1)


def known(history: History, at: Coordinate) -> int:
    """How many facts had been recorded at a coordinate: always the first ones of the file."""
    return len(history) if at == NOW else sum(map(at.knows, history))


def _limits(at: Coordinate) -> str:
    """The coordinate in words, for the message."""
    words = [
        f"recorded by {at.known_at.isoformat()}" if at.known_at else "",
        f"up to version {at.version}" if at.version else "",
        f"up to position {at.position} of the log" if at.position is not None else "",
        f"effective by {at.as_of.isoformat()}" if at.as_of else "",
    ]
    return " and ".join(word for word in words if word)


def _stream(history: History) -> str:
    return history[0].envelope.stream if history else "asked for"
