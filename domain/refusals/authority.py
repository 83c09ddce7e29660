"""What a Claims Management Authority refuses, kept as a near miss: E3xx."""

from dataclasses import dataclass
from datetime import date

from domain.errors import Refused
from domain.money import Money
from domain.terms import Decision


@dataclass(eq=False)
class AuthorityExceeded(Refused):
    """{decision} measured at {measured} of damages is above the limit of {limit} of {person}."""

    code = "E301"
    remedy = "Escalate for approval, naming these terms, and use the approval when it is given."
    decision: Decision
    person: str
    measured: Money
    limit: Money


@dataclass(eq=False)
class RoleCeilingExceeded(Refused):
    """A limit of {asked} is above the ceiling of {ceiling} of the role {role}."""

    code = "E302"
    remedy = "Grant at most the ceiling, or grant the mandate in another role."
    where = "limits"
    role: str
    asked: Money
    ceiling: Money


@dataclass(eq=False)
class ComplexApportionmentNeedsLead(Refused):
    """This apportionment is complex: {why}; a {role} may not agree it."""

    code = "E303"
    remedy = "Escalate it as an apportionment question to the pathway lead."
    why: str
    role: str


@dataclass(eq=False)
class DelegationExceedsGrantor(Refused):
    """The delegated limit for {decision} is more than {delegator} has: {why}."""

    code = "E304"
    remedy = "Delegate at most what the delegator's own mandate in force allows."
    where = "limits"
    decision: Decision
    delegator: str
    why: str


@dataclass(eq=False)
class SelfApproval(Refused):
    """{person} asked for {what} and may not be the one who approves it."""

    code = "E307"
    remedy = "Have another person with the authority decide."
    where = "actor"
    person: str
    what: str


@dataclass(eq=False)
class ApprovalTermsChanged(Refused):
    """The approval {escalation_id} does not cover this: {why}."""

    code = "E308"
    remedy = "Escalate again with the terms as they now are."
    where = "approval"
    escalation_id: str
    why: str


@dataclass(eq=False)
class ApprovalExpired(Refused):
    """The approval {escalation_id} was valid until {valid_until}."""

    code = "E309"
    remedy = "Escalate again."
    where = "approval"
    escalation_id: str
    valid_until: date


@dataclass(eq=False)
class OutsideMandate(Refused):
    """The mandate of {person} for {decision} does not reach {what}: {value}."""

    code = "E311"
    remedy = "Hand the file to somebody whose mandate covers it, or escalate for approval."
    person: str
    decision: Decision
    what: str
    value: str


@dataclass(eq=False)
class MandateNotAttested(Refused):
    """The mandate of {person} is not in force: {missing} has not attested it."""

    code = "E312"
    remedy = "Have the mandate attested by its holder, line manager and head of department."
    person: str
    missing: tuple[str, ...]


@dataclass(eq=False)
class MandateNotInForce(Refused):
    """{person} has no mandate in force: {why}."""

    code = "E313"
    remedy = "Have a mandate granted, restored or renewed, or escalate for approval."
    person: str
    why: str


@dataclass(eq=False)
class ApprovalNotUsable(Refused):
    """The approval {escalation_id} cannot be used: {why}."""

    code = "E314"
    remedy = "Use an approval that was given to you for this file, and not used before."
    where = "approval"
    escalation_id: str
    why: str


@dataclass(eq=False)
class AttestorConflict(Refused):
    """{person} cannot attest as {attestor}: {why}."""

    code = "E315"
    remedy = "The holder, the line manager and the head of department are three people."
    where = "actor"
    person: str
    attestor: str
    why: str
