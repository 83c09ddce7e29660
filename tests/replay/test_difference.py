"""The difference between two coordinates: what changed, by which facts, and what was hindsight."""

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.claim import Fact
from domain.difference import changed_fields
from domain.envelope import Recorded, recorded_day
from domain.errors import CutoffNotFound
from domain.history import Coordinate
from domain.schema import NAME_OF
from replay.difference import Difference, difference
from replay.file import file_at
from tests.strategies import days, histories, moments

History = list[Recorded[Fact]]


def a_coordinate(data: st.DataObject, history: History) -> Coordinate:
    """Any coordinate at which the file had begun."""
    at = Coordinate(
        known_at=data.draw(st.none() | moments(history)),
        as_of=data.draw(st.none() | days(history)),
        version=data.draw(st.none() | st.integers(1, len(history))),
        position=data.draw(st.none() | st.sampled_from([each.position for each in history])),
    )
    try:
        file_at(history, at)
    except CutoffNotFound:
        assume(False)
    return at


@given(st.data(), histories())
def test_a_coordinate_does_not_differ_from_itself(data: st.DataObject, history: History) -> None:
    at = a_coordinate(data, history)
    found = difference(history, at, at)
    assert (found.changes, found.hindsight) == ((), ())


@given(st.data(), histories())
def test_every_changed_field_has_the_facts_that_changed_it(
    data: st.DataObject, history: History
) -> None:
    before, after = a_coordinate(data, history), a_coordinate(data, history)
    found = difference(history, before, after)
    fields = [(change.path, change.before, change.after) for change in found.changes]
    claims = file_at(history, before).claim, file_at(history, after).claim
    assert fields == list(changed_fields(*claims))
    for change in found.changes:
        assert change.facts
        for version, name in change.facts:
            assert name == _name(history, version)


@given(st.data(), histories())
def test_a_difference_read_backwards_is_the_same_one(data: st.DataObject, history: History) -> None:
    before, after = a_coordinate(data, history), a_coordinate(data, history)
    there, back = difference(history, before, after), difference(history, after, before)
    assert [_turned(back, number) for number in range(len(back.changes))] == [
        (change.path, change.before, change.after) for change in there.changes
    ]
    assert there.hindsight == back.hindsight


@given(st.data(), histories())
def test_hindsight_is_what_was_true_then_and_told_later(
    data: st.DataObject, history: History
) -> None:
    moment = data.draw(moments(history))
    assume(moment >= history[0].envelope.recorded_at)
    day = recorded_day(moment)
    found = difference(history, Coordinate(known_at=moment, as_of=day), Coordinate())
    assert [fact.version for fact in found.hindsight] == [
        record.envelope.version
        for record in history
        if record.envelope.recorded_at > moment and record.envelope.effective_on <= day
    ]


@given(histories())
def test_one_fact_more_is_the_one_that_changed_what_changed(history: History) -> None:
    for version in range(2, len(history) + 1):
        found = difference(history, Coordinate(version=version - 1), Coordinate(version=version))
        assert {fact.version for change in found.changes for fact in change.facts} <= {version}


def _name(history: History, version: int) -> str:
    return NAME_OF[type(history[version - 1].fact)]


def _turned(found: Difference, number: int) -> tuple[object, object, object]:
    change = found.changes[number]
    return change.path, change.after, change.before
