"""Each movement of the totals has the one reason that its fact gives it, told as a story."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

from psycopg import Connection

from domain.claim import Claim, Fact, decisions, lifecycle
from domain.claim.apportionment import ApportionmentProposed, PartyShare
from domain.claim.payments import PaymentIssued
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.money import Money
from domain.terms import (
    ApportionmentBasis,
    ApportionmentCovers,
    ClosureCode,
    CostType,
    Line,
    Pathway,
    RecoveryCategory,
    Role,
    Trigger,
)
from projections.reserves import NIL, VIEW, Figures, Movement, Reason, movements
from tests.postgres_fixtures import Database
from tests.projections.ledgers import notified, project
from tests.projections.test_reserves import folded
from tests.scribe import Clock, Scribe

LINE = Line(CostType.DEFENCE_COSTS, "GBP")
SHARES = ApportionmentProposed(
    "a1",
    ApportionmentCovers.ALL,
    ApportionmentBasis.EQUAL,
    (PartyShare("us", Fraction(1, 2)), PartyShare("them", Fraction(1, 2))),
    ours="us",
)
Told = list[tuple[Reason, tuple[int, ...]]]


class Story:
    """A file that is written day by day, and what each day moved."""

    def __init__(self) -> None:
        self.scribe = Scribe("DC-2026-000001", Clock())
        self.told = 0
        self.on_day(lambda _: [notified(self.scribe.today)])
        self.on_day(lambda claim: lifecycle.allocate(claim.lifecycle, Pathway.DENTAL, "d1", "ann"))

    def on_day(self, decide: Callable[[Claim], Sequence[Fact]], days_back: int = 0) -> Told:
        """The movements of what is decided on the next day: reason, and estimate, paid, ..."""
        self.scribe.clock.wait(days=1)
        self.scribe.write(decide, self.scribe.today - timedelta(days=days_back))
        return self.moved()

    def moved(self) -> Told:
        """The movements since it was asked last."""
        rows = folded(self.scribe.records)[self.told :]
        self.told += len(rows)
        return [(row.reason, tuple(row.amounts)) for row in rows]

    def estimate(self, amount: int) -> Told:
        return self.on_day(
            lambda claim: decisions.set_estimates(claim, [estimate(amount)], self.scribe.today)
        )

    def pay(self, payment: str, amount: int, days_back: int = 0) -> Told:
        paid = PaymentIssued(payment, LINE, Money(amount, "GBP"))
        return self.on_day(lambda claim: decisions.pay_at_source(claim, paid), days_back)


def estimate(amount: int) -> EstimateSet:
    return EstimateSet(LINE, Money(0, "GBP"), Money(amount, "GBP"), Trigger.EXPERT)


def test_estimates_open_a_line_and_raise_and_lower_it() -> None:
    story = Story()
    assert story.estimate(500) == [(Reason.OPENED, (500, 0, 0, 500, 0, 0))]
    assert story.estimate(700) == [(Reason.INCREASED, (200, 0, 0, 200, 0, 0))]
    assert story.estimate(600) == [(Reason.DECREASED, (-100, 0, 0, -100, 0, 0))]


def test_money_goes_and_comes_back() -> None:
    story = Story()
    story.estimate(500)
    assert story.pay("p1", 300) == [(Reason.PAID, (0, 300, 0, 0, 300, 0))]
    assert story.on_day(lambda claim: decisions.void_payment(claim, "p1", "wrong payee")) == [
        (Reason.PAYMENT_VOIDED, (0, -300, 0, 0, -300, 0))
    ]
    came = RecoveryReceived("r1", LINE, RecoveryCategory.EXCESS, Money(50, "GBP"))
    assert story.on_day(lambda claim: decisions.receive_recovery(claim, came)) == [
        (Reason.RECOVERED, (0, 0, 50, 0, 0, 50))
    ]


def test_another_handler_takes_over_what_the_file_holds() -> None:
    story = Story()
    story.estimate(500)
    assert story.on_day(lambda claim: lifecycle.change_handler(claim.lifecycle, "bob", "")) == [
        (Reason.TRANSFERRED, (-500, 0, 0, -500, 0, 0)),
        (Reason.TRANSFERRED, (500, 0, 0, 500, 0, 0)),
    ]


def test_an_agreed_share_changes_our_part_only() -> None:
    story = Story()
    story.estimate(501)
    assert story.on_day(lambda claim: decisions.propose_apportionment(claim, SHARES)) == []
    assert story.on_day(
        lambda claim: decisions.agree_apportionment(claim, "a1", Role.PATHWAY_LEAD)
    ) == [(Reason.APPORTIONED, (0, 0, 0, -250, 0, 0))]


def test_a_closure_moves_nothing_and_a_fresh_estimate_reopens() -> None:
    story = Story()
    story.estimate(500)
    story.estimate(0)
    assert (
        story.on_day(
            lambda claim: decisions.close(
                claim, ClosureCode.NIL_WITHDRAWN, "withdrawn", story.scribe.today
            )
        )
        == []
    )
    assert story.on_day(
        lambda claim: decisions.reopen(claim, "new expert", [estimate(90)], story.scribe.today)
    ) == [(Reason.REOPENED, (90, 0, 0, 90, 0, 0))]
    assert story.estimate(95) == [(Reason.INCREASED, (5, 0, 0, 5, 0, 0))]


def test_a_correction_and_a_void_move_by_what_they_change() -> None:
    story = Story()
    story.estimate(500)
    version = len(story.scribe.records)
    day = story.scribe.today
    story.estimate(700)
    story.scribe.correct(version, estimate(550), day)
    assert story.moved() == [
        (Reason.CORRECTED, (50, 0, 0, 50, 0, 0)),
        (Reason.CORRECTED, (-50, 0, 0, -50, 0, 0)),
    ]
    story.scribe.void(version + 1)
    assert story.moved() == [(Reason.VOIDED, (-150, 0, 0, -150, 0, 0))]


def test_a_payment_dated_before_a_transfer_was_paid_by_the_one_and_is_held_by_the_other() -> None:
    story = Story()
    story.estimate(500)
    story.on_day(lambda claim: lifecycle.change_handler(claim.lifecycle, "bob", ""))
    assert story.pay("p1", 300, days_back=2) == [
        (Reason.PAID, (0, 300, 0, 0, 300, 0)),
        (Reason.PAID, (0, -300, 0, 0, -300, 0)),
        (Reason.PAID, (0, 300, 0, 0, 300, 0)),
    ]


def test_what_was_true_on_the_first_day_of_a_period_is_none_of_its_prior_period_part(
    database: Database, reading: Connection[Any]
) -> None:
    story = Story()
    story.estimate(500)
    story.pay("p1", 100, days_back=1)
    story.pay("p2", 20)
    story.pay("p3", 3, days_back=2)
    project(database, story.scribe.records, VIEW)
    opened, first = (story.scribe.today - timedelta(days=back) for back in (3, 2))
    (found,) = movements(reading, first, first + timedelta(days=9))
    assert found.opening.estimate == 500
    assert found.by_reason[Reason.PAID] == Movement(Figures(0, 123, 0), Figures(0, 100, 0))
    (sooner,) = movements(reading, opened, opened)
    assert sooner.by_reason == {Reason.OPENED: Movement(Figures(500, 0, 0), NIL)}
