"""What may be asked about a claim: one closed model a command, transport-neutral."""

from typing import Annotated, Literal

from pydantic import Field

from commands.fields import (
    ITEMS_MAX,
    VERSION_MAX,
    Amount,
    Day,
    Maybe,
    Part,
    Reference,
    ReserveLine,
    Said,
    Share,
    Text,
)
from commands.parts import (
    ClaimCommand,
    EstimateLine,
    Handover,
    Matter,
    OfferTermsIn,
    Recovery,
    SettlementIn,
    Strategy,
)
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    ClosureCode,
    Decision,
    EscalationKind,
    EscalationOutcome,
    Pathway,
    PaymentKind,
    Stage,
)

# --- the life of a file --------------------------------------------------------------------------


class NotifyMatter(ClaimCommand, Matter):
    """Open a file."""

    type: Literal["notify-matter"] = "notify-matter"


class AllocateClaim(ClaimCommand):
    """Send the file to a pathway team and a handler."""

    type: Literal["allocate-claim"] = "allocate-claim"
    pathway: Pathway
    team: Reference
    handler: Reference


class ChangeHandler(ClaimCommand, Handover):
    """Hand the file to another person."""

    type: Literal["change-handler"] = "change-handler"


class SetStrategy(ClaimCommand, Strategy):
    """Set or revise the strategy."""

    type: Literal["set-strategy"] = "set-strategy"


class ReachStage(ClaimCommand):
    """Record that the matter came to a further stage."""

    type: Literal["reach-stage"] = "reach-stage"
    stage: Stage


class CloseClaim(ClaimCommand):
    """Close the file."""

    type: Literal["close-claim"] = "close-claim"
    closure: ClosureCode
    outcome: Said


class ReopenClaim(ClaimCommand):
    """Reopen the file with a fresh estimate."""

    type: Literal["reopen-claim"] = "reopen-claim"
    why: Said
    estimates: Annotated[tuple[EstimateLine, ...], Field(min_length=1, max_length=ITEMS_MAX)]


# --- money ---------------------------------------------------------------------------------------


class SetEstimate(ClaimCommand):
    """Set what lines should cost in all."""

    type: Literal["set-estimate"] = "set-estimate"
    estimates: Annotated[tuple[EstimateLine, ...], Field(min_length=1, max_length=ITEMS_MAX)]


class ReceiveRecovery(ClaimCommand, Recovery):
    """Book money that came back."""

    type: Literal["receive-recovery"] = "receive-recovery"


class RequestPayment(ClaimCommand):
    """Ask for a payment."""

    type: Literal["request-payment"] = "request-payment"
    payment_id: Reference
    line: ReserveLine
    amount: Amount
    kind: PaymentKind
    payee: Reference


class ApprovePayment(ClaimCommand):
    """Approve a payment that somebody else asked for."""

    type: Literal["approve-payment"] = "approve-payment"
    payment_id: Reference


class RejectPayment(ClaimCommand):
    """Turn a payment down."""

    type: Literal["reject-payment"] = "reject-payment"
    payment_id: Reference
    why: Said


class IssuePayment(ClaimCommand):
    """The bank's word that an approved payment left; `effective_on` is its value date."""

    type: Literal["issue-payment"] = "issue-payment"
    payment_id: Reference


class VoidPayment(ClaimCommand):
    """Take an issued payment back."""

    type: Literal["void-payment"] = "void-payment"
    payment_id: Reference
    why: Said


# --- offers and settlement -----------------------------------------------------------------------


class MakeOffer(ClaimCommand):
    """Make an offer."""

    type: Literal["make-offer"] = "make-offer"
    offer_id: Reference
    terms: OfferTermsIn
    commercial: bool = False


class ReceiveOffer(ClaimCommand):
    """Record the claimant's offer."""

    type: Literal["receive-offer"] = "receive-offer"
    offer_id: Reference
    terms: OfferTermsIn


class AcceptOffer(ClaimCommand):
    """Record an acceptance: ours of theirs, or theirs of ours."""

    type: Literal["accept-offer"] = "accept-offer"
    offer_id: Reference


class RejectOffer(ClaimCommand):
    """Record a rejection or a counter-offer."""

    type: Literal["reject-offer"] = "reject-offer"
    offer_id: Reference


class WithdrawOffer(ClaimCommand):
    """Give or record a notice of withdrawal."""

    type: Literal["withdraw-offer"] = "withdraw-offer"
    offer_id: Reference


class LapseOffer(ClaimCommand):
    """Record that a contractual offer expired."""

    type: Literal["lapse-offer"] = "lapse-offer"
    offer_id: Reference


class AgreeSettlement(ClaimCommand, SettlementIn):
    """Settle the claim, on an accepted offer's terms where one is named."""

    type: Literal["agree-settlement"] = "agree-settlement"
    offer_id: Maybe = ""


# --- apportionment and escalation ----------------------------------------------------------------


class PartyShareIn(Part):
    """One party and its exact share."""

    party: Reference
    share: Share


class ProposeApportionment(ClaimCommand):
    """Put shares forward."""

    type: Literal["propose-apportionment"] = "propose-apportionment"
    apportionment_id: Reference
    covers: ApportionmentCovers
    basis: ApportionmentBasis
    parties: Annotated[tuple[PartyShareIn, ...], Field(min_length=2, max_length=ITEMS_MAX)]
    ours: Reference


class AgreeApportionment(ClaimCommand):
    """Agree what was proposed."""

    type: Literal["agree-apportionment"] = "agree-apportionment"
    apportionment_id: Reference


class RejectApportionment(ClaimCommand):
    """Turn down what was proposed."""

    type: Literal["reject-apportionment"] = "reject-apportionment"
    apportionment_id: Reference


class ApprovalAskIn(Part):
    """What approval is asked for; an offer's or a settlement's approval names its terms."""

    decision: Decision
    maximum: Amount
    offer: OfferTermsIn | None = None
    settlement: SettlementIn | None = None


class Escalate(ClaimCommand):
    """Ask a question, or for approval; `seen_version` is the version the asker had before them."""

    type: Literal["escalate"] = "escalate"
    escalation_id: Reference
    kind: EscalationKind
    question: Said
    asks: ApprovalAskIn | None = None


class DecideEscalation(ClaimCommand):
    """Answer what somebody else asked."""

    type: Literal["decide-escalation"] = "decide-escalation"
    escalation_id: Reference
    outcome: EscalationOutcome
    directions: Text = ""
    valid_until: Day | None = None


class WithdrawEscalation(ClaimCommand):
    """Take one's own question back."""

    type: Literal["withdraw-escalation"] = "withdraw-escalation"
    escalation_id: Reference


# --- correction and void -------------------------------------------------------------------------


class MatterAgain(Matter):
    """The notification as it should have been."""

    kind: Literal["matter"] = "matter"


class HandoverAgain(Handover):
    """The handover as it should have been."""

    kind: Literal["handover"] = "handover"


class StrategyAgain(Strategy):
    """The strategy as it should have been."""

    kind: Literal["strategy"] = "strategy"


class EstimateAgain(EstimateLine):
    """The estimate as it should have been."""

    kind: Literal["estimate"] = "estimate"


class RecoveryAgain(Recovery):
    """The recovery as it should have been."""

    kind: Literal["recovery"] = "recovery"


Again = Annotated[
    MatterAgain | HandoverAgain | StrategyAgain | EstimateAgain | RecoveryAgain,
    Field(discriminator="kind"),
]
Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]


class CorrectFact(ClaimCommand):
    """Put a full new payload in the place of an earlier fact, which stays in the history."""

    type: Literal["correct-fact"] = "correct-fact"
    version: Version
    replacement: Again
    why: Said


class VoidFact(ClaimCommand):
    """Take an earlier fact out; it stays in the history."""

    type: Literal["void-fact"] = "void-fact"
    version: Version
    why: Said
