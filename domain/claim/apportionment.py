"""Apportionment: who bears which share of which costs, exactly, and what it makes of our money."""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from domain.errors import BadValue
from domain.money import require_whole, split
from domain.refusals.authority import ComplexApportionmentNeedsLead
from domain.refusals.state import IllegalTransition, ReferenceTaken, UnknownReference
from domain.terms import ApportionmentBasis, ApportionmentCovers, Basis, CostType, Line, Role
from domain.value import Value, field, replace

PARTIES_MAX = 20  # of one claim: more is a mistake, and never a need
SIMPLE_PARTIES_MAX = 2  # "simple apportionment": two defence organisations


class PartyShare(Value, frozen=True):
    """One party (a reference) and the share it bears."""

    party: str
    share: Fraction


class ApportionmentProposed(Value, frozen=True):
    """Shares were put forward; `ours` is the party that we are."""

    apportionment_id: str
    covers: ApportionmentCovers
    basis: ApportionmentBasis
    parties: tuple[PartyShare, ...]
    ours: str


class ApportionmentAgreed(Value, frozen=True):
    """All parties agreed; it takes the place of what was agreed before for the same costs."""

    apportionment_id: str


class ApportionmentRejected(Value, frozen=True):
    """It was turned down."""

    apportionment_id: str


Fact = ApportionmentProposed | ApportionmentAgreed | ApportionmentRejected


class ApportionmentStatus(StrEnum):
    """Where an apportionment stands."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REJECTED = "rejected"


class Apportionment(Value, frozen=True):
    """One apportionment."""

    proposed: ApportionmentProposed
    status: ApportionmentStatus = ApportionmentStatus.PROPOSED

    @property
    def complexity(self) -> str:
        """ "" if it is simple, otherwise what makes it complex."""
        if len(self.proposed.parties) > SIMPLE_PARTIES_MAX:
            return f"{len(self.proposed.parties)} parties share"
        if self.proposed.basis not in (ApportionmentBasis.EQUAL, ApportionmentBasis.PERCENTAGES):
            return f"it is shared {self.proposed.basis.value}"
        return ""

    def our_part(self, minor: int) -> int:
        """Our part of an amount in minor units; all the parts together are the amount."""
        parts = split(minor, [party.share for party in self.proposed.parties])
        names = [party.party for party in self.proposed.parties]
        return parts[names.index(self.proposed.ours)]


class Apportionments(Value, frozen=True):
    """The apportionments of a file; `agreed` names the one in force for each sort of costs."""

    by_id: Mapping[str, Apportionment] = field(default_factory=dict[str, Apportionment])
    agreed: Mapping[ApportionmentCovers, str] = field(
        default_factory=dict[ApportionmentCovers, str]
    )

    def our_part(self, line: Line, minor: int) -> int:
        """Our part of an amount on a line; a line kept at our share is ours already."""
        in_force = self.agreed.get(covering(line.cost_type))
        if in_force is None or line.basis is Basis.OUR_SHARE:
            return minor
        return self.by_id[in_force].our_part(minor)


def covering(cost_type: CostType) -> ApportionmentCovers:
    """Which sort of costs a cost type belongs to when costs are shared out."""
    match cost_type:
        case CostType.DAMAGES | CostType.CRU_BENEFITS | CostType.NHS_CHARGES:
            return ApportionmentCovers.DAMAGES
        case CostType.CLAIMANT_COSTS | CostType.ADVERSE_COSTS | CostType.INTEREST_ON_COSTS:
            return ApportionmentCovers.CLAIMANT_COSTS
        case CostType.DEFENCE_COSTS | CostType.EXPERT_FEES | CostType.COUNSEL_FEES:
            return ApportionmentCovers.DEFENCE_COSTS
        case _:
            assert_never(cost_type)


def evolve(state: Apportionments, fact: Fact) -> Apportionments:
    """Remember one fact; one about an apportionment never told of changes nothing."""
    match fact:
        case ApportionmentProposed():
            new = Apportionment(fact)
            return replace(state, by_id={**state.by_id, fact.apportionment_id: new})
        case ApportionmentAgreed():
            known = state.by_id.get(fact.apportionment_id)
            if known is None:
                return state
            agreed = dict.fromkeys(_covered(known.proposed.covers), fact.apportionment_id)
            moved = _moved(state, fact.apportionment_id, ApportionmentStatus.AGREED)
            return replace(moved, agreed={**state.agreed, **agreed})
        case ApportionmentRejected():
            return _moved(state, fact.apportionment_id, ApportionmentStatus.REJECTED)
        case _:
            assert_never(fact)


def _covered(covers: ApportionmentCovers) -> list[ApportionmentCovers]:
    if covers is not ApportionmentCovers.ALL:
        return [covers]
    return [each for each in ApportionmentCovers if each is not ApportionmentCovers.ALL]


def _moved(state: Apportionments, key: str, status: ApportionmentStatus) -> Apportionments:
    known = state.by_id.get(key)
    if known is None:
        return state
    return replace(state, by_id={**state.by_id, key: replace(known, status=status)})


def propose(state: Apportionments, asked: ApportionmentProposed) -> list[Fact]:
    """Put shares forward: each exact, together exactly one, one of them ours."""
    if asked.apportionment_id in state.by_id:
        raise ReferenceTaken("apportionment", asked.apportionment_id)
    names = [party.party for party in asked.parties]
    if not 2 <= len(names) <= PARTIES_MAX or len(set(names)) != len(names):
        raise BadValue("parties", f"2 to {PARTIES_MAX} parties, each named once")
    if asked.ours not in names:
        raise BadValue("ours", "it has to be one of the parties")
    require_whole([party.share for party in asked.parties])
    if asked.basis is ApportionmentBasis.EQUAL and len({p.share for p in asked.parties}) != 1:
        raise BadValue("basis", "equal shares are equal")
    return [asked]


def agree(state: Apportionments, apportionment_id: str, role: Role) -> list[Fact]:
    """Agree what was proposed; a complex one is for the pathway lead."""
    known = _proposed(state, apportionment_id, "agreed")
    if known.complexity and role not in (Role.PATHWAY_LEAD, Role.HEAD_OF_DEPARTMENT):
        raise ComplexApportionmentNeedsLead(known.complexity, role.value)
    return [ApportionmentAgreed(apportionment_id)]


def reject(state: Apportionments, apportionment_id: str) -> list[Fact]:
    """Turn down what was proposed."""
    _proposed(state, apportionment_id, "rejected")
    return [ApportionmentRejected(apportionment_id)]


def _proposed(state: Apportionments, key: str, asked: str) -> Apportionment:
    known = state.by_id.get(key)
    if known is None:
        raise UnknownReference("apportionment", key)
    if known.status is not ApportionmentStatus.PROPOSED:
        raise IllegalTransition(f"apportionment {key}", known.status.value, asked)
    return known
