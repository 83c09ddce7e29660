"""The life of one synthetic file: opened, worked, bargained over or resisted, paid and closed."""

from datetime import timedelta
from typing import Any

from commands import models
from commands.parts import EstimateLine
from domain.money import Money
from domain.terms import (
    ClosureCode,
    CostsTerms,
    CostType,
    Decision,
    MatterType,
    PaymentKind,
    RecoveryCategory,
    Stage,
    Trigger,
)
from replay.portfolio_bargain import bargain, settle, withdraw
from replay.portfolio_chance import exact, rounded
from replay.portfolio_course import (
    OTHERS,
    course,
    damages_at,
    estimate_damages,
    invoice,
    matter_of,
    set_strategy,
)
from replay.portfolio_desk import Desk
from replay.portfolio_plan import Plan
from replay.portfolio_words import NIL_OUTCOMES, REASONS

REOPENED = 0.025
CONTRIBUTED = 0.85  # of agreed contributions: received, half of them within 75 days
BOOKED_TWICE = 0.12  # of contributions: and the second one voided
CLOSED_TOO_EARLY = 0.04  # of closures: tried while money is outstanding, and refused


def live(desk: Desk, plan: Plan) -> None:
    """The whole life of a file, however long it takes."""
    open_file(desk, plan)
    if plan.nil and plan.matter is MatterType.PRE_CLAIM and desk.chance.yes(0.5):
        desk.wait(desk.chance.days(150, 0.5, 60, 500))
        close(desk, ClosureCode.NIL_NO_FURTHER_CONTACT, NIL_OUTCOMES[3])
        return
    first = desk.today
    for day, act in sorted(course(desk, plan), key=lambda each: each[0]):
        desk.wait_until(first + timedelta(days=day))
        act()
    if plan.nil:
        resist(desk)
    else:
        resolve(desk, plan)
    if desk.chance.yes(REOPENED):
        reopen(desk, plan)


def open_file(desk: Desk, plan: Plan) -> None:
    """Notified, allocated, first estimate, strategy."""
    chance = desk.chance
    desk.wait_until(plan.notified_on + timedelta(days=chance.between(0, 5)))
    desk.notify(matter_of(plan))
    desk.wait(chance.days(4, 0.6, 1, 20))
    desk.allocate()
    desk.wait(chance.days(4, 0.7, 0, 40))
    # The first estimate as a share of what it comes to: median 0.79, and a long way down.
    ratio = min(max(chance.lognormal(0.79, 0.5), 0.05), 1.5)
    totals = damages_at(desk, plan, ratio)
    defence = rounded(plan.defence * 0.8, desk.currency)
    totals[desk.line(CostType.DEFENCE_COSTS)] = defence.minor
    if not plan.nil or chance.yes(0.6):
        costs = rounded(plan.costs * chance.uniform(0.6, 1.1), desk.currency)
        totals[desk.line(CostType.CLAIMANT_COSTS)] = costs.minor
    estimate_damages(desk, totals, Trigger.INITIAL, chance.pick(REASONS[Trigger.INITIAL]))
    desk.wait(chance.days(6, 0.6, 0, 30))
    set_strategy(desk)


def resist(desk: Desk) -> None:
    """A claim that comes to nothing: let go of the estimates, and close."""
    desk.wait(desk.chance.days(40, 0.7, 5, 300))
    codes = [
        ClosureCode.NIL_WITHDRAWN,
        ClosureCode.NIL_REPUDIATED,
        ClosureCode.NIL_TIME_BARRED,
        ClosureCode.NIL_NO_FURTHER_CONTACT,
    ]
    code = desk.chance.pick(codes, [0.45, 0.25, 0.08, 0.22])
    outcome = dict(zip(codes, NIL_OUTCOMES, strict=True))[code]
    close(desk, code, outcome)


def resolve(desk: Desk, plan: Plan) -> None:
    """A claim that is paid: bargained over, settled, paid, its costs agreed, closed."""
    chance = desk.chance
    desk.reach(Stage.NEGOTIATING, "Ready to negotiate.")
    key = bargain(desk, plan)
    desk.wait(chance.between(1, 5))
    settle(desk, key)
    net = desk.offers[key].terms.damages.net
    fixed = desk.offers[key].terms.costs_terms is CostsTerms.FIXED
    pay_damages(desk, plan, net)
    desk.wait(chance.days(20 if fixed else 80, 0.5, 5, 300))
    pay_costs(desk, plan, fixed)
    if chance.yes(0.7):
        desk.wait(chance.between(5, 30))
        invoice(desk, plan)
    early = desk.others_bear and chance.yes(0.6)
    if early:
        contribution(desk)
    desk.wait(chance.days(15, 0.6, 2, 90))
    close(desk, ClosureCode.SETTLED, "Damages and costs paid as agreed.")
    if desk.others_bear and not early:
        contribution(desk)


def pay_damages(desk: Desk, plan: Plan, net: Money) -> None:
    """Bring the heads of loss together to one agreed figure, and pay it and the benefits."""
    line = desk.line(CostType.DAMAGES)
    totals = {each: kept.floor for each, kept in desk.damages().items()}
    totals[line] = totals.get(line, 0) + net.minor
    benefits = plan.benefits
    if benefits is not None:
        totals[desk.line(CostType.CRU_BENEFITS)] = benefits.minor
    desk.estimate(totals, Trigger.SETTLEMENT, REASONS[Trigger.SETTLEMENT][0])
    desk.wait(desk.chance.between(5, 16))
    desk.pay(line, net, PaymentKind.FINAL, "claimant-firm", "Agreed damages.")
    if benefits is not None:
        desk.wait(desk.chance.between(2, 10))
        cru = desk.line(CostType.CRU_BENEFITS)
        desk.pay(cru, benefits, PaymentKind.CRU, "compensation-recovery", "As certified.")


def pay_costs(desk: Desk, plan: Plan, fixed: bool) -> None:
    """The claimant's costs: fixed with the settlement, or agreed below what was claimed."""
    line = desk.line(CostType.CLAIMANT_COSTS)
    agreed = plan.claimant_costs
    if not fixed:
        claimed = exact(plan.costs / desk.chance.uniform(0.68, 0.82), desk.currency)
        why = f"Bill of {claimed}, agreed at {agreed}."
        desk.estimate({line: agreed.minor}, Trigger.COSTS, why)
        desk.wait(desk.chance.between(3, 14))
    desk.pay(line, agreed, PaymentKind.COSTS, "claimant-firm", "Costs as agreed.")


def contribution(desk: Desk) -> None:
    """Receive what others bear of the damages paid; it is never netted off what was paid."""
    chance = desk.chance
    if not chance.yes(CONTRIBUTED):
        return
    line = desk.line(CostType.DAMAGES)
    desk.wait(chance.days(75, 0.5, 10, 300))
    due = int(desk.lines[line].paid * desk.others_bear)
    why = "Contribution received under the agreed apportionment."
    recover(desk, Money(due, desk.currency), why)
    if chance.yes(BOOKED_TWICE):
        version = recover(desk, Money(due, desk.currency), why)
        desk.wait(chance.between(1, 12))
        measured = desk.estimated()
        desk.ask(
            desk.someone(Decision.CORRECT, measured),
            models.VoidFact,
            version=version,
            why="The same receipt was booked twice.",
        )


def recover(desk: Desk, amount: Money, why: str) -> int:
    """Book a contribution, as of the day on which it reached the bank; its version."""
    late = desk.chance.yes(0.3)
    value_date = desk.today - timedelta(days=desk.chance.between(1, 4)) if late else None
    return desk.ask(
        desk.handler,
        models.ReceiveRecovery,
        recovery_id=desk.key("recovery"),
        line=desk.line(CostType.DAMAGES),
        category=RecoveryCategory.CONTRIBUTION,
        amount=amount,
        source=OTHERS[0],
        effective_on=value_date,
        why=why,
    )


def close(desk: Desk, code: ClosureCode, outcome: str) -> None:
    """Close the file: estimates brought to what was paid, our live offers withdrawn."""
    said: dict[str, Any] = {"closure": code, "outcome": outcome}
    outstanding = any(kept.estimate != kept.paid for kept in desk.lines.values())
    if outstanding and desk.chance.yes(CLOSED_TOO_EARLY):
        desk.ask(desk.handler, models.CloseClaim, intended="E207", **said)
    totals = {line: kept.paid for line, kept in desk.lines.items()}
    desk.estimate(totals, Trigger.SETTLEMENT, "Nothing further is expected on these lines.")
    for key, offer in desk.live_offers().items():
        if offer.ours:
            withdraw(desk, key)
    desk.ask(desk.handler, models.CloseClaim, **said)


def reopen(desk: Desk, plan: Plan) -> None:
    """A late bill or letter brings the file back for a while."""
    desk.wait(desk.chance.days(120, 0.5, 20, 400))
    line = desk.line(CostType.DEFENCE_COSTS)
    kept = desk.lines[line]
    bill = exact(desk.chance.lognormal(900 * plan.book.worth, 0.4), desk.currency)
    kept.estimate = kept.paid + bill.minor
    fresh = EstimateLine(
        line=line, amount=Money(kept.estimate, desk.currency), trigger=Trigger.REOPENED
    )
    desk.ask(
        desk.someone(Decision.RESERVE, desk.estimated()),
        models.ReopenClaim,
        facts=2,
        why="A bill arrived after the file was closed.",
        estimates=(fresh,),
    )
    desk.pay(line, bill, PaymentKind.INVOICE, "panel-firm-1", "Late bill, checked.")
    code = ClosureCode.SETTLED if desk.settled else ClosureCode.NIL_WITHDRAWN
    close(desk, code, "The late bill is paid; nothing else is expected.")
