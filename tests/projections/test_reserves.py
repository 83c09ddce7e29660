"""Reserve totals and movements against a naive fold of every file, at any moment and day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from domain.claim import Claim, evolve
from domain.claim.exposure import NONE, Amounts, Cell, cells
from domain.claim.reserves import EstimateSet
from domain.history import Coordinate, fold
from domain.money import Money, nil
from domain.terms import Basis, CostType, Head, Line, Trigger
from projections import reserves
from projections.reserves import NIL, Axis, By, Figures, Reason, movements, start_of, totals
from projections.view import Copy
from tests.postgres_fixtures import Database
from tests.projections.ledgers import (
    ON_A_DATABASE,
    Log,
    Pen,
    claims,
    ledger,
    ledgers,
    notified,
    of,
    pages,
    project,
)
from tests.scribe import Clock
from tests.strategies import days, moments

TICK = timedelta(microseconds=1)
Held = Mapping[tuple[str, Cell], Amounts]  # by claim and cell
GROUPINGS = st.lists(st.sampled_from(By), max_size=3, unique=True)


@dataclass(frozen=True)
class Row:
    """A row of the view, as folded."""

    claim: str
    version: int
    recorded_at: datetime
    effective_on: date
    cell: Cell
    reason: Reason
    amounts: Amounts


def folded(log: Log, size: int = 7) -> list[Row]:
    """The view's rows, in memory."""
    told: list[Row] = []
    for page in pages(log, size):
        (copy,) = reserves.VIEW.fold(page)
        assert isinstance(copy, Copy)
        told += [row_of(dict(zip(copy.columns, row, strict=True))) for row in copy.rows]
    return told


def row_of(row: Mapping[str, Any]) -> Row:
    head = Head(row["head"]) if row["head"] else None
    line = Line(CostType(row["cost_type"]), row["currency"], head, Basis(row["basis"]))
    return Row(
        row["claim"],
        row["version"],
        row["recorded_at"],
        row["effective_on"],
        Cell(line, row["pathway"], row["handler"]),
        Reason(row["reason"]),
        Amounts(*(row[name] for name in Amounts._fields)),
    )


def summed(rows: Iterable[Row], known_at: datetime, as_of: date) -> Held:
    held: defaultdict[tuple[str, Cell], Amounts] = defaultdict(lambda: NONE)
    for row in rows:
        if row.recorded_at <= known_at and row.effective_on <= as_of:
            held[row.claim, row.cell] = held[row.claim, row.cell].plus(row.amounts)
    return {key: amounts for key, amounts in held.items() if amounts != NONE}


def naive(log: Log, known_at: datetime | None, as_of: date | None) -> Held:
    """What each file holds, read on its own."""
    at = Coordinate(known_at=known_at, as_of=as_of)
    return {
        (claim, cell): amounts
        for claim in claims(log)
        for cell, amounts in cells(fold(of(log, claim), evolve, Claim(), at)).items()
        if amounts != NONE
    }


def told(held: Held, by: Sequence[By], basis: Basis) -> dict[tuple[str, ...], tuple[Figures, int]]:
    """Figures and number of files by group and currency."""
    of_claims: defaultdict[tuple[tuple[str, ...], str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (claim, cell), amounts in held.items():
        part = amounts[3:] if basis is Basis.OUR_SHARE else amounts[:3]
        sums = of_claims[(*(value(claim, cell, each) for each in by), cell.line.currency), claim]
        sums[:] = [mine + theirs for mine, theirs in zip(sums, part, strict=True)]
    groups: dict[tuple[str, ...], tuple[Figures, int]] = {}
    for (group, _), sums in of_claims.items():
        if any(sums):
            figures, count = groups.get(group, (NIL, 0))
            groups[group] = plus(figures, Figures(*sums)), count + 1
    return groups


def value(claim: str, cell: Cell, by: By) -> str:
    line = cell.line
    return {
        By.LINE: str(line),
        By.COST_TYPE: line.cost_type.value,
        By.HEAD: line.head.value if line.head else "",
        By.CURRENCY: line.currency,
        By.PATHWAY: cell.pathway,
        By.HANDLER: cell.handler,
        By.CLAIM: claim,
    }[by]


def plus(one: Figures, other: Figures) -> Figures:
    return Figures(
        one.estimate + other.estimate, one.paid + other.paid, one.recovered + other.recovered
    )


@given(log=ledgers(), data=st.data())
def test_the_rows_of_a_moment_and_a_day_sum_to_what_every_file_holds(
    log: Log, data: st.DataObject
) -> None:
    rows = folded(log, data.draw(st.integers(1, 20)))
    known_at, as_of = data.draw(moments([*log])), data.draw(days([*log]))
    assert summed(rows, known_at, as_of) == naive(log, known_at, as_of)


@given(log=ledgers())
def test_what_one_fact_moves_it_moves_for_one_reason(log: Log) -> None:
    reasons: defaultdict[tuple[str, int], set[Reason]] = defaultdict(set)
    for row in folded(log):
        reasons[row.claim, row.version].add(row.reason)
    assert all(len(each) == 1 for each in reasons.values())


@given(log=ledgers())
def test_nobody_gains_or_loses_by_a_transfer(log: Log) -> None:
    moved: defaultdict[tuple[str, int, Line], Amounts] = defaultdict(lambda: NONE)
    for row in folded(log):
        if row.reason is Reason.TRANSFERRED:
            key = row.claim, row.version, row.cell.line
            moved[key] = moved[key].plus(row.amounts)
    assert set(moved.values()) <= {NONE}


@ON_A_DATABASE
@given(log=ledgers(), by=GROUPINGS, basis=st.sampled_from(Basis), data=st.data())
def test_totals_are_the_sum_of_all_files_in_any_grouping(
    database: Database,
    reading: Connection[Any],
    log: Log,
    by: list[By],
    basis: Basis,
    data: st.DataObject,
) -> None:
    project(database, log, reserves.VIEW)
    known_at = data.draw(moments([*log]) | st.none())
    as_of = data.draw(days([*log]) | st.none())
    found = totals(reading, by, known_at=known_at, as_of=as_of, basis=basis)
    held = naive(log, known_at, as_of)
    groups = {
        (*each.group.values(), each.currency): (each.figures, each.claims) for each in found.groups
    }
    assert groups == told(held, by, basis)
    assert {(each.currency,): (each.figures, each.claims) for each in found.in_all} == told(
        held, (), basis
    )
    assert all(list(each.group) == [name.value for name in by] for each in found.groups)


@ON_A_DATABASE
@given(log=ledgers(), by=GROUPINGS, basis=st.sampled_from(Basis), data=st.data())
def test_opening_and_movements_make_closing_and_both_ends_tie_to_the_totals(
    database: Database,
    reading: Connection[Any],
    log: Log,
    by: list[By],
    basis: Basis,
    data: st.DataObject,
) -> None:
    project(database, log, reserves.VIEW)
    axis = data.draw(st.sampled_from(Axis))
    first, last = sorted([data.draw(days([*log])), data.draw(days([*log]))])
    known_at = data.draw(st.none() | moments([*log]))
    as_of = data.draw(st.none() | days([*log]))
    found = movements(
        reading, first, last, by, axis=axis, known_at=known_at, as_of=as_of, basis=basis
    )
    for each in found:
        moved = [movement.figures for movement in each.by_reason.values()]
        assert reduce(plus, moved, each.opening) == each.closing

    def end(day: date) -> dict[tuple[str, ...], Figures]:
        """The totals at the end of a day of the axis."""
        knows, holds = known_at, as_of
        if axis is Axis.RECORDED:
            ended = start_of(day + timedelta(days=1)) - TICK
            knows = min(ended, known_at or ended)
        else:
            holds = min(day, as_of or day)
        groups = totals(reading, by, known_at=knows, as_of=holds, basis=basis).groups
        return {(*each.group.values(), each.currency): each.figures for each in groups}

    keys = {(*each.group.values(), each.currency): each for each in found}
    before, after = end(first - timedelta(days=1)), end(last)
    assert {key: each.opening for key, each in keys.items() if each.opening != NIL} == before
    assert {key: each.closing for key, each in keys.items() if each.closing != NIL} == after


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_what_was_entered_in_a_period_for_days_before_it_is_its_prior_period_part(
    database: Database, reading: Connection[Any], log: Log, data: st.DataObject
) -> None:
    project(database, log, reserves.VIEW)
    first, last = sorted([data.draw(days([*log])), data.draw(days([*log]))])
    expected: defaultdict[tuple[str, Reason], Figures] = defaultdict(lambda: NIL)
    for row in folded(log):
        if start_of(first) <= row.recorded_at < start_of(last + timedelta(days=1)):
            key = row.cell.line.currency, row.reason
            late = row.effective_on < first
            figures = Figures(*row.amounts[:3]) if late else NIL
            expected[key] = plus(expected[key], figures)
    found = {
        (each.currency, reason): movement.prior_period
        for each in movements(reading, first, last)
        for reason, movement in each.by_reason.items()
    }
    assert found == expected


def test_a_moment_and_a_day_include_what_was_recorded_and_true_right_then(
    database: Database, reading: Connection[Any]
) -> None:
    log = ledger(facts=40)
    project(database, log, reserves.VIEW)
    last = log[-1].envelope
    then, before = last.recorded_at, last.recorded_at - TICK
    (now,) = totals(reading).in_all
    assert totals(reading, known_at=then).in_all == [now]
    assert totals(reading, as_of=last.effective_on).in_all == [now]
    assert totals(reading, known_at=before).in_all == [replace(now, figures=held(log[:-1]))]
    assert totals(reading, as_of=last.effective_on - timedelta(days=1)).in_all != [now]


def held(log: Log) -> Figures:
    """The figures of all files together."""
    return reduce(plus, (Figures(*each[:3]) for each in naive(log, None, None).values()))


def test_a_file_is_counted_once_in_each_group_where_it_has_a_figure(
    database: Database, reading: Connection[Any]
) -> None:
    pen, clock = Pen(), Clock()
    damages = Line(CostType.DAMAGES, "GBP", Head.PSLA)
    care = Line(CostType.DAMAGES, "GBP", Head.PAST_CARE)
    costs = Line(CostType.DEFENCE_COSTS, "GBP")
    abroad = Line(CostType.DAMAGES, "ZAR")
    for claim, lines in {"a": [damages, care, costs], "b": [damages, abroad], "c": []}.items():
        pen.write(claim, notified(clock.today), clock.now)
        for line in lines:
            some = EstimateSet(line, nil(line.currency), Money(100, line.currency), Trigger.INITIAL)
            pen.write(claim, some, clock.now)
    nothing = EstimateSet(costs, nil("GBP"), nil("GBP"), Trigger.INITIAL)
    pen.write("c", nothing, clock.now)  # an estimate of nil is no figure
    project(database, pen.log, reserves.VIEW)

    found = totals(reading, [By.COST_TYPE])
    assert [(*each.group.values(), each.currency, each.claims) for each in found.groups] == [
        ("damages", "GBP", 2),
        ("defence_costs", "GBP", 1),
        ("damages", "ZAR", 1),
    ]
    assert [(each.currency, each.claims, each.figures.estimate) for each in found.in_all] == [
        ("GBP", 2, 400),
        ("ZAR", 1, 100),
    ]
