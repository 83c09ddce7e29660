"""Mandates, as stories: granted, attested by three, amended, suspended, revoked, handed down."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from domain.errors import BadValue, DateOrder
from domain.mandate import (
    ROLE_CEILINGS,
    Fact,
    Limit,
    Mandate,
    MandateAmended,
    MandateAttested,
    MandateGranted,
    MandateRestored,
    MandateRevoked,
    MandateSuspended,
    amend,
    attest,
    grant,
    restore,
    revoke,
    suspend,
)
from domain.money import Money
from domain.refusals.authority import (
    AttestorConflict,
    DelegationExceedsGrantor,
    MandateNotInForce,
    RoleCeilingExceeded,
    SelfApproval,
)
from domain.refusals.state import IllegalTransition
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Role, Stage
from domain.value import replace
from tests.facts import DAY, after
from tests.given import given_mandate
from tests.scribe import holding, limit

Act = Callable[[Mandate], Sequence[Fact]]

SIGNED = (
    MandateAttested(Attestor.HOLDER, "ann"),
    MandateAttested(Attestor.LINE_MANAGER, "mike"),
    MandateAttested(Attestor.HEAD_OF_DEPARTMENT, "hedda"),
)
CEILING = ROLE_CEILINGS[Role.NEGOTIATOR].minor


def granted(*limits: Limit, holder: str = "ann", by: str = "hedda") -> MandateGranted:
    return MandateGranted(
        holder, Role.NEGOTIATOR, limits or (limit(50_000_00),), DAY, after(365), by
    )


def give(asked: MandateGranted, above: Mandate | None = None) -> Act:
    return lambda mandate: grant(mandate, asked, above)


def sign(attestor: Attestor, person: str, role: Role | None = None) -> Act:
    acting = (
        role
        or {
            Attestor.HOLDER: Role.NEGOTIATOR,
            Attestor.LINE_MANAGER: Role.LINE_MANAGER,
            Attestor.HEAD_OF_DEPARTMENT: Role.HEAD_OF_DEPARTMENT,
        }[attestor]
    )
    return lambda mandate: attest(mandate, attestor, person, acting)


def change(
    *limits: Limit, by: str = "hedda", until: date | None = None, above: Mandate | None = None
) -> Act:
    return lambda mandate: amend(mandate, MandateAmended(limits, DAY, until), by, above)


def test_authority_is_granted_by_somebody_else() -> None:
    given_mandate().when(give(granted())).then(granted())
    given_mandate().when(give(granted(by="ann"))).refused(
        SelfApproval, person="ann", what="a mandate"
    )


def test_a_person_has_one_mandate_at_a_time() -> None:
    given_mandate(granted()).when(give(granted())).refused(
        IllegalTransition, what="the mandate of ann", asked="granted again"
    )
    given_mandate(granted(), MandateRevoked("left")).when(give(granted())).then(granted())


def test_a_new_grant_after_a_revocation_begins_anew() -> None:
    state = given_mandate(granted(), *SIGNED, MandateSuspended("x"), MandateRevoked("y"), granted())
    assert state.state.missing == ("holder", "line_manager", "head_of_department")
    assert not state.state.suspended
    assert not state.state.revoked


def test_no_negotiator_has_authority_above_the_ceiling_of_the_role() -> None:
    at_most = granted(limit(CEILING))
    given_mandate().when(give(at_most)).then(at_most)
    given_mandate().when(give(granted(limit(CEILING + 1)))).refused(
        RoleCeilingExceeded, role="negotiator", ceiling=Money(CEILING, "GBP")
    )
    given_mandate(granted()).when(change(limit(CEILING + 1))).refused(RoleCeilingExceeded)


def test_a_ceiling_is_of_its_role_and_in_its_currency() -> None:
    lead = replace(granted(limit(CEILING * 2)), role=Role.PATHWAY_LEAD)
    given_mandate().when(give(lead)).then(lead)
    rand = granted(limit(CEILING * 20, currency="ZAR"))
    given_mandate().when(give(rand)).then(rand)


@pytest.mark.parametrize(
    "limits",
    [
        (),
        (limit(0),),
        (limit(-5),),
        (limit(5), limit(6)),
        (limit(5, pathways=()),),
        (limit(5, jurisdictions=()),),
        (limit(5, stages=()),),
    ],
    ids=["none", "nil", "negative", "twice", "no pathway", "no jurisdiction", "no stage"],
)
def test_a_mandate_says_how_much_and_where_once_for_each_decision(
    limits: tuple[Limit, ...],
) -> None:
    given_mandate().when(give(replace(granted(), limits=limits))).refused(BadValue, path="limits")
    given_mandate(granted()).when(change(*limits)).refused(BadValue, path="limits")


def test_a_mandate_does_not_end_before_it_begins() -> None:
    given_mandate().when(give(replace(granted(), valid_to=after(-1)))).refused(
        DateOrder, path="valid_to"
    )
    given_mandate(granted()).when(change(limit(5), until=after(-1))).refused(DateOrder)


def test_a_mandate_may_be_for_a_single_day() -> None:
    today = replace(granted(), valid_to=DAY)
    given_mandate().when(give(today)).then(today)


def test_three_people_sign_a_mandate() -> None:
    mandate = given_mandate(granted())
    assert mandate.state.missing == ("holder", "line_manager", "head_of_department")
    for signature in SIGNED:
        mandate.when(sign(signature.attestor, signature.person)).then(signature)
    assert given_mandate(granted(), *SIGNED).state.missing == ()


def test_the_holder_signs_as_holder_and_as_nothing_else() -> None:
    mandate = given_mandate(granted())
    for other in (Attestor.LINE_MANAGER, Attestor.HEAD_OF_DEPARTMENT):
        mandate.when(sign(other, "ann")).refused(AttestorConflict, attestor=other.value)
    mandate.when(sign(Attestor.HOLDER, "bob")).refused(AttestorConflict, person="bob")


@pytest.mark.parametrize("attestor", [Attestor.LINE_MANAGER, Attestor.HEAD_OF_DEPARTMENT])
def test_a_manager_signs_in_the_role_that_the_signature_names(attestor: Attestor) -> None:
    given_mandate(granted()).when(sign(attestor, "fin", Role.FINANCE)).refused(
        AttestorConflict, why="they act as finance"
    )


def test_nobody_signs_in_two_capacities() -> None:
    given_mandate(granted(), *SIGNED[:2]).when(sign(Attestor.HEAD_OF_DEPARTMENT, "mike")).refused(
        AttestorConflict, why="they attested in another capacity"
    )


def test_a_signature_is_given_once_and_may_pass_to_a_successor() -> None:
    mandate = given_mandate(granted(), *SIGNED)
    mandate.when(sign(Attestor.LINE_MANAGER, "mike")).then_nothing()
    mandate.when(sign(Attestor.LINE_MANAGER, "mary")).then(
        MandateAttested(Attestor.LINE_MANAGER, "mary")
    )


def test_an_amended_mandate_is_signed_anew() -> None:
    mandate = given_mandate(granted(), *SIGNED)
    mandate.when(change(limit(60_000_00))).then(MandateAmended((limit(60_000_00),), DAY, None))
    amended = given_mandate(granted(), *SIGNED, MandateAmended((limit(5),), DAY, None)).state
    assert amended.missing == ("holder", "line_manager", "head_of_department")
    assert amended.limits == (limit(5),)


def test_an_amendment_that_changes_nothing_adds_nothing() -> None:
    mandate = given_mandate(granted(), *SIGNED)
    mandate.when(change(limit(50_000_00), until=after(365))).then_nothing()


def test_nobody_amends_or_restores_their_own_mandate() -> None:
    mandate = given_mandate(granted(), MandateSuspended("a complaint"))
    mandate.when(change(limit(5), by="ann")).refused(SelfApproval, person="ann")
    mandate.when(lambda held: restore(held, "it passed", "ann")).refused(
        SelfApproval, what="the end of the suspension"
    )


def test_a_mandate_is_suspended_and_restored_once() -> None:
    mandate = given_mandate(granted())
    mandate.when(lambda held: suspend(held, "leave")).then(MandateSuspended("leave"))
    mandate.when(lambda held: restore(held, "back", "hedda")).then_nothing()
    suspended = given_mandate(granted(), MandateSuspended("leave"))
    suspended.when(lambda held: suspend(held, "again")).then_nothing()
    suspended.when(lambda held: restore(held, "back", "hedda")).then(MandateRestored("back"))
    assert not given_mandate(
        granted(), MandateSuspended("leave"), MandateRestored("back")
    ).state.suspended


def test_a_suspended_mandate_stays_suspended_when_it_is_amended() -> None:
    amended = MandateAmended((limit(5),), DAY, None)
    assert given_mandate(granted(), MandateSuspended("leave"), amended).state.suspended


ACTS: list[Act] = [
    sign(Attestor.HOLDER, "ann"),
    change(limit(5)),
    lambda held: suspend(held, "why"),
    lambda held: restore(held, "why", "hedda"),
    lambda held: revoke(held, "why"),
]


@pytest.mark.parametrize("act", ACTS)
def test_a_mandate_that_was_never_granted_cannot_be_touched(act: Act) -> None:
    given_mandate().when(act).refused(MandateNotInForce)


@pytest.mark.parametrize("act", ACTS)
def test_a_revoked_mandate_is_over(act: Act) -> None:
    given_mandate(granted(), MandateRevoked("left")).when(act).refused(
        IllegalTransition, state="revoked"
    )


def test_a_mandate_is_revoked() -> None:
    given_mandate(granted()).when(lambda held: revoke(held, "left")).then(MandateRevoked("left"))


def test_a_delegated_limit_lies_within_the_delegators() -> None:
    above = holding("pat", limit(50_000_00, stages=tuple(Stage)[:4])).mandate
    delegated = replace(granted(limit(50_000_00, stages=tuple(Stage)[:4])), delegated_by="pat")
    given_mandate().when(give(delegated, above)).then(delegated)


@pytest.mark.parametrize(
    ("beyond", "why"),
    [
        (limit(5_01), "GBP 5.01 is above GBP 5.00"),
        (limit(5_00, Decision.SETTLE), "they have no such limit"),
        (limit(5_00, currency="ZAR"), "they have no such limit"),
        (limit(5_00, pathways=tuple(Pathway)), "pathways medical"),
        (limit(5_00, jurisdictions=tuple(Jurisdiction)[:2]), "jurisdictions scotland"),
        (limit(5_00, stages=(Stage.SERVED, Stage.TRIAL)), "stages served, trial"),
    ],
)
def test_nobody_hands_down_more_than_they_have(beyond: Limit, why: str) -> None:
    narrow = replace(
        limit(5_00),
        pathways=(Pathway.DENTAL,),
        jurisdictions=(Jurisdiction.ENGLAND_WALES,),
        stages=(Stage.PRE_CLAIM,),
    )
    above = holding("pat", narrow).mandate
    given_mandate().when(give(granted(replace(narrow, maximum=Money(1, "GBP"))), above)).then(
        granted(replace(narrow, maximum=Money(1, "GBP")))
    )
    scoped = {
        name: getattr(beyond, name)
        for name in ("pathways", "jurisdictions", "stages")
        if name in why
    }
    asked = replace(narrow, decision=beyond.decision, maximum=beyond.maximum, **scoped)
    given_mandate().when(give(granted(asked), above)).refused(
        DelegationExceedsGrantor, delegator="pat", why=why
    )
    given_mandate(granted(narrow)).when(change(asked, above=above)).refused(
        DelegationExceedsGrantor
    )


def test_nobody_hands_authority_down_to_themselves() -> None:
    above = holding("ann", limit(50_000_00)).mandate
    given_mandate().when(give(granted(), above)).refused(SelfApproval, what="a delegation")
