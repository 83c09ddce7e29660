"""Ways round a rule that were found and closed, each as the story of an attempt."""

from datetime import timedelta

import pytest

from commands import ledger
from domain.claim.exposure import cells
from tests.commands.bodies import DAMAGES, Body, Desk, damages, estimate, gbp, matter, part36

OURS = {**DAMAGES, "basis": "our_share"}


@pytest.fixture
def desk() -> Desk:
    """Ann may decide up to 500,000 pounds and bob up to 800,000; a file is open."""
    made = Desk()
    made.employ("ann", 500_000)
    made.employ("bob", 800_000)
    made.opened()
    return made


def approved(desk: Desk, terms: Body, asker: str = "ann") -> None:
    """Bob has approved an offer on these terms."""
    asks = {"decision": "offer", "maximum": gbp(600_000), "offer": terms}
    desk.told("escalate", asker, escalation_id="E1", kind="approval", question="May we?", asks=asks)
    until = (desk.today + timedelta(days=30)).isoformat()
    desk.told("decide-escalation", "bob", escalation_id="E1", outcome="approved", valid_until=until)


def test_an_approval_is_of_no_use_without_a_mandate_in_force(desk: Desk) -> None:
    """I17."""
    approved(desk, part36(600_000))
    assert desk.send(desk.body("suspend-mandate", "hedda", person="ann", why="leave"))[0].accepted
    offer = {"offer_id": "O1", "terms": part36(600_000), "approval": "E1"}
    assert desk.ask("make-offer", "ann", **offer).code == "E313"


def test_an_approval_holds_for_its_relevant_period_only(desk: Desk) -> None:
    approved(desk, part36(600_000))
    longer = {**part36(600_000), "relevant_period_days": 300}
    assert desk.ask("make-offer", "ann", offer_id="O1", terms=longer, approval="E1").code == "E308"


def test_nobody_pays_what_they_asked_for_through_their_own_approval_of_another(desk: Desk) -> None:
    """I13."""
    desk.told("set-estimate", "bob", estimates=[estimate(700_000)])
    payment = {"payment_id": "P1", "line": DAMAGES, "kind": "final", "payee": "party-1"}
    desk.told("request-payment", "bob", amount=gbp(600_000), **payment)
    asks = {"decision": "pay", "maximum": gbp(600_000)}
    desk.told("escalate", "ann", escalation_id="E1", kind="approval", question="?", asks=asks)
    until = desk.today.isoformat()
    desk.told("decide-escalation", "bob", escalation_id="E1", outcome="approved", valid_until=until)
    assert desk.ask("approve-payment", "ann", payment_id="P1", approval="E1").code == "E307"


def test_no_sender_may_say_that_a_source_has_judged(desk: Desk) -> None:
    row = {"row": 1, "kind": "opened", "effective_on": "2020-01-01", "line": DAMAGES}
    refused = desk.ask("import-history", "ann", "C9", source="s", currency="GBP", rows=[row])
    assert refused.code == "E107"


def test_a_manager_attests_in_that_capacity(desk: Desk) -> None:
    attest = desk.body("attest-mandate", "ann", person="bob", attestor="line_manager")
    assert desk.send(attest)[0].code == "E315"


def test_a_settlement_names_the_offer_that_was_accepted(desk: Desk) -> None:
    """I24."""
    desk.told("make-offer", "ann", offer_id="O1", terms=part36(1_000))
    desk.told("accept-offer", "ann", offer_id="O1")
    terms = {"damages": damages(9_000), "costs_terms": "inclusive"}
    assert desk.ask("agree-settlement", "ann", **terms).code == "E212"


def test_recoveries_stay_within_what_the_ledger_can_keep(desk: Desk) -> None:
    desk.told("set-estimate", "ann", estimates=[estimate(10)])
    recovery = {"line": DAMAGES, "category": "excess", "amount": gbp(9_000_000_000_000)}
    desk.told("receive-recovery", "ann", recovery_id="R1", **recovery)
    assert desk.ask("receive-recovery", "ann", recovery_id="R2", **recovery).code == "E103"


def test_an_estimate_of_the_same_amount_on_another_basis_is_another_estimate(desk: Desk) -> None:
    desk.told("set-estimate", "ann", estimates=[estimate(1_000)])
    worst = {**estimate(1_000), "basis": "reasonable_worst"}
    assert desk.told("set-estimate", "ann", estimates=[worst]).data["facts"]
    assert not desk.told("set-estimate", "ann", estimates=[worst]).data["facts"]


def apportioned(desk: Desk, *shares: str) -> None:
    parties = [{"party": f"p{number}", "share": share} for number, share in enumerate(shares)]
    asked = {"covers": "all", "basis": "percentages", "parties": parties, "ours": "p0"}
    desk.told("propose-apportionment", "ann", apportionment_id="A1", **asked)
    lead = desk.body("agree-apportionment", "bob", claim="C1", apportionment_id="A1")
    lead["actor"]["role"] = "pathway_lead"
    assert desk.send(lead)[0].accepted


def test_our_outstanding_is_never_below_nil_however_the_pennies_fall(desk: Desk) -> None:
    """I3, on our share: largest remainders of growing totals do not grow one by one."""
    apportioned(desk, "1/7", "3/7", "3/7")
    pence = {"line": DAMAGES, "amount": {"amount": "0.11", "currency": "GBP"}}
    desk.told("set-estimate", "ann", estimates=[pence])
    payment = {"payment_id": "P1", "line": DAMAGES, "kind": "final", "payee": "party-1"}
    paid = {"amount": "0.10", "currency": "GBP"}
    desk.told("request-payment", "ann", amount=paid, **payment)
    desk.told("approve-payment", "bob", payment_id="P1")
    desk.told("issue-payment", "fin", payment_id="P1")
    (amounts,) = cells(desk.claim("C1")).values()
    assert amounts.our_paid <= amounts.our_estimate


def test_a_file_kept_at_our_share_closes_when_our_share_is_paid(desk: Desk) -> None:
    apportioned(desk, "1/2", "1/2")
    kept = {"line": OURS, "amount": gbp(5_000)}
    desk.told("set-estimate", "ann", estimates=[kept])
    desk.told("agree-settlement", "ann", damages=damages(10_000), costs_terms="inclusive")
    payment = {"payment_id": "P1", "line": OURS, "kind": "final", "payee": "party-1"}
    desk.told("request-payment", "ann", amount=gbp(5_000), **payment)
    desk.told("approve-payment", "bob", payment_id="P1")
    assert desk.ask("close-claim", "ann", closure="settled", outcome="done").code == "E223"
    desk.told("issue-payment", "fin", payment_id="P1")
    desk.told("close-claim", "ann", closure="settled", outcome="done")


def test_a_handover_dated_back_is_told_as_of_its_day(desk: Desk) -> None:
    desk.wait(5)
    desk.told("change-handler", "ann", handler="zoe")
    day = (desk.today - timedelta(days=2)).isoformat()
    assert desk.told("change-handler", "ann", handler="zoe", effective_on=day).data["facts"]


def test_a_refusal_of_what_cannot_be_read_says_which_version_was_there(desk: Desk) -> None:
    version = len(desk.history("claim-C1"))
    desk.ask("set-estimate", "ann", estimates="rubbish")
    assert desk.history("refusals-claim-C1")[-1].fact.version == version


def test_a_correction_above_the_limit_is_not_hidden_by_a_later_estimate(desk: Desk) -> None:
    desk.told("set-estimate", "ann", estimates=[estimate(300_000)])
    version = len(desk.history("claim-C1"))
    desk.told("set-estimate", "ann", estimates=[estimate(1)])
    again = {"kind": "estimate", **estimate(900_000)}
    told = {"version": version, "replacement": again, "why": "mistyped"}
    assert desk.ask("correct-fact", "ann", **told).code == "E301"


def test_a_claim_that_was_accepted_is_not_closed_as_nil(desk: Desk) -> None:
    desk.told("make-offer", "ann", offer_id="O1", terms=part36(1_000))
    desk.told("accept-offer", "ann", offer_id="O1")
    for closure in ("nil_withdrawn", "settled"):
        assert desk.ask("close-claim", "ann", closure=closure, outcome="x").code == "E224"


def test_a_correction_does_not_take_a_file_out_of_the_mandates_reach() -> None:
    desk = Desk()
    desk.employ("ann", 500_000, jurisdictions=["england_wales"])
    desk.opened()
    abroad = {"kind": "matter", **matter(jurisdiction="hong_kong")}
    told = {"version": 1, "replacement": abroad, "why": "it was in Hong Kong"}
    assert desk.ask("correct-fact", "ann", **told).code == "E311"


def test_the_last_place_of_a_file_is_not_passed_by_an_approval(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(desk, part36(600_000))
    monkeypatch.setattr(ledger, "STREAM_FACTS_MAX", len(desk.history("claim-C1")) + 1)
    offer = {"offer_id": "O1", "terms": part36(600_000), "approval": "E1"}
    assert desk.ask("make-offer", "ann", **offer).code == "E602"


@pytest.mark.parametrize("day", ["1700006400", "20260302", "2026-3-2"])
def test_a_day_is_written_in_one_form(desk: Desk, day: str) -> None:
    assert desk.ask("notify-matter", "bob", "C2", **{**matter(), "event_date": day}).code == "E102"


@pytest.mark.parametrize("amount", [".0", "1.", ".", "-.5"])
def test_an_amount_has_digits_on_both_sides_of_its_point(desk: Desk, amount: str) -> None:
    asked = {"line": DAMAGES, "amount": {"amount": amount, "currency": "GBP"}}
    assert desk.ask("set-estimate", "ann", estimates=[asked]).code == "E103"


def test_our_share_of_a_contribution_is_nothing(desk: Desk) -> None:
    """It is what brings the whole down to our share."""
    apportioned(desk, "2/3", "1/3")
    desk.told("set-estimate", "ann", estimates=[estimate(900)])
    for key, category in (("R1", "contribution"), ("R2", "insurer")):
        recovery = {"line": DAMAGES, "amount": gbp(300), "category": category}
        desk.told("receive-recovery", "ann", recovery_id=key, **recovery)
    (amounts,) = cells(desk.claim("C1")).values()
    assert (amounts.recovered, amounts.our_recovered) == (600_00, 200_00)
