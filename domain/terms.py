"""The field's own terms: the closed lists that commands and facts choose from."""

from enum import StrEnum

from domain.value import Value


class Jurisdiction(StrEnum):
    """Whose law governs the file."""

    ENGLAND_WALES = "england_wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"
    IRELAND = "ireland"
    SOUTH_AFRICA = "south_africa"
    HONG_KONG = "hong_kong"
    OTHER = "other"


class MatterType(StrEnum):
    """What kind of matter was notified."""

    CLAIM = "claim"
    PRE_CLAIM = "pre_claim"
    REGULATORY = "regulatory"
    INQUEST = "inquest"
    CRIMINAL = "criminal"
    COMPLAINT_SUPPORT = "complaint_support"
    ADVICE = "advice"


class Pathway(StrEnum):
    """The pathway team that handles a file after its assessment."""

    DENTAL = "dental"
    MEDICAL = "medical"


class Stage(StrEnum):
    """How far a matter has come, in order; `SERVED` ends a negotiator's authority."""

    PRE_CLAIM = "pre_claim"
    CLAIM_INTIMATED = "claim_intimated"
    LETTER_OF_CLAIM = "letter_of_claim"
    RESPONDED = "responded"
    NEGOTIATING = "negotiating"
    ISSUED = "issued"
    SERVED = "served"
    TRIAL = "trial"

    @property
    def order(self) -> int:
        """The place of the stage in a matter's course, from 0."""
        return _STAGES[self]


_STAGES = {stage: place for place, stage in enumerate(Stage)}


class Role(StrEnum):
    """In which capacity a person acts."""

    NEGOTIATOR = "negotiator"
    CASE_MANAGER = "case_manager"
    CUSTOMER_SERVICE = "customer_service"
    ESCALATION_SPECIALIST = "escalation_specialist"
    PATHWAY_LEAD = "pathway_lead"
    LINE_MANAGER = "line_manager"
    HEAD_OF_DEPARTMENT = "head_of_department"
    FINANCE = "finance"
    SERVICE = "service"  # an upstream application, not a person


class CostType(StrEnum):
    """What a reserve line pays for. The limit of a mandate is compared with `DAMAGES` only."""

    DAMAGES = "damages"
    CLAIMANT_COSTS = "claimant_costs"
    DEFENCE_COSTS = "defence_costs"
    EXPERT_FEES = "expert_fees"
    COUNSEL_FEES = "counsel_fees"
    CRU_BENEFITS = "cru_benefits"
    NHS_CHARGES = "nhs_charges"
    ADVERSE_COSTS = "adverse_costs"
    INTEREST_ON_COSTS = "interest_on_costs"


class Head(StrEnum):
    """Head of loss, within damages."""

    PSLA = "psla"
    PAST_LOSS_EARNINGS = "past_loss_earnings"
    FUTURE_LOSS_EARNINGS = "future_loss_earnings"
    PAST_CARE = "past_care"
    FUTURE_CARE = "future_care"
    PAST_TREATMENT = "past_treatment"
    FUTURE_TREATMENT = "future_treatment"
    AIDS_EQUIPMENT = "aids_equipment"
    ACCOMMODATION = "accommodation"
    TRAVEL_MISC = "travel_misc"
    INTEREST = "interest"
    BEREAVEMENT_DEPENDENCY = "bereavement_dependency"
    REFUND_OF_FEES = "refund_of_fees"
    EX_GRATIA = "ex_gratia"


class Basis(StrEnum):
    """Whether a line is kept for the whole claim or for our share of it."""

    GROSS = "gross"
    OUR_SHARE = "our_share"


class EstimateBasis(StrEnum):
    """What an estimate claims to be."""

    MOST_LIKELY = "most_likely"
    REASONABLE_WORST = "reasonable_worst"
    PROBABILITY_WEIGHTED = "probability_weighted"


class Trigger(StrEnum):
    """Why an estimate was looked at."""

    INITIAL = "initial"
    PERIODIC_REVIEW = "periodic_review"
    EXPERT = "expert"
    LETTER_OF_CLAIM = "letter_of_claim"
    OFFER = "offer"
    COUNSEL = "counsel"
    PAYMENT = "payment"
    COURT = "court"
    COSTS = "costs"
    SETTLEMENT = "settlement"
    REOPENED = "reopened"
    SOURCE = "source"


class OfferType(StrEnum):
    """The families of offers; each has a machine of its own."""

    PART36 = "part36"
    CALDERBANK = "calderbank"
    WP_OFFER = "wp_offer"
    OPEN = "open"


class OfferScope(StrEnum):
    """What an offer would dispose of; at most one offer is accepted in each scope."""

    WHOLE_CLAIM = "whole_claim"
    DAMAGES = "damages"


class CostsTerms(StrEnum):
    """What an offer or a settlement says of the claimant's costs."""

    PLUS_REASONABLE_COSTS = "plus_reasonable_costs"
    INCLUSIVE = "inclusive"
    FIXED = "fixed"
    NONE = "none"


class ClosureCode(StrEnum):
    """Why a file was closed."""

    NIL_WITHDRAWN = "nil_withdrawn"
    NIL_REPUDIATED = "nil_repudiated"
    NIL_TIME_BARRED = "nil_time_barred"
    NIL_NO_FURTHER_CONTACT = "nil_no_further_contact"
    SETTLED = "settled"
    JUDGMENT = "judgment"
    TRANSFERRED = "transferred"
    DUPLICATE = "duplicate"
    BY_SOURCE = "by_source"  # imported: the source closed it and did not say why


class PaymentKind(StrEnum):
    """What a payment is."""

    FINAL = "final"
    INTERIM = "interim"
    COSTS = "costs"
    INVOICE = "invoice"
    CRU = "cru"
    REFUND = "refund"


class RecoveryCategory(StrEnum):
    """Where money that came back came from."""

    CONTRIBUTION = "contribution"
    COSTS_ORDER = "costs_order"
    EXCESS = "excess"
    INSURER = "insurer"
    CRU_REFUND = "cru_refund"
    BY_SOURCE = "by_source"  # imported: the source did not say


class EscalationKind(StrEnum):
    """What is escalated: a question of one of four sorts, or a request for approval."""

    QUANTUM = "quantum"
    APPORTIONMENT = "apportionment"
    STRATEGY = "strategy"
    TECHNICAL = "technical"
    APPROVAL = "approval"


class EscalationOutcome(StrEnum):
    """How an escalation was decided."""

    APPROVED = "approved"
    APPROVED_WITH_DIRECTIONS = "approved_with_directions"
    DECLINED = "declined"


class ApportionmentCovers(StrEnum):
    """Which costs an apportionment shares out."""

    DAMAGES = "damages"
    CLAIMANT_COSTS = "claimant_costs"
    DEFENCE_COSTS = "defence_costs"
    ALL = "all"


class ApportionmentBasis(StrEnum):
    """How the shares of an apportionment were found."""

    EQUAL = "equal"
    PERCENTAGES = "percentages"
    BY_PERIOD_OF_CARE = "by_period_of_care"
    BY_HEAD = "by_head"


class Decision(StrEnum):
    """A decision that a Claims Management Authority has to cover."""

    RESERVE = "reserve"
    OFFER = "offer"
    SETTLE = "settle"
    PAY = "pay"
    APPORTION = "apportion"
    CORRECT = "correct"


class Attestor(StrEnum):
    """The three who sign a mandate; it is in force only when all have."""

    HOLDER = "holder"
    LINE_MANAGER = "line_manager"
    HEAD_OF_DEPARTMENT = "head_of_department"


class Line(Value, frozen=True):
    """A reserve line: what it pays for, in which currency, for whom."""

    cost_type: CostType
    currency: str
    head: Head | None = None
    basis: Basis = Basis.GROSS

    def __str__(self) -> str:
        head = f" {self.head}" if self.head else ""
        share = " our share" if self.basis is Basis.OUR_SHARE else ""
        return f"{self.cost_type}{head} {self.currency}{share}"
