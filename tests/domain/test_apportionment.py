"""Apportionment, as stories: exact shares, who may agree them, and what they make of our money."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.apportionment import (
    PARTIES_MAX,
    ApportionmentAgreed,
    ApportionmentProposed,
    ApportionmentRejected,
    ApportionmentStatus,
    PartyShare,
    covering,
)
from domain.claim.exposure import Amounts, cells
from domain.errors import BadValue, SharesNotWhole
from domain.refusals.authority import ComplexApportionmentNeedsLead
from domain.refusals.state import (
    FileClosed,
    IllegalTransition,
    ReferenceTaken,
    UnknownReference,
)
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    Basis,
    CostType,
    Line,
    Role,
)
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    closed,
    estimated,
    issued,
    notified,
    parties,
    recovered,
    shared,
    shares_agreed,
)
from tests.given import given

Act = Callable[[Claim], Sequence[Fact]]


def propose(asked: ApportionmentProposed) -> Act:
    return lambda claim: decisions.propose_apportionment(claim, asked)


def agree(role: Role = Role.NEGOTIATOR, key: str = "A1") -> Act:
    return lambda claim: decisions.agree_apportionment(claim, key, role)


def reject(claim: Claim) -> Sequence[Fact]:
    return decisions.reject_apportionment(claim, "A1")


def test_thirds_are_exact() -> None:
    given(notified()).when(propose(shared("1/3", "1/3", "1/3"))).then(shared("1/3", "1/3", "1/3"))


@pytest.mark.parametrize("uneven", [("1/3", "1/3"), ("1/2", "51/100"), ("3/2", "-1/2"), ("1", "0")])
def test_shares_that_do_not_sum_to_one_or_are_nothing_are_refused(uneven: tuple[str, ...]) -> None:
    total = sum(map(Fraction, uneven))
    given(notified()).when(propose(shared(*uneven))).refused(SharesNotWhole, total=str(total))


def test_there_are_two_to_twenty_parties_each_named_once_and_one_is_ours() -> None:
    file = given(notified())
    file.when(propose(shared("1"))).refused(BadValue, path="parties")
    most = shared(*["1/20"] * PARTIES_MAX)
    file.when(propose(most)).then(most)
    many = ["1/21"] * (PARTIES_MAX + 1)
    file.when(propose(shared(*many))).refused(BadValue, path="parties")
    twice = (PartyShare("org-1", Fraction(1, 2)), PartyShare("org-1", Fraction(1, 2)))
    file.when(propose(replace(shared(), parties=twice))).refused(BadValue, path="parties")
    file.when(propose(replace(shared(), ours="org-9"))).refused(BadValue, path="ours")


def test_equal_shares_are_equal() -> None:
    equal = ApportionmentBasis.EQUAL
    given(notified()).when(propose(shared("1/3", "2/3", basis=equal))).refused(
        BadValue, path="basis"
    )
    given(notified()).when(propose(shared(basis=equal))).then(shared(basis=equal))


def test_an_apportionment_has_a_reference_of_its_own() -> None:
    given(notified(), shared()).when(propose(shared())).refused(
        ReferenceTaken, what="apportionment", reference="A1"
    )


def test_a_simple_apportionment_is_agreed_by_a_negotiator() -> None:
    given(notified(), shared("3/5", "2/5")).when(agree()).then(ApportionmentAgreed("A1"))


@pytest.mark.parametrize(
    ("complicated", "why"),
    [
        (shared("1/3", "1/3", "1/3"), "3 parties share"),
        (shared(basis=ApportionmentBasis.BY_HEAD), "it is shared by_head"),
        (shared(basis=ApportionmentBasis.BY_PERIOD_OF_CARE), "it is shared by_period_of_care"),
    ],
)
def test_a_complex_apportionment_needs_the_pathway_lead(
    complicated: ApportionmentProposed, why: str
) -> None:
    file = given(notified(), complicated)
    for role in set(Role) - {Role.PATHWAY_LEAD, Role.HEAD_OF_DEPARTMENT}:
        file.when(agree(role)).refused(ComplexApportionmentNeedsLead, why=why, role=role.value)
    file.when(agree(Role.PATHWAY_LEAD)).then(ApportionmentAgreed("A1"))
    file.when(agree(Role.HEAD_OF_DEPARTMENT)).then(ApportionmentAgreed("A1"))


def test_what_was_proposed_is_agreed_or_turned_down_once() -> None:
    given(notified(), shared()).when(reject).then(ApportionmentRejected("A1"))
    for done, state in ((shares_agreed(), "agreed"), (ApportionmentRejected("A1"), "rejected")):
        file = given(notified(), shared(), done)
        file.when(agree()).refused(IllegalTransition, state=state, asked="agreed")
        file.when(reject).refused(IllegalTransition, state=state, asked="rejected")


def test_what_was_never_proposed_is_neither_agreed_nor_turned_down() -> None:
    for act in (agree(), reject):
        given(notified()).when(act).refused(UnknownReference, what="apportionment")


def test_nothing_is_shared_out_on_a_closed_file() -> None:
    file = given(notified(), shared(), closed())
    for act in (propose(shared(apportionment_id="A2")), agree(), reject):
        file.when(act).refused(FileClosed, closed_on=DAY)


def test_only_what_is_agreed_changes_our_money() -> None:
    file = (notified(), estimated(100), issued(50), recovered(10))
    whole = (10_000, 5_000, 1_000)
    proposed = given(*file, shared("3/5", "2/5")).state
    assert [*cells(proposed).values()] == [Amounts(*whole, *whole)]
    turned_down = given(*file, shared("3/5", "2/5"), ApportionmentRejected("A1")).state
    assert [*cells(turned_down).values()] == [Amounts(*whole, *whole)]
    agreed = given(*file, shared("3/5", "2/5"), shares_agreed()).state
    assert [*cells(agreed).values()] == [Amounts(*whole, 6_000, 3_000, 600)]


def test_an_apportionment_shares_only_the_costs_that_it_covers() -> None:
    claim = given(
        notified(), shared(covers=ApportionmentCovers.DAMAGES), shares_agreed()
    ).state.apportionments
    assert claim.our_part(DAMAGES, 100) == 50
    assert claim.our_part(DEFENCE, 100) == 100


def test_a_later_agreement_takes_the_place_of_an_earlier_one_for_the_costs_it_covers() -> None:
    claim = given(
        notified(),
        shared("1/2", "1/2", covers=ApportionmentCovers.ALL),
        shares_agreed(),
        shared("1/4", "3/4", covers=ApportionmentCovers.DAMAGES, apportionment_id="A2"),
        shares_agreed("A2"),
    ).state.apportionments
    assert claim.our_part(DAMAGES, 100) == 25
    assert claim.our_part(DEFENCE, 100) == 50
    assert claim.by_id["A1"].status is ApportionmentStatus.AGREED


def test_a_line_that_is_kept_at_our_share_is_not_shared_again() -> None:
    ours = Line(CostType.DAMAGES, "GBP", basis=Basis.OUR_SHARE)
    claim = given(notified(), shared(), shares_agreed()).state.apportionments
    assert claim.our_part(ours, 100) == 100


def test_an_odd_penny_goes_to_the_party_with_the_largest_remainder_named_first() -> None:
    thirds = given(notified(), shared("1/3", "1/3", "1/3"), shares_agreed()).state.apportionments
    assert [thirds.our_part(DAMAGES, minor) for minor in (1, 2, 3, 100)] == [1, 1, 1, 34]


@pytest.mark.parametrize("cost_type", CostType)
def test_every_cost_type_belongs_to_one_sort_of_costs(cost_type: CostType) -> None:
    assert covering(cost_type) is not ApportionmentCovers.ALL


@pytest.mark.parametrize("stray", [shares_agreed("A9"), ApportionmentRejected("A9")])
def test_remembering_never_judges_a_fact_about_unknown_shares(stray: Fact) -> None:
    assert given(notified(), stray).state == given(notified()).state


def test_parties_are_references() -> None:
    assert [each.party for each in parties("1/2", "1/2")] == ["org-1", "org-2"]
