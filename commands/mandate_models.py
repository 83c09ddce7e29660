"""What may be asked about a mandate, one person's Claims Management Authority."""

from typing import Annotated, Literal

from pydantic import Field

from commands.fields import ITEMS_MAX, Amount, Day, Maybe, Part, Reference, Said
from commands.parts import Command
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Role, Stage

Pathways = Annotated[tuple[Pathway, ...], Field(min_length=1, max_length=len(Pathway))]
Jurisdictions = Annotated[
    tuple[Jurisdiction, ...], Field(min_length=1, max_length=len(Jurisdiction))
]
Stages = Annotated[tuple[Stage, ...], Field(min_length=1, max_length=len(Stage))]


class MandateCommand(Command):
    """A command about one person's mandate."""

    person: Reference

    @property
    def stream(self) -> str:
        return f"mandate-{self.person}"


class LimitIn(Part):
    """How much of damages, cumulatively on a file, one decision may commit, and where."""

    decision: Decision
    maximum: Amount
    pathways: Pathways
    jurisdictions: Jurisdictions
    stages: Stages


Limits = Annotated[tuple[LimitIn, ...], Field(min_length=1, max_length=ITEMS_MAX)]


class GrantMandate(MandateCommand):
    """Grant authority to somebody, from one's own if `delegated_by` names its holder."""

    type: Literal["grant-mandate"] = "grant-mandate"
    role: Role
    limits: Limits
    valid_from: Day
    valid_to: Day | None = None
    delegated_by: Maybe = ""


class AttestMandate(MandateCommand):
    """Sign a mandate; the actor signs."""

    type: Literal["attest-mandate"] = "attest-mandate"
    attestor: Attestor


class AmendMandate(MandateCommand):
    """Change limits or validity; the mandate has to be attested again."""

    type: Literal["amend-mandate"] = "amend-mandate"
    limits: Limits
    valid_from: Day
    valid_to: Day | None = None


class SuspendMandate(MandateCommand):
    """Take a mandate out of force for a while."""

    type: Literal["suspend-mandate"] = "suspend-mandate"
    why: Said


class RestoreMandate(MandateCommand):
    """End a suspension."""

    type: Literal["restore-mandate"] = "restore-mandate"
    why: Said


class RevokeMandate(MandateCommand):
    """End a mandate for good."""

    type: Literal["revoke-mandate"] = "revoke-mandate"
    why: Said
