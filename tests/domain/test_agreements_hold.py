"""What must hold for offers, settlement, payments, approvals and shares, whatever happens."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from domain.claim import Claim, Fact, evolve
from domain.claim.apportionment import ApportionmentProposed, ApportionmentStatus
from domain.claim.escalation import ApprovalConsumed, Escalated, EscalationDecided
from domain.claim.offer_terms import OfferTerms, require_valid
from domain.claim.offers import Offer, OfferMade, OfferReceived, OfferStatus
from domain.claim.payments import PaymentApproved, PaymentIssued, PaymentRequested
from domain.envelope import Recorded
from domain.errors import SharesNotWhole
from domain.history import Coordinate, fold
from domain.money import require_whole, split
from domain.terms import OfferScope, OfferType
from tests.strategies import days, histories, moments, some
from tests.values import amounts, offer_terms, shares

History = list[Recorded[Fact]]
SERVED = date(2026, 3, 2)


def somewhere(data: DataObject, history: History) -> tuple[Claim, date]:
    """The file at some moment of knowing, on some day, and that day."""
    day = data.draw(days(history))
    where = Coordinate(known_at=data.draw(moments(history)), as_of=day)
    return fold(history, evolve, Claim(), where), day


@some
@given(histories(), st.data())
def test_at_most_one_offer_is_accepted_in_a_scope(history: History, data: DataObject) -> None:
    """I19: an offer for the whole claim is in every scope."""
    claim, _ = somewhere(data, history)
    scopes = Counter(
        offer.terms.scope
        for offer in claim.offers.by_id.values()
        if offer.ended is OfferStatus.ACCEPTED
    )
    assert all(number == 1 for number in scopes.values())
    assert OfferScope.WHOLE_CLAIM not in scopes or len(scopes) == 1


@some
@given(histories(), st.data())
def test_no_offer_is_live_once_the_claim_is_settled(history: History, data: DataObject) -> None:
    """I20."""
    claim, day = somewhere(data, history)
    if claim.settlement.agreed is not None:
        for later in (0, 1, 30, 400):
            assert list(claim.offers.live_on(day + timedelta(days=later))) == []


@some
@given(histories())
def test_every_part_36_offer_says_its_relevant_period_and_every_offer_adds_up(
    history: History,
) -> None:
    """I21, I22: gross - deductions = net."""
    for record in history:
        if isinstance(record.fact, OfferMade | OfferReceived):
            terms = record.fact.terms
            assert terms.damages.gross - terms.damages.deducted == terms.damages.net
            if terms.type is OfferType.PART36:
                assert terms.relevant_period_days is not None
                assert terms.relevant_period_days >= 21
                assert terms.expires_on is None


@some
@given(histories(), st.data())
def test_a_part_36_offer_never_lapses(history: History, data: DataObject) -> None:
    """I23."""
    claim, day = somewhere(data, history)
    for offer in claim.offers.by_id.values():
        if offer.part36:
            later = day + timedelta(days=data.draw(st.integers(0, 2_000)))
            assert offer.status_on(later) is not OfferStatus.LAPSED


@given(offer_terms(SERVED), st.lists(st.integers(0, 400), min_size=2, max_size=2))
def test_time_alone_never_opens_an_offer_again(terms: OfferTerms, after: list[int]) -> None:
    require_valid(terms, "GBP")
    offer = Offer(terms, ours=True)
    sooner, later = (offer.status_on(SERVED + timedelta(days=each)) for each in sorted(after))
    order = [
        OfferStatus.OPEN,
        OfferStatus.OPEN_AFTER_RELEVANT_PERIOD,
        OfferStatus.WITHDRAWN,
        OfferStatus.LAPSED,
    ]
    assert order.index(sooner) <= order.index(later)


@some
@given(histories())
def test_a_settlement_that_names_an_offer_has_its_damages(history: History) -> None:
    """I24."""
    claim = fold(history, evolve, Claim())
    agreed = claim.settlement.agreed
    if agreed is not None and agreed.offer_id:
        offer = claim.offers.by_id[agreed.offer_id]
        assert offer.ended is OfferStatus.ACCEPTED
        assert agreed.damages == offer.terms.damages
        assert agreed.costs_terms is offer.terms.costs_terms


@some
@given(histories())
def test_nobody_approves_what_they_asked_for(history: History) -> None:
    """I13, for payments and for escalations."""
    asked: dict[str, str] = {}
    for record in history:
        match record.fact:
            case PaymentRequested(payment_id=key, requested_by=person):
                asked[key] = person
            case Escalated(escalation_id=key, asked_by=person):
                asked[key] = person
            case PaymentApproved(payment_id=key, approved_by=person):
                assert asked[key] != person
            case EscalationDecided(escalation_id=key, decided_by=person):
                assert asked[key] != person
            case _:
                pass


@some
@given(histories())
def test_a_payment_is_issued_once_and_only_as_it_was_approved(history: History) -> None:
    requested: dict[str, PaymentRequested] = {}
    approved: set[str] = set()
    issued: set[str] = set()
    for record in history:
        match record.fact:
            case PaymentRequested(payment_id=key):
                requested[key] = record.fact
            case PaymentApproved(payment_id=key):
                approved.add(key)
            case PaymentIssued(payment_id=key, line=line, amount=amount):
                assert key not in issued
                issued.add(key)
                if not key.startswith("source-"):
                    assert key in approved
                    assert (line, amount) == (requested[key].line, requested[key].amount)
            case _:
                pass


@some
@given(histories())
def test_an_approval_is_used_at_most_once_and_never_above_its_maximum(history: History) -> None:
    """I14."""
    claim = fold(history, evolve, Claim())
    used = [record.fact for record in history if isinstance(record.fact, ApprovalConsumed)]
    assert len({each.escalation_id for each in used}) == len(used)
    for each in used:
        escalation = claim.escalations.by_id[each.escalation_id]
        assert escalation.asked.approval is not None
        assert each.amount <= escalation.asked.approval.maximum
        assert each.decision is escalation.asked.approval.decision


@some
@given(histories(), st.data())
def test_one_apportionment_is_in_force_for_each_sort_of_costs(
    history: History, data: DataObject
) -> None:
    """I28, and I26 for every one that was put forward."""
    claim, _ = somewhere(data, history)
    for key in claim.apportionments.agreed.values():
        assert claim.apportionments.by_id[key].status is ApportionmentStatus.AGREED
    for record in history:
        if isinstance(record.fact, ApportionmentProposed):
            assert sum(party.share for party in record.fact.parties) == 1


@given(shares(), amounts(high=10**14))
def test_the_parts_of_a_split_are_the_whole_and_each_is_within_a_penny(
    weights: list[Fraction], minor: int
) -> None:
    """I26, I27."""
    require_whole(weights)
    parts = split(minor, weights)
    assert sum(parts) == minor
    for part, share in zip(parts, weights, strict=True):
        assert abs(part - minor * share) < 1


@given(shares(), amounts(high=10**14))
def test_a_reversal_is_split_as_what_it_reverses(weights: list[Fraction], minor: int) -> None:
    """I27, for negative amounts."""
    assert split(-minor, weights) == tuple(-part for part in split(minor, weights))


@given(shares(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_larger_amount_never_makes_the_parts_smaller_altogether(
    weights: list[Fraction], one: int, more: int
) -> None:
    assert sum(split(one + more, weights)) - sum(split(one, weights)) == more


@given(st.lists(st.fractions(-2, 2, max_denominator=20), min_size=1, max_size=6))
def test_shares_that_are_not_whole_are_refused(weights: list[Fraction]) -> None:
    """I26."""
    assume(sum(weights) != 1 or min(weights) <= 0)
    with pytest.raises(SharesNotWhole):
        require_whole(weights)
