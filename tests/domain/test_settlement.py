"""Settlement and closing, as stories: agreed once, paid in full, and nothing left when closed."""

from collections.abc import Callable, Sequence

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.lifecycle import ClaimClosed
from domain.claim.offer_terms import Damages
from domain.claim.offers import OfferStatus, OfferSuperseded
from domain.claim.settlement import SettlementAgreed, settlement_digest
from domain.errors import CurrencyMismatch
from domain.money import Money
from domain.refusals.closure import (
    ClosureCodeConflicts,
    EscalationUndecided,
    OfferStillLive,
    OutstandingRemains,
    PaymentInProgress,
    SettlementUnpaid,
)
from domain.refusals.money import (
    AmountNotPositive,
    OfferTermsIncomplete,
    SettlementDiffersFromOffer,
)
from domain.refusals.state import (
    FileClosed,
    IllegalTransition,
    NotAllocated,
    OfferNotOpen,
    UnknownReference,
)
from domain.terms import ClosureCode, CostsTerms
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    accepted,
    after,
    allocated,
    approved,
    asked,
    calderbank,
    closed,
    damages,
    decided,
    estimated,
    gbp,
    issued,
    notified,
    offered,
    part36,
    received,
    requested,
    settled,
    strategy_set,
    turned_down,
    withdrawn,
)
from tests.given import Given, given

Act = Callable[[Claim], Sequence[Fact]]
NIL_CODES = [code for code in ClosureCode if code.value.startswith("nil_")]


def on_file(*facts: Fact) -> Given[Claim]:
    return given(notified(), allocated(), strategy_set(), *facts)


def settle(
    agreed: Damages, offer_id: str = "", costs: CostsTerms = CostsTerms.INCLUSIVE, days: int = 0
) -> Act:
    return lambda claim: decisions.agree_settlement(claim, agreed, costs, offer_id, after(days))


def close(code: ClosureCode = ClosureCode.TRANSFERRED, days: int = 0) -> Act:
    return lambda claim: decisions.close(claim, code, "done", after(days))


# --- settlement ----------------------------------------------------------------------------------


def test_a_claim_is_settled_directly() -> None:
    on_file().when(settle(damages(1_000))).then(settled(1_000))


def test_a_claim_that_nobody_handles_is_not_settled() -> None:
    given(notified()).when(settle(damages(1_000))).refused(NotAllocated)


def test_a_claim_is_settled_once() -> None:
    on_file(settled()).when(settle(damages(1_000))).refused(
        IllegalTransition, state="settled", asked="settled again"
    )


def test_a_settlement_adds_up_in_the_currency_of_the_file() -> None:
    on_file().when(settle(Damages(gbp(100), gbp(99)))).refused(OfferTermsIncomplete)
    on_file().when(settle(damages(0))).refused(AmountNotPositive)
    rand = Money(100, "ZAR")
    on_file().when(settle(Damages(rand, rand))).refused(CurrencyMismatch)


def test_a_settlement_rests_on_an_accepted_offer_and_equals_it() -> None:
    file = on_file(offered(calderbank(1_000)), accepted())
    file.when(settle(damages(1_000), "O1")).then(settled(1_000, "O1"))
    file.when(settle(damages(1_001), "O1")).refused(
        SettlementDiffersFromOffer, term="gross damages", asked="GBP 1001.00"
    )
    file.when(settle(damages(1_000, 5), "O1")).refused(
        SettlementDiffersFromOffer, term="net damages"
    )
    file.when(settle(damages(1_000), "O1", CostsTerms.NONE)).refused(
        SettlementDiffersFromOffer, term="costs terms", asked="none", accepted="inclusive"
    )


def test_a_settlement_names_the_offer_that_was_accepted() -> None:
    file = on_file(offered(calderbank(1_000)), accepted())
    file.when(settle(damages(1_000))).refused(
        SettlementDiffersFromOffer, term="offer_id", asked="none", accepted="O1"
    )


def test_a_settlement_does_not_rest_on_an_offer_that_was_not_accepted() -> None:
    on_file().when(settle(damages(1_000), "O9")).refused(UnknownReference, reference="O9")
    on_file(offered(calderbank())).when(settle(damages(1_000), "O1")).refused(
        OfferNotOpen, state="not accepted", asked="settled on"
    )


def test_a_settlement_ends_every_other_live_offer_ours_and_theirs() -> None:
    file = on_file(
        offered(calderbank(), "O1"),
        offered(part36(), "O2"),
        received(part36(), "O3"),
        offered(calderbank(expires_on=DAY), "O4"),
        offered(part36(), "O5"),
        withdrawn(after(22), "O5"),
        accepted("O1"),
    )
    file.when(settle(damages(1_000), "O1", days=1)).then(
        settled(1_000, "O1"), *(OfferSuperseded(each) for each in ("O2", "O3", "O5"))
    )


def test_a_superseded_offer_is_not_live_on_any_later_day() -> None:
    claim = on_file(offered(part36()), settled(), OfferSuperseded("O1")).state
    assert claim.offers.by_id["O1"].status_on(after(300)) is OfferStatus.SUPERSEDED
    assert list(claim.offers.live_on(after(300))) == []


def test_a_settlement_comes_on_top_of_what_was_paid_before() -> None:
    paid = on_file(estimated(500), issued(200, payment_id="P0"))
    paid.when(settle(damages(1_000))).then(settled(1_000, paid_before=200))


def test_the_digest_of_a_settlement_changes_with_its_terms() -> None:
    same = settlement_digest(damages(1_000, 5), CostsTerms.NONE)
    assert same == settlement_digest(damages(1_000, 5), CostsTerms.NONE)
    others = [
        settlement_digest(damages(1_001, 5), CostsTerms.NONE),
        settlement_digest(damages(1_000, 6), CostsTerms.NONE),
        settlement_digest(damages(1_000, 5), CostsTerms.FIXED),
    ]
    assert len({same, *others}) == 4


# --- closing -------------------------------------------------------------------------------------


def test_a_file_is_closed_as_settled_only_after_a_settlement() -> None:
    on_file(estimated(300), issued(300)).when(close(ClosureCode.SETTLED)).refused(
        ClosureCodeConflicts
    )


def test_a_file_with_nothing_left_is_closed() -> None:
    on_file(estimated(300), issued(300)).when(close(ClosureCode.JUDGMENT)).then(
        ClaimClosed(ClosureCode.JUDGMENT, "done")
    )
    given(notified()).when(close(ClosureCode.DUPLICATE)).then(
        ClaimClosed(ClosureCode.DUPLICATE, "done")
    )


def test_a_file_is_closed_as_settled_when_a_settlement_was_recorded() -> None:
    on_file(estimated(300), issued(300)).when(close(ClosureCode.SETTLED)).refused(
        ClosureCodeConflicts, closure="settled"
    )


def test_a_closed_file_is_not_closed_again() -> None:
    on_file(closed()).when(close()).refused(FileClosed, closed_on=DAY)


def test_what_is_outstanding_keeps_a_file_open() -> None:
    on_file(estimated(300), estimated(90, DEFENCE), issued(300)).when(close()).refused(
        OutstandingRemains, line=DEFENCE, outstanding=gbp(90)
    )


@pytest.mark.parametrize("on_its_way", [(), (approved(),)], ids=["requested", "approved"])
def test_a_payment_on_its_way_keeps_a_file_open(on_its_way: tuple[Fact, ...]) -> None:
    on_file(estimated(300), requested(300), *on_its_way).when(close()).refused(
        PaymentInProgress, payment_id="P1"
    )


def test_a_payment_that_was_turned_down_does_not_keep_a_file_open() -> None:
    on_file(estimated(0), requested(300), turned_down()).when(close()).then(
        ClaimClosed(ClosureCode.TRANSFERRED, "done")
    )


def test_an_undecided_escalation_keeps_a_file_open() -> None:
    on_file(asked()).when(close()).refused(EscalationUndecided, escalation_id="E1")
    on_file(asked(), decided()).when(close()).then(ClaimClosed(ClosureCode.TRANSFERRED, "done"))


def test_a_live_offer_of_ours_keeps_a_file_open() -> None:
    file = on_file(offered(part36()))
    file.when(close(days=3)).refused(OfferStillLive, offer_id="O1")
    pending = on_file(offered(part36()), withdrawn(after(22)))
    pending.when(close(days=21)).refused(OfferStillLive, offer_id="O1")
    pending.when(close(days=22)).then(ClaimClosed(ClosureCode.TRANSFERRED, "done"))


def test_a_live_offer_of_theirs_does_not_keep_a_file_open() -> None:
    on_file(received(part36())).when(close()).then(ClaimClosed(ClosureCode.TRANSFERRED, "done"))


def test_agreed_damages_that_are_not_paid_keep_a_file_open() -> None:
    unpaid = on_file(estimated(999), settled(1_000), issued(999))
    unpaid.when(close(ClosureCode.SETTLED)).refused(
        SettlementUnpaid, damages=gbp(1_000), paid=gbp(999)
    )
    paid = on_file(estimated(1_000), settled(1_000), issued(1_000))
    paid.when(close(ClosureCode.SETTLED)).then(ClaimClosed(ClosureCode.SETTLED, "done"))


def test_what_was_paid_before_the_settlement_does_not_pay_it() -> None:
    file = on_file(
        estimated(1_000),
        issued(200, payment_id="P0"),
        settled(1_000, paid_before=200),
        issued(800),
    )
    file.when(close(ClosureCode.SETTLED)).refused(SettlementUnpaid, paid=gbp(800))


def test_the_net_of_a_settlement_is_what_has_to_be_paid() -> None:
    agreed = SettlementAgreed(damages(1_000, 150), CostsTerms.INCLUSIVE, "", gbp(0))
    on_file(estimated(850), agreed, issued(850)).when(close(ClosureCode.SETTLED)).then(
        ClaimClosed(ClosureCode.SETTLED, "done")
    )


def test_costs_do_not_pay_damages() -> None:
    costs = issued(1_000, DEFENCE)
    on_file(estimated(1_000, DEFENCE), settled(1_000), costs).when(
        close(ClosureCode.SETTLED)
    ).refused(SettlementUnpaid, paid=gbp(0))


@pytest.mark.parametrize("code", NIL_CODES)
def test_a_file_is_not_closed_as_nil_when_damages_were_paid_or_agreed(code: ClosureCode) -> None:
    on_file(estimated(5), issued(5)).when(close(code)).refused(
        ClosureCodeConflicts, closure=code.value
    )
    paid_off = on_file(estimated(5), replace(settled(5), paid_before=gbp(0)), issued(5))
    paid_off.when(close(code)).refused(ClosureCodeConflicts)
    agreed_to = on_file(offered(calderbank()), accepted())
    agreed_to.when(close(code)).refused(ClosureCodeConflicts)


@pytest.mark.parametrize("code", NIL_CODES)
def test_a_file_is_closed_as_nil_although_our_own_costs_were_paid(code: ClosureCode) -> None:
    on_file(estimated(5, DEFENCE), issued(5, DEFENCE), estimated(0, DAMAGES)).when(
        close(code)
    ).then(ClaimClosed(code, "done"))
