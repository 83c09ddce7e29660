"""The files a reader of the log has seen lately, so that each fact is one step for its file."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any, Protocol, get_args

from domain import claim, mandate
from domain.claim import Claim
from domain.envelope import Recorded
from domain.errors import DamagedFact
from domain.history import in_order, standing
from domain.mandate import Mandate
from domain.schema import NAME_OF
from projections.view import Change, State, Step

FACTS_HELD_MAX = 250_000  # measured: about 1.5 kB each

_STREAMS: dict[type, tuple[Callable[..., Any], State]] = {
    **dict.fromkeys(get_args(claim.Fact), (claim.evolve, Claim())),
    **dict.fromkeys(get_args(mandate.Fact), (mandate.evolve, Mandate())),
}


class Log(Protocol):
    """The ledger's log. Raises an `Unreadable` for a fact that cannot be read."""

    def page(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """The next facts after a position, in the order of positions."""
        ...

    def histories(
        self, streams: Collection[str], up_to_position: int
    ) -> Mapping[str, Sequence[Recorded[Any]]]:
        """Each stream's facts, in versions, up to a position."""
        ...


@dataclass(slots=True)
class File:
    """A stream's facts so far, its state as all of them tell it, and the latest day that stands."""

    history: list[Recorded[Any]]
    state: State
    latest: date | None

    def take(self, record: Recorded[Any]) -> Change:
        """Remember the stream's next fact."""
        before, latest = self.state, self.latest
        self.history.append(record)
        if in_order(record, latest):
            evolve, _ = _STREAMS[type(record.fact)]
            self.latest = record.envelope.effective_on
            self.state = evolve(before, record.fact, self.latest)
            return Change(record, before, self.state, latest, True, (), (), (), self.history)
        old, new = standing(self.history[:-1]), standing(self.history)
        pairs = zip(old, new, strict=False)
        alike = sum(1 for _ in takewhile(lambda pair: pair[0][1] is pair[1][1], pairs))
        common = _course(old[:alike])
        was, became = _course(old[alike:], common), _course(new[alike:], common)
        self.latest, self.state = (became or common)[-1]
        return Change(record, before, self.state, latest, False, common, was, became, self.history)


def _course(facts: Sequence[tuple[int, Recorded[Any]]], after: Sequence[Step] = ()) -> list[Step]:
    """The stream step by step, through facts that stand in this order."""
    steps: list[Step] = []
    state = after[-1].state if after else None
    for _, record in facts:
        evolve, initial = _STREAMS[type(record.fact)]
        day = record.envelope.effective_on
        state = evolve(initial if state is None else state, record.fact, day)
        steps.append(Step(day, state))
    return steps


class Files:
    """The files seen lately, up to `FACTS_HELD_MAX` facts; others are loaded from the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._files: OrderedDict[str, File] = OrderedDict()
        self._held = 0

    def changes(self, page: Sequence[Recorded[Any]], after: int) -> list[Change]:
        """What each fact of the page of the log after a position made of its file."""
        self._load(page, after)
        changes = [self._change(record) for record in page]
        self._forget()
        return changes

    def _change(self, record: Recorded[Any]) -> Change:
        if type(record.fact) not in _STREAMS:
            return Change(record, None, None, None, True, (), (), (), ())
        envelope = record.envelope
        file = self._files[envelope.stream]
        if envelope.version != len(file.history) + 1:
            name = NAME_OF[type(record.fact)]
            why = f"it follows fact {len(file.history)}"
            raise DamagedFact(envelope.stream, envelope.version, name, why)
        self._files.move_to_end(envelope.stream)
        self._held += 1
        return file.take(record)

    def _load(self, page: Sequence[Recorded[Any]], after: int) -> None:
        """Have every file of the page at hand as it stood at the position."""
        first: dict[str, Recorded[Any]] = {}
        for record in page:
            if type(record.fact) in _STREAMS:
                first.setdefault(record.envelope.stream, record)
        missing: list[str] = []
        for stream, record in first.items():
            file = self._files.get(stream)
            if file is None or len(file.history) != record.envelope.version - 1:
                self._drop(stream)
                missing.append(stream)
        known = [stream for stream in missing if first[stream].envelope.version > 1]
        histories: Mapping[str, Sequence[Recorded[Any]]] = {}
        if known:
            histories = self._log.histories(known, after)
        for stream in missing:
            self._files[stream] = self._read(histories.get(stream, ()), first[stream])

    def _read(self, history: Sequence[Recorded[Any]], following: Recorded[Any]) -> File:
        self._held += len(history)
        course = _course(standing(history))
        _, initial = _STREAMS[type(following.fact)]
        latest, state = course[-1] if course else (None, initial)
        return File(list(history), state, latest)

    def _drop(self, stream: str) -> None:
        file = self._files.pop(stream, None)
        self._held -= len(file.history) if file else 0

    def _forget(self) -> None:
        while self._held > FACTS_HELD_MAX:
            _, file = self._files.popitem(last=False)
            self._held -= len(file.history)
