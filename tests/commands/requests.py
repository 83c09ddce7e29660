"""Random requests to a ledger: mostly what would be lawful next on a file, some of them not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from domain.claim import Claim
from domain.claim.offers import OfferStatus
from domain.claim.payments import PaymentStatus
from domain.history import standing
from domain.money import Money
from domain.terms import (
    ApportionmentBasis,
    ClosureCode,
    CostsTerms,
    EscalationOutcome,
    OfferScope,
    OfferType,
    Stage,
)
from tests.commands.bodies import DAMAGES, DEFENCE, ROLES, Body, Desk, damages, gbp, matter
from tests.values import Choose, pick

CLAIMS = ("C1", "C2")
PSLA = {**DAMAGES, "head": "psla"}
T = TypeVar("T")


@dataclass
class Asking:
    """One request in the making: where it is asked, by whom, and what the file looks like."""

    draw: Choose
    desk: Desk
    claim: str
    by: str
    terms_asked: dict[str, Body] = field(default_factory=dict[str, Body])

    def __post_init__(self) -> None:
        self.file: Claim = self.desk.claim(self.claim)

    def pick(self, *options: T) -> T:
        return pick(self.draw, options)

    def back(self) -> date:
        return self.desk.today - timedelta(days=self.pick(0, 0, 0, 0, 1, 3, 8))

    def one(self, known: Mapping[str, T], fits: Callable[[T], bool]) -> str:
        fitting = [key for key, value in known.items() if fits(value)]
        return self.pick(*(fitting * 8), *known, "unknown")

    def new(self, known: Mapping[str, object]) -> str:
        return f"n{len(known) + 1}"

    def pounds(self, most: int = 2_000) -> int:
        return self.pick(300, 1, 50, 100, 0, 500, most, -1)


Maker = Callable[[Asking], Body]


def money(amount: Money) -> Body:
    return {"amount": amount.decimal(), "currency": amount.currency}


def notify(a: Asking) -> Body:
    return {"type": "notify-matter", **matter(a.back())}


def allocate(a: Asking) -> Body:
    handler = a.pick("ann", "bob")
    return {"type": "allocate-claim", "pathway": "dental", "team": "t-1", "handler": handler}


def hand_over(a: Asking) -> Body:
    return {"type": "change-handler", "handler": a.pick("ann", "bob", "cat")}


def plan(a: Asking) -> Body:
    review = a.desk.today + timedelta(days=a.pick(30, 60, -1))
    return {"type": "set-strategy", "objective": "settle", "review_on": review.isoformat()}


def stage(a: Asking) -> Body:
    return {"type": "reach-stage", "stage": a.pick(*Stage).value}


def close(a: Asking) -> Body:
    return {"type": "close-claim", "closure": a.pick(*ClosureCode).value, "outcome": "done"}


def estimate_line(a: Asking) -> Body:
    line = a.pick(DAMAGES, DAMAGES, DEFENCE, PSLA)
    return {"line": line, "amount": gbp(a.pounds()), "trigger": "offer"}


def estimate(a: Asking) -> Body:
    lines = [estimate_line(a) for _ in range(a.pick(1, 1, 2))]
    return {"type": "set-estimate", "estimates": lines}


def estimate_paid(a: Asking) -> Body:
    """Every line at what was paid on it, as before closing."""
    lines = [
        {"line": line_of(line), "amount": money(Money(state.paid, line.currency))}
        for line, state in a.file.reserves.lines.items()
    ]
    return {"type": "set-estimate", "estimates": lines}


def line_of(line: Any) -> Body:
    told = {"cost_type": line.cost_type.value, "currency": line.currency}
    return {**told, "head": line.head.value} if line.head else told


def reopen(a: Asking) -> Body:
    return {"type": "reopen-claim", "why": "a letter", "estimates": [estimate_line(a)]}


def recover(a: Asking) -> Body:
    return {
        "type": "receive-recovery",
        "recovery_id": a.new(a.file.reserves.recoveries),
        "line": a.pick(DAMAGES, DEFENCE),
        "category": "excess",
        "amount": gbp(a.pounds()),
        "effective_on": a.back().isoformat(),
    }


def request(a: Asking) -> Body:
    return {
        "type": "request-payment",
        "payment_id": a.new(a.file.payments.by_id),
        "line": a.pick(DAMAGES, DAMAGES, DEFENCE, PSLA),
        "amount": gbp(a.pounds(500)),
        "kind": "final",
        "payee": "party-1",
    }


def on_payment(kind: str, *fitting: PaymentStatus) -> Maker:
    def make(a: Asking) -> Body:
        key = a.one(a.file.payments.by_id, lambda payment: payment.status in fitting)
        body = {"type": kind, "payment_id": key, "effective_on": a.back().isoformat()}
        return {**body, "why": "so"} if kind in ("reject-payment", "void-payment") else body

    return make


def terms(a: Asking, served_on: date) -> Body:
    kind = a.pick(*OfferType)
    told: Body = {
        "type": kind.value,
        "damages": damages(a.pick(100, 300, 900, 4_000, 0)),
        "costs_terms": CostsTerms.PLUS_REASONABLE_COSTS.value,
        "served_on": served_on.isoformat(),
        "scope": a.pick(*OfferScope).value,
    }
    if kind is OfferType.PART36:
        return {**told, "relevant_period_days": a.pick(21, 28, 20)}
    expires = served_on + timedelta(days=a.pick(0, 5, 30))
    return {**told, "expires_on": expires.isoformat()}


def offer(a: Asking) -> Body:
    on = a.back()
    kind = a.pick("make-offer", "receive-offer")
    key = a.new(a.file.offers.by_id)
    body = {"type": kind, "offer_id": key, "terms": terms(a, on), "effective_on": on.isoformat()}
    asked = [e for e in a.file.escalations.by_id if e in a.terms_asked]
    if kind == "make-offer" and asked and a.pick(True, True, False):
        approval = a.pick(*asked)
        body |= {"approval": approval, "terms": a.terms_asked[approval]}
    return body


def on_offer(kind: str) -> Maker:
    def make(a: Asking) -> Body:
        key = a.one(a.file.offers.by_id, lambda offer: offer.ended is None)
        return {"type": kind, "offer_id": key, "effective_on": a.back().isoformat()}

    return make


def settle(a: Asking) -> Body:
    known = a.file.offers.by_id
    key = a.one(known, lambda offer: offer.ended is OfferStatus.ACCEPTED)
    body: Body = {"type": "agree-settlement", "costs_terms": "plus_reasonable_costs"}
    if key in known and a.pick(True, True, False):
        gross = money(known[key].terms.damages.gross)
        return {**body, "offer_id": key, "damages": {"gross": gross, "net": gross}}
    return {**body, "damages": damages(a.pick(100, 300, 4_000)), "offer_id": a.pick("", key)}


def share_out(a: Asking) -> Body:
    first, second = a.pick(("1/2", "1/2"), ("1/3", "2/3"), ("1/3", "1/3"))
    parties = [{"party": "us", "share": first}, {"party": "them", "share": second}]
    return {
        "type": "propose-apportionment",
        "apportionment_id": a.new(a.file.apportionments.by_id),
        "covers": a.pick("all", "damages"),
        "basis": a.pick(*ApportionmentBasis).value,
        "parties": parties,
        "ours": "us",
    }


def on_shares(kind: str) -> Maker:
    def make(a: Asking) -> Body:
        key = a.one(a.file.apportionments.by_id, lambda _: True)
        return {"type": kind, "apportionment_id": key, "effective_on": a.back().isoformat()}

    return make


def escalate(a: Asking) -> Body:
    key = a.new(a.file.escalations.by_id)
    body = {"type": "escalate", "escalation_id": key, "question": "May we?"}
    if a.pick(True, False):
        return {**body, "kind": a.pick("quantum", "strategy", "approval")}
    told = terms(a, a.desk.today)
    a.terms_asked[key] = told
    asks = {"decision": "offer", "maximum": gbp(a.pick(5_000, 900)), "offer": told}
    return {**body, "kind": "approval", "asks": asks}


def decide(a: Asking) -> Body:
    known = a.file.escalations.by_id
    key = a.one(known, lambda escalation: escalation.open)
    outcome = a.pick(EscalationOutcome.APPROVED, *EscalationOutcome)
    body = {"type": "decide-escalation", "escalation_id": key, "outcome": outcome.value}
    wants = key in known and known[key].asked.approval is not None
    if wants and outcome is not EscalationOutcome.DECLINED:
        body["valid_until"] = (a.desk.today + timedelta(days=a.pick(10, 0, -1))).isoformat()
    return {**body, "directions": "so"}


def take_back(a: Asking) -> Body:
    key = a.one(a.file.escalations.by_id, lambda escalation: escalation.open)
    return {"type": "withdraw-escalation", "escalation_id": key}


def correct(a: Asking) -> Body:
    estimate_again = {"kind": "estimate", **estimate_line(a)}
    recovery_again = {"kind": "recovery", **recover(a)}
    del recovery_again["type"], recovery_again["effective_on"]
    again = a.pick(
        estimate_again,
        estimate_again,
        recovery_again,
        {"kind": "handover", "handler": "cat"},
        {"kind": "matter", **matter(a.back())},
    )
    return {"type": "correct-fact", "version": version(a), "replacement": again, "why": "typo"}


def void(a: Asking) -> Body:
    return {"type": "void-fact", "version": version(a), "why": "mistaken"}


def version(a: Asking) -> int:
    slots = [slot for slot, _ in standing(a.desk.history(f"claim-{a.claim}"))]
    return a.pick(*slots, 99)


def import_rows(a: Asking) -> Body:
    day = (a.desk.today - timedelta(days=400)).isoformat()
    kinds: list[Body] = [
        {"kind": "opened", "estimate": gbp(500), "handler": "ann", "pathway": "dental"},
        {"kind": "payment", "amount": gbp(a.pick(200, 600)), "estimate": gbp(500)},
        {"kind": "recovery", "amount": gbp(10)},
    ]
    rows = [
        {"row": number, "effective_on": day, "line": DAMAGES, **row}
        for number, row in enumerate(kinds, start=1)
    ]
    return {"type": "import-history", "source": "old", "currency": "GBP", "rows": rows}


def on_mandate(a: Asking) -> Body:
    person = a.pick("ann", "bob", "cat")
    kind = a.pick("suspend-mandate", "restore-mandate", "restore-mandate", "attest-mandate")
    body: Body = {"type": kind, "person": person}
    if kind == "attest-mandate":
        return {**body, "attestor": a.pick("holder", "line_manager")}
    return {**body, "why": "so"}


approve = on_payment("approve-payment", PaymentStatus.REQUESTED)
reject_payment = on_payment("reject-payment", PaymentStatus.REQUESTED, PaymentStatus.APPROVED)
issue = on_payment("issue-payment", PaymentStatus.APPROVED)
void_payment = on_payment("void-payment", PaymentStatus.ISSUED)
accept, reject = on_offer("accept-offer"), on_offer("reject-offer")
withdraw, lapse = on_offer("withdraw-offer"), on_offer("lapse-offer")
agree, turn_down = on_shares("agree-apportionment"), on_shares("reject-apportionment")

ANY: list[Maker] = [
    *(notify, allocate, hand_over, plan, stage, close, reopen, estimate, estimate_paid, recover),
    *(request, approve, reject_payment, issue, void_payment, offer, accept, reject, withdraw),
    *(lapse, settle, share_out, agree, turn_down, escalate, decide, take_back, correct, void),
    *(import_rows, on_mandate),
]


def sensible(file: Claim) -> list[Maker]:
    """What may well come next on a file as it stands."""
    life, payments = file.lifecycle, {each.status for each in file.payments.by_id.values()}
    if life.notified is None:
        return [notify, import_rows]
    if life.closed_on is not None:
        return [reopen, reopen, recover, correct]
    if not life.handler:
        return [allocate, estimate]
    likely: list[Maker] = [estimate, estimate, escalate, share_out, stage, hand_over, plan, correct]
    if any(state.outstanding for state in file.reserves.lines.values()):
        likely += [request, request, request, recover]
    else:
        likely += [close, close]
    likely += [approve] * 3 if PaymentStatus.REQUESTED in payments else []
    likely += [issue, issue, reject_payment] if PaymentStatus.APPROVED in payments else []
    likely += [void_payment] if PaymentStatus.ISSUED in payments else [void]
    likely += [offer] * 3 if life.strategy and file.settlement.agreed is None else []
    ended = [each.ended for each in file.offers.by_id.values()]
    likely += [accept, accept, reject, withdraw, lapse] if None in ended else []
    likely += [settle, settle] if OfferStatus.ACCEPTED in ended else []
    likely += [agree, agree, turn_down] if file.apportionments.by_id else []
    likely += [decide] * 3 if any(file.escalations.undecided()) else []
    return [*likely, estimate_paid]


def breakage(draw: Choose, body: Body) -> Body:
    """The same body, broken in one place."""
    fields = [each for each in body if each not in ("command_id", "type")]
    broken = pick(draw, fields)
    nonsense: list[object] = [None, True, -5, "\x00", [[]], 10**30, gbp("NaN")]
    wrong = pick(draw, nonsense)
    if pick(draw, [True, False]):
        return {**body, broken: wrong}
    return {**{key: value for key, value in body.items() if key != broken}, "unheard": wrong}


def a_request(draw: Choose, desk: Desk, terms_asked: dict[str, dict[str, Body]]) -> Body:
    """One request by somebody about some claim, most often a sensible one."""
    claim, by = pick(draw, CLAIMS), pick(draw, [*(["ann", "bob", "cat"] * 4), *ROLES])
    asking = Asking(draw, desk, claim, by, terms_asked.setdefault(claim, {}))
    makers = sensible(asking.file) if pick(draw, [True] * 5 + [False]) else ANY
    made = pick(draw, makers)(asking)
    where = {} if "person" in made else {"claim": claim}
    kind = made.pop("type")
    return desk.body(kind, by, **{**where, **made})
