"""The course of a synthetic file before it is resolved: stages, reviews, bills, shares."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from functools import partial
from typing import Any

from commands import models
from commands.parts import Matter
from domain.money import Money
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    CostType,
    Decision,
    EscalationKind,
    Line,
    MatterType,
    PaymentKind,
    Role,
    Stage,
    Trigger,
)
from replay.portfolio_bargain import claimant_opens, question
from replay.portfolio_cast import Person
from replay.portfolio_chance import exact, rounded, units
from replay.portfolio_desk import Desk, Kept
from replay.portfolio_plan import Plan
from replay.portfolio_words import OBJECTIVES, REASONS, STEPS

MISKEYED = 0.18  # of estimates of damages: corrections come to about 1.8 % of facts
MATTER_CORRECTED = 0.06
SLIPS = (
    (Fraction(1, 10), "A figure was dropped when the estimate was keyed."),
    (Fraction(2), "The head had been counted twice."),
)
LATE_NEWS = 0.15  # of stages: court papers and letters reach us days later
CHALLENGED = 0.14  # of invoices; saves 9 % of what is challenged
LARGE = 100_000  # pounds, or what stands for them
OURS = "our-fund"
OTHERS = ("other-fund-1", "hospital-trust-2", "principal-practice-3", "laboratory-4")

Act = Callable[[], None]


def course(desk: Desk, plan: Plan) -> Iterator[tuple[int, Act]]:
    """What happens on the file before it is resolved, each with its day from the strategy on."""
    chance, span = desk.chance, round(plan.days * (0.9 if plan.nil else 0.7))

    def at(low: float, high: float) -> int:
        return round(chance.uniform(low, high) * span)

    yield from _stages(desk, plan, span)
    reviews = max(round(span / chance.uniform(90, 150)), 1)
    turn = chance.between(1, reviews)
    for number in range(1, reviews + 1):
        ratio = chance.lognormal(1.0, 0.08) if number >= turn else chance.lognormal(0.8, 0.2)
        yield round(span * number / (reviews + 1)), partial(review, desk, plan, ratio)
    for _ in range(min(chance.poisson(1.3), 4)):
        yield at(0.2, 0.9), partial(expert, desk, plan)
    if chance.yes(0.25):
        yield at(0.5, 0.95), partial(counsel, desk, plan)
    for _ in range(max(round(span / 150), 0 if plan.nil else 1)):
        yield at(0.3, 1.0), partial(invoice, desk, plan)
    for _ in range(min(chance.poisson(0.35), 2)):
        kinds = [*EscalationKind][:4]
        kind = chance.pick(kinds, [0.40, 0.15, 0.30, 0.15])
        yield at(0.1, 0.9), partial(question, desk, kind)
    if plan.shares:
        yield at(0.4, 0.7), partial(apportion, desk, plan)
    if chance.yes(0.12):
        yield at(0.1, 0.9), partial(hand_over, desk, chance.pick(plan.team.handlers))
    if chance.yes(MATTER_CORRECTED):
        yield at(0.02, 0.2), partial(correct_matter, desk, plan)
    if plan.nil and chance.yes(0.2):
        yield at(0.7, 0.95), partial(claimant_opens, desk, plan)
    if plan.size > LARGE * plan.book.worth and not plan.nil and chance.yes(0.3):
        yield at(0.75, 0.95), partial(interim, desk, plan)


def _stages(desk: Desk, plan: Plan, span: int) -> Iterator[tuple[int, Act]]:
    """The stages of the matter; South African ones mostly begin with a summons."""
    early = plan.book.currency == "ZAR" and plan.served
    if plan.matter is MatterType.PRE_CLAIM:
        yield round(span * 0.05), partial(_reach, desk, Stage.CLAIM_INTIMATED, "Intimated.")
    if not early and desk.chance.yes(0.62):
        yield round(span * 0.25), partial(letter_of_claim, desk, plan)
        if desk.chance.yes(0.85):
            yield round(span * 0.50), partial(_reach, desk, Stage.RESPONDED, "Response sent.")
    if plan.served:
        issued, served = (0.08, 0.12) if early else (0.62, 0.70)
        yield round(span * issued), partial(_reach, desk, Stage.ISSUED, "Proceedings issued.")
        yield round(span * served), partial(proceedings, desk, plan)


def _reach(desk: Desk, stage: Stage, why: str) -> None:
    """Reach a stage, which now and then we hear of days later."""
    late = desk.chance.yes(LATE_NEWS)
    on = desk.today - timedelta(days=desk.chance.between(1, 4)) if late else None
    desk.reach(stage, why, on)


def hand_over(desk: Desk, person: Person) -> None:
    """The file moves within the team; a served one stays with case managers."""
    served = desk.scope.stage.order >= Stage.SERVED.order
    if not (served and person.role is Role.NEGOTIATOR):
        desk.hand_over(person, "Workload moved within the team.")


def letter_of_claim(desk: Desk, plan: Plan) -> None:
    """The letter of claim, and what it makes of the estimate."""
    _reach(desk, Stage.LETTER_OF_CLAIM, "Letter of claim received.")
    desk.wait(desk.chance.between(1, 12))
    ratio = desk.chance.lognormal(0.9, 0.15)
    why = REASONS[Trigger.LETTER_OF_CLAIM][0]
    estimate_damages(desk, damages_at(desk, plan, ratio), Trigger.LETTER_OF_CLAIM, why)


def proceedings(desk: Desk, plan: Plan) -> None:
    """Served: from here on a case manager has the file, and it costs more."""
    _reach(desk, Stage.SERVED, "Proceedings served.")
    if Role.NEGOTIATOR is desk.handler.role:
        desk.hand_over(plan.team.court, "Served: passed to a case manager.")
    line = desk.line(CostType.DEFENCE_COSTS)
    expected = units(Money(desk.lines[line].estimate, desk.currency))
    more = rounded(expected * desk.chance.uniform(1.2, 1.8), desk.currency)
    desk.estimate({line: more.minor}, Trigger.COURT, REASONS[Trigger.COURT][0])


def review(desk: Desk, plan: Plan, ratio: float) -> None:
    """A diary review: another figure, sometimes keyed wrongly, sometimes weighted by the odds."""
    chance = desk.chance
    why = chance.pick(REASONS[Trigger.PERIODIC_REVIEW])
    totals = damages_at(desk, plan, ratio)
    if plan.nil and chance.yes(0.4):
        desk.estimate(totals, Trigger.PERIODIC_REVIEW, why, odds_bp=chance.between(4, 14) * 500)
    else:
        estimate_damages(desk, totals, Trigger.PERIODIC_REVIEW, why)
    if chance.yes(0.3):
        set_strategy(desk)


def estimate_damages(desk: Desk, totals: dict[Line, int], trigger: Trigger, why: str) -> None:
    """Set an estimate; now and then its first figure is keyed wrongly, and put right later."""
    line, intended = next(iter(totals.items()))
    if desk.lines.get(line, Kept()).floor or intended < 50_000 or not desk.chance.yes(MISKEYED):
        desk.estimate(totals, trigger, why)
        return
    slip, told = desk.chance.pick(SLIPS)
    keyed = round(intended * slip)
    changed = desk.estimate({**totals, line: keyed}, trigger, why)
    desk.wait(desk.chance.days(6, 0.8, 1, 40))
    if line in changed:
        desk.correct_estimate(changed[line], line, intended, told)


def expert(desk: Desk, plan: Plan) -> None:
    """An expert's report and fee."""
    fee = exact(desk.chance.lognormal(1_400 * plan.book.worth, 0.35), desk.currency)
    payee = f"expert-{desk.chance.between(1, 40)}"
    line = desk.line(CostType.EXPERT_FEES)
    desk.pay(line, fee, PaymentKind.INVOICE, payee, "Report on breach and causation.")


def counsel(desk: Desk, plan: Plan) -> None:
    """Counsel's advice and fee."""
    fee = exact(desk.chance.lognormal(1_900 * plan.book.worth, 0.4), desk.currency)
    payee = f"counsel-{desk.chance.between(1, 12)}"
    line = desk.line(CostType.COUNSEL_FEES)
    desk.pay(line, fee, PaymentKind.INVOICE, payee, "Advice in conference on quantum.")


def invoice(desk: Desk, plan: Plan) -> None:
    """The panel firm's bill, now and then challenged and reduced."""
    share = desk.chance.uniform(0.08, 0.3)
    billed = exact(plan.defence * share, desk.currency)
    line, payee = desk.line(CostType.DEFENCE_COSTS), f"panel-firm-{desk.chance.between(1, 6)}"
    if desk.chance.yes(CHALLENGED):
        why = "Bill as delivered."
        key = desk.request(line, billed, PaymentKind.INVOICE, payee, why)
        desk.wait(desk.chance.between(1, 9))
        desk.ask(desk.handler, models.RejectPayment, payment_id=key, why="Time above the budget.")
        desk.lines[line].asked -= billed.minor
        billed = Money(billed.minor * 91 // 100, desk.currency)
    desk.pay(line, billed, PaymentKind.INVOICE, payee, "Bill checked against the budget.")


def interim(desk: Desk, plan: Plan) -> None:
    """A payment on account of a large claim."""
    line, _ = next(iter(damages_at(desk, plan, 1.0).items()))
    amount = rounded(plan.size * 0.1, desk.currency)
    why = "Interim payment on account of damages."
    desk.pay(line, amount, PaymentKind.INTERIM, "claimant-firm", why)


def correct_matter(desk: Desk, plan: Plan) -> None:
    """The day of the event of care turns out to have been another one."""
    earlier = plan.event_date - timedelta(days=desk.chance.between(1, 200))
    again = matter_of(plan).model_copy(update={"event_date": earlier})
    measured = desk.estimated()
    desk.ask(
        desk.someone(Decision.CORRECT, measured),
        models.CorrectFact,
        version=1,
        replacement=models.MatterAgain(**again.model_dump()),
        why="The records show an earlier first attendance.",
    )


def apportion(desk: Desk, plan: Plan) -> None:
    """Propose shares to those who should contribute, and agree them seven times in ten."""
    chance, key = desk.chance, desk.key("apportionment")
    names = (OURS, *OTHERS[: len(plan.shares) - 1])
    parties = tuple(
        models.PartyShareIn(party=name, share=share)
        for name, share in zip(names, plan.shares, strict=True)
    )
    equal = len(set(plan.shares)) == 1
    desk.ask(
        desk.handler,
        models.ProposeApportionment,
        apportionment_id=key,
        covers=chance.pick([ApportionmentCovers.ALL, ApportionmentCovers.DAMAGES], [0.6, 0.4]),
        basis=ApportionmentBasis.EQUAL if equal else ApportionmentBasis.PERCENTAGES,
        parties=parties,
        ours=OURS,
        why="On the periods of care and who referred late.",
    )
    desk.wait(chance.days(25, 0.6, 3, 120))
    if not chance.yes(0.7):
        told = "The other body denies any contribution."
        desk.ask(desk.handler, models.RejectApportionment, apportionment_id=key, why=told)
        return
    measured = desk.estimated()
    person = desk.someone(Decision.APPORTION, measured)
    said: dict[str, Any] = {"apportionment_id": key, "why": "Agreed in correspondence."}
    if len(parties) > 2:
        if chance.yes(0.4):
            desk.ask(desk.handler, models.AgreeApportionment, intended="E303", **said)
        person = desk.senior(Decision.APPORTION, measured)
    desk.ask(person, models.AgreeApportionment, **said)
    desk.others_bear = 1 - plan.shares[0]


def matter_of(plan: Plan) -> Matter:
    """What came in; parties are references."""
    number = plan.reference.replace("-", "").lower()
    return Matter(
        matter_type=plan.matter,
        jurisdiction=plan.jurisdiction,
        currency=plan.book.currency,
        event_date=plan.event_date,
        notified_on=plan.notified_on,
        member=f"member-{number}",
        claimant=f"claimant-{number}",
        pathway_hint=plan.team.pathway,
        allegations=plan.cause,
    )


def damages_at(desk: Desk, plan: Plan, ratio: float) -> dict[Line, int]:
    """The damages lines, by head of loss, at a share of what the claim comes to."""
    return {
        desk.line(CostType.DAMAGES, head): rounded(plan.size * ratio * share, desk.currency).minor
        for head, share in plan.heads
    }


def set_strategy(desk: Desk) -> None:
    """Set or revise the strategy."""
    chance = desk.chance
    first = chance.between(0, len(STEPS) - 3)
    desk.ask(
        desk.handler,
        models.SetStrategy,
        objective=chance.pick(OBJECTIVES),
        next_steps=STEPS[first : first + chance.between(1, 3)],
        review_on=desk.today + timedelta(days=chance.between(60, 180)),
    )
