"""The fields in which two states differ, and nothing else."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claim import Claim, Fact, evolve
from domain.difference import Changed, changed_fields
from domain.envelope import Recorded
from domain.history import fold
from domain.money import Money
from domain.terms import CostType, Line, Stage
from domain.value import Value, field
from tests.strategies import histories

LINE = Line(CostType.DAMAGES, "GBP")


class Part(Value, frozen=True):
    amount: Money | None = None
    stage: Stage = Stage.PRE_CLAIM


class Whole(Value, frozen=True):
    name: str = ""
    on: date | None = None
    parts: dict[Line, Part] = field(default_factory=dict[Line, Part])
    steps: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()
    share: Fraction = Fraction(1)
    choice: Part | str | None = None


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (Whole(), Whole(), []),
        (Whole(), Whole(name="a"), [("name", "", "a")]),
        (Whole(), Whole(on=date(2026, 3, 1)), [("on", None, "2026-03-01")]),
        (Whole(), Whole(share=Fraction(1, 3)), [("share", "1", "1/3")]),
        (Whole(steps=("a", "b")), Whole(steps=("a",)), [("steps.1", "b", None)]),
        (Whole(), Whole(seen=frozenset({"r1"})), [("seen.r1", None, True)]),
        (
            Whole(),
            Whole(parts={LINE: Part(Money(5, "GBP"))}),
            [
                ("parts.damages GBP.amount", None, "GBP 0.05"),
                ("parts.damages GBP.stage", None, "pre_claim"),
            ],
        ),
        (
            Whole(parts={LINE: Part(Money(5, "GBP"))}),
            Whole(parts={LINE: Part(Money(6, "GBP"))}),
            [("parts.damages GBP.amount", "GBP 0.05", "GBP 0.06")],
        ),
        (
            Whole(choice="none"),
            Whole(choice=Part()),
            [("choice", "none", None), ("choice.stage", None, "pre_claim")],
        ),
        (
            Whole(choice=Part()),
            Whole(choice="none"),
            [("choice", None, "none"), ("choice.stage", "pre_claim", None)],
        ),
        (Whole(choice="1"), Whole(), [("choice", "1", None)]),
        (None, Part(), [("stage", None, "pre_claim")]),
        (1, True, [("", 1, True)]),
    ],
)
def test_each_field_that_differs_is_told_once_by_its_path(
    before: object, after: object, changed: list[Changed]
) -> None:
    assert changed_fields(before, after) == tuple(changed)


@given(history=histories(), data=st.data())
def test_two_states_are_equal_exactly_when_nothing_changed(
    history: list[Recorded[Fact]], data: st.DataObject
) -> None:
    one, other = (
        fold(history[: data.draw(st.integers(0, len(history)))], evolve, Claim()) for _ in range(2)
    )
    told = changed_fields(one, other)
    assert (one == other) == (told == ())
    assert [each.path for each in told] == sorted(each.path for each in told)
    back = [Changed(path, before, after) for path, after, before in changed_fields(other, one)]
    assert list(told) == back


@given(history=histories(), data=st.data())
def test_what_two_states_share_hides_no_difference(
    history: list[Recorded[Fact]], data: st.DataObject
) -> None:
    """A state and the next have most objects in common; each on its own has all of its fields."""
    record = data.draw(st.sampled_from(history))
    before = fold(history[: record.envelope.version - 1], evolve, Claim())
    after = evolve(before, record.fact, record.envelope.effective_on)
    was, became = (
        {path: value for path, _, value in changed_fields(None, each)} for each in (before, after)
    )
    assert changed_fields(before, after) == tuple(
        Changed(path, was.get(path), became.get(path))
        for path in sorted(was.keys() | became.keys())
        if was.get(path) != became.get(path)
    )
