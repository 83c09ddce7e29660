"""Authority, as stories: judged at the moment of decision, by damages, cumulatively, in scope."""

from datetime import date

import pytest

from domain.authority import Holding, Scope, by_approval, judge, require_in_force, scope_of
from domain.claim import Claim
from domain.envelope import Grounds, Judgement
from domain.mandate import Limit, Mandate
from domain.money import Money
from domain.refusals.authority import (
    AuthorityExceeded,
    MandateNotAttested,
    MandateNotInForce,
    OutsideMandate,
)
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Stage
from domain.value import replace
from tests.facts import (
    DAY,
    DEFENCE,
    after,
    allocated,
    approved,
    estimated,
    gbp,
    issued,
    notified,
    requested,
    staged,
)
from tests.given import given
from tests.scribe import holding, limit

HERE = Scope(Pathway.DENTAL, Jurisdiction.ENGLAND_WALES, Stage.NEGOTIATING)
ANN = holding("ann", limit(500_00))


def decide(
    *chain: Holding,
    measured: Money | None = None,
    decision: Decision = Decision.OFFER,
    scope: Scope = HERE,
    on: date = DAY,
) -> Judgement:
    return judge(chain, decision, measured or gbp(500), scope, on)


def changed(of: Holding = ANN, **what: object) -> Holding:
    return replace(of, mandate=replace(of.mandate, **what))


def test_a_decision_up_to_the_limit_is_allowed_and_says_by_what() -> None:
    assert decide(ANN) == Judgement(
        grounds=Grounds.MANDATE,
        decision=Decision.OFFER,
        measured=gbp(500),
        limit=gbp(500),
        headroom=gbp(0),
        person="ann",
        mandate_version=4,
    )
    assert decide(ANN, measured=gbp(120)).headroom == gbp(380)


def test_a_decision_above_the_limit_is_a_near_miss() -> None:
    with pytest.raises(AuthorityExceeded) as caught:
        decide(ANN, measured=Money(500_01, "GBP"))
    assert (caught.value.measured, caught.value.limit) == (Money(500_01, "GBP"), gbp(500))
    assert str(caught.value) == (
        "offer measured at GBP 500.01 of damages is above the limit of GBP 500.00 of ann."
    )


def test_the_smallest_limit_of_those_who_handed_authority_down_binds() -> None:
    pat, hedda = holding("pat", limit(300_00)), holding("hedda", limit(900_00))
    judgement = decide(ANN, pat, hedda, measured=gbp(300))
    assert judgement.limit == gbp(300)
    assert judgement.delegators == (("pat", 4), ("hedda", 4))
    with pytest.raises(AuthorityExceeded) as caught:
        decide(ANN, pat, hedda, measured=gbp(301))
    assert (caught.value.person, caught.value.limit) == ("ann", gbp(300))


def test_authority_ends_with_the_authority_it_comes_from() -> None:
    pat = holding("pat", limit(900_00))
    decide(ANN, pat)
    for broken in (
        changed(pat, suspended=True),
        changed(pat, revoked=True),
        changed(pat, valid_to=after(-1)),
    ):
        with pytest.raises(MandateNotInForce) as caught:
            decide(ANN, broken)
        assert caught.value.person == "pat"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (Holding("ann", Mandate(), 0), "none was granted"),
        (changed(suspended=True), "it is suspended"),
        (changed(revoked=True), "it was revoked"),
        (changed(valid_from=after(1)), f"it begins on {after(1)}"),
        (changed(valid_to=after(-1)), f"it ended on {after(-1)}"),
    ],
)
def test_a_mandate_that_is_not_in_force_allows_nothing(broken: Holding, why: str) -> None:
    with pytest.raises(MandateNotInForce) as caught:
        require_in_force(broken, DAY)
    assert (caught.value.person, caught.value.why) == ("ann", why)


def test_a_mandate_is_in_force_on_its_first_and_on_its_last_day() -> None:
    require_in_force(changed(valid_from=DAY, valid_to=DAY), DAY)


@pytest.mark.parametrize("missing", Attestor)
def test_a_mandate_that_one_of_the_three_has_not_signed_allows_nothing(missing: Attestor) -> None:
    signed = {each: "somebody" for each in Attestor if each is not missing}
    with pytest.raises(MandateNotAttested) as caught:
        decide(changed(attested=signed))
    assert caught.value.missing == (missing.value,)
    assert missing.value in str(caught.value)


@pytest.mark.parametrize(
    ("narrow", "what"),
    [
        (limit(500_00, pathways=(Pathway.MEDICAL,)), "the pathway"),
        (limit(500_00, jurisdictions=(Jurisdiction.IRELAND,)), "the jurisdiction"),
        (limit(500_00, stages=(Stage.PRE_CLAIM,)), "the stage"),
        (limit(500_00, Decision.SETTLE), "the currency or decision"),
        (limit(500_00, currency="ZAR"), "the currency or decision"),
    ],
)
def test_a_mandate_does_not_reach_beyond_its_scope(narrow: Limit, what: str) -> None:
    with pytest.raises(OutsideMandate) as caught:
        decide(holding("ann", narrow))
    assert caught.value.what == what


def test_a_file_without_a_pathway_is_in_nobodys_scope() -> None:
    with pytest.raises(OutsideMandate) as caught:
        decide(ANN, scope=Scope(None, Jurisdiction.ENGLAND_WALES, Stage.PRE_CLAIM))
    assert caught.value.value == "none yet"


def test_service_ends_the_authority_of_one_who_negotiates_before_it() -> None:
    before_service = tuple(each for each in Stage if each.order < Stage.SERVED.order)
    ann = holding("ann", limit(500_00, stages=before_service))
    decide(ann, scope=replace(HERE, stage=Stage.ISSUED))
    with pytest.raises(OutsideMandate) as caught:
        decide(ann, scope=replace(HERE, stage=Stage.SERVED))
    assert caught.value.value == "served"


def test_the_scope_of_a_file_is_where_it_stands() -> None:
    assert scope_of(Claim()) == Scope(None, None, Stage.PRE_CLAIM)
    hinted = replace(notified(), pathway_hint=Pathway.MEDICAL)
    assert scope_of(given(hinted).state).pathway is Pathway.MEDICAL
    file = given(hinted, allocated(), staged(Stage.SERVED)).state
    assert scope_of(file) == Scope(Pathway.DENTAL, Jurisdiction.ENGLAND_WALES, Stage.SERVED)


def test_only_damages_are_measured_and_all_that_is_committed_together() -> None:
    file = given(
        notified(),
        estimated(900),
        estimated(900, DEFENCE),
        requested(300),
        approved(),
        issued(200, payment_id="P2"),
        issued(700, DEFENCE, "P3"),
    ).state
    assert file.damages_committed("GBP") == gbp(500)
    assert decide(ANN, measured=file.damages_committed("GBP")).headroom == gbp(0)
    with pytest.raises(AuthorityExceeded):
        decide(ANN, measured=file.damages_committed("GBP") + Money(1, "GBP"))


def test_an_approval_leaves_its_own_trace() -> None:
    judgement = by_approval(Decision.OFFER, gbp(700), gbp(900), "ann", "E1")
    assert judgement.grounds is Grounds.APPROVAL
    assert (judgement.headroom, judgement.approval) == (gbp(200), "E1")
