"""Escalation, as stories: asked by one, decided by another; approvals are bound, and used once."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from domain.claim import Claim, Fact, decisions
from domain.claim.escalation import (
    ApprovalAsk,
    ApprovalConsumed,
    Escalated,
    EscalationDecided,
    EscalationWithdrawn,
    asked_for,
    use_approval,
)
from domain.errors import BadValue, CurrencyMismatch
from domain.money import Money
from domain.refusals.authority import (
    ApprovalExpired,
    ApprovalNotUsable,
    ApprovalTermsChanged,
    SelfApproval,
)
from domain.refusals.state import (
    FileClosed,
    IllegalTransition,
    ReferenceTaken,
    UnknownReference,
)
from domain.terms import Decision, EscalationKind, EscalationOutcome
from domain.value import replace
from tests.facts import (
    DAY,
    after,
    asked,
    asked_approval,
    closed,
    decided,
    gbp,
    notified,
    part36,
)
from tests.given import Given, given

Act = Callable[[Claim], Sequence[Fact]]
QUESTIONS = [kind for kind in EscalationKind if kind is not EscalationKind.APPROVAL]
DECLINED = EscalationOutcome.DECLINED
WITH_DIRECTIONS = EscalationOutcome.APPROVED_WITH_DIRECTIONS


def on_file(*facts: Fact) -> Given[Claim]:
    return given(notified(), *facts)


def escalate(question: Escalated) -> Act:
    return lambda claim: decisions.escalate(claim, question)


def decide(answer: EscalationDecided, on: date = DAY) -> Act:
    return lambda claim: decisions.decide_escalation(claim, answer, on)


def take_back(person: str) -> Act:
    return lambda claim: decisions.withdraw_escalation(claim, "E1", person)


def use(
    pounds: int = 900, terms: str = "", person: str = "ann", days: int = 0, key: str = "E1"
) -> Act:
    ask = ApprovalAsk(Decision.OFFER, gbp(pounds), terms)
    return lambda claim: [use_approval(claim.escalations, key, ask, person, after(days))[0]]


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_question_says_what_its_asker_had_before_them(kind: EscalationKind) -> None:
    on_file().when(escalate(asked(kind))).then(asked(kind))
    assert asked(kind).seen_version == 3


def test_a_request_for_approval_says_for_what_and_a_question_does_not() -> None:
    on_file().when(escalate(asked_approval())).then(asked_approval())
    on_file().when(escalate(asked(EscalationKind.APPROVAL))).refused(BadValue, path="approval")
    on_file().when(escalate(replace(asked_approval(), kind=EscalationKind.QUANTUM))).refused(
        BadValue, path="approval"
    )


@pytest.mark.parametrize("maximum", [0, -1])
def test_approval_is_asked_for_something_above_nil(maximum: int) -> None:
    on_file().when(escalate(asked_approval(maximum))).refused(BadValue, path="approval.maximum")


def test_an_escalation_has_a_reference_of_its_own() -> None:
    on_file(asked()).when(escalate(asked())).refused(ReferenceTaken, what="escalation")


def test_a_question_is_decided_by_somebody_else() -> None:
    on_file(asked(by="ann")).when(decide(decided(by="ann"))).refused(
        SelfApproval, person="ann", what="escalation E1"
    )
    on_file(asked(by="ann")).when(decide(decided(by="cat"))).then(decided(by="cat"))


def test_a_question_is_decided_once() -> None:
    on_file(asked(), decided()).when(decide(decided())).refused(
        IllegalTransition, state="approved", asked="decided"
    )
    on_file(asked(), EscalationWithdrawn("E1")).when(decide(decided())).refused(
        IllegalTransition, state="withdrawn"
    )
    on_file().when(decide(decided())).refused(UnknownReference, what="escalation")


def test_an_approval_with_directions_gives_them() -> None:
    on_file(asked()).when(decide(decided(WITH_DIRECTIONS))).refused(BadValue, path="directions")
    directed = decided(WITH_DIRECTIONS, directions="offer by Friday")
    on_file(asked()).when(decide(directed)).then(directed)


def test_an_approval_that_is_given_says_until_when_and_nothing_else_does() -> None:
    wanted = on_file(asked_approval())
    wanted.when(decide(decided(valid_until=after(14)))).then(decided(valid_until=after(14)))
    wanted.when(decide(decided())).refused(BadValue, path="valid_until")
    wanted.when(decide(decided(DECLINED, valid_until=after(14)))).refused(BadValue)
    wanted.when(decide(decided(DECLINED))).then(decided(DECLINED))
    on_file(asked()).when(decide(decided(valid_until=after(14)))).refused(BadValue)


def test_an_approval_is_not_given_for_the_past() -> None:
    wanted = on_file(asked_approval())
    wanted.when(decide(decided(valid_until=DAY))).then(decided(valid_until=DAY))
    wanted.when(decide(decided(valid_until=after(-1)))).refused(BadValue, path="valid_until")


def test_only_the_asker_takes_a_question_back_and_only_before_it_is_decided() -> None:
    on_file(asked(by="ann")).when(take_back("ann")).then(EscalationWithdrawn("E1"))
    on_file(asked(by="ann")).when(take_back("bob")).refused(BadValue, path="actor")
    on_file(asked(), decided()).when(take_back("ann")).refused(IllegalTransition, asked="withdrawn")
    on_file().when(take_back("ann")).refused(UnknownReference)


def test_an_approval_is_used_for_what_it_was_given_for() -> None:
    file = on_file(asked_approval(900), decided(valid_until=after(14)))
    used = ApprovalConsumed("E1", Decision.OFFER, gbp(900))
    file.when(use(900)).then(used)
    file.when(use(899)).then(replace(used, amount=gbp(899)))


def test_an_approval_is_used_once() -> None:
    used = ApprovalConsumed("E1", Decision.OFFER, gbp(900))
    file = on_file(asked_approval(), decided(valid_until=after(14)), used)
    file.when(use()).refused(ApprovalNotUsable, why="it was used before")
    assert file.state.escalations.by_id["E1"].state == "used"


def test_an_approval_is_used_by_the_one_who_asked_for_it() -> None:
    file = on_file(asked_approval(by="ann"), decided(valid_until=after(14)))
    file.when(use(person="bob")).refused(ApprovalNotUsable, why="it was given to somebody else")
    file.when(use(person="cat")).refused(ApprovalNotUsable)


@pytest.mark.parametrize(
    "facts",
    [
        (asked_approval(),),
        (asked_approval(), decided(DECLINED)),
        (asked_approval(), EscalationWithdrawn("E1")),
        (asked(), decided()),
    ],
    ids=["undecided", "declined", "withdrawn", "a question"],
)
def test_what_was_not_approved_is_not_used(facts: tuple[Fact, ...]) -> None:
    on_file(*facts).when(use()).refused(ApprovalNotUsable, escalation_id="E1")


def test_an_approval_that_was_never_asked_for_is_not_used() -> None:
    on_file().when(use(key="E9")).refused(UnknownReference, reference="E9")


def test_an_approval_is_good_until_its_last_day() -> None:
    file = on_file(asked_approval(), decided(valid_until=after(14)))
    assert file.when(use(days=14)).refusal is None
    file.when(use(days=15)).refused(ApprovalExpired, valid_until=after(14))


def test_an_approval_does_not_reach_above_its_maximum() -> None:
    on_file(asked_approval(900), decided(valid_until=DAY)).when(use(901)).refused(
        ApprovalTermsChanged, why="GBP 901.00 is above the maximum of GBP 900.00"
    )


def test_an_approval_of_terms_is_for_those_terms_only() -> None:
    file = on_file(asked_approval(900, part36(900)), decided(valid_until=DAY))
    assert file.when(use(900, part36(900).digest())).refusal is None
    file.when(use(899, part36(899).digest())).refused(ApprovalTermsChanged)
    file.when(use(900, "")).refused(ApprovalTermsChanged)


def test_an_approval_for_one_decision_is_none_for_another() -> None:
    file = on_file(asked_approval(), decided(valid_until=DAY))
    settle = ApprovalAsk(Decision.SETTLE, gbp(5))
    file.when(lambda claim: [use_approval(claim.escalations, "E1", settle, "ann", DAY)]).refused(
        ApprovalTermsChanged, why="it is for offer"
    )


def test_an_approval_is_in_its_own_currency() -> None:
    file = on_file(asked_approval(), decided(valid_until=DAY))
    rand = ApprovalAsk(Decision.OFFER, Money(5, "ZAR"))
    file.when(lambda claim: [use_approval(claim.escalations, "E1", rand, "ann", DAY)]).refused(
        CurrencyMismatch
    )


def test_what_was_asked_for_can_be_looked_up() -> None:
    claim = on_file(asked_approval(900)).state
    assert asked_for(claim.escalations, "E1") == ApprovalAsk(Decision.OFFER, gbp(900))
    assert asked_for(on_file(asked()).state.escalations, "E1") is None


def test_nothing_is_asked_or_decided_on_a_closed_file() -> None:
    file = on_file(asked(), closed())
    for act in (escalate(asked()), decide(decided()), take_back("ann")):
        file.when(act).refused(FileClosed)


@pytest.mark.parametrize(
    "stray", [decided(), EscalationWithdrawn("E1"), ApprovalConsumed("E1", Decision.PAY, gbp(5))]
)
def test_remembering_never_judges_a_fact_about_an_unknown_question(stray: Fact) -> None:
    assert on_file(stray).state == on_file().state
