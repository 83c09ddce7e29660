"""Offers, ours and theirs: four types, each with the machine that the law gives it.

A Part 36 offer stays open after its relevant period, survives a rejection and never lapses (CPR
36); Calderbank, without-prejudice and open offers are contractual: rejection ends them, and so
does the day they expire. What time alone changes is read from a given day, never stored.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never

from domain.claim.offer_terms import OfferTerms, require_valid
from domain.errors import BadValue, DateOrder
from domain.refusals.money import ScopeAlreadyAccepted
from domain.refusals.state import OfferNotOpen, ReferenceTaken, UnknownReference
from domain.terms import OfferScope, OfferType
from domain.value import Value, field, replace


class OfferMade(Value, frozen=True):
    """We made an offer."""

    offer_id: str
    terms: OfferTerms
    commercial: bool = False  # made for commercial good sense rather than on the merits


class OfferReceived(Value, frozen=True):
    """The claimant made an offer."""

    offer_id: str
    terms: OfferTerms


class OfferAccepted(Value, frozen=True):
    """The other side's, or our, acceptance; `in_relevant_period` is None outside Part 36."""

    offer_id: str
    in_relevant_period: bool | None


class OfferRejected(Value, frozen=True):
    """The offeree said no, or made a counter-offer; a Part 36 offer stays open all the same."""

    offer_id: str


class OfferWithdrawn(Value, frozen=True):
    """The offeror gave notice; for Part 36 it takes effect on `takes_effect_on`."""

    offer_id: str
    takes_effect_on: date


class OfferLapsed(Value, frozen=True):
    """The day on which the offer expired has passed."""

    offer_id: str


class OfferSuperseded(Value, frozen=True):
    """A settlement closed the offer."""

    offer_id: str


Fact = (
    OfferMade
    | OfferReceived
    | OfferAccepted
    | OfferRejected
    | OfferWithdrawn
    | OfferLapsed
    | OfferSuperseded
)


class OfferStatus(StrEnum):
    """Where an offer stands on a given day."""

    OPEN = "open"
    OPEN_AFTER_RELEVANT_PERIOD = "open_after_relevant_period"
    WITHDRAWAL_PENDING = "withdrawal_pending"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"


LIVE = {
    OfferStatus.OPEN,
    OfferStatus.OPEN_AFTER_RELEVANT_PERIOD,
    OfferStatus.WITHDRAWAL_PENDING,
}


class Offer(Value, frozen=True):
    """One offer; `ended` is how it ended by somebody's act, None while nobody ended it."""

    terms: OfferTerms
    ours: bool
    ended: OfferStatus | None = None
    rejected: bool = False
    withdrawn_from: date | None = None

    @property
    def part36(self) -> bool:
        """Made under Part 36."""
        return self.terms.type is OfferType.PART36

    def status_on(self, day: date) -> OfferStatus:
        """Where the offer stands at the end of `day`, time alone included."""
        if self.ended is not None:
            return self.ended
        gone = self.withdrawn_from or self.terms.auto_withdraw_on
        if gone is not None and day >= gone:
            return OfferStatus.WITHDRAWN
        if self.withdrawn_from is not None:
            return OfferStatus.WITHDRAWAL_PENDING
        if self.part36:
            in_period = day <= self.terms.relevant_period_ends
            return OfferStatus.OPEN if in_period else OfferStatus.OPEN_AFTER_RELEVANT_PERIOD
        if self.terms.expires_on is not None and day > self.terms.expires_on:
            return OfferStatus.LAPSED
        return OfferStatus.OPEN

    def live_on(self, day: date) -> bool:
        """The offeree could accept it on `day`."""
        return self.status_on(day) in LIVE


class Offers(Value, frozen=True):
    """The offers of a file, by their id, in the order in which they were made."""

    by_id: Mapping[str, Offer] = field(default_factory=dict[str, Offer])

    def live_on(self, day: date) -> Iterator[tuple[str, Offer]]:
        """The offers that could be accepted on `day`."""
        return ((key, offer) for key, offer in self.by_id.items() if offer.live_on(day))

    def accepted_in(self, scope: OfferScope) -> str | None:
        """The id of the offer that was accepted in a scope, or in one that overlaps it."""
        for key, offer in self.by_id.items():
            if offer.ended is OfferStatus.ACCEPTED and _overlap(offer.terms.scope, scope):
                return key
        return None


def _overlap(one: OfferScope, other: OfferScope) -> bool:
    return one is other or OfferScope.WHOLE_CLAIM in (one, other)


def evolve(state: Offers, fact: Fact) -> Offers:
    """Remember one fact; one about an offer that was never told of changes nothing."""
    match fact:
        case OfferMade():
            return _with(state, fact.offer_id, Offer(fact.terms, ours=True))
        case OfferReceived():
            return _with(state, fact.offer_id, Offer(fact.terms, ours=False))
        case OfferAccepted():
            return _ended(state, fact.offer_id, OfferStatus.ACCEPTED)
        case OfferRejected():
            offer = state.by_id.get(fact.offer_id)
            if offer is None:
                return state
            ended = offer.ended if offer.part36 else OfferStatus.REJECTED
            return _with(state, fact.offer_id, replace(offer, rejected=True, ended=ended))
        case OfferWithdrawn():
            offer = state.by_id.get(fact.offer_id)
            if offer is None:
                return state
            gone = replace(offer, withdrawn_from=fact.takes_effect_on)
            return _with(state, fact.offer_id, gone)
        case OfferLapsed():
            return _ended(state, fact.offer_id, OfferStatus.LAPSED)
        case OfferSuperseded():
            return _ended(state, fact.offer_id, OfferStatus.SUPERSEDED)
        case _:
            assert_never(fact)


def _with(state: Offers, offer_id: str, offer: Offer) -> Offers:
    return Offers({**state.by_id, offer_id: offer})


def _ended(state: Offers, offer_id: str, ended: OfferStatus) -> Offers:
    offer = state.by_id.get(offer_id)
    return state if offer is None else _with(state, offer_id, replace(offer, ended=ended))


def make(state: Offers, made: OfferMade, currency: str, on: date) -> list[Fact]:
    """Make an offer on terms that its type allows."""
    _require_new(state, made.offer_id)
    _require_served(made.terms, on)
    require_valid(made.terms, currency)
    return [made]


def receive(state: Offers, received: OfferReceived, currency: str, on: date) -> list[Fact]:
    """Record the claimant's offer, however high."""
    _require_new(state, received.offer_id)
    _require_served(received.terms, on)
    require_valid(received.terms, currency)
    return [received]


def accept(state: Offers, offer_id: str, on: date) -> list[Fact]:
    """Record an acceptance: any live offer can be accepted, one in each scope."""
    offer = _live(state, offer_id, on, "accepted")
    other = state.accepted_in(offer.terms.scope)
    if other is not None:
        raise ScopeAlreadyAccepted(accepted=other, scope=offer.terms.scope.value)
    in_period = on <= offer.terms.relevant_period_ends if offer.part36 else None
    return [OfferAccepted(offer_id, in_period)]


def reject(state: Offers, offer_id: str, on: date) -> list[Fact]:
    """Record a rejection; rejecting a Part 36 offer again adds nothing."""
    offer = _live(state, offer_id, on, "rejected")
    return [] if offer.rejected else [OfferRejected(offer_id)]


def withdraw(state: Offers, offer_id: str, on: date) -> list[Fact]:
    """Give notice of withdrawal.

    Within the relevant period of a Part 36 offer it takes effect the day after the period ends,
    unless the offer was accepted by then (CPR 36.9-36.10); otherwise at once.
    """
    offer = _live(state, offer_id, on, "withdrawn")
    if offer.withdrawn_from is not None:
        return []
    takes_effect_on = on
    if offer.part36 and on <= offer.terms.relevant_period_ends:
        takes_effect_on = offer.terms.relevant_period_ends + timedelta(days=1)
    return [OfferWithdrawn(offer_id, takes_effect_on)]


def lapse(state: Offers, offer_id: str, on: date) -> list[Fact]:
    """Record that a contractual offer expired; a Part 36 offer never does."""
    offer = _known(state, offer_id)
    if offer.ended is OfferStatus.LAPSED:
        return []
    status = offer.status_on(on)
    if offer.part36 or status is not OfferStatus.LAPSED:
        raise OfferNotOpen(offer_id, status.value, "lapsed")
    return [OfferLapsed(offer_id)]


def supersede_others(state: Offers, settled: str | None, on: date) -> list[OfferSuperseded]:
    """Every other offer that is still live on the day ends with a settlement."""
    return [OfferSuperseded(key) for key, _ in state.live_on(on) if key != settled]


def _require_served(terms: OfferTerms, on: date) -> None:
    """An offer is effective on the day it was served, so that it is dated within its window."""
    if on != terms.served_on:
        raise BadValue("terms.served_on", f"it was served on the day it is effective, {on}")


def _require_new(state: Offers, offer_id: str) -> None:
    if offer_id in state.by_id:
        raise ReferenceTaken("offer", offer_id)


def _known(state: Offers, offer_id: str) -> Offer:
    offer = state.by_id.get(offer_id)
    if offer is None:
        raise UnknownReference("offer", offer_id)
    return offer


def _live(state: Offers, offer_id: str, on: date, asked: str) -> Offer:
    offer = _known(state, offer_id)
    if on < offer.terms.served_on:
        raise DateOrder("effective_on", str(offer.terms.served_on), str(on))
    if not offer.live_on(on):
        raise OfferNotOpen(offer_id, offer.status_on(on).value, asked)
    return offer
