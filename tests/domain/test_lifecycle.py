"""The life of a file, as stories: notified, allocated, handed over, staged, closed, reopened."""

from collections.abc import Callable, Sequence

import pytest

from domain.claim import Claim, Fact, decisions, evolve, lifecycle
from domain.claim.lifecycle import (
    ClaimAllocated,
    ClaimClosed,
    ClaimReopened,
    HandlerChanged,
    StageReached,
    Status,
    require_known,
)
from domain.claim.reserves import EstimateSet
from domain.errors import DateOrder
from domain.refusals.state import (
    ClaimAlreadyNotified,
    FileClosed,
    FreshEstimateMissing,
    IllegalTransition,
    NotAllocated,
    UnknownClaim,
)
from domain.terms import ClosureCode, MatterType, Pathway, Stage
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    after,
    allocated,
    closed,
    estimated,
    issued,
    notified,
    recovered,
    staged,
    strategy_set,
)
from tests.given import given

Act = Callable[[Claim], Sequence[Fact]]


def reach(stage: Stage) -> Act:
    return lambda claim: lifecycle.reach_stage(claim.lifecycle, stage)


def hand_to(handler: str, team: str = "") -> Act:
    return lambda claim: lifecycle.change_handler(claim.lifecycle, handler, team)


def reopen(*estimates: EstimateSet, days: int = 0) -> Act:
    return lambda claim: decisions.reopen(claim, "a new letter", estimates, after(days))


def notify(claim: Claim) -> Sequence[Fact]:
    return lifecycle.notify(claim.lifecycle, notified(), "DC-1")


def test_a_matter_opens_a_file() -> None:
    given().when(notify).then(notified())


def test_a_file_is_opened_once() -> None:
    given(notified()).when(notify).refused(ClaimAlreadyNotified, claim="DC-1")


def test_a_matter_is_not_notified_before_it_happened() -> None:
    same_day = replace(notified(), notified_on=after(-200))
    given().when(lambda claim: lifecycle.notify(claim.lifecycle, same_day, "DC-1")).then(same_day)
    early = replace(notified(), notified_on=after(-201))
    given().when(lambda claim: lifecycle.notify(claim.lifecycle, early, "DC-1")).refused(
        DateOrder, path="notified_on"
    )


def test_a_claim_begins_intimated_and_any_other_matter_before_a_claim() -> None:
    assert given(notified()).state.lifecycle.stage is Stage.CLAIM_INTIMATED
    assert given(notified(MatterType.ADVICE)).state.lifecycle.stage is Stage.PRE_CLAIM


def test_nothing_can_be_asked_about_a_file_that_does_not_exist() -> None:
    with pytest.raises(UnknownClaim, match="There is no file DC-9"):
        require_known(Claim().lifecycle, "DC-9")
    require_known(given(notified()).state.lifecycle, "DC-9")


def test_a_file_is_allocated_to_a_team_and_a_handler() -> None:
    def allocate(claim: Claim) -> Sequence[Fact]:
        return lifecycle.allocate(claim.lifecycle, Pathway.DENTAL, "dental-1", "ann")

    given(notified()).when(allocate).then(ClaimAllocated(Pathway.DENTAL, "dental-1", "ann"))
    given(notified(), allocated()).when(allocate).then_nothing()
    given(notified(), closed()).when(allocate).refused(FileClosed, closed_on=DAY)


def test_a_file_is_handed_over_within_its_team_unless_another_is_named() -> None:
    file = given(notified(), allocated("ann"))
    file.when(hand_to("bob")).then(HandlerChanged("ann", "bob", "dental-1"))
    file.when(hand_to("bob", "dental-2")).then(HandlerChanged("ann", "bob", "dental-2"))
    file.when(hand_to("ann")).then_nothing()


def test_a_file_that_nobody_handles_cannot_be_handed_over_or_given_a_strategy() -> None:
    given(notified()).when(hand_to("bob")).refused(NotAllocated)
    given(notified()).when(
        lambda claim: lifecycle.set_strategy(claim.lifecycle, strategy_set(), DAY)
    ).refused(NotAllocated)


def test_a_strategy_is_reviewed_on_or_after_the_day_it_is_set() -> None:
    file = given(notified(), allocated())
    file.when(lambda claim: lifecycle.set_strategy(claim.lifecycle, strategy_set(), DAY)).then(
        strategy_set()
    )
    file.when(
        lambda claim: lifecycle.set_strategy(claim.lifecycle, strategy_set(), after(60))
    ).then(strategy_set())
    file.when(
        lambda claim: lifecycle.set_strategy(claim.lifecycle, strategy_set(), after(61))
    ).refused(DateOrder, path="review_on")


def test_the_same_strategy_again_adds_nothing() -> None:
    file = given(notified(), allocated(), strategy_set())
    file.when(
        lambda claim: lifecycle.set_strategy(claim.lifecycle, strategy_set(), DAY)
    ).then_nothing()


def test_a_matter_moves_forward_and_may_skip_stages() -> None:
    given(notified()).when(reach(Stage.ISSUED)).then(
        StageReached(Stage.CLAIM_INTIMATED, Stage.ISSUED)
    )
    given(notified(), staged(Stage.ISSUED)).when(reach(Stage.ISSUED)).then_nothing()


def test_a_matter_never_goes_back() -> None:
    given(notified(), staged(Stage.ISSUED)).when(reach(Stage.RESPONDED)).refused(
        IllegalTransition, state="issued", asked="taken back to responded"
    )


def test_a_stage_that_is_recorded_late_does_not_take_the_matter_back() -> None:
    served_first = given(notified(), staged(Stage.SERVED)).state
    both = evolve(served_first, staged(Stage.ISSUED), DAY)
    assert both.lifecycle.stage is Stage.SERVED


def test_a_closed_file_takes_no_further_step() -> None:
    file = given(notified(), allocated(), closed())
    for act in (reach(Stage.SERVED), hand_to("bob")):
        file.when(act).refused(FileClosed, closed_on=DAY)


def test_a_closed_file_still_takes_money_that_comes_back() -> None:
    given(notified(), estimated(500), issued(500), closed()).when(
        lambda claim: decisions.receive_recovery(claim, recovered(50))
    ).then(recovered(50))


def test_a_file_is_reopened_with_a_fresh_estimate() -> None:
    file = given(notified(), allocated(), estimated(500), issued(500), closed())
    fresh = replace(estimated(800), previous=estimated(500).amount)
    file.when(reopen(estimated(800))).then(ClaimReopened("a new letter"), fresh)
    file.when(reopen(estimated(300, DEFENCE))).then(
        ClaimReopened("a new letter"), estimated(300, DEFENCE)
    )


@pytest.mark.parametrize(
    "estimates", [(), (estimated(500),), (estimated(0, DEFENCE),)], ids=["none", "as paid", "nil"]
)
def test_a_file_is_not_reopened_without_something_to_pay(
    estimates: tuple[EstimateSet, ...],
) -> None:
    file = given(notified(), allocated(), estimated(500), issued(500), closed())
    file.when(reopen(*estimates)).refused(FreshEstimateMissing)


def test_only_a_closed_file_is_reopened_and_not_before_it_was_closed() -> None:
    given(notified(), allocated()).when(reopen(estimated(500))).refused(
        IllegalTransition, what="the file", state="open"
    )
    given(notified(), closed()).when(reopen(estimated(500), days=-1)).refused(IllegalTransition)


def test_a_reopened_file_is_as_open_as_it_was() -> None:
    handled = given(notified(), allocated(), closed(), ClaimReopened("why")).state.lifecycle
    assert (handled.status, handled.reopened, handled.closure) == (Status.OPEN, 1, None)
    unhandled = given(notified(), closed(), ClaimReopened("why")).state.lifecycle
    assert unhandled.status is Status.NOTIFIED


def test_closing_says_why_and_when() -> None:
    file = given(notified(), ClaimClosed(ClosureCode.DUPLICATE, "of DC-2")).state.lifecycle
    assert (file.status, file.closure, file.closed_on) == (
        Status.CLOSED,
        ClosureCode.DUPLICATE,
        DAY,
    )


def test_a_file_counts_money_in_its_own_currency() -> None:
    assert Claim().currency == ""
    assert given(notified(currency="ZAR")).state.currency == "ZAR"
    assert given(notified(), estimated(5, DAMAGES)).state.damages_estimated("ZAR").minor == 0
