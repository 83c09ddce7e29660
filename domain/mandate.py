"""A mandate is one person's Claims Management Authority: limits, validity, attestations.

It is in force only while it is attested by its holder, the line manager and the head of
department, within its validity, and neither suspended nor revoked. An amendment has to be
attested again. A delegated mandate never reaches further than the one it comes from.
"""

from collections.abc import Mapping
from datetime import date
from typing import assert_never

from domain.errors import BadValue, DateOrder
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
from domain.value import Value, field, replace

# "pre litigation claim files up to an individual value of GBP 500,000 damages": the ceiling that
# the role profile of a dental claims negotiator sets above every personal mandate.
ROLE_CEILINGS = {Role.NEGOTIATOR: Money(500_000_00, "GBP")}
_ATTESTORS = len(Attestor)


class Limit(Value, frozen=True):
    """How much of damages, cumulatively on a file, one decision may commit, and where."""

    decision: Decision
    maximum: Money
    pathways: tuple[Pathway, ...]
    jurisdictions: tuple[Jurisdiction, ...]
    stages: tuple[Stage, ...]

    def within(self, other: "Limit") -> str:
        """ "" if this limit lies within the other, otherwise in what it does not."""
        if self.maximum.currency != other.maximum.currency or other.maximum < self.maximum:
            return f"{self.maximum} is above {other.maximum}"
        for name in ("pathways", "jurisdictions", "stages"):
            beyond = set(getattr(self, name)) - set(getattr(other, name))
            if beyond:
                return f"{name} {', '.join(sorted(beyond))}"
        return ""


class MandateGranted(Value, frozen=True):
    """Somebody received authority in a role; `delegated_by` names the holder it comes from."""

    holder: str
    role: Role
    limits: tuple[Limit, ...]
    valid_from: date
    valid_to: date | None
    granted_by: str
    delegated_by: str = ""


class MandateAttested(Value, frozen=True):
    """One of the three signed it."""

    attestor: Attestor
    person: str


class MandateAmended(Value, frozen=True):
    """Its limits or its validity changed; the attestations begin anew."""

    limits: tuple[Limit, ...]
    valid_from: date
    valid_to: date | None


class MandateSuspended(Value, frozen=True):
    """It is not in force until it is restored."""

    why: str


class MandateRestored(Value, frozen=True):
    """A suspension ended."""

    why: str


class MandateRevoked(Value, frozen=True):
    """It ended for good; another may be granted."""

    why: str


Fact = (
    MandateGranted
    | MandateAttested
    | MandateAmended
    | MandateSuspended
    | MandateRestored
    | MandateRevoked
)


class Mandate(Value, frozen=True):
    """One person's authority so far; no holder before the first grant."""

    holder: str = ""
    role: Role | None = None
    limits: tuple[Limit, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    delegated_by: str = ""
    attested: Mapping[Attestor, str] = field(default_factory=dict[Attestor, str])
    suspended: bool = False
    revoked: bool = False

    def limit(self, decision: Decision, currency: str) -> Limit | None:
        """The limit for a decision in a currency."""
        for limit in self.limits:
            if limit.decision is decision and limit.maximum.currency == currency:
                return limit
        return None

    @property
    def missing(self) -> tuple[str, ...]:
        """Who has not attested it yet."""
        if len(self.attested) == _ATTESTORS:
            return ()
        return tuple(each.value for each in Attestor if each not in self.attested)


def evolve(state: Mandate, fact: Fact, on: date) -> Mandate:
    """Remember one fact; `on` is not needed, every stream's `evolve` has the same shape."""
    del on
    match fact:
        case MandateGranted():
            return Mandate(
                holder=fact.holder,
                role=fact.role,
                limits=fact.limits,
                valid_from=fact.valid_from,
                valid_to=fact.valid_to,
                delegated_by=fact.delegated_by,
            )
        case MandateAttested():
            return replace(state, attested={**state.attested, fact.attestor: fact.person})
        case MandateAmended():
            return replace(
                state,
                limits=fact.limits,
                valid_from=fact.valid_from,
                valid_to=fact.valid_to,
                attested={},
            )
        case MandateSuspended():
            return replace(state, suspended=True)
        case MandateRestored():
            return replace(state, suspended=False)
        case MandateRevoked():
            return replace(state, revoked=True)
        case _:
            assert_never(fact)


def grant(state: Mandate, granted: MandateGranted, delegator: Mandate | None) -> list[Fact]:
    """Grant authority to somebody else who has none, within the ceiling of the role."""
    if state.holder and not state.revoked:
        raise IllegalTransition(f"the mandate of {state.holder}", "granted", "granted again")
    if granted.granted_by == granted.holder:
        raise SelfApproval(granted.holder, "a mandate")
    _require_limits(granted.role, granted.limits, granted.valid_from, granted.valid_to)
    _require_delegable(granted.holder, granted.limits, delegator)
    return [granted]


_CAPACITY = {
    Attestor.LINE_MANAGER: Role.LINE_MANAGER,
    Attestor.HEAD_OF_DEPARTMENT: Role.HEAD_OF_DEPARTMENT,
}


def attest(state: Mandate, attestor: Attestor, person: str, role: Role) -> list[Fact]:
    """Sign a mandate: the holder as holder, two others in the role in which they sign."""
    _require_current(state, "attested")
    if (person == state.holder) != (attestor is Attestor.HOLDER):
        raise AttestorConflict(person, attestor.value, f"the holder is {state.holder}")
    if _CAPACITY.get(attestor, role) is not role:
        raise AttestorConflict(person, attestor.value, f"they act as {role.value}")
    others = {who for which, who in state.attested.items() if which is not attestor}
    if person in others:
        raise AttestorConflict(person, attestor.value, "they attested in another capacity")
    return [] if state.attested.get(attestor) == person else [MandateAttested(attestor, person)]


def amend(
    state: Mandate, amended: MandateAmended, amended_by: str, delegator: Mandate | None
) -> list[Fact]:
    """Change limits or validity; the three have to attest it again."""
    _require_current(state, "amended")
    if amended_by == state.holder:
        raise SelfApproval(amended_by, "a change of the mandate")
    if state.role is not None:
        _require_limits(state.role, amended.limits, amended.valid_from, amended.valid_to)
    _require_delegable(state.holder, amended.limits, delegator)
    same = (amended.limits, amended.valid_from, amended.valid_to)
    return [] if same == (state.limits, state.valid_from, state.valid_to) else [amended]


def suspend(state: Mandate, why: str) -> list[Fact]:
    """Take a mandate out of force for a while; doing it twice adds nothing."""
    _require_current(state, "suspended")
    return [] if state.suspended else [MandateSuspended(why)]


def restore(state: Mandate, why: str, restored_by: str) -> list[Fact]:
    """End a suspension, by somebody else than the holder."""
    _require_current(state, "restored")
    if restored_by == state.holder:
        raise SelfApproval(restored_by, "the end of the suspension")
    return [MandateRestored(why)] if state.suspended else []


def revoke(state: Mandate, why: str) -> list[Fact]:
    """End a mandate for good."""
    _require_current(state, "revoked")
    return [MandateRevoked(why)]


def _require_current(state: Mandate, asked: str) -> None:
    if not state.holder:
        raise MandateNotInForce("this person", f"none was granted, so it cannot be {asked}")
    if state.revoked:
        raise IllegalTransition(f"the mandate of {state.holder}", "revoked", asked)


def _require_limits(
    role: Role, limits: tuple[Limit, ...], valid_from: date, valid_to: date | None
) -> None:
    if valid_to is not None and valid_to < valid_from:
        raise DateOrder("valid_to", str(valid_from), str(valid_to))
    if not limits:
        raise BadValue("limits", "at least one")
    keys = [(limit.decision, limit.maximum.currency) for limit in limits]
    if len(set(keys)) != len(keys):
        raise BadValue("limits", "one for each decision and currency")
    ceiling = ROLE_CEILINGS.get(role)
    for limit in limits:
        if limit.maximum.minor <= 0:
            raise BadValue("limits", "each maximum is above nil")
        if not (limit.pathways and limit.jurisdictions and limit.stages):
            raise BadValue("limits", "each names its pathways, jurisdictions and stages")
        if ceiling is None or limit.maximum.currency != ceiling.currency:
            continue
        if ceiling < limit.maximum:
            raise RoleCeilingExceeded(role.value, limit.maximum, ceiling)


def _require_delegable(holder: str, limits: tuple[Limit, ...], delegator: Mandate | None) -> None:
    if delegator is None:
        return
    if delegator.holder == holder:
        raise SelfApproval(holder, "a delegation")
    for limit in limits:
        theirs = delegator.limit(limit.decision, limit.maximum.currency)
        why = "they have no such limit" if theirs is None else limit.within(theirs)
        if why:
            raise DelegationExceedsGrantor(limit.decision, delegator.holder, why)
