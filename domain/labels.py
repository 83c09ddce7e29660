"""Which facts may be shown to whom: the labels that a fact carries from its own content."""

from domain.claim.escalation import ApprovalConsumed, Escalated, EscalationDecided
from domain.claim.lifecycle import ClaimNotified, StrategySet
from domain.claim.offers import OfferMade, OfferReceived
from domain.envelope import DataClass, Labels, Privilege
from domain.refusal_log import CommandRefused
from domain.terms import OfferType

_OFFER_PRIVILEGE = {
    OfferType.PART36: Privilege.WPSATC,  # not to be shown to the trial judge: CPR 36.16
    OfferType.CALDERBANK: Privilege.WPSATC,
    OfferType.WP_OFFER: Privilege.WITHOUT_PREJUDICE,
    OfferType.OPEN: Privilege.NONE,
}
# A refusal quotes what it rests on: the terms of an offer, or what we think of a case, which a
# correction may be about.
_ABOUT_OFFERS = (
    *("make-offer", "receive-offer", "accept-offer", "reject-offer", "withdraw-offer"),
    *("lapse-offer", "agree-settlement"),
)
_ABOUT_OPINIONS = (
    *("set-strategy", "escalate", "decide-escalation", "withdraw-escalation"),
    *("correct-fact", "void-fact"),
)
REFUSED_PRIVILEGE = {
    **dict.fromkeys(_ABOUT_OFFERS, Privilege.WPSATC),
    **dict.fromkeys(_ABOUT_OPINIONS, Privilege.LITIGATION),
}
_ORDINARY = Labels()


def labels_of(fact: object) -> Labels:
    """The labels of a fact; what is not listed is ordinary and not privileged."""
    match fact:
        case OfferMade() | OfferReceived():
            return Labels(privilege=_OFFER_PRIVILEGE[fact.terms.type])
        case StrategySet() | Escalated() | EscalationDecided() | ApprovalConsumed():
            # An approval names the amount of the offer that it was given for.
            return Labels(privilege=Privilege.LITIGATION)
        case ClaimNotified() if fact.allegations:
            return Labels(data_class=DataClass.CLINICAL)
        case CommandRefused() if fact.command in REFUSED_PRIVILEGE:
            return Labels(privilege=REFUSED_PRIVILEGE[fact.command])
        case _:
            return _ORDINARY
