"""Several requests that lead somewhere together: a payment, a settlement, an approval used."""

from collections.abc import Callable
from datetime import timedelta

from tests.commands.bodies import Body, damages, gbp, part36
from tests.commands.requests import Asking, line_of, money

Script = Callable[[Asking], list[Body]]


def pay(a: Asking) -> list[Body]:
    """Request, approve, issue, and now and then void."""
    lines = list(a.file.reserves.lines)
    key = a.new(a.file.payments.by_id)
    payment = {"claim": a.claim, "payment_id": key}
    asked = {
        "line": line_of(a.pick(*lines)) if lines else {"cost_type": "damages", "currency": "GBP"},
        "amount": gbp(a.pounds()),
        "kind": "final",
        "payee": "party-1",
    }
    approver = a.pick("bob", "cat", "ann")
    value_date = a.back().isoformat()
    bodies = [
        a.desk.body("request-payment", "ann", **payment, **asked),
        a.desk.body("approve-payment", approver, **payment),
        a.desk.body("issue-payment", "fin", **payment, effective_on=value_date),
        a.desk.body("void-payment", "fin", **payment, why="bounced"),
    ]
    return bodies[: a.pick(3, 3, 4, 2)]


def settle(a: Asking) -> list[Body]:
    """Their offer, our acceptance, the settlement on its terms, and an offer too late."""
    key = a.new(a.file.offers.by_id)
    terms = part36(a.pick(300, 900, 4_000), a.desk.today)
    offer = {"claim": a.claim, "offer_id": key}
    return [
        a.desk.body("receive-offer", "ann", **offer, terms=terms),
        a.desk.body("accept-offer", a.pick("cat", "bob", "ann"), **offer),
        a.desk.body(
            "agree-settlement",
            a.pick("cat", "bob", "ann"),
            **offer,
            damages=terms["damages"],
            costs_terms="plus_reasonable_costs",
        ),
        a.desk.body("make-offer", "cat", **{**offer, "offer_id": f"{key}-late"}, terms=terms),
    ]


def offer_by_approval(a: Asking) -> list[Body]:
    """More than ann may offer, approved by cat, and offered twice: the second is too much."""
    key, offers = a.new(a.file.escalations.by_id), a.new(a.file.offers.by_id)
    terms = {**part36(a.pick(1_500, 4_000), a.desk.today), "scope": "damages"}
    asks = {"decision": "offer", "maximum": gbp(6_000), "offer": terms}
    escalation = {"claim": a.claim, "escalation_id": key}
    until = (a.desk.today + timedelta(days=3)).isoformat()
    used = {"claim": a.claim, "approval": key, "terms": terms}
    return [
        a.desk.body(
            "escalate", "ann", **escalation, kind="approval", question="May we?", asks=asks
        ),
        a.desk.body(
            "decide-escalation", "cat", **escalation, outcome="approved", valid_until=until
        ),
        *(a.desk.body("make-offer", "ann", **used, offer_id=f"{offers}-{n}") for n in (1, 2)),
    ]


def close(a: Asking) -> list[Body]:
    """Estimates down to what was paid, offers withdrawn, closed; then a payment too late."""
    claim = {"claim": a.claim}
    lines = [
        {"line": line_of(line), "amount": money(a.file.reserves.paid(line))}
        for line in a.file.reserves.lines
    ]
    ours = [key for key, offer in a.file.offers.live_on(a.desk.today) if offer.ours]
    return [
        a.desk.body("set-estimate", "cat", **claim, estimates=lines),
        *(a.desk.body("withdraw-offer", "ann", **claim, offer_id=key) for key in ours),
        a.desk.body("close-claim", "ann", **claim, closure="transferred", outcome="done"),
        a.desk.body(
            "agree-settlement", "cat", **claim, damages=damages(5), costs_terms="inclusive"
        ),
    ]


SCRIPTS: list[Script] = [pay, pay, settle, offer_by_approval, close]
