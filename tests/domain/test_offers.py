"""Offers, as stories: four types, each with the machine that the law gives it."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.offer_terms import OfferTerms
from domain.claim.offers import (
    Offer,
    OfferAccepted,
    OfferLapsed,
    OfferMade,
    OfferReceived,
    OfferRejected,
    OfferStatus,
    OfferWithdrawn,
)
from domain.errors import BadValue, DateOrder
from domain.refusals.money import (
    InvalidPart36Offer,
    OfferTermsIncomplete,
    ScopeAlreadyAccepted,
)
from domain.refusals.state import (
    FileClosed,
    IllegalTransition,
    NoStrategy,
    NotAllocated,
    OfferNotOpen,
    ReferenceTaken,
    UnknownReference,
)
from domain.terms import OfferScope, OfferType
from domain.value import replace
from tests.facts import (
    DAY,
    accepted,
    after,
    allocated,
    calderbank,
    closed,
    contractual,
    damages,
    lapsed,
    notified,
    offered,
    part36,
    received,
    refused_by_them,
    settled,
    strategy_set,
    withdrawn,
)
from tests.given import Given, given

Act = Callable[[Claim], Sequence[Fact]]
CONTRACTUAL = [OfferType.CALDERBANK, OfferType.WP_OFFER, OfferType.OPEN]
READY = (notified(), allocated(), strategy_set())


def on_file(*facts: Fact) -> Given[Claim]:
    return given(*READY, *facts)


def make(made: OfferMade, on: date = DAY) -> Act:
    return lambda claim: decisions.make_offer(claim, made, on)


def receive(theirs: OfferReceived, on: date = DAY) -> Act:
    return lambda claim: decisions.receive_offer(claim, theirs, on)


def accept(on: date = DAY, offer_id: str = "O1") -> Act:
    return lambda claim: decisions.accept_offer(claim, offer_id, on)


def reject(on: date = DAY) -> Act:
    return lambda claim: decisions.reject_offer(claim, "O1", on)


def withdraw(on: date = DAY) -> Act:
    return lambda claim: decisions.withdraw_offer(claim, "O1", on)


def lapse(on: date) -> Act:
    return lambda claim: decisions.lapse_offer(claim, "O1", on)


def status(offer: Given[Claim], on: date) -> OfferStatus:
    return offer.state.offers.by_id["O1"].status_on(on)


def test_an_offer_needs_a_handler_and_a_strategy() -> None:
    given(notified()).when(make(offered(part36()))).refused(NotAllocated)
    given(notified(), allocated()).when(make(offered(part36()))).refused(NoStrategy)
    on_file().when(make(offered(part36()))).then(offered(part36()))


def test_their_offer_is_recorded_even_before_somebody_handles_the_file() -> None:
    given(notified()).when(receive(received(part36(900_000)))).then(received(part36(900_000)))


def test_an_offer_has_a_reference_of_its_own_ours_or_theirs() -> None:
    file = on_file(offered(part36()))
    file.when(make(offered(calderbank()))).refused(ReferenceTaken, what="offer", reference="O1")
    file.when(receive(received(calderbank(), "O1"))).refused(ReferenceTaken)


def test_their_offer_is_effective_on_the_day_it_was_served() -> None:
    on_file().when(receive(received(calderbank()), on=after(-1))).refused(
        BadValue, path="terms.served_on"
    )


def test_their_offer_has_to_be_an_offer() -> None:
    on_file().when(receive(received(part36(days=20)))).refused(InvalidPart36Offer)
    off = replace(calderbank(), damages=replace(damages(100), net=damages(99).net))
    on_file().when(receive(received(off))).refused(OfferTermsIncomplete)


# --- Part 36 -------------------------------------------------------------------------------------


def test_a_part_36_offer_stays_open_after_its_relevant_period() -> None:
    file = on_file(offered(part36()))
    assert status(file, after(21)) is OfferStatus.OPEN
    assert status(file, after(22)) is OfferStatus.OPEN_AFTER_RELEVANT_PERIOD
    assert status(file, after(5_000)) is OfferStatus.OPEN_AFTER_RELEVANT_PERIOD


def test_a_part_36_offer_is_accepted_within_its_relevant_period_or_late() -> None:
    file = on_file(offered(part36()))
    file.when(accept(after(21))).then(OfferAccepted("O1", in_relevant_period=True))
    file.when(accept(after(22))).then(OfferAccepted("O1", in_relevant_period=False))


def test_a_part_36_offer_survives_a_rejection() -> None:
    on_file(offered(part36())).when(reject(after(3))).then(OfferRejected("O1"))
    rejected = on_file(offered(part36()), refused_by_them())
    assert status(rejected, after(4)) is OfferStatus.OPEN
    rejected.when(reject(after(4))).then_nothing()
    rejected.when(accept(after(30))).then(OfferAccepted("O1", in_relevant_period=False))


def test_a_part_36_offer_never_lapses() -> None:
    file = on_file(offered(part36()))
    file.when(lapse(after(5_000))).refused(OfferNotOpen, asked="lapsed")


def test_a_notice_within_the_relevant_period_is_pending_until_its_end() -> None:
    file = on_file(offered(part36()))
    file.when(withdraw(after(21))).then(OfferWithdrawn("O1", takes_effect_on=after(22)))
    pending = on_file(offered(part36()), withdrawn(after(22)))
    assert status(pending, after(21)) is OfferStatus.WITHDRAWAL_PENDING
    assert status(pending, after(22)) is OfferStatus.WITHDRAWN


def test_an_acceptance_within_the_relevant_period_beats_a_pending_notice() -> None:
    pending = on_file(offered(part36()), withdrawn(after(22)))
    pending.when(accept(after(21))).then(OfferAccepted("O1", in_relevant_period=True))
    pending.when(accept(after(22))).refused(OfferNotOpen, state="withdrawn", asked="accepted")
    both = on_file(offered(part36()), withdrawn(after(22)), accepted(in_period=True))
    assert status(both, after(30)) is OfferStatus.ACCEPTED


def test_a_notice_after_the_relevant_period_takes_effect_at_once() -> None:
    on_file(offered(part36())).when(withdraw(after(22))).then(OfferWithdrawn("O1", after(22)))


def test_a_second_notice_adds_nothing_while_the_first_is_pending() -> None:
    pending = on_file(offered(part36()), withdrawn(after(22)))
    pending.when(withdraw(after(5))).then_nothing()
    pending.when(withdraw(after(22))).refused(OfferNotOpen, state="withdrawn", asked="withdrawn")


def test_a_part_36_offer_withdraws_itself_only_on_the_day_that_its_terms_say() -> None:
    file = on_file(offered(replace(part36(), auto_withdraw_on=after(30))))
    assert status(file, after(29)) is OfferStatus.OPEN_AFTER_RELEVANT_PERIOD
    assert status(file, after(30)) is OfferStatus.WITHDRAWN
    file.when(accept(after(30))).refused(OfferNotOpen, state="withdrawn")
    file.when(withdraw(after(25))).then(OfferWithdrawn("O1", after(25)))


# --- the contractual types -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", CONTRACTUAL)
def test_a_contractual_offer_dies_on_rejection(kind: OfferType) -> None:
    rejected = on_file(offered(contractual(kind)), refused_by_them())
    assert status(rejected, DAY) is OfferStatus.REJECTED
    for act in (accept(), reject(), withdraw()):
        rejected.when(act).refused(OfferNotOpen, offer_id="O1", state="rejected")


@pytest.mark.parametrize("kind", CONTRACTUAL)
def test_a_contractual_offer_lapses_after_its_last_day(kind: OfferType) -> None:
    file = on_file(offered(contractual(kind, expires_on=after(7))))
    assert status(file, after(7)) is OfferStatus.OPEN
    assert status(file, after(8)) is OfferStatus.LAPSED
    file.when(accept(after(7))).then(OfferAccepted("O1", in_relevant_period=None))
    file.when(accept(after(8))).refused(OfferNotOpen, state="lapsed", asked="accepted")
    file.when(lapse(after(7))).refused(OfferNotOpen, state="open", asked="lapsed")
    file.when(lapse(after(8))).then(OfferLapsed("O1"))


def test_a_lapse_is_recorded_once() -> None:
    file = on_file(offered(calderbank(expires_on=after(7))), lapsed())
    file.when(lapse(after(9))).then_nothing()


@pytest.mark.parametrize("kind", CONTRACTUAL)
def test_a_contractual_offer_without_a_last_day_stays_open_until_withdrawn(kind: OfferType) -> None:
    file = on_file(offered(contractual(kind)))
    assert status(file, after(5_000)) is OfferStatus.OPEN
    file.when(withdraw(after(3))).then(OfferWithdrawn("O1", after(3)))
    file.when(lapse(after(5_000))).refused(OfferNotOpen)
    gone = on_file(offered(contractual(kind)), withdrawn(after(3)))
    assert status(gone, after(3)) is OfferStatus.WITHDRAWN


# --- all of them ---------------------------------------------------------------------------------


def test_their_offer_is_accepted_or_rejected_by_us() -> None:
    file = on_file(received(part36(), "O1"))
    file.when(accept()).then(OfferAccepted("O1", in_relevant_period=True))
    file.when(reject()).then(OfferRejected("O1"))


def test_an_offer_that_nobody_made_cannot_be_answered() -> None:
    for act in (accept(), reject(), withdraw(), lapse(DAY)):
        on_file().when(act).refused(UnknownReference, what="offer", reference="O1")


def test_nothing_happens_to_an_offer_before_it_was_served() -> None:
    file = on_file(offered(part36()))
    for act in (accept(after(-1)), reject(after(-1)), withdraw(after(-1))):
        file.when(act).refused(DateOrder, path="effective_on")


def test_an_accepted_offer_is_not_accepted_again() -> None:
    on_file(offered(part36()), accepted()).when(accept()).refused(OfferNotOpen, state="accepted")


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (OfferScope.WHOLE_CLAIM, OfferScope.WHOLE_CLAIM, False),
        (OfferScope.DAMAGES, OfferScope.WHOLE_CLAIM, False),
        (OfferScope.DAMAGES, OfferScope.DAMAGES, False),
    ],
)
def test_one_offer_is_accepted_in_each_scope(
    first: OfferScope, second: OfferScope, both: bool
) -> None:
    file = on_file(
        offered(calderbank(scope=first)), received(calderbank(scope=second), "O2"), accepted()
    )
    outcome = file.when(accept(offer_id="O2"))
    if both:
        outcome.then(OfferAccepted("O2", None))
    else:
        outcome.refused(ScopeAlreadyAccepted, accepted="O1", scope=second.value)


def test_no_offer_is_made_received_or_accepted_on_a_settled_claim() -> None:
    file = on_file(offered(part36()), settled())
    for act in (make(offered(part36(), "O5")), receive(received(part36())), accept()):
        file.when(act).refused(IllegalTransition, what="the claim", state="settled")


def test_nothing_happens_to_an_offer_on_a_closed_file() -> None:
    file = on_file(offered(calderbank(expires_on=DAY)), closed())
    acts = [make(offered(part36(), "O5")), receive(received(part36())), accept(), reject()]
    for act in [*acts, withdraw(), lapse(after(1))]:
        file.when(act).refused(FileClosed, closed_on=DAY)


@pytest.mark.parametrize(
    "stray",
    [accepted("O9"), refused_by_them("O9"), withdrawn(DAY, "O9"), lapsed("O9")],
)
def test_remembering_never_judges_a_fact_about_an_unknown_offer(stray: Fact) -> None:
    assert on_file(stray).state == on_file().state


def test_an_offer_that_was_rejected_and_survives_is_still_live() -> None:
    terms: OfferTerms = part36()
    assert Offer(terms, ours=True, rejected=True).live_on(after(300))
