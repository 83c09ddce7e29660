"""Authority is judged at the moment of decision: damages against limits, cumulatively, in scope.

The limit of a mandate is compared with damages only, never with costs. Where a mandate was
delegated, every mandate above it has to allow the decision as well, so a delegation shrinks with
the one it comes from.
"""

from collections.abc import Sequence
from datetime import date

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
from domain.terms import Decision, Jurisdiction, Pathway, Stage
from domain.value import Value


class Holding(Value, frozen=True):
    """A person's mandate as read from its stream, at a version of that stream."""

    person: str
    mandate: Mandate
    version: int


class Scope(Value, frozen=True):
    """Where a decision is made; an unallocated file has no pathway yet."""

    pathway: Pathway | None
    jurisdiction: Jurisdiction | None
    stage: Stage


def scope_of(claim: Claim) -> Scope:
    """The scope of decisions on a file as it stands."""
    notified = claim.lifecycle.notified
    pathway = claim.lifecycle.pathway or (notified.pathway_hint if notified else None)
    return Scope(pathway, notified.jurisdiction if notified else None, claim.lifecycle.stage)


def judge(
    chain: Sequence[Holding], decision: Decision, measured: Money, scope: Scope, today: date
) -> Judgement:
    """Judge one decision by the mandate of the person who makes it.

    `chain` holds that person's mandate first, then each mandate it was delegated from. `measured`
    is the damages that the file would be committed to in all. The smallest limit binds.

    Raises one of E301, E311, E312, E313.
    """
    limits = [_limit(holding, decision, measured.currency, scope, today) for holding in chain]
    holder = chain[0]
    smallest = min((limit.maximum for limit in limits), key=lambda maximum: maximum.minor)
    if smallest < measured:
        raise AuthorityExceeded(decision, holder.person, measured, smallest)
    return Judgement(
        grounds=Grounds.MANDATE,
        decision=decision,
        measured=measured,
        limit=smallest,
        headroom=smallest - measured,
        person=holder.person,
        mandate_version=holder.version,
        delegators=tuple((above.person, above.version) for above in chain[1:]),
    )


def by_approval(
    decision: Decision, measured: Money, maximum: Money, person: str, approval: str
) -> Judgement:
    """The judgement of a decision that rests on an approval of somebody with the authority."""
    return Judgement(
        grounds=Grounds.APPROVAL,
        decision=decision,
        measured=measured,
        limit=maximum,
        headroom=maximum - measured,
        person=person,
        approval=approval,
    )


def require_in_force(holding: Holding, today: date) -> None:
    """The mandate is granted, attested, valid today, and neither suspended nor revoked."""
    mandate = holding.mandate
    if not mandate.holder or mandate.valid_from is None:
        raise MandateNotInForce(holding.person, "none was granted")
    if mandate.revoked:
        raise MandateNotInForce(holding.person, "it was revoked")
    if mandate.suspended:
        raise MandateNotInForce(holding.person, "it is suspended")
    if mandate.missing:
        raise MandateNotAttested(holding.person, mandate.missing)
    if today < mandate.valid_from:
        raise MandateNotInForce(holding.person, f"it begins on {mandate.valid_from}")
    if mandate.valid_to is not None and mandate.valid_to < today:
        raise MandateNotInForce(holding.person, f"it ended on {mandate.valid_to}")


def _limit(holding: Holding, decision: Decision, currency: str, scope: Scope, today: date) -> Limit:
    require_in_force(holding, today)
    limit = holding.mandate.limit(decision, currency)
    if limit is None:
        raise OutsideMandate(holding.person, decision, "the currency or decision", currency)
    reaches: list[tuple[str, object, tuple[object, ...]]] = [
        ("the pathway", scope.pathway, limit.pathways),
        ("the jurisdiction", scope.jurisdiction, limit.jurisdictions),
        ("the stage", scope.stage, limit.stages),
    ]
    for what, value, allowed in reaches:
        if value not in allowed:
            raise OutsideMandate(holding.person, decision, what, str(value or "none yet"))
    return limit
