"""One file told in full: two dentists, a slow periodontal loss, and an offer above authority.

All but the hours is chosen, not drawn, so that the file reads the same under every seed: estimates
by head of loss, a figure keyed wrongly and put right weeks later, offers from both sides, shares
agreed with another fund, a near miss with its escalation and approval, settlement, payments, a
contribution, closure.
"""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from commands import models
from commands.parts import DamagesIn, DeductibleIn, Matter, OfferTermsIn
from domain.money import Money
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    ClosureCode,
    CostsTerms,
    CostType,
    Decision,
    EscalationKind,
    EscalationOutcome,
    Head,
    Jurisdiction,
    Line,
    MatterType,
    OfferType,
    PaymentKind,
    RecoveryCategory,
    Stage,
    Trigger,
)
from replay.portfolio_bargain import accept, conclude, decided, question, receive, served_today
from replay.portfolio_cast import DENTAL_1, Ask
from replay.portfolio_chance import Chance
from replay.portfolio_desk import Desk, Offered, at_work

TOLD_NUMBER = 42
TOLD_AFTER = timedelta(days=548)  # half-way through the second year
BENEFITS = 1_820_00  # recoverable, as certified
PSLA, TREATMENT, PAST, EARNINGS = (
    Head.PSLA,
    Head.FUTURE_TREATMENT,
    Head.PAST_TREATMENT,
    Head.PAST_LOSS_EARNINGS,
)


def told_on(start: date) -> date:
    """The day on which the told file is notified."""
    return start + TOLD_AFTER


def story(start: date) -> list[Ask]:
    """The commands of the told file."""
    day = told_on(start)
    desk = Desk(
        reference=f"DC-{day.year}-{TOLD_NUMBER:06}",
        currency="GBP",
        team=DENTAL_1,
        handler=DENTAL_1.handlers[1],  # whose limit for offers is GBP 40,000
        chance=Chance.of(TOLD_NUMBER),
        now=at_work(datetime.combine(day, time(9), UTC)),
    )
    _opened(desk, day)
    _investigated(desk)
    _miskeyed(desk)
    _shared(desk)
    _bargained(desk)
    _above_authority(desk)
    _paid(desk)
    return desk.asks


def _opened(desk: Desk, day: date) -> None:
    desk.wait(1)
    desk.notify(
        Matter(
            matter_type=MatterType.CLAIM,
            jurisdiction=Jurisdiction.ENGLAND_WALES,
            currency="GBP",
            event_date=day - timedelta(days=9 * 365),
            notified_on=day,
            member="member-20417",
            claimant="claimant-90042",
            pathway_hint=DENTAL_1.pathway,
            allegations="Periodontal disease not monitored or referred over six years of check-ups "
            "by two dentists; four teeth lost.",
        )
    )
    desk.wait(2)
    desk.allocate()
    desk.wait(6)
    _estimate(
        desk,
        {PSLA: 6_000, TREATMENT: 9_500},
        Trigger.INITIAL,
        "On the member's report only: charting is missing for three years.",
        costs=18_000,
        defence=3_500,
    )
    desk.wait(3)
    _strategy(
        desk,
        "Find out when the disease should have been seen, and by whom, before taking a view.",
        "Obtain both practices' records",
        "Instruct a periodontal expert",
        "Find out who else treated the claimant",
    )


def _investigated(desk: Desk) -> None:
    desk.wait(48)
    desk.reach(Stage.LETTER_OF_CLAIM, "Letter of claim received; response due in four months.")
    desk.wait(9)
    _estimate(
        desk,
        {PSLA: 8_500, TREATMENT: 16_000, PAST: 2_400, EARNINGS: 1_900},
        Trigger.LETTER_OF_CLAIM,
        "The letter adds past treatment and lost earnings; implants are claimed for four teeth.",
        costs=24_000,
    )
    desk.wait(40)
    expert = desk.line(CostType.EXPERT_FEES)
    _pay(desk, expert, 1_680_00, PaymentKind.INVOICE, "expert-7", "Periodontal report, breach.")
    desk.wait(4)
    _estimate(
        desk,
        {PSLA: 9_500, TREATMENT: 24_000, PAST: 3_150, EARNINGS: 1_900},
        Trigger.EXPERT,
        "The expert finds breach from the second year on; two implants and a bridge are made out.",
    )
    desk.wait(5)
    question(
        desk,
        EscalationKind.QUANTUM,
        "Is a lifetime's replacement of the implants to be reserved, or one?",
        "Reserve one replacement; see what their expert says.",
    )
    desk.wait(20)
    desk.reach(Stage.RESPONDED, "Breach admitted from the second year on; causation in part.")


def _miskeyed(desk: Desk) -> None:
    """A review drops a figure of the largest head, and nobody sees it for seven weeks."""
    desk.wait(45)
    line = desk.line(CostType.DAMAGES, TREATMENT)
    versions = _estimate(
        desk,
        {PSLA: 11_000, TREATMENT: 2_850, PAST: 3_150},
        Trigger.PERIODIC_REVIEW,
        "Schedule of loss received: replacement costs at today's prices.",
    )
    desk.wait(50)
    why = "A figure was dropped when it was keyed: 28,500, not 2,850."
    desk.correct_estimate(versions[line], line, 28_500_00, why)


def _shared(desk: Desk) -> None:
    desk.wait(7)
    key = desk.key("apportionment")
    parties = (("our-fund", Fraction(2, 3)), ("other-fund-1", Fraction(1, 3)))
    desk.ask(
        desk.handler,
        models.ProposeApportionment,
        apportionment_id=key,
        covers=ApportionmentCovers.ALL,
        basis=ApportionmentBasis.PERCENTAGES,
        parties=tuple(models.PartyShareIn(party=party, share=share) for party, share in parties),
        ours="our-fund",
        why="Four years of six with our member, two with the principal of the other fund.",
    )
    desk.wait(26)
    desk.ask(
        desk.handler,
        models.AgreeApportionment,
        apportionment_id=key,
        why="Agreed in correspondence between the funds.",
    )


def _bargained(desk: Desk) -> None:
    desk.wait(4)
    desk.reach(Stage.NEGOTIATING, "Evidence exchanged; claimant invites offers.")
    _strategy(
        desk,
        "Settle under GBP 50,000 before proceedings double the costs.",
        "Open with a Calderbank letter",
        "Follow with Part 36 once the schedule is verified",
    )
    desk.wait(12)
    receive(desk, _terms(desk, OfferType.PART36, 68_000), "Claimant's Part 36 letter.")
    desk.wait(9)
    first = _offer(desk, _terms(desk, OfferType.CALDERBANK, 24_000, days_open=28), "Opening offer.")
    desk.wait(18)
    desk.ask(
        desk.handler, models.RejectOffer, offer_id=first, why="Rejected as not near the schedule."
    )
    desk.offers[first].ended = True
    desk.wait(21)
    why = "On the schedule as verified, at two thirds of the treatment claimed."
    _offer(desk, _terms(desk, OfferType.PART36, 36_000), why)
    desk.wait(33)
    receive(
        desk, _terms(desk, OfferType.CALDERBANK, 55_000, days_open=60), "Claimant's counter-offer."
    )


def _above_authority(desk: Desk) -> None:
    """The offer that would settle it is above the negotiator's limit: a near miss, then leave."""
    desk.wait(6)
    terms = _terms(desk, OfferType.PART36, 46_500)
    why = "Midway between the sides, and under the cost of proceedings."
    key = desk.key("offer")
    said: dict[str, Any] = {"offer_id": key, "why": why}
    desk.ask(desk.handler, models.MakeOffer, intended="E301", terms=terms, **said)
    asks = models.ApprovalAskIn(
        decision=Decision.OFFER, maximum=Money(46_500_00, "GBP"), offer=terms
    )
    approval = decided(
        desk,
        asks,
        "May we make a Part 36 offer of GBP 46,500? It is above my limit of GBP 40,000.",
        EscalationOutcome.APPROVED_WITH_DIRECTIONS,
        "Approved at this figure and no higher; withdraw if not accepted in the relevant period.",
    )
    terms = served_today(desk, terms)
    desk.ask(desk.handler, models.MakeOffer, facts=2, terms=terms, approval=approval, **said)
    desk.offers[key] = Offered(terms, ours=True)
    desk.wait(15)
    accept(desk, key)
    desk.wait(2)
    conclude(desk, key, desk.team.lead)


def _paid(desk: Desk) -> None:
    damages, cru = desk.line(CostType.DAMAGES), desk.line(CostType.CRU_BENEFITS)
    costs, net = desk.line(CostType.CLAIMANT_COSTS), 46_500_00 - BENEFITS
    totals = dict.fromkeys(desk.damages(), 0)
    desk.estimate(
        {**totals, damages: net, cru: BENEFITS},
        Trigger.SETTLEMENT,
        "Heads of loss brought together in the figure agreed, net of benefits.",
    )
    desk.wait(8)
    _pay(desk, damages, net, PaymentKind.FINAL, "claimant-firm", "Agreed damages.", late_days=4)
    desk.wait(3)
    _pay(desk, cru, BENEFITS, PaymentKind.CRU, "compensation-recovery", "As certified.")
    desk.wait(62)
    why = "Bill of GBP 39,400.00 negotiated down."
    desk.estimate({costs: 28_750_00}, Trigger.COSTS, why)
    desk.wait(10)
    _pay(desk, costs, 28_750_00, PaymentKind.COSTS, "claimant-firm", "Costs as agreed.")
    desk.wait(12)
    defence = desk.line(CostType.DEFENCE_COSTS)
    _pay(desk, defence, 2_940_00, PaymentKind.INVOICE, "panel-firm-2", "Advice on costs.")
    desk.wait(30)
    for line, paid in ((damages, net), (costs, 28_750_00)):
        desk.ask(
            desk.handler,
            models.ReceiveRecovery,
            recovery_id=desk.key("recovery"),
            line=line,
            category=RecoveryCategory.CONTRIBUTION,
            amount=Money(paid // 3, "GBP"),
            source="other-fund-1",
            why="One third from the other fund, as agreed.",
        )
    desk.wait(6)
    final = {line: kept.paid for line, kept in desk.lines.items()}
    desk.estimate(final, Trigger.SETTLEMENT, "Nothing further is expected on this file.")
    outcome = "Settled within the strategy; a third recovered from the other fund."
    desk.ask(desk.handler, models.CloseClaim, closure=ClosureCode.SETTLED, outcome=outcome)


# --- short ways of saying things, in pounds -------------------------------------------------------


def _estimate(
    desk: Desk,
    heads: dict[Head, int],
    trigger: Trigger,
    why: str,
    costs: int = 0,
    defence: int = 0,
) -> dict[Line, int]:
    totals = {desk.line(CostType.DAMAGES, head): pounds * 100 for head, pounds in heads.items()}
    for cost_type, pounds in ((CostType.CLAIMANT_COSTS, costs), (CostType.DEFENCE_COSTS, defence)):
        if pounds:
            totals[desk.line(cost_type)] = pounds * 100
    return desk.estimate(totals, trigger, why)


def _strategy(desk: Desk, objective: str, *steps: str) -> None:
    desk.ask(
        desk.handler,
        models.SetStrategy,
        objective=objective,
        next_steps=steps,
        review_on=desk.today + timedelta(days=90),
    )


def _terms(desk: Desk, kind: OfferType, pounds: int, days_open: int | None = None) -> OfferTermsIn:
    gross, benefits = Money(pounds * 100, "GBP"), Money(BENEFITS, "GBP")
    return OfferTermsIn(
        type=kind,
        damages=DamagesIn(
            gross=gross,
            net=gross - benefits,
            deductions=(DeductibleIn(benefit="cru-certificate", amount=benefits),),
        ),
        costs_terms=CostsTerms.PLUS_REASONABLE_COSTS,
        served_on=desk.today,
        relevant_period_days=21 if kind is OfferType.PART36 else None,
        expires_on=desk.today + timedelta(days=days_open) if days_open else None,
    )


def _offer(desk: Desk, terms: OfferTermsIn, why: str) -> str:
    key = desk.key("offer")
    desk.ask(desk.handler, models.MakeOffer, offer_id=key, terms=terms, why=why)
    desk.offers[key] = Offered(terms, ours=True)
    return key


def _pay(
    desk: Desk,
    line: Line,
    minor: int,
    kind: PaymentKind,
    payee: str,
    why: str,
    late_days: int = 0,
) -> None:
    """Pay; with `late_days` the bank's word comes so long after its value date."""
    amount = Money(minor, "GBP")
    key = desk.request(line, amount, kind, payee, why)
    desk.wait(1)
    desk.approve(key, line, amount)
    desk.wait(2)
    value_date = desk.today if late_days else None
    desk.wait(late_days)
    desk.issue(key, line, amount, value_date)
