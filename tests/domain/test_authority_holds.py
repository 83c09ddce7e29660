"""What must hold for authority, whoever decides and however far a mandate was handed down."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from domain.authority import Holding, Scope, judge
from domain.envelope import Grounds, Judgement
from domain.errors import Refused
from domain.mandate import Limit, Mandate, MandateGranted, evolve, grant
from domain.money import Money
from domain.refusals.authority import (
    AuthorityExceeded,
    DelegationExceedsGrantor,
    MandateNotAttested,
    MandateNotInForce,
    OutsideMandate,
)
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Role, Stage
from domain.value import replace
from tests.values import amounts

TODAY = date(2026, 6, 1)
HERE = Scope(Pathway.DENTAL, Jurisdiction.ENGLAND_WALES, Stage.NEGOTIATING)

WHOLE = Mandate(
    role=Role.CASE_MANAGER,
    valid_from=TODAY,
    valid_to=TODAY,
    attested=dict.fromkeys(Attestor, "somebody"),
)
FLAWED = [
    replace(WHOLE, suspended=True),
    replace(WHOLE, revoked=True),
    replace(WHOLE, valid_from=TODAY + timedelta(days=1)),
    replace(WHOLE, valid_to=TODAY - timedelta(days=1)),
    replace(WHOLE, attested={Attestor.HOLDER: "somebody"}),
]

maxima = amounts(1, 10**8).map(lambda minor: Money(minor, "GBP"))
measures = amounts(0, 10**7).map(lambda minor: Money(minor, "GBP"))


@st.composite
def limits(draw: DrawFn) -> Limit:
    """A limit for offers, most often one that reaches here."""
    everywhere = Limit(
        Decision.OFFER, draw(maxima), tuple(Pathway), tuple(Jurisdiction), tuple(Stage)
    )
    narrower = [
        replace(everywhere, pathways=(Pathway.MEDICAL,)),
        replace(everywhere, jurisdictions=(Jurisdiction.IRELAND,)),
        replace(everywhere, stages=(Stage.PRE_CLAIM,)),
    ]
    return draw(st.sampled_from([everywhere] * 9 + narrower))


@st.composite
def holdings(draw: DrawFn, person: str) -> Holding:
    """A mandate, most often in force."""
    mandate = draw(st.sampled_from([WHOLE] * 20 + FLAWED))
    limited = replace(mandate, holder=person, limits=(draw(limits()),))
    return Holding(person, limited, draw(st.integers(4, 9)))


@st.composite
def chains(draw: DrawFn) -> list[Holding]:
    """A mandate and those above it that it was handed down from."""
    length = draw(st.integers(1, 4))
    return [draw(holdings(f"person-{number}")) for number in range(length)]


def judged(chain: list[Holding], measured: Money) -> Judgement | None:
    """The judgement, or none if the authority is not there."""
    with suppress(AuthorityExceeded, OutsideMandate, MandateNotAttested, MandateNotInForce):
        return judge(chain, Decision.OFFER, measured, HERE, TODAY)
    return None


@given(chains(), measures)
def test_what_is_allowed_is_within_every_limit_and_says_which_mandates_allowed_it(
    chain: list[Holding], measured: Money
) -> None:
    """I12, I14, I16."""
    judgement = judged(chain, measured)
    if judgement is None:
        return
    smallest = min(holding.mandate.limits[0].maximum.minor for holding in chain)
    assert judgement.grounds is Grounds.MANDATE
    assert judgement.limit == Money(smallest, "GBP")
    assert judgement.headroom == Money(smallest - measured.minor, "GBP")
    assert measured.minor <= smallest
    assert (judgement.person, judgement.mandate_version) == (chain[0].person, chain[0].version)
    assert judgement.delegators == tuple((each.person, each.version) for each in chain[1:])


@given(chains(), measures)
def test_nothing_is_allowed_below_somebody_who_could_not_allow_it(
    chain: list[Holding], measured: Money
) -> None:
    """I16: what a delegate may, each one above may as well, today."""
    alone = [judged([holding], measured) is not None for holding in chain]
    assert (judged(chain, measured) is not None) is all(alone)


@given(chains(), measures)
def test_nobody_decides_by_a_mandate_that_is_not_in_force(
    chain: list[Holding], measured: Money
) -> None:
    """I17, for the holder and for everybody above."""
    for holding in chain if judged(chain, measured) else []:
        mandate = holding.mandate
        assert not mandate.suspended
        assert not mandate.revoked
        assert not mandate.missing
        assert mandate.valid_from is not None
        assert mandate.valid_from <= TODAY
        assert mandate.valid_to is None or mandate.valid_to >= TODAY


@given(chains(), measures, measures)
def test_what_allows_an_amount_allows_a_smaller_one(
    chain: list[Holding], one: Money, other: Money
) -> None:
    smaller, larger = sorted([one, other])
    assert judged(chain, larger) is None or judged(chain, smaller) is not None


@given(holdings("person-0"), measures)
def test_authority_for_one_decision_is_none_for_another(holding: Holding, measured: Money) -> None:
    for decision in set(Decision) - {Decision.OFFER}:
        with pytest.raises(Refused):
            judge([holding], decision, measured, HERE, TODAY)


@given(holdings("above"), limits())
def test_what_is_handed_down_lies_within_what_there_is_to_hand_down(
    above: Holding, asked: Limit
) -> None:
    """I16, at the moment of granting."""
    granted = MandateGranted(
        "below", Role.CASE_MANAGER, (asked,), TODAY, None, "someone", delegated_by="above"
    )
    try:
        facts = grant(Mandate(), granted, above.mandate)
    except DelegationExceedsGrantor:
        return
    theirs = above.mandate.limits[0]
    below = evolve(Mandate(), facts[0], TODAY).limits[0]
    assert below.maximum <= theirs.maximum
    assert set(below.pathways) <= set(theirs.pathways)
    assert set(below.jurisdictions) <= set(theirs.jurisdictions)
    assert set(below.stages) <= set(theirs.stages)
