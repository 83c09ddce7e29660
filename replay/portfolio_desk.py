"""The desk at which one synthetic file is worked: its clock, its own small books, its commands.

It keeps just enough of the file (estimates, payments, offers, versions) to ask for nothing that
the ledger would refuse, unless that is intended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from commands import models
from commands.parts import ClaimCommand, EstimateLine, Matter, OfferTermsIn
from domain.authority import Scope
from domain.money import Money
from domain.terms import (
    CostType,
    Decision,
    EstimateBasis,
    Head,
    Line,
    OfferType,
    PaymentKind,
    Stage,
    Trigger,
)
from replay.portfolio_cast import BANK, FINANCE, HEAD, INTAKE, Ask, Person, Team
from replay.portfolio_chance import Chance

OPENS, CLOSES = 9, 18  # working hours, Monday to Friday
FEASTS = {(12, 25), (12, 26), (1, 1)}
LATE_MINUTES_MAX = 45  # between one thing done and the next
BACKDATED = 0.06  # of payments: the bank's word comes days after its value date
NEAR_MISS = 0.10  # of estimates above the handler's limit: tried all the same, and refused


@dataclass(slots=True)
class Kept:
    """A line as the desk keeps it, in minor units; `asked` is requested and not yet issued."""

    estimate: int = 0
    paid: int = 0
    asked: int = 0

    @property
    def floor(self) -> int:
        """What an estimate may not fall below."""
        return self.paid + self.asked


@dataclass(slots=True)
class Offered:
    """An offer as the desk keeps it."""

    terms: OfferTermsIn
    ours: bool
    ended: bool = False
    gone_from: date | None = None

    @property
    def part36(self) -> bool:
        return self.terms.type is OfferType.PART36

    def live_on(self, day: date) -> bool:
        """It could be accepted on that day."""
        if self.ended or (self.gone_from is not None and day >= self.gone_from):
            return False
        return self.part36 or self.terms.expires_on is None or day <= self.terms.expires_on


@dataclass(slots=True)
class Desk:
    """One file in work; `now` is the moment at which the next command is asked."""

    reference: str
    currency: str
    team: Team
    handler: Person
    chance: Chance
    now: datetime
    asks: list[Ask] = field(default_factory=list[Ask])
    version: int = 0
    scope: Scope = field(default_factory=lambda: Scope(None, None, Stage.PRE_CLAIM))
    lines: dict[Line, Kept] = field(default_factory=dict[Line, Kept])
    offers: dict[str, Offered] = field(default_factory=dict[str, Offered])
    keys: dict[str, int] = field(default_factory=dict[str, int])
    approved: int = 0  # damages approved and not yet issued
    settled: bool = False
    others_bear: Fraction = Fraction(0)  # of the damages, by an agreed apportionment

    @property
    def today(self) -> date:
        return self.now.date()

    def wait_until(self, day: date) -> None:
        """Go on at some hour of that day, or a little later if it is past."""
        hour = timedelta(hours=OPENS, minutes=self.chance.between(0, 400))
        morning = datetime.combine(day, time(), UTC) + hour
        self.now = at_work(max(self.now + timedelta(minutes=4), morning))

    def wait(self, days: int) -> None:
        """Let some days pass."""
        self.wait_until(self.today + timedelta(days=days))

    def ask(
        self,
        person: Person,
        kind: type[ClaimCommand],
        /,
        *,
        facts: int = 1,
        intended: str = "",
        why: str = "",
        **fields: Any,
    ) -> int:
        """Ask for something; the version of the first of the facts that it comes to."""
        # Some commands ask for the reason as a field of their own, the others take a rationale.
        fields["why" if "why" in kind.model_fields else "rationale"] = why
        command = kind(
            command_id=f"{self.reference}/{len(self.asks) + 1}",
            actor=person.actor,
            claim=self.reference,
            **fields,
        )
        self.asks.append(Ask(self.now, command, intended))
        first = self.version + 1
        if not intended:
            self.version += facts
        minutes = self.chance.between(3, LATE_MINUTES_MAX)
        self.now = at_work(self.now + timedelta(minutes=minutes))
        return first

    def key(self, kind: str) -> str:
        """The next reference of a kind, within the file."""
        self.keys[kind] = self.keys.get(kind, 0) + 1
        return f"{kind}-{self.keys[kind]}"

    # --- who may decide what ---------------------------------------------------------------------

    def refusal(self, person: Person, decision: Decision, measured: int) -> str:
        """The code with which a person would be refused, "" if they may."""
        return person.refusal(decision, Money(measured, self.currency), self.scope)

    def senior(self, decision: Decision, measured: int) -> Person:
        """The nearest person above the handler who may decide."""
        above = [each for each in (self.team.lead, HEAD) if each != self.handler]
        return next(each for each in above if not self.refusal(each, decision, measured))

    def someone(self, decision: Decision, measured: int) -> Person:
        """The handler, or the nearest person above who may decide."""
        if not self.refusal(self.handler, decision, measured):
            return self.handler
        return self.senior(decision, measured)

    def line(self, cost_type: CostType, head: Head | None = None) -> Line:
        """A line of this file's currency."""
        return Line(cost_type, self.currency, head)

    def damages(self) -> dict[Line, Kept]:
        """The lines of damages."""
        return {
            line: kept for line, kept in self.lines.items() if line.cost_type is CostType.DAMAGES
        }

    def estimated(self) -> int:
        """The estimates of all damages."""
        return sum(kept.estimate for kept in self.damages().values())

    def committed(self) -> int:
        """Damages paid, and approved to be paid."""
        return sum(kept.paid for kept in self.damages().values()) + self.approved

    # --- the life of the file --------------------------------------------------------------------

    def notify(self, matter: Matter) -> None:
        """Open the file; the matter is effective on the day it was notified."""
        said = matter.model_dump()
        self.ask(INTAKE, models.NotifyMatter, why="From the member's report.", **said)
        stage = Stage.CLAIM_INTIMATED if said["matter_type"] == "claim" else Stage.PRE_CLAIM
        self.scope = Scope(None, matter.jurisdiction, stage)

    def allocate(self) -> None:
        """Send the file to its team."""
        self.ask(
            self.team.lead,
            models.AllocateClaim,
            pathway=self.team.pathway,
            team=self.team.name,
            handler=self.handler.ref,
            why="Allocated by complexity and workload.",
        )
        self.scope = Scope(self.team.pathway, self.scope.jurisdiction, self.scope.stage)

    def hand_over(self, person: Person, why: str) -> None:
        """Give the file to another handler of the team."""
        if person == self.handler:
            return
        self.ask(
            self.team.lead, models.ChangeHandler, handler=person.ref, team=person.team, why=why
        )
        self.handler = person

    def reach(self, stage: Stage, why: str, on: date | None = None) -> None:
        """Move the matter forward, if it has not come so far yet."""
        if stage.order > self.scope.stage.order:
            self.ask(self.handler, models.ReachStage, stage=stage, effective_on=on, why=why)
            self.scope = Scope(self.scope.pathway, self.scope.jurisdiction, stage)

    # --- estimates -------------------------------------------------------------------------------

    def estimate(
        self, totals: Mapping[Line, int], trigger: Trigger, why: str, odds_bp: int = 0
    ) -> dict[Line, int]:
        """Set lines to totals; the version of each that changed.

        With `odds_bp`, the totals of damages are what they would be at 100 %.
        """
        asked = [
            part
            for line, total in totals.items()
            if (part := self._part(line, total, trigger, odds_bp)) is not None
        ]
        if not asked:
            return {}
        for part in asked:
            self.lines.setdefault(part.line, Kept()).estimate = part.amount.minor
        measured = self.estimated()
        needs = any(part.amount.minor for part in asked)
        person = self.someone(Decision.RESERVE, measured) if needs else self.handler
        said: dict[str, Any] = {"estimates": tuple(asked), "why": why}
        if person != self.handler and self.chance.yes(NEAR_MISS):
            code = self.refusal(self.handler, Decision.RESERVE, measured)
            self.ask(self.handler, models.SetEstimate, intended=code, **said)
        first = self.ask(person, models.SetEstimate, facts=len(asked), **said)
        return {part.line: first + number for number, part in enumerate(asked)}

    def _part(self, line: Line, total: int, trigger: Trigger, odds_bp: int) -> EstimateLine | None:
        """One line of an estimate, None if it stays as it is."""
        kept = self.lines.get(line, Kept())
        if odds_bp and line.cost_type is CostType.DAMAGES and not kept.floor:
            amount = (total * odds_bp + 5_000) // 10_000
            if amount == kept.estimate:
                return None
            return EstimateLine(
                line=line,
                amount=Money(amount, self.currency),
                trigger=trigger,
                basis=EstimateBasis.PROBABILITY_WEIGHTED,
                full_quantum=Money(total, self.currency),
                probability_bp=odds_bp,
            )
        amount = max(total, kept.floor)
        if amount == kept.estimate:
            return None
        return EstimateLine(line=line, amount=Money(amount, self.currency), trigger=trigger)

    def correct_estimate(self, version: int, line: Line, total: int, why: str) -> None:
        """Put an estimate right that was keyed wrongly, while it is the line's latest."""
        self.lines[line].estimate = total
        measured = self.estimated()
        self.ask(
            self.someone(Decision.CORRECT, measured),
            models.CorrectFact,
            version=version,
            replacement=models.EstimateAgain(
                line=line, amount=Money(total, self.currency), trigger=Trigger.PERIODIC_REVIEW
            ),
            why=why,
        )

    # --- payments --------------------------------------------------------------------------------

    def pay(self, line: Line, amount: Money, kind: PaymentKind, payee: str, why: str) -> None:
        """Request, approve and issue a payment; the estimate is raised first if it has to be."""
        key = self.request(line, amount, kind, payee, why)
        self.wait(self.chance.between(0, 3))
        self.approve(key, line, amount)
        self.wait(self.chance.between(1, 3))
        value_date = None
        if self.chance.yes(BACKDATED):
            value_date = self.today
            self.wait(self.chance.days(2, 0.5, 1, 5))
            self._meanwhile()
        self.issue(key, line, amount, value_date)

    def request(self, line: Line, amount: Money, kind: PaymentKind, payee: str, why: str) -> str:
        """Ask for a payment."""
        kept = self.lines.setdefault(line, Kept())
        needed = kept.floor + amount.minor
        if kept.estimate < needed:
            self.estimate({line: needed}, Trigger.PAYMENT, "Raised to what is now payable.")
        key = self.key("pay")
        kept.asked += amount.minor
        self.ask(
            self.handler,
            models.RequestPayment,
            payment_id=key,
            line=line,
            amount=amount,
            kind=kind,
            payee=payee,
            why=why,
        )
        return key

    def approve(self, key: str, line: Line, amount: Money) -> None:
        """Have a payment approved by somebody who may, and who is not the one who asked."""
        counted = amount.minor if line.cost_type is CostType.DAMAGES else 0
        measured = self.committed() + counted
        people = [each for each in (*FINANCE, self.team.lead, HEAD) if each != self.handler]
        person = next(each for each in people if not self.refusal(each, Decision.PAY, measured))
        self.ask(person, models.ApprovePayment, payment_id=key)
        self.approved += counted

    def issue(self, key: str, line: Line, amount: Money, value_date: date | None = None) -> None:
        """Record that the money left, as of the bank's value date."""
        self.ask(BANK, models.IssuePayment, payment_id=key, effective_on=value_date)
        kept = self.lines[line]
        kept.asked -= amount.minor
        kept.paid += amount.minor
        if line.cost_type is CostType.DAMAGES:
            self.approved -= amount.minor

    def _meanwhile(self) -> None:
        """Something else happens on the file between a value date and the bank's word of it."""
        line = self.line(CostType.DEFENCE_COSTS)
        if self.chance.yes(0.5):
            more = self.lines.setdefault(line, Kept()).estimate + 10_000
            self.estimate({line: more}, Trigger.COSTS, "Panel firm's revised forecast.")

    def live_offers(self) -> dict[str, Offered]:
        """The offers that could be accepted today."""
        return {key: each for key, each in self.offers.items() if each.live_on(self.today)}


def at_work(moment: datetime) -> datetime:
    """That moment, or the next morning at which somebody works."""
    if moment.hour >= CLOSES:
        moment = datetime.combine(moment.date(), time(OPENS, moment.minute), UTC)
        moment += timedelta(days=1)
    while moment.weekday() >= 5 or (moment.month, moment.day) in FEASTS:
        moment += timedelta(days=1)
    return moment
