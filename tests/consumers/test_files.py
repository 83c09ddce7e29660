"""Each fact is one step for its file, and tells the file before and after it."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers import files
from domain import claim, mandate
from domain.claim import Claim
from domain.claim.reserves import EstimateSet
from domain.envelope import Recorded
from domain.history import fold, latest_day, standing
from domain.mandate import Mandate
from domain.money import Money, nil
from domain.terms import Trigger
from domain.value import replace
from projections.view import Step
from tests.projections.ledgers import (
    LINE,
    Log,
    MemoryLog,
    Pen,
    ledger,
    ledgers,
    notified,
    of,
    pages,
)
from tests.scribe import Clock


def expected(log: Log, record: Recorded[Any]) -> tuple[object, object]:
    """The stream's state before and after a fact, read from its beginning."""
    version, stream = record.envelope.version, record.envelope.stream
    before, after = of(log, stream)[: version - 1], of(log, stream)[:version]
    if stream.startswith("refusals-"):
        return None, None
    if stream.startswith("mandate-"):
        return fold(before, mandate.evolve, Mandate()), fold(after, mandate.evolve, Mandate())
    return fold(before, claim.evolve, Claim()), fold(after, claim.evolve, Claim())


@given(log=ledgers(), size=st.integers(1, 20), held=st.integers(0, 40))
def test_a_change_tells_its_file_before_and_after_however_much_was_forgotten(
    log: Log, size: int, held: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "FACTS_HELD_MAX", held)
        changes = [change for page in pages(log, size) for change in page]
    assert [change.record for change in changes] == log
    for change in changes:
        assert (change.before, change.after) == expected(log, change.record)
        if change.before is not None:
            stream, version = change.record.envelope.stream, change.record.envelope.version
            earlier = of(log, stream)[: version - 1]
            command_id = change.record.envelope.command_id
            assert list(change.together) == [
                each.fact for each in earlier if each.envelope.command_id == command_id
            ]
            assert change.latest == latest_day(earlier)


def course(history: Sequence[Recorded[Any]]) -> list[Step]:
    """A claim step by step, read from its beginning."""
    steps, state = list[Step](), Claim()
    for _, record in standing(history):
        day = record.envelope.effective_on
        state = claim.evolve(state, record.fact, day)
        steps.append(Step(day, state))
    return steps


@given(log=ledgers(steps_max=40), size=st.integers(1, 50))
def test_a_change_of_the_past_tells_the_part_of_the_course_that_it_changed(
    log: Log, size: int
) -> None:
    """What lies before and after that part is the same in both readings."""
    for change in (change for page in pages(log, size) for change in page):
        if change.in_order:
            assert (change.common, change.was, change.became) == ((), (), ())
            continue
        version = change.record.envelope.version
        facts = of(log, change.record.envelope.stream)[:version]
        old, new = course(facts[:-1]), course(facts)
        was, became, first = list(change.was), list(change.became), len(change.common)
        cuts = [
            (old[:place], old[place + len(was) :])
            for place in range(first, len(old) - len(was) + 1)
            if old[place : place + len(was)] == was
            and old[place - first : place] == [*change.common]
        ]
        assert any([*before, *became, *rest] == new for before, rest in cuts)
        at_the_end = any(rest == [] for _, rest in cuts)
        assert at_the_end or was[-1:] == became[-1:]


def test_a_fact_that_later_ones_made_void_of_effect_changes_no_more_than_it_must() -> None:
    """However long the file: an estimate of the past ends where the next one was set."""
    pen, clock = Pen(), Clock()
    pen.write("a", notified(clock.today), clock.now)
    for amount in range(1, 9):
        clock.wait(days=1)
        pen.write("a", estimate(amount), clock.now)
    late = replace(
        pen.last["a"],
        envelope=replace(
            pen.last["a"].envelope,
            version=10,
            effective_on=pen.log[3].envelope.effective_on,
        ),
        fact=estimate(77),
    )
    pen.copy(late)
    *_, change = next(pages(pen.log, 20))
    days = [each.envelope.effective_on for each in pen.log]
    assert [step.day for step in change.common] == [days[3]]
    assert [step.day for step in change.was] == [days[4]]
    assert [step.day for step in change.became] == [days[3], days[4]]
    assert change.before == change.after


def estimate(amount: int) -> EstimateSet:
    return EstimateSet(LINE, nil("GBP"), Money(amount, "GBP"), Trigger.PERIODIC_REVIEW)


def test_a_file_is_loaded_once_however_often_it_goes_on() -> None:
    log = MemoryLog(ledger(facts=70))
    reader = files.Files(log)
    for after, record in zip(log.records[30:], log.records[31:], strict=False):
        reader.changes([record], after.position)
    assert sorted(log.loaded) == sorted({record.envelope.stream for record in log.records[31:]})


def test_a_file_is_loaded_when_its_past_is_first_changed_and_not_again() -> None:
    pen, clock = Pen(), Clock()
    pen.write("a", notified(clock.today), clock.now)
    for amount in range(1, 9):
        clock.wait(days=1)
        pen.write("a", estimate(amount), clock.now)
    past = pen.log[2].envelope.effective_on
    late = [
        replace(each, envelope=replace(each.envelope, effective_on=past))
        if each.envelope.version in (5, 7, 8)
        else each
        for each in pen.log
    ]
    log = MemoryLog(late)
    reader = files.Files(log)
    loaded: list[int] = []
    for record in late:
        (change,) = reader.changes([record], record.position - 1)
        assert (change.before, change.after) == expected(late, record)
        loaded.append(len(log.loaded))
    assert loaded == [0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_going_back_in_the_log_reads_the_file_as_it_was() -> None:
    log = MemoryLog(ledger(facts=40))
    reader = files.Files(log)
    whole = reader.changes(log.page(0, 40), 0)
    after = log.records[19].position
    again = reader.changes(log.page(after, 40), after)
    assert [(each.before, each.after) for each in again] == [
        (each.before, each.after) for each in whole[20:]
    ]
