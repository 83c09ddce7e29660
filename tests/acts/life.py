"""The life of a file in a random history: allocated, staged, closed, reopened, put right."""

from datetime import date, timedelta
from functools import partial

from hypothesis.strategies import DrawFn

from domain.claim import Fact, decisions, lifecycle
from domain.claim.correction import Correctable
from domain.claim.lifecycle import ClaimNotified, HandlerChanged, StrategySet
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.history import standing
from domain.money import Money
from domain.terms import ClosureCode, Pathway, Stage, Trigger
from domain.value import replace
from tests.acts.choices import back, line_of
from tests.acts.money import an_estimate
from tests.scribe import BOB, CAT, PEOPLE, Scribe
from tests.values import pick


def allocate(draw: DrawFn, scribe: Scribe) -> None:
    pathway, handler = pick(draw, list(Pathway)), pick(draw, PEOPLE).person
    on = back(draw, scribe)
    scribe.write(
        lambda claim: lifecycle.allocate(claim.lifecycle, pathway, "team-1", handler), on, CAT
    )


def change_handler(draw: DrawFn, scribe: Scribe) -> None:
    handler, on = pick(draw, PEOPLE).person, back(draw, scribe)
    scribe.write(lambda claim: lifecycle.change_handler(claim.lifecycle, handler, ""), on, CAT)


def strategy(draw: DrawFn, scribe: Scribe) -> None:
    today = scribe.today
    chosen = StrategySet(pick(draw, ["settle", "defend"]), ("next",), today + timedelta(days=60))
    scribe.write(lambda claim: lifecycle.set_strategy(claim.lifecycle, chosen, today), today)


def stage(draw: DrawFn, scribe: Scribe) -> None:
    reached, on = pick(draw, list(Stage)), back(draw, scribe)
    scribe.write(lambda claim: lifecycle.reach_stage(claim.lifecycle, reached), on)


def tidy(draw: DrawFn, scribe: Scribe) -> None:
    """Bring everything to an end that keeps the file from being closed, then close it."""
    today, file = scribe.today, scribe.claim
    for key, payment in file.payments.by_id.items():
        if payment.in_progress:
            scribe.write(partial(decisions.reject_payment, payment_id=key, why="so"), today, BOB)
    for line, state in file.reserves.lines.items():
        paid = Money(state.paid, line.currency)
        asked = [EstimateSet(line, paid, paid, Trigger.SETTLEMENT)]
        scribe.write(partial(decisions.set_estimates, asked=asked, on=today), today)
    for key in file.escalations.undecided():
        asker = file.escalations.by_id[key].asked.asked_by
        back = partial(decisions.withdraw_escalation, escalation_id=key, person=asker)
        scribe.write(back, today)
    for key, _ in file.offers.live_on(today):
        scribe.write(partial(decisions.withdraw_offer, offer_id=key, on=today), today)
    close(draw, scribe)


def close(draw: DrawFn, scribe: Scribe) -> None:
    code, today = pick(draw, list(ClosureCode)), scribe.today
    scribe.write(lambda claim: decisions.close(claim, code, "done", today), today)


def reopen(draw: DrawFn, scribe: Scribe) -> None:
    line, today = line_of(draw, scribe), scribe.today
    fresh = an_estimate(draw, line, low=scribe.claim.reserves.on(line).paid)
    scribe.write(lambda claim: decisions.reopen(claim, "new letter", [fresh], today), today)


def correct(draw: DrawFn, scribe: Scribe) -> None:
    """Put a standing fact right, on its own day or an earlier one."""
    slot, record = pick(draw, standing(scribe.records))
    new = _righted(draw, record.fact)
    day = record.envelope.effective_on - timedelta(days=pick(draw, [0, 0, 1, 5]))
    scribe.correct(slot, new, new.notified_on if isinstance(new, ClaimNotified) else day)


def _righted(draw: DrawFn, old: Fact) -> Correctable:
    match old:
        case EstimateSet():
            return an_estimate(draw, old.line)
        case RecoveryReceived():
            return replace(old, amount=Money(pick(draw, range(1, 10**6)), old.amount.currency))
        case ClaimNotified():
            return replace(old, event_date=old.event_date - timedelta(days=pick(draw, range(10))))
        case HandlerChanged():
            return replace(old, handler=pick(draw, PEOPLE).person)
        case _:
            return StrategySet("settle again", (), date(2027, 1, 1))


def void(draw: DrawFn, scribe: Scribe) -> None:
    slot, _ = pick(draw, standing(scribe.records))
    scribe.void(slot)
