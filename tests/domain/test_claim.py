"""A claim remembers every kind of fact that a file may have, each in the regions that name it."""

from typing import get_args

import pytest

from domain import claim
from domain.claim import Claim, Fact, evolve
from tests.domain.samples import DAY, FACTS

OF_CLAIMS = [fact for fact in FACTS if isinstance(fact, claim.Fact)]


@pytest.mark.parametrize("fact", OF_CLAIMS, ids=lambda fact: type(fact).__name__)
def test_a_fact_of_any_kind_is_remembered(fact: Fact) -> None:
    assert isinstance(evolve(Claim(), fact, DAY), Claim)


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(fact) for fact in OF_CLAIMS} == set(get_args(Fact))
