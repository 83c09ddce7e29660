"""What totals move by, as stories: every change of a file, on the day on which it was true."""

from datetime import date

from domain.claim import Fact, evolve
from domain.claim.exposure import UNALLOCATED, Amounts, Cell, difference, step, timeline
from domain.claim.lifecycle import HandlerChanged
from domain.envelope import Recorded
from domain.history import Coordinate, in_order, latest_day
from domain.terms import Line, RecoveryCategory
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    after,
    allocated,
    estimated,
    issued,
    notified,
    recovered,
    shared,
    shares_agreed,
)
from tests.given import given
from tests.scribe import ANN, Clock, Scribe

NOBODYS = Cell(DAMAGES, UNALLOCATED, UNALLOCATED)
ANNS = Cell(DAMAGES, "dental", "ann")
BOBS = Cell(DAMAGES, "dental", "bob")


def whole(estimate: int = 0, paid: int = 0, back: int = 0) -> Amounts:
    """Pounds, all of them ours."""
    pence = (estimate * 100, paid * 100, back * 100)
    return Amounts(*pence, *pence)


def moved(*before: Fact, by: Fact, on: date = DAY) -> dict[tuple[date, Cell], Amounts]:
    file = given(*before).state
    return step(file, evolve(file, by, on), on)


def test_money_moves_in_the_cell_of_its_line() -> None:
    assert moved(notified(), by=estimated(500)) == {(DAY, NOBODYS): whole(500)}
    held = (notified(), allocated("ann"), estimated(500))
    assert moved(*held, by=issued(300), on=after(3)) == {(after(3), ANNS): whole(0, 300)}
    assert moved(*held, by=recovered(20)) == {(DAY, ANNS): whole(0, 0, 20)}


def test_a_file_takes_its_money_along_to_another_handler() -> None:
    held = (notified(), allocated("ann"), estimated(500), estimated(90, DEFENCE), issued(300))
    defence: tuple[Line, str] = (DEFENCE, "dental")
    assert moved(*held, by=HandlerChanged("ann", "bob", "dental-1")) == {
        (DAY, ANNS): whole(-500, -300),
        (DAY, BOBS): whole(500, 300),
        (DAY, Cell(*defence, "ann")): whole(-90),
        (DAY, Cell(*defence, "bob")): whole(90),
    }
    assert moved(notified(), estimated(500), by=allocated("ann")) == {
        (DAY, NOBODYS): whole(-500),
        (DAY, ANNS): whole(500),
    }


def test_an_agreed_share_moves_our_part_and_leaves_the_whole() -> None:
    held = (notified(), estimated(500), issued(300), shared("1/4", "3/4"))
    ours = Amounts(our_estimate=-37_500, our_paid=-22_500)
    assert moved(*held, by=shares_agreed()) == {(DAY, NOBODYS): ours}


def test_a_contribution_brings_the_whole_down_to_our_share_and_is_no_part_of_it() -> None:
    contributed = replace(recovered(120), category=RecoveryCategory.CONTRIBUTION)
    held = (notified(), estimated(500), issued(300), shared("3/5", "2/5"), shares_agreed())
    assert moved(*held, by=contributed) == {(DAY, NOBODYS): Amounts(recovered=12_000)}
    assert moved(*held, by=recovered(20)) == {
        (DAY, NOBODYS): Amounts(recovered=2_000, our_recovered=1_200)
    }


def test_what_moves_no_money_moves_nothing() -> None:
    assert moved(notified(), by=shared()) == {}
    assert moved(notified(), estimated(500), by=notified()) == {}


def history(*dated: tuple[int, Fact]) -> list[Recorded[Fact]]:
    pattern = Scribe("DC-1", Clock()).envelope(DAY, ANN)
    return [
        Recorded(replace(pattern, version=version, effective_on=after(days)), fact)
        for version, (days, fact) in enumerate(dated, start=1)
    ]


def test_a_timeline_holds_every_movement_on_its_day() -> None:
    records = history((0, notified()), (1, estimated(500)), (5, issued(200)), (5, issued(100)))
    assert timeline(records) == {
        (after(1), NOBODYS): whole(500),
        (after(5), NOBODYS): whole(0, 300),
    }
    assert timeline(records, Coordinate(version=2)) == {(after(1), NOBODYS): whole(500)}


def test_a_fact_dated_back_changes_the_timeline_on_its_day_and_on_those_after_it() -> None:
    known = history((0, notified()), (1, estimated(500)), (5, estimated(700)))
    later = [*known, *history((0, notified()), (3, estimated(600)))[1:]]
    later[-1] = replace(later[-1], envelope=replace(later[-1].envelope, version=4))
    assert difference(timeline(known), timeline(later)) == {
        (after(3), NOBODYS): whole(100),
        (after(5), NOBODYS): whole(-100),
    }


def test_a_fact_that_simply_comes_after_all_that_stands_is_one_step_more() -> None:
    records = history((0, notified()), (3, estimated(500)), (3, estimated(600)), (2, recovered(5)))
    assert latest_day([]) is None
    assert latest_day(records[:2]) == after(3)
    assert in_order(records[0], None)
    assert in_order(records[2], after(3))
    assert not in_order(records[3], after(3))
    corrected = replace(records[2], envelope=replace(records[2].envelope, corrects=2))
    voided = replace(records[2], envelope=replace(records[2].envelope, voids=2))
    assert not in_order(corrected, after(3))
    assert not in_order(voided, after(3))
