"""A claim remembers every kind of fact that a file may have, each in the regions that name it."""

from types import ModuleType
from typing import Any, get_args

import pytest

from domain import claim
from domain.claim import (
    Claim,
    Fact,
    apportionment,
    escalation,
    evolve,
    lifecycle,
    offers,
    payments,
    reserves,
    settlement,
)
from tests.domain.samples import DAY, FACTS

REGIONS = (lifecycle, reserves, payments, offers, settlement, apportionment, escalation)
OF_CLAIMS = [fact for fact in FACTS if isinstance(fact, claim.Fact)]


@pytest.mark.parametrize("fact", OF_CLAIMS, ids=lambda fact: type(fact).__name__)
def test_a_fact_is_remembered_by_every_region_that_names_it(
    fact: Fact, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ModuleType] = []
    for region in REGIONS:

        def remembering(state: Any, *_: object, region: ModuleType = region) -> Any:
            asked.append(region)
            return state

        monkeypatch.setattr(region, "evolve", remembering)
    evolve(Claim(), fact, DAY)
    named = [region for region in REGIONS if type(fact) in (get_args(region.Fact) or [region.Fact])]
    assert sorted(map(repr, asked)) == sorted(map(repr, named))


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(fact) for fact in OF_CLAIMS} == set(get_args(Fact))
