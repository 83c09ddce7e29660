"""The terms of an offer or a settlement, and what makes them valid for their type."""

import hashlib
from datetime import date, timedelta

from domain.errors import BadValue, CurrencyMismatch, DateOrder
from domain.money import Money
from domain.refusals.money import (
    AmountNegative,
    AmountNotPositive,
    CostsTermsConflict,
    InvalidPart36Offer,
    OfferTermsIncomplete,
)
from domain.terms import CostsTerms, OfferScope, OfferType
from domain.value import Value

RELEVANT_PERIOD_DAYS_MIN = 21  # CPR 36.5(1)(c); shorter only within 21 days of a trial, 36.5(2)


class Deductible(Value, frozen=True):
    """A benefit that is deducted from gross damages (CRU), by what it is."""

    benefit: str
    amount: Money


class Damages(Value, frozen=True):
    """Gross damages, what is deducted, and the net: gross - deductions = net, exactly."""

    gross: Money
    net: Money
    deductions: tuple[Deductible, ...] = ()

    @property
    def deducted(self) -> Money:
        """The deductions together."""
        total = sum(item.amount.minor for item in self.deductions)
        return Money(total, self.gross.currency)


class OfferTerms(Value, frozen=True):
    """What is offered.

    `gross` damages are what the offer would add to the damages already paid on the file.
    `relevant_period_days` belongs to Part 36, `expires_on` to the contractual types;
    `days_to_trial` is given when a trial is near enough to shorten the relevant period.
    """

    type: OfferType
    damages: Damages
    costs_terms: CostsTerms
    served_on: date
    scope: OfferScope = OfferScope.WHOLE_CLAIM
    fixed_costs: Money | None = None
    relevant_period_days: int | None = None
    days_to_trial: int | None = None
    expires_on: date | None = None
    auto_withdraw_on: date | None = None

    @property
    def relevant_period_ends(self) -> date:
        """The last day of the relevant period (the day of service for an offer without one)."""
        return self.served_on + timedelta(days=self.relevant_period_days or 0)

    def digest(self) -> str:
        """SHA-256 (hex) of the terms: an approval is bound to it.

        Days count from the day of service, which is not known when approval is asked for.
        """
        parts = [
            self.type,
            self.scope,
            self.costs_terms,
            self.fixed_costs,
            self.damages.gross,
            self.damages.net,
            self.relevant_period_days,
            self._days_after_service(self.expires_on),
            self._days_after_service(self.auto_withdraw_on),
            *(f"{item.benefit}={item.amount}" for item in self.damages.deductions),
        ]
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()

    def _days_after_service(self, day: date | None) -> int | None:
        return None if day is None else (day - self.served_on).days


def require_valid(terms: OfferTerms, currency: str) -> None:
    """The terms add up, are in the file's currency, and are what their type allows."""
    require_damages(terms.damages, currency)
    if terms.costs_terms is CostsTerms.FIXED:
        if terms.fixed_costs is None:
            raise BadValue("terms.fixed_costs", "fixed costs have to say their amount")
        if terms.fixed_costs.currency != currency:
            raise CurrencyMismatch(currency, terms.fixed_costs.currency)
        if terms.fixed_costs.minor <= 0:
            raise AmountNotPositive(terms.fixed_costs)
    elif terms.fixed_costs is not None:
        raise BadValue("terms.fixed_costs", "only costs_terms fixed have an amount")
    if terms.type is OfferType.PART36:
        _require_part36(terms)
    else:
        _require_contractual(terms)


def require_damages(damages: Damages, currency: str) -> None:
    """Gross - deductions = net, none negative, all in one currency, and gross above nil."""
    amounts = [damages.gross, damages.net, *(item.amount for item in damages.deductions)]
    for amount in amounts:
        if amount.currency != currency:
            raise CurrencyMismatch(currency, amount.currency)
        if amount.minor < 0:
            raise AmountNegative(amount)
    if damages.gross.minor == 0:
        raise AmountNotPositive(damages.gross)
    if damages.gross - damages.deducted != damages.net:
        raise OfferTermsIncomplete(damages.gross, damages.deducted, damages.net)


def _require_part36(terms: OfferTerms) -> None:
    days = terms.relevant_period_days
    near_trial = terms.days_to_trial is not None and terms.days_to_trial < RELEVANT_PERIOD_DAYS_MIN
    if days is None or days < 0:
        raise InvalidPart36Offer("it has to state its relevant period in days")
    if days < RELEVANT_PERIOD_DAYS_MIN and not near_trial:
        raise InvalidPart36Offer(
            f"its relevant period is at least {RELEVANT_PERIOD_DAYS_MIN} days, "
            "unless a trial is nearer"
        )
    if terms.costs_terms is not CostsTerms.PLUS_REASONABLE_COSTS:
        raise CostsTermsConflict(terms.costs_terms.value)
    if terms.expires_on is not None:
        raise InvalidPart36Offer("it cannot expire; it can say when it is withdrawn by itself")
    if terms.auto_withdraw_on is not None and terms.auto_withdraw_on <= terms.relevant_period_ends:
        raise InvalidPart36Offer("it cannot be withdrawn by itself within its relevant period")


def _require_contractual(terms: OfferTerms) -> None:
    for name in ("relevant_period_days", "days_to_trial", "auto_withdraw_on"):
        if getattr(terms, name) is not None:
            raise BadValue(f"terms.{name}", "only a Part 36 offer has one")
    if terms.expires_on is not None and terms.expires_on < terms.served_on:
        raise DateOrder("terms.expires_on", str(terms.served_on), str(terms.expires_on))
