"""A stream in hand: its history, what stands of it, and what it would be after more facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, TypeVar

from domain import claim, mandate
from domain.claim import Claim
from domain.envelope import Envelope, Imported, Recorded
from domain.history import Coordinate, fold, in_order, latest_day
from domain.mandate import Mandate

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Decided:
    """A fact that was decided, and the day it was true; imported ones say from where, and why."""

    fact: Any
    effective_on: date
    imported: Imported | None = None
    rationale: str = ""  # the fact's own; the command's where it has none


@dataclass(frozen=True, slots=True)
class File(Generic[S]):
    """A stream with its state as all of its facts tell it.

    `latest` is the latest effective day that stands: a fact of that day or later is simply one
    step more, an earlier one means that the state is read again from the start.
    """

    stream: str
    evolve: Callable[[S, Any, date], S]
    initial: S
    history: tuple[Recorded[Any], ...]
    state: S
    latest: date | None

    @property
    def version(self) -> int:
        """How many facts the stream has."""
        return len(self.history)

    def as_of(self, day: date) -> S:
        """What is now held to have been true on a day."""
        return fold(self.history, self.evolve, self.initial, Coordinate(as_of=day))

    def after(self, records: Sequence[Recorded[Any]]) -> "File[S]":
        """The stream with more facts."""
        history, state, latest = (*self.history, *records), self.state, self.latest
        for record in records:
            if not in_order(record, latest):
                state, latest = fold(history, self.evolve, self.initial), latest_day(history)
                break
            latest = record.envelope.effective_on
            state = self.evolve(state, record.fact, latest)
        return replace(self, history=history, state=state, latest=latest)

    def imagined(
        self, decided: Sequence[Decided], corrects: int | None = None, voids: int | None = None
    ) -> "File[S]":
        """The stream as it would be with these facts: to look at, never to store."""
        pattern: Envelope = self.history[-1].envelope
        records = [
            Recorded(
                replace(
                    pattern,
                    version=self.version + number,
                    effective_on=each.effective_on,
                    corrects=corrects,
                    voids=voids,
                ),
                each.fact,
            )
            for number, each in enumerate(decided, start=1)
        ]
        return self.after(records)


def claim_file(stream: str, history: Sequence[Recorded[Any]]) -> File[Claim]:
    """A claim's stream in hand."""
    empty = File(stream, claim.evolve, Claim(), (), Claim(), None)
    return empty.after(history)


def mandate_file(stream: str, history: Sequence[Recorded[Any]]) -> File[Mandate]:
    """A mandate's stream in hand."""
    empty = File(stream, mandate.evolve, Mandate(), (), Mandate(), None)
    return empty.after(history)
