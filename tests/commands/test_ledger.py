"""The one way to write, as stories: authority, approvals, repeats, batches and other writers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import pytest

from commands import ledger as ledgers
from commands.door import command_types
from commands.ledger import TRIES_MAX, Ledger
from commands.ports import Answered, Batch, Head, History, Moved
from domain.envelope import Grounds, Labels, Privilege
from domain.errors import StoreUnavailable
from domain.labels import REFUSED_PRIVILEGE, labels_of
from tests.commands.bodies import (
    DAMAGES,
    DEFENCE,
    EVERYWHERE,
    Body,
    Desk,
    damages,
    estimate,
    gbp,
    matter,
    part36,
)


@pytest.fixture
def desk() -> Desk:
    """Ann may decide up to 500,000 pounds and bob up to 800,000; a file is open."""
    made = Desk()
    made.employ("ann", 500_000)
    made.employ("bob", 800_000)
    made.opened()
    return made


def payment(pounds: int, key: str = "P1", line: Body = DAMAGES) -> Body:
    return {
        "payment_id": key,
        "line": line,
        "amount": gbp(pounds),
        "kind": "final",
        "payee": "party-1",
    }


# --- authority -----------------------------------------------------------------------------------


def test_two_payments_of_300_000_breach_a_limit_of_500_000(desk: Desk) -> None:
    """I15."""
    desk.told("set-estimate", "bob", estimates=[estimate(700_000), estimate(700_000, DEFENCE)])
    for key, line in (("P1", DAMAGES), ("P2", DAMAGES), ("P3", DEFENCE)):
        desk.told("request-payment", "bob", **payment(300_000, key, line))
    desk.told("approve-payment", "ann", payment_id="P1")
    second = desk.ask("approve-payment", "ann", payment_id="P2")
    assert second.code == "E301"
    assert second.data["evidence"]["measured"] == "GBP 600000.00"
    desk.told("approve-payment", "ann", payment_id="P3")  # costs are no damages: I18


def test_an_offer_is_measured_with_what_was_paid_before_it(desk: Desk) -> None:
    """I15."""
    desk.told("set-estimate", "bob", estimates=[estimate(700_000)])
    desk.told("request-payment", "bob", **payment(300_000))
    desk.told("approve-payment", "ann", payment_id="P1")
    assert desk.ask("make-offer", "ann", offer_id="O1", terms=part36(200_001)).code == "E301"
    kept = desk.history("refusals-claim-C1")[-1]
    assert kept.envelope.labels == labels_of(kept.fact) == Labels(privilege=Privilege.WPSATC)
    desk.told("make-offer", "ann", offer_id="O1", terms=part36(200_000))
    judgement = desk.history("claim-C1")[-1].envelope.judgement
    assert judgement.grounds is Grounds.MANDATE
    assert str(judgement.measured) == "GBP 500000.00"
    assert str(judgement.headroom) == "GBP 0.00"


def test_their_acceptance_of_our_offer_needs_no_authority_and_ours_of_theirs_does(
    desk: Desk,
) -> None:
    desk.told("make-offer", "ann", offer_id="O1", terms=part36(400_000))
    desk.told("receive-offer", "fin", offer_id="O2", terms=part36(600_000))
    assert desk.ask("accept-offer", "ann", offer_id="O2").code == "E301"
    assert desk.ask("accept-offer", "fin", offer_id="O2").code == "E313"
    desk.told("accept-offer", "fin", offer_id="O1")


def test_a_delegated_mandate_shrinks_with_the_one_it_comes_from(desk: Desk) -> None:
    """I16."""
    limits = [{"decision": "offer", "maximum": gbp(400_000), **EVERYWHERE}]
    grant = {"role": "pathway_lead", "limits": limits, "valid_from": desk.today.isoformat()}
    signers = (("cat", "holder"), ("mike", "line_manager"), ("hedda", "head_of_department"))
    desk.send(
        desk.body("grant-mandate", "hedda", person="cat", delegated_by="ann", **grant),
        *(desk.body("attest-mandate", who, person="cat", attestor=as_) for who, as_ in signers),
    )
    desk.told("make-offer", "cat", offer_id="O1", terms=part36(400_000))
    judgement = desk.history("claim-C1")[-1].envelope.judgement
    assert judgement.delegators == (("ann", 4),)
    suspended = desk.body("suspend-mandate", "hedda", person="ann", why="leave")
    assert desk.send(suspended)[0].accepted
    refused = desk.ask("make-offer", "cat", offer_id="O2", terms=part36(5))
    assert (refused.code, refused.data["evidence"]["person"]) == ("E313", "ann")


def test_nobody_decides_by_a_mandate_that_lapsed_that_day(desk: Desk) -> None:
    """I17."""
    until = desk.today.isoformat()
    limits = [{"decision": "reserve", "maximum": gbp(5_000), **EVERYWHERE}]
    grant = {"role": "pathway_lead", "limits": limits, "valid_from": until, "valid_to": until}
    signers = (("cat", "holder"), ("mike", "line_manager"), ("hedda", "head_of_department"))
    desk.send(
        desk.body("grant-mandate", "hedda", person="cat", **grant),
        *(desk.body("attest-mandate", who, person="cat", attestor=as_) for who, as_ in signers),
    )
    desk.told("set-estimate", "cat", estimates=[estimate(5)])
    desk.wait(days=1)
    assert desk.ask("set-estimate", "cat", estimates=[estimate(6)]).code == "E313"


def test_an_approval_is_used_once_with_the_decision_that_rests_on_it(desk: Desk) -> None:
    """I14."""
    terms = part36(600_000)
    asks = {"decision": "offer", "maximum": gbp(600_000), "offer": terms}
    asked = {"escalation_id": "E1", "kind": "approval", "question": "May we?", "asks": asks}
    desk.told("escalate", "ann", **asked)
    decision = {"escalation_id": "E1", "outcome": "approved"}
    until = (desk.today + timedelta(days=7)).isoformat()
    assert desk.ask("decide-escalation", "ann", **decision, valid_until=until).code == "E307"
    assert desk.ask("decide-escalation", "mike", **decision, valid_until=until).code == "E313"
    desk.told("decide-escalation", "bob", **decision, valid_until=until)
    made = {"terms": terms, "approval": "E1"}
    assert desk.ask("make-offer", "bob", offer_id="O1", **made).code == "E314"
    changed = {**made, "terms": part36(599_999)}
    assert desk.ask("make-offer", "ann", offer_id="O1", **changed).code == "E308"
    receipt = desk.told("make-offer", "ann", offer_id="O1", **made)
    names = [fact["name"] for fact in receipt.data["facts"]]
    assert names == ["offer-made.1", "approval-consumed.1"]
    judgement = desk.history("claim-C1")[-1].envelope.judgement
    assert (judgement.grounds, judgement.approval) == (Grounds.APPROVAL, "E1")
    assert desk.ask("make-offer", "ann", offer_id="O2", **made).code == "E314"


def test_an_approver_needs_the_authority_that_they_lend(desk: Desk) -> None:
    asks = {"decision": "offer", "maximum": gbp(800_001), "offer": part36(800_001)}
    asked = {"escalation_id": "E1", "kind": "approval", "question": "May we?", "asks": asks}
    desk.told("escalate", "ann", **asked)
    decision = {"escalation_id": "E1", "outcome": "approved", "valid_until": "2026-04-01"}
    assert desk.ask("decide-escalation", "bob", **decision).code == "E301"


def test_an_approval_is_refused_where_no_authority_is_needed(desk: Desk) -> None:
    refused = desk.ask("change-handler", "ann", handler="bob", approval="E1")
    assert (refused.code, refused.data["field"]) == ("E102", "approval")


# --- back-dating and correction ------------------------------------------------------------------


def test_what_is_dated_back_has_to_have_been_possible_on_its_day(desk: Desk) -> None:
    first = desk.today.isoformat()
    desk.wait(days=3)
    desk.told("set-estimate", estimates=[estimate(500)])
    desk.told("request-payment", **payment(500))
    desk.told("approve-payment", "bob", payment_id="P1")
    refused = desk.ask("issue-payment", "fin", payment_id="P1", effective_on=first)
    assert refused.code == "E417"
    assert refused.data["message"].endswith("The file has no payment P1.")
    desk.told("issue-payment", "fin", payment_id="P1")


def test_a_correction_is_as_valid_as_what_it_corrects(desk: Desk) -> None:
    version = desk.told("set-estimate", estimates=[estimate(500)]).data["version"]
    rand = {**estimate(5), "amount": {"amount": "5", "currency": "ZAR"}}
    correction = {"version": version, "why": "typo"}
    for line, code in ((rand, "E104"), (estimate(-5), "E214"), (estimate(5, DEFENCE), "E416")):
        again = {"kind": "estimate", **line}
        assert desk.ask("correct-fact", replacement=again, **correction).code == code
    desk.told("correct-fact", replacement={"kind": "estimate", **estimate(400)}, **correction)
    assert str(desk.claim().damages_estimated("GBP")) == "GBP 400.00"


def test_an_estimate_is_not_corrected_below_a_payment_on_its_way(desk: Desk) -> None:
    version = desk.told("set-estimate", estimates=[estimate(500)]).data["version"]
    desk.told("request-payment", **payment(400))
    again = {"kind": "estimate", **estimate(399)}
    refused = desk.ask("correct-fact", version=version, replacement=again, why="typo")
    assert refused.code == "E417"


def test_a_settlement_dated_back_does_not_leave_a_later_offer_open(desk: Desk) -> None:
    first = desk.today.isoformat()
    desk.wait(days=2)
    desk.told("make-offer", offer_id="O1", terms=part36(5, desk.today))
    agreed = {"damages": damages(5), "costs_terms": "inclusive"}
    assert desk.ask("agree-settlement", **agreed, effective_on=first).code == "E417"
    desk.told("agree-settlement", **agreed)
    assert not list(desk.claim().offers.live_on(desk.today))


# --- repeats, batches, other writers -------------------------------------------------------------


def test_a_repeat_gets_its_first_answer_whatever_has_happened_since(desk: Desk) -> None:
    body = desk.body("set-estimate", claim="C1", estimates=[estimate(500)], expected_version=3)
    first = desk.send(body)[0]
    assert first.accepted
    desk.told("set-estimate", estimates=[estimate(600)])
    desk.wait(days=40)
    assert desk.send(body, body) == [first, first]


def test_a_batch_is_judged_in_order_each_on_what_the_one_before_left(desk: Desk) -> None:
    bodies = [
        desk.body("set-estimate", claim="C1", estimates=[estimate(500)]),
        desk.body("request-payment", claim="C1", **payment(501)),
        desk.body("request-payment", claim="C1", **payment(500)),
        desk.body("request-payment", claim="C1", **payment(1, "P2")),
        desk.body("notify-matter", claim="C2", **matter()),
        desk.body("set-estimate", claim="C2", estimates=[estimate(5)]),
    ]
    assert [receipt.code for receipt in desk.send(*bodies)] == ["", "E204", "", "E204", "", "E311"]


def test_a_repeat_within_a_batch_is_one_command(desk: Desk) -> None:
    body = desk.body("set-estimate", claim="C1", estimates=[estimate(500)])
    other = {**body, "estimates": [estimate(501)]}
    receipts = desk.send(body, body, other)
    assert receipts[0] == receipts[1]
    assert [receipt.code for receipt in receipts] == ["", "", "E702"]
    assert [receipt.repeated for receipt in receipts] == [False, True, False]
    assert desk.claim().damages_estimated("GBP").minor == 50_000


def test_the_clock_of_a_stream_never_runs_back(desk: Desk) -> None:
    """I36."""
    desk.told("set-estimate", estimates=[estimate(500)])
    desk.now -= timedelta(hours=5)
    desk.told("set-estimate", estimates=[estimate(600)])
    recorded = [record.envelope.recorded_at for record in desk.history("claim-C1")]
    assert recorded == sorted(recorded)


class Meddled:
    """A store in which another writer is always quicker, some times over, or that is away."""

    def __init__(self, desk: Desk, moves: int = 0, away: bool = False) -> None:
        self.desk, self.moves, self.away = desk, moves, away

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        if self.away:
            raise StoreUnavailable("it is away")
        return self.desk.store.answered(command_ids)

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        return self.desk.store.load(streams)

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        return self.desk.store.heads(streams)

    def append(self, batch: Batch) -> Sequence[bytes]:
        if self.moves:
            self.moves -= 1
            raise Moved
        return self.desk.store.append(batch)


def test_commands_whose_refusals_are_privileged_are_commands() -> None:
    assert set(REFUSED_PRIVILEGE) <= set(command_types())


def test_a_command_is_judged_again_when_another_writer_was_quicker(desk: Desk) -> None:
    desk.ledger = Ledger(Meddled(desk, moves=2), lambda: desk.now)
    desk.told("set-estimate", estimates=[estimate(500)])


def test_a_command_that_is_always_overtaken_is_answered_and_may_be_sent_again(desk: Desk) -> None:
    body = desk.body("set-estimate", claim="C1", estimates=[estimate(500)])
    before = desk.lengths()
    desk.ledger = Ledger(Meddled(desk, moves=TRIES_MAX + 1), lambda: desk.now)
    assert desk.send(body)[0].code == "E604"
    assert desk.lengths() == before
    assert desk.send(body)[0].accepted


def test_nothing_on_a_file_is_done_before_an_earlier_command_of_its_batch(desk: Desk) -> None:
    bodies = [
        desk.body("set-estimate", claim="C1", estimates=[estimate(500)]),
        desk.body("notify-matter", claim="C2", **matter()),
        desk.body("set-estimate", claim="C1", estimates=[estimate(600)]),
    ]
    desk.ledger = Ledger(Meddled(desk, moves=TRIES_MAX + 1), lambda: desk.now)
    assert [each.code for each in desk.send(*bodies)] == ["E604", "", "E604"]
    assert [each.code for each in desk.send(*bodies)] == ["", "", ""]
    assert desk.claim().damages_estimated("GBP").minor == 60_000


def test_a_store_that_is_away_is_said_and_the_command_may_be_sent_again(desk: Desk) -> None:
    body = desk.body("set-estimate", claim="C1", estimates=[estimate(500)])
    store = Meddled(desk, away=True)
    desk.ledger = Ledger(store, lambda: desk.now)
    receipts = desk.send(body, body)
    assert [(each.code, each.data["kept_in"]) for each in receipts] == [("E603", "")] * 2
    store.away = False
    assert desk.send(body)[0].accepted


def test_a_file_holds_so_many_facts_and_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "STREAM_FACTS_MAX", 4)
    both = [estimate(5), estimate(5, DEFENCE)]
    assert desk.ask("set-estimate", estimates=both).code == "E602"
    desk.told("set-estimate", estimates=both[:1])
    assert desk.ask("set-estimate", estimates=[estimate(6)]).code == "E602"
