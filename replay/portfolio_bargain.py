"""Offers, questions and approvals on a synthetic file: from the first figure to what is agreed."""

from datetime import timedelta

from commands import models
from commands.parts import DamagesIn, DeductibleIn, OfferTermsIn, SettlementIn
from domain.money import Money
from domain.terms import (
    CostsTerms,
    Decision,
    EscalationKind,
    EscalationOutcome,
    Jurisdiction,
    OfferType,
    Stage,
)
from replay.portfolio_cast import Person
from replay.portfolio_chance import rounded, whole
from replay.portfolio_desk import Desk, Offered
from replay.portfolio_plan import Plan
from replay.portfolio_words import DIRECTIONS, QUESTIONS

ROUNDS_MAX = 6
RELEVANT_PERIOD_DAYS = 21
APPROVAL_DAYS = 28
TRIES_ABOVE_AUTHORITY = 0.35  # of offers above the handler's limit: a near miss comes first
DECLINED_FIRST = 0.12  # of approvals asked for
IN_WRITING = "Terms as in the letter on the file."


def bargain(desk: Desk, plan: Plan) -> str:
    """Trade offers until one is accepted; its id.

    The sides take turns so that the last offer, at the figure the claim settles for, is ours or
    theirs as drawn; on the way ours come up from a share of it and theirs down from a multiple.
    """
    chance, final = desk.chance, plan.quantum.minor - desk.committed()
    rounds = min(1 + chance.poisson(2.1), ROUNDS_MAX)
    ours_last = chance.yes(0.65)
    low, high = chance.beta(5, 3), max(chance.lognormal(1.9, 0.3), 1.05)
    key = ""
    for number in range(1, rounds + 1):
        ours = ((rounds - number) % 2 == 0) == ours_last
        start, last = (low if ours else high), number == rounds
        ratio = start + (1 - start) * (number / rounds) ** 1.5
        # No figure on the way is so near the last one that nobody would have gone on.
        gross = Money(final, desk.currency) if last else rounded(final / 100 * ratio, desk.currency)
        terms = offer_terms(desk, plan, gross, final=last)
        key = make(desk, terms) if ours else receive(desk, terms)
        desk.wait(chance.days(30 if not last else 14, 0.6, 2, 200))
        if not last:
            answer(desk, key)
    accept(desk, key)
    return key


def offer_terms(desk: Desk, plan: Plan, gross: Money, final: bool = False) -> OfferTermsIn:
    """Terms of a type that the law of the file knows, served today."""
    english = plan.jurisdiction is Jurisdiction.ENGLAND_WALES
    kinds = [OfferType.PART36, OfferType.CALDERBANK, OfferType.WP_OFFER]
    kind = desk.chance.pick(kinds, [0.55 if english else 0.0, 0.30, 0.15])
    benefits = plan.benefits
    deductions: tuple[DeductibleIn, ...] = ()
    if benefits is not None and benefits.minor * 2 < gross.minor:
        deductions = (DeductibleIn(benefit="cru-certificate", amount=benefits),)
    deducted = sum(each.amount.minor for each in deductions)
    part36 = kind is OfferType.PART36
    fixed = not part36 and final and desk.chance.yes(0.2)
    expires = None
    if not part36 and (final or desk.chance.yes(0.6)):
        # The last one stays open long enough to be accepted however slow the post.
        expires = desk.today + timedelta(days=365 if final else 28)
    return OfferTermsIn(
        type=kind,
        damages=DamagesIn(
            gross=gross, net=Money(gross.minor - deducted, desk.currency), deductions=deductions
        ),
        costs_terms=CostsTerms.FIXED if fixed else CostsTerms.PLUS_REASONABLE_COSTS,
        fixed_costs=plan.claimant_costs if fixed else None,
        served_on=desk.today,
        relevant_period_days=RELEVANT_PERIOD_DAYS if part36 else None,
        expires_on=expires,
    )


def served_today(desk: Desk, terms: OfferTermsIn) -> OfferTermsIn:
    """The same terms, served today: an approval is bound to the terms, not to their dates."""
    later = desk.today - terms.served_on
    expires = terms.expires_on + later if terms.expires_on else None
    return terms.model_copy(update={"served_on": desk.today, "expires_on": expires})


def make(desk: Desk, terms: OfferTermsIn, why: str = IN_WRITING) -> str:
    """Make an offer; above the handler's limit it takes an approval, sometimes asked for late."""
    key, measured = desk.key("offer"), desk.committed() + terms.damages.gross.minor
    refusal, approval = desk.refusal(desk.handler, Decision.OFFER, measured), ""
    if refusal:
        if desk.chance.yes(TRIES_ABOVE_AUTHORITY):
            desk.ask(
                desk.handler,
                models.MakeOffer,
                intended=refusal,
                offer_id=key,
                terms=served_today(desk, terms),
                why=why,
            )
        asks = models.ApprovalAskIn(
            decision=Decision.OFFER, maximum=Money(measured, desk.currency), offer=terms
        )
        approval = approved(desk, asks, f"May we offer {terms.damages.gross}?")
    terms = served_today(desk, terms)
    desk.ask(
        desk.handler,
        models.MakeOffer,
        facts=2 if approval else 1,
        offer_id=key,
        terms=terms,
        approval=approval,
        why=why,
    )
    desk.offers[key] = Offered(terms, ours=True)
    return key


def receive(desk: Desk, terms: OfferTermsIn, why: str = "By letter.") -> str:
    """Record the claimant's offer, often some days after it was served."""
    key = desk.key("offer")
    desk.wait(desk.chance.between(0, 5))
    desk.ask(
        desk.handler,
        models.ReceiveOffer,
        offer_id=key,
        terms=terms,
        effective_on=terms.served_on,
        why=why,
    )
    desk.offers[key] = Offered(terms, ours=False)
    return key


def answer(desk: Desk, key: str) -> None:
    """What becomes of an offer that is not the last: rejected, lapsed, withdrawn or left."""
    offer, chance = desk.offers[key], desk.chance
    if not offer.live_on(desk.today):
        if chance.yes(0.7):
            desk.ask(desk.handler, models.LapseOffer, offer_id=key, why="Not taken up in time.")
        offer.ended = True
    elif chance.yes(0.6):
        desk.ask(desk.handler, models.RejectOffer, offer_id=key, why="Answered by a counter-offer.")
        offer.ended = not offer.part36
    elif offer.ours and chance.yes(0.3):
        withdraw(desk, key)


def withdraw(desk: Desk, key: str) -> None:
    """Withdraw our offer; under Part 36 only when its relevant period is over."""
    offer = desk.offers[key]
    if offer.part36:
        ends = offer.terms.served_on + timedelta(days=RELEVANT_PERIOD_DAYS + 1)
        if desk.today < ends:
            desk.wait_until(ends)
    offer.gone_from = desk.today
    desk.ask(desk.handler, models.WithdrawOffer, offer_id=key, why="Overtaken by the evidence.")


def accept(desk: Desk, key: str) -> None:
    """Record the acceptance: theirs of ours, or ours of theirs, which takes authority."""
    offer = desk.offers[key]
    person = desk.handler
    if not offer.ours:
        measured = desk.committed() + offer.terms.damages.gross.minor
        person = desk.someone(Decision.SETTLE, measured)
    desk.ask(person, models.AcceptOffer, offer_id=key, why="Accepted in writing.")
    offer.ended = True


def settle(desk: Desk, key: str) -> None:
    """Settle on the accepted offer's terms, by whoever may: above the limit, asked or handed up."""
    terms = desk.offers[key].terms
    measured = desk.committed() + terms.damages.gross.minor
    person, approval = desk.handler, ""
    if desk.refusal(person, Decision.SETTLE, measured):
        if desk.chance.yes(0.5):
            asks = models.ApprovalAskIn(
                decision=Decision.SETTLE,
                maximum=Money(measured, desk.currency),
                settlement=SettlementIn(damages=terms.damages, costs_terms=terms.costs_terms),
            )
            approval = approved(desk, asks, "May we settle on the accepted offer's terms?")
        else:
            person = desk.senior(Decision.SETTLE, measured)
    conclude(desk, key, person, approval)


def conclude(desk: Desk, key: str, person: Person, approval: str = "") -> None:
    """Agree the settlement on the accepted offer's terms; every other live offer ends with it."""
    terms, others = desk.offers[key].terms, desk.live_offers()
    desk.ask(
        person,
        models.AgreeSettlement,
        facts=1 + len(others) + bool(approval),
        damages=terms.damages,
        costs_terms=terms.costs_terms,
        offer_id=key,
        approval=approval,
        why="On the terms of the accepted offer.",
    )
    for offer in others.values():
        offer.ended = True
    desk.settled = True


def approved(desk: Desk, asks: models.ApprovalAskIn, question: str, directions: str = "") -> str:
    """Escalate for approval until it is given by somebody with the authority; its id."""
    if desk.chance.yes(DECLINED_FIRST):
        decided(desk, asks, question, EscalationOutcome.DECLINED, "Not on this evidence yet.")
        desk.wait(desk.chance.days(12, 0.5, 3, 60))
        question = f"{question} The evidence asked for is now on the file."
    outcome = EscalationOutcome.APPROVED
    if directions or desk.chance.yes(0.3):
        outcome = EscalationOutcome.APPROVED_WITH_DIRECTIONS
        directions = directions or desk.chance.pick(DIRECTIONS)
    return decided(desk, asks, question, outcome, directions)


def decided(
    desk: Desk,
    asks: models.ApprovalAskIn,
    question: str,
    outcome: EscalationOutcome,
    directions: str,
) -> str:
    """Escalate for approval, and have it decided by somebody with the authority; its id."""
    key = desk.key("escalation")
    desk.ask(
        desk.handler,
        models.Escalate,
        escalation_id=key,
        kind=EscalationKind.APPROVAL,
        question=question,
        asks=asks,
    )
    desk.wait(desk.chance.days(3, 0.6, 1, 20))
    given = outcome is not EscalationOutcome.DECLINED
    desk.ask(
        desk.senior(asks.decision, asks.maximum.minor),
        models.DecideEscalation,
        escalation_id=key,
        outcome=outcome,
        directions=directions,
        valid_until=desk.today + timedelta(days=APPROVAL_DAYS) if given else None,
    )
    desk.wait(desk.chance.between(0, 4))
    return key


def question(desk: Desk, kind: EscalationKind, text: str = "", directions: str = "") -> None:
    """Ask the lead a question of quantum, strategy, apportionment or technique."""
    key, chance = desk.key("escalation"), desk.chance
    desk.ask(
        desk.handler,
        models.Escalate,
        escalation_id=key,
        kind=kind,
        question=text or chance.pick(QUESTIONS[kind]),
    )
    desk.wait(chance.days(3, 0.7, 1, 30))
    outcome = EscalationOutcome.APPROVED_WITH_DIRECTIONS
    if not directions:
        directions = chance.pick(DIRECTIONS)
        outcome = chance.pick([*EscalationOutcome], [0.3, 0.5, 0.2])
    desk.ask(
        desk.team.lead,
        models.DecideEscalation,
        escalation_id=key,
        outcome=outcome,
        directions=directions,
    )


def claimant_opens(desk: Desk, plan: Plan) -> None:
    """On a claim that ends nil the claimant may still make an offer, which we turn down."""
    desk.reach(Stage.RESPONDED, "Response sent: breach denied.")
    figure = whole(plan.quantum.minor / 100 * 0.8, desk.currency, 100)
    key = receive(desk, offer_terms(desk, plan, figure))
    desk.wait(desk.chance.days(14, 0.5, 3, 27))
    if desk.offers[key].live_on(desk.today):
        desk.ask(desk.handler, models.RejectOffer, offer_id=key, why="Breach remains denied.")
        desk.offers[key].ended = not desk.offers[key].part36
