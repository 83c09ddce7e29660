"""A stream in hand: its history, what stands of it, and what it would be after more facts."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Generic, TypeVar

from domain import claim, mandate
from domain.claim import Claim
from domain.envelope import Envelope, Imported, Recorded
from domain.history import Coordinate, fold, in_order, latest_day
from domain.mandate import Mandate
from domain.value import Value, replace

S = TypeVar("S")

_NO_CLAIM, _NO_MANDATE = Claim(), Mandate()


class Decided(Value, frozen=True):
    """A fact that was decided, and the day it was true; imported ones say from where, and why."""

    fact: Any
    effective_on: date
    imported: Imported | None = None
    rationale: str = ""  # the fact's own; the command's where it has none


class File(Value, Generic[S], frozen=True):
    """A stream with its state as all of its facts tell it.

    `latest` is the latest effective day that stands: a fact of that day or later is simply one
    step more, an earlier one means that the state is read again from the start. `added` are the
    facts in hand; those before them, if any, `earlier` reads when they are asked for.
    """

    stream: str
    evolve: Callable[[S, Any, date], S]
    initial: S
    state: S
    latest: date | None = None
    version: int = 0  # how many facts the stream has
    added: tuple[Recorded[Any], ...] = ()
    earlier: Callable[[], Sequence[Recorded[Any]]] = tuple

    @property
    def history(self) -> tuple[Recorded[Any], ...]:
        """Every fact of the stream, in versions."""
        return (*self.earlier(), *self.added)

    def as_of(self, day: date) -> S:
        """What is now held to have been true on a day."""
        return fold(self.history, self.evolve, self.initial, Coordinate(as_of=day))

    def after(self, records: Sequence[Recorded[Any]]) -> "File[S]":
        """The stream with more facts."""
        added, state, latest = (*self.added, *records), self.state, self.latest
        for record in records:
            if not in_order(record, latest):
                history = (*self.earlier(), *added)
                state, latest = fold(history, self.evolve, self.initial), latest_day(history)
                break
            latest = record.envelope.effective_on
            state = self.evolve(state, record.fact, latest)
        version = self.version + len(records)
        return File(
            self.stream, self.evolve, self.initial, state, latest, version, added, self.earlier
        )

    def resting_on(self, earlier: Callable[[], Sequence[Recorded[Any]]]) -> "File[S]":
        """The same stream without the facts in hand; `earlier` reads them all."""
        return File(
            self.stream,
            self.evolve,
            self.initial,
            self.state,
            self.latest,
            self.version,
            (),
            earlier,
        )

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


class _Once(Generic[S]):
    """A step that was just taken, to measure what it comes to, is not worked out again."""

    def __init__(self, evolve: Callable[[S, Any, date], S]) -> None:
        self._evolve = evolve
        self._last: tuple[S, object, date, S] | None = None

    def __call__(self, state: S, fact: Any, on: date) -> S:
        last = self._last  # read once: threads share it
        if last is not None and last[0] is state and last[1] is fact and last[2] == on:
            return last[3]
        after = self._evolve(state, fact, on)
        self._last = (state, fact, on, after)
        return after


_EVOLVE_CLAIM = _Once(claim.evolve)


def claim_file(stream: str, history: Sequence[Recorded[Any]]) -> File[Claim]:
    """A claim's stream in hand."""
    return File(stream, _EVOLVE_CLAIM, _NO_CLAIM, _NO_CLAIM).after(history)


def mandate_file(stream: str, history: Sequence[Recorded[Any]]) -> File[Mandate]:
    """A mandate's stream in hand."""
    return File(stream, mandate.evolve, _NO_MANDATE, _NO_MANDATE).after(history)
