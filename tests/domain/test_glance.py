"""A file at a glance is the same whether it is looked at as a whole or carried on from before."""

from hypothesis import given

from domain.claim import Claim, Fact, evolve
from domain.claim.glance import standing_after, standing_of
from domain.envelope import Recorded
from tests.strategies import histories


@given(history=histories())
def test_how_a_file_stood_and_a_step_tell_how_it_stands(history: list[Recorded[Fact]]) -> None:
    before = Claim()
    assert standing_of(before) is None
    for record in history:
        after = evolve(before, record.fact, record.envelope.effective_on)
        stood, stands = standing_of(before), standing_of(after)
        if stood is not None:
            assert standing_after(stood, before, after) == stands
        before = after
