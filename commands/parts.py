"""What every command says of itself, and the parts that several commands share."""

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field

from commands.fields import (
    ITEMS_MAX,
    VERSION_MAX,
    ActorIn,
    Amount,
    CommandId,
    Currency,
    Day,
    Days,
    EvidenceIn,
    LongText,
    Maybe,
    Part,
    Reference,
    ReserveLine,
    Said,
    Text,
)
from domain.terms import (
    CostsTerms,
    EstimateBasis,
    Jurisdiction,
    MatterType,
    OfferScope,
    OfferType,
    Pathway,
    RecoveryCategory,
    Trigger,
)


class Command(Part):
    """What every command says: its id, who asks, why, and when it was true.

    `command_id` makes it safe to repeat. `effective_on` is the day it was true in the world (the
    day of recording when left out). `expected_version` refuses the command if the stream has
    moved on.
    """

    command_id: CommandId
    actor: ActorIn
    effective_on: Day | None = None
    expected_version: Annotated[int, Field(ge=0, le=VERSION_MAX)] | None = None
    rationale: Text = ""
    reason_code: Maybe = ""
    on_behalf_of: Maybe = ""
    source_system: Maybe = ""
    correlation_id: Maybe = ""
    causation_id: Maybe = ""
    evidence: Annotated[tuple[EvidenceIn, ...], Field(max_length=ITEMS_MAX)] = ()

    @property
    def stream(self) -> str:
        """The stream that the command is about."""
        raise NotImplementedError  # every concrete command is a ClaimCommand or a MandateCommand

    @cached_property
    def meaning(self) -> bytes:
        """What the command asks, as JSON: without defaults, and with the fields in one order.

        The same whichever way its sender wrote it, so that a repeat is known by it.
        """
        # As `model_dump_json`, which makes text of the bytes first.
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    def carried(self, source_system: str, correlation_id: str) -> Self:
        """The command as its transport brought it: from which application, on which trace.

        Its meaning stays what its sender wrote, so that the same body is a repeat on any trace. A
        correlation of its own stays, too.
        """
        told = {
            "source_system": source_system,
            "correlation_id": self.correlation_id or correlation_id,
        }
        carried = self.model_copy(update=told)
        vars(carried)["meaning"] = self.meaning
        return carried


class ClaimCommand(Command):
    """A command about one file; `approval` names an escalation that was approved, to use it."""

    claim: Reference
    approval: Maybe = ""

    @property
    def stream(self) -> str:
        return f"claim-{self.claim}"


class Matter(Part):
    """What came in."""

    matter_type: MatterType
    jurisdiction: Jurisdiction
    currency: Currency
    event_date: Day
    notified_on: Day
    member: Maybe = ""
    claimant: Maybe = ""
    pathway_hint: Pathway | None = None
    allegations: LongText = ""


class Handover(Part):
    """Who handles the file from now on."""

    handler: Reference
    team: Maybe = ""


class Strategy(Part):
    """How the file is to be resolved."""

    objective: Said
    review_on: Day
    next_steps: Annotated[tuple[Said, ...], Field(max_length=ITEMS_MAX)] = ()


class EstimateLine(Part):
    """The expected total of one line, gross or our share."""

    line: ReserveLine
    amount: Amount
    trigger: Trigger = Trigger.PERIODIC_REVIEW
    basis: EstimateBasis = EstimateBasis.MOST_LIKELY
    full_quantum: Amount | None = None
    probability_bp: Annotated[int, Field(ge=0, le=10_000)] | None = None


class Recovery(Part):
    """Money that came back."""

    recovery_id: Reference
    line: ReserveLine
    category: RecoveryCategory
    amount: Amount
    source: Maybe = ""


class DeductibleIn(Part):
    """A benefit deducted from gross damages."""

    benefit: Reference
    amount: Amount


class DamagesIn(Part):
    """Gross damages less deductions are net damages."""

    gross: Amount
    net: Amount
    deductions: Annotated[tuple[DeductibleIn, ...], Field(max_length=ITEMS_MAX)] = ()


class OfferTermsIn(Part):
    """What is offered."""

    type: OfferType
    damages: DamagesIn
    costs_terms: CostsTerms
    served_on: Day
    scope: OfferScope = OfferScope.WHOLE_CLAIM
    fixed_costs: Amount | None = None
    relevant_period_days: Days | None = None
    days_to_trial: Days | None = None
    expires_on: Day | None = None
    auto_withdraw_on: Day | None = None


class SettlementIn(Part):
    """What is agreed."""

    damages: DamagesIn
    costs_terms: CostsTerms
