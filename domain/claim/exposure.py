"""What a file contributes to the totals, and on which day: the cells that reserve totals add up.

A cell is a reserve line together with what totals are grouped by. Whatever a fact changes (an
estimate, a payment, the handler, our share), the difference between the file's cells before and
after it is what the totals move by, so no fact needs a rule of its own here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import zip_longest
from operator import add, sub
from typing import NamedTuple

from domain.claim import Claim, Fact, evolve
from domain.claim.apportionment import Apportionments
from domain.claim.reserves import LineState
from domain.envelope import Recorded
from domain.history import NOW, Coordinate, standing
from domain.terms import Line
from domain.value import Value

UNALLOCATED = "unallocated"


class Cell(Value, frozen=True):
    """A line of a file, in the hands of a pathway and a handler."""

    line: Line
    pathway: str
    handler: str


class Amounts(NamedTuple):
    """Whole minor units of the cell's currency, whole claim and our share; signed in a movement."""

    estimate: int = 0
    paid: int = 0
    recovered: int = 0
    our_estimate: int = 0
    our_paid: int = 0
    our_recovered: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """The sum of each figure."""
        return Amounts._make(map(add, self, other))

    def minus(self, other: "Amounts") -> "Amounts":
        """The difference of each figure."""
        return Amounts._make(map(sub, self, other))


NONE = Amounts()
Moves = Mapping[tuple[date, Cell], Amounts]


def cells(claim: Claim) -> dict[Cell, Amounts]:
    """The file's cells as it stands."""
    hands, shares = _hands(claim), claim.apportionments
    return {
        Cell(line, *hands): _amounts(shares, line, state)
        for line, state in claim.reserves.lines.items()
    }


def step(before: Claim, after: Claim, on: date) -> dict[tuple[date, Cell], Amounts]:
    """What one step of the file, effective `on` its day, moves.

    Complexity: what both share as one object has not moved, and is not looked into.
    """
    moves: dict[tuple[date, Cell], Amounts] = {}
    if before.lifecycle is not after.lifecycle and _hands(before) != _hands(after):
        for cell, amounts in cells(before).items():
            _add(moves, on, cell, NONE.minus(amounts))
        for cell, amounts in cells(after).items():
            _add(moves, on, cell, amounts)
        return moves
    touched = _touched(before, after)
    if touched:
        hands = _hands(after)
        shares_before, shares_after = before.apportionments, after.apportionments
        for line, was, became in touched:
            moved = _amounts(shares_after, line, became).minus(_amounts(shares_before, line, was))
            _add(moves, on, Cell(line, *hands), moved)
    return moves


def _touched(before: Claim, after: Claim) -> list[tuple[Line, LineState | None, LineState | None]]:
    """The lines on which anything may have moved between two states in the same hands."""
    was, became = before.reserves.lines, after.reserves.lines
    if before.apportionments is not after.apportionments:
        return [(line, was.get(line), became.get(line)) for line in {**was, **became}]
    if was is became:
        return []
    lines = list(became)
    both: Iterable[tuple[Line, LineState | None, LineState | None]]
    # Lines mostly come up and stay in their order: to compare is cheaper than to look up.
    if list(was) == lines[: len(was)]:
        both = zip_longest(lines, was.values(), became.values())
    else:
        both = ((line, was.get(line), became.get(line)) for line in {**was, **became})
    return [each for each in both if each[1] is not each[2]]


def _hands(claim: Claim) -> tuple[str, str]:
    """The pathway and the handler that the file is in the hands of."""
    life = claim.lifecycle
    return str(life.pathway or UNALLOCATED), life.handler or UNALLOCATED


def _amounts(shares: Apportionments, line: Line, state: LineState | None) -> Amounts:
    """What the file holds on a line; nothing where it has none."""
    if state is None:
        return NONE
    estimate, paid, recovered = state.estimate, state.paid, state.recovered
    # A contribution is what brings the whole down to our share; it is no part of our share.
    ours_back = recovered - state.contributed
    if not shares.agreed:  # all of it is ours
        return Amounts(estimate, paid, recovered, estimate, paid, ours_back)
    our_paid = shares.our_part(line, paid)
    # Split apart, so that our outstanding is a part of what is outstanding, never below nil.
    our_estimate = our_paid + shares.our_part(line, state.outstanding)
    our_recovered = shares.our_part(line, ours_back)
    return Amounts(estimate, paid, recovered, our_estimate, our_paid, our_recovered)


def _add(moves: dict[tuple[date, Cell], Amounts], on: date, cell: Cell, moved: Amounts) -> None:
    if moved != NONE:
        moves[on, cell] = moved


def timeline(
    history: Iterable[Recorded[Fact]], at: Coordinate = NOW
) -> dict[tuple[date, Cell], Amounts]:
    """Every movement of the file by effective day, as held at a coordinate."""
    return along(Claim(), _steps(history, at))


def _steps(history: Iterable[Recorded[Fact]], at: Coordinate) -> Iterator[tuple[date, Claim]]:
    claim = Claim()
    for _, record in standing(history, at):
        day = record.envelope.effective_on
        claim = evolve(claim, record.fact, day)
        yield day, claim


def along(claim: Claim, steps: Iterable[tuple[date, Claim]]) -> dict[tuple[date, Cell], Amounts]:
    """Every movement, by effective day, of a file that takes these steps."""
    total: dict[tuple[date, Cell], Amounts] = {}
    for day, after in steps:
        for key, moved in step(claim, after, day).items():
            total[key] = total.get(key, NONE).plus(moved)
        claim = after
    return total


def difference(before: Moves, after: Moves) -> dict[tuple[date, Cell], Amounts]:
    """What has to be added to one timeline to give the other."""
    moves: dict[tuple[date, Cell], Amounts] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        moved = after.get(key, NONE).minus(before.get(key, NONE))
        if moved != NONE:
            moves[key] = moved
    return moves
