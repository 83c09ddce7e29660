"""The caseload against a naive fold of every file: one row a file, at any moment and day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from domain.claim import Claim, evolve
from domain.claim.glance import Standing, standing_of
from domain.claim.lifecycle import Status
from domain.history import Coordinate, fold, standing
from projections import caseload
from projections.caseload import EVERY, Asked, By, cases, grouped
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ON_A_DATABASE, Log, claims, ledgers, of, pages, project
from tests.strategies import days, moments

Row = tuple[date, Standing]  # the day of the last action, and how the file stands


@dataclass(frozen=True)
class Tile:
    """A row of the view, as folded."""

    claim: str
    effective_from: date
    effective_to: date | None
    recorded_from: datetime
    recorded_to: datetime | None
    standing: Standing

    def holds(self, known_at: datetime, as_of: date) -> bool:
        known = self.recorded_from <= known_at
        known = known and (self.recorded_to is None or known_at < self.recorded_to)
        holds = self.effective_from <= as_of
        return known and holds and (self.effective_to is None or as_of < self.effective_to)


def folded(log: Log, size: int) -> list[Tile]:
    """The view's rows in memory, each page applied to what was there before."""
    tiles: list[Tile] = []
    for page in pages(log, size):
        written, closed = caseload.told(page)
        ends = {(each.claim, each.effective_from): each.recorded_to for each in closed}
        assert len(ends) == len(closed)
        tiles = [
            replace(tile, recorded_to=ends.pop((tile.claim, tile.effective_from), None))
            if tile.recorded_to is None
            else tile
            for tile in tiles
        ]
        assert ends == {}  # what is ended was there
        tiles = [tile for tile in tiles if tile.recorded_from != tile.recorded_to]
        tiles += [
            Tile(
                each.claim,
                each.tile.effective_from,
                each.tile.effective_to,
                each.record.envelope.recorded_at,
                each.recorded_to,
                each.tile.standing,
            )
            for each in written
        ]
    return tiles


def naive(log: Log, known_at: datetime | None, as_of: date) -> dict[str, Row]:
    """How each file stands, read on its own."""
    at = Coordinate(known_at=known_at, as_of=as_of)
    told: dict[str, Row] = {}
    for claim in claims(log):
        history = of(log, claim)
        stands = standing_of(fold(history, evolve, Claim(), at))
        if stands is not None:
            told[claim] = max(r.envelope.effective_on for _, r in standing(history, at)), stands
    return told


@given(log=ledgers(), size=st.integers(1, 20), data=st.data())
def test_each_file_has_one_row_at_any_moment_and_day(
    log: Log, size: int, data: st.DataObject
) -> None:
    tiles = folded(log, size)
    known_at, as_of = data.draw(moments([*log])), data.draw(days([*log]))
    found = [tile for tile in tiles if tile.holds(known_at, as_of)]
    rows = {tile.claim: (tile.effective_from, tile.standing) for tile in found}
    assert len(rows) == len(found)
    assert rows == naive(log, known_at, as_of)


@given(log=ledgers(), one=st.integers(1, 20), other=st.integers(1, 20))
def test_the_rows_do_not_depend_on_how_the_log_was_cut(log: Log, one: int, other: int) -> None:
    assert sorted(folded(log, one), key=str) == sorted(folded(log, other), key=str)


def wanted(rows: Mapping[str, Row], asked: Asked) -> dict[str, Row]:
    """The rows that a question leaves."""
    return {
        claim: (acted_on, stands)
        for claim, (acted_on, stands) in rows.items()
        if stands.status in {each.value for each in asked.statuses}
        and all(getattr(stands, by.value) == value for by, value in asked.where.items())
    }


@st.composite
def questions(draw: st.DrawFn, log: Log) -> Asked:
    """A question about a log, in values that occur in it."""
    asked = Asked(
        as_of=draw(days([*log])),
        known_at=draw(st.none() | moments([*log])),
        statuses=draw(st.sampled_from([caseload.LIVE, EVERY, (Status.CLOSED,)])),
    )
    rows = naive(log, asked.known_at, asked.as_of)
    if not rows:
        return asked
    _, stands = draw(st.sampled_from(sorted(rows.values(), key=str)))
    by = draw(st.lists(st.sampled_from(By), max_size=2))
    return replace(asked, where={each: getattr(stands, each.value) for each in by})


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_the_files_of_a_question_are_found_with_their_ages(
    database: Database, reading: Connection[Any], log: Log, data: st.DataObject
) -> None:
    project(database, log, caseload.VIEW)
    asked = data.draw(questions(log))
    expected = wanted(naive(log, asked.known_at, asked.as_of), asked)
    found = cases(reading, asked)
    assert {each.claim: (each.last_action_on, each.standing) for each in found} == expected
    for each in found:
        closed_on = each.standing.closed_on
        assert each.age_days == ((closed_on or asked.as_of) - each.standing.notified_on).days
        assert each.idle_days == (asked.as_of - each.last_action_on).days
        assert cases(reading, asked, claim=each.claim) == [each]
    assert cases(reading, asked, limit=2) == found[:2]
    assert cases(reading, asked, after=found[0].claim if found else "") == found[1:]


@ON_A_DATABASE
@given(log=ledgers(), by=st.lists(st.sampled_from(By), max_size=2, unique=True), data=st.data())
def test_groups_add_up_their_files_and_never_two_currencies(
    database: Database, reading: Connection[Any], log: Log, by: list[By], data: st.DataObject
) -> None:
    project(database, log, caseload.VIEW)
    asked = data.draw(questions(log))
    expected: dict[tuple[str, ...], list[int]] = {}
    for _, stands in wanted(naive(log, asked.known_at, asked.as_of), asked).values():
        key = (*(getattr(stands, each.value) for each in by), stands.currency)
        figures = [1, bool(stands.other_currencies), stands.open_escalations]
        figures += [stands.damages_estimate, stands.incurred, stands.paid, stands.outstanding]
        sums = expected.setdefault(key, [0] * len(figures))
        sums[:] = [one + other for one, other in zip(sums, figures, strict=True)]
    found = grouped(reading, asked, by)
    assert {
        (*each.group.values(), each.currency): [
            *(each.files, each.elsewhere, each.open_escalations),
            *(each.damages_estimate, each.incurred, each.paid, each.outstanding),
        ]
        for each in found
    } == expected
