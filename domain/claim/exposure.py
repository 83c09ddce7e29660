"""What a file contributes to the totals, and on which day: the cells that reserve totals add up.

A cell is a reserve line together with what totals are grouped by. Whatever a fact changes (an
estimate, a payment, the handler, our share), the difference between the file's cells before and
after it is what the totals move by, so no fact needs a rule of its own here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from domain.claim import Claim, Fact, evolve
from domain.envelope import Recorded
from domain.history import NOW, Coordinate, standing
from domain.terms import Line

UNALLOCATED = "unallocated"


@dataclass(frozen=True, slots=True)
class Cell:
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

    def plus(self, other: "Amounts", sign: int = 1) -> "Amounts":
        """The sum, or with sign -1 the difference, of each figure."""
        return Amounts(*(mine + sign * theirs for mine, theirs in zip(self, other, strict=True)))


NONE = Amounts()
Moves = Mapping[tuple[date, Cell], Amounts]


def cells(claim: Claim) -> dict[Cell, Amounts]:
    """The file's cells as it stands."""
    pathway = claim.lifecycle.pathway.value if claim.lifecycle.pathway else UNALLOCATED
    handler = claim.lifecycle.handler or UNALLOCATED
    found: dict[Cell, Amounts] = {}
    for line, state in claim.reserves.lines.items():
        our_paid = claim.apportionments.our_part(line, state.paid)
        # Split apart, so that our outstanding is a part of what is outstanding, never below nil.
        our_estimate = our_paid + claim.apportionments.our_part(line, state.outstanding)
        # A contribution is what brings the whole down to our share; it is no part of our share.
        ours_back = state.recovered - state.contributed
        our_recovered = claim.apportionments.our_part(line, ours_back)
        found[Cell(line, pathway, handler)] = Amounts(
            state.estimate, state.paid, state.recovered, our_estimate, our_paid, our_recovered
        )
    return found


def step(before: Claim, after: Claim, on: date) -> dict[tuple[date, Cell], Amounts]:
    """What one step of the file, effective `on` its day, moves."""
    old, new = cells(before), cells(after)
    moves: dict[tuple[date, Cell], Amounts] = {}
    for cell in [*old, *(cell for cell in new if cell not in old)]:
        moved = new.get(cell, NONE).plus(old.get(cell, NONE), -1)
        if moved != NONE:
            moves[on, cell] = moved
    return moves


def timeline(
    history: Iterable[Recorded[Fact]], at: Coordinate = NOW
) -> dict[tuple[date, Cell], Amounts]:
    """Every movement of the file by effective day, as held at a coordinate."""
    total: dict[tuple[date, Cell], Amounts] = {}
    claim = Claim()
    for _, record in standing(history, at):
        day = record.envelope.effective_on
        after = evolve(claim, record.fact, day)
        for key, moved in step(claim, after, day).items():
            total[key] = total.get(key, NONE).plus(moved)
        claim = after
    return total


def difference(before: Moves, after: Moves) -> dict[tuple[date, Cell], Amounts]:
    """What has to be added to one timeline to give the other."""
    moves: dict[tuple[date, Cell], Amounts] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        moved = after.get(key, NONE).plus(before.get(key, NONE), -1)
        if moved != NONE:
            moves[key] = moved
    return moves
