"""The whole core under random commands of all sorts, by several people, good ones and bad."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import DataObject

from commands.receipt import Receipt
from domain.claim import Claim
from domain.claim.escalation import ApprovalConsumed, EscalationDecided
from domain.claim.offers import OfferMade, OfferStatus
from domain.claim.payments import PaymentApproved, PaymentIssued, PaymentVoided
from domain.claim.reserves import EstimateSet
from domain.claim.settlement import SettlementAgreed
from domain.envelope import Grounds, Recorded
from domain.schema import chain_start, digest, to_stored
from domain.terms import OfferScope
from tests.commands.bodies import DEFENCE, Body, Desk, estimate
from tests.commands.requests import CLAIMS, Asking, a_request, breakage
from tests.commands.scripts import SCRIPTS
from tests.values import pick

NEED_AUTHORITY = (OfferMade, SettlementAgreed, PaymentApproved, EstimateSet)


class Core(RuleBasedStateMachine):
    """A ledger in memory, and a model of what it may have paid."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.answered: list[tuple[Body, Receipt]] = []
        self.terms_asked: dict[str, dict[str, Body]] = {}
        self.seen: Counter[str] = Counter()  # facts already looked at, by stream
        self.last: dict[str, Recorded[Any]] = {}
        self.paid: Counter[str] = Counter()  # pence, by claim, as receipts say
        self.issued: dict[tuple[str, str], int] = {}
        self.used: set[tuple[str, str]] = set()
        self.files: dict[str, Claim] = {}

    @initialize()
    def people_are_employed(self) -> None:
        self.desk.employ("ann", 1_000)
        self.desk.employ("bob", 3_000)
        self.desk.employ("cat", 100_000)
        self.desk.opened("C1", days_ago=20)
        self.desk.told("set-estimate", "cat", estimates=[estimate(900), estimate(300, DEFENCE)])

    @rule(data=st.data())
    def one_thing_is_asked(self, data: DataObject) -> None:
        self.send([self.a_request(data)])

    @rule(data=st.data())
    def another_thing_is_asked(self, data: DataObject) -> None:
        self.send([self.a_request(data)])

    @rule(data=st.data())
    def something_is_brought_about(self, data: DataObject) -> None:
        asking = Asking(data.draw, self.desk, pick(data.draw, CLAIMS), "ann")
        bodies = pick(data.draw, SCRIPTS)(asking)
        if pick(data.draw, [True, False]):
            self.send(bodies)
        else:
            for body in bodies:
                self.send([body])

    @rule(data=st.data())
    def several_are_asked_at_once(self, data: DataObject) -> None:
        self.send([self.a_request(data) for _ in range(pick(data.draw, [2, 3, 5]))])

    @rule(data=st.data())
    def something_is_asked_badly(self, data: DataObject) -> None:
        body = breakage(data.draw, self.a_request(data))
        self.send([body])

    @rule(data=st.data(), behind=st.integers(-2, 2))
    def somebody_looked_at_another_version(self, data: DataObject, behind: int) -> None:
        body = self.a_request(data)
        stream = f"claim-{body['claim']}" if "claim" in body else f"mandate-{body['person']}"
        length = self.desk.lengths().get(stream, 0)
        version = max(0, length - behind)
        receipt = self.send([{**body, "expected_version": version}])[0]
        assert version == length or not receipt.accepted

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def something_is_asked_again(self, data: DataObject) -> None:
        again = [pick(data.draw, self.answered) for _ in range(pick(data.draw, [1, 3]))]
        before = self.desk.lengths()
        assert self.desk.send(*(body for body, _ in again)) == [receipt for _, receipt in again]
        assert self.desk.lengths() == before

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def an_id_is_used_for_another_command(self, data: DataObject) -> None:
        body, _ = pick(data.draw, self.answered)
        before = self.desk.lengths()
        receipt = self.desk.send({**body, "rationale": "another one altogether"})[0]
        assert receipt.code == "E702"
        assert self.desk.lengths() == before

    @rule(seconds=st.sampled_from([0, 60, 86_400, 5 * 86_400, 40 * 86_400, -60]))
    def time_passes_or_the_clock_is_set_back(self, seconds: int) -> None:
        self.desk.now += timedelta(seconds=seconds)

    def a_request(self, data: DataObject) -> Body:
        return a_request(data.draw, self.desk, self.terms_asked)

    def send(self, bodies: Sequence[Body]) -> list[Receipt]:
        """Send a batch, and hold the log to what its receipts say was written."""
        before = Counter(self.desk.lengths())
        receipts = self.desk.send(*bodies)
        expected = before.copy()
        for body, receipt in zip(bodies, receipts, strict=True):
            told = receipt.data
            if told["outcome"] == "accepted":
                expected[told["stream"]] += len(told["facts"])
            else:
                assert told["code"]
                assert told["remedy"]
                expected[told["kept_in"]] += 1
            self.answered.append((body, receipt))
        assert Counter(self.desk.lengths()) == expected
        return receipts

    @invariant()
    def what_was_stored_is_whole(self) -> None:
        """I36, I37, and the authority of each new fact: I12, I13, I14."""
        for stream, length in self.desk.lengths().items():
            if length == self.seen[stream]:
                continue
            history = self.desk.history(stream)
            for record in history[self.seen[stream] :]:
                self._look_at(stream, record)
            assert len(history) == length
            self.seen[stream] = length
        for claim in CLAIMS:
            self.files[claim] = self.desk.claim(claim)

    def _look_at(self, stream: str, record: Recorded[Any]) -> None:
        envelope, before = record.envelope, self.last.get(stream)
        assert envelope.version == (before.envelope.version + 1 if before else 1)
        assert envelope.previous == (before.digest if before else chain_start(stream))
        assert digest(to_stored(record)[1]) == record.digest
        if before:
            assert before.envelope.recorded_at <= envelope.recorded_at
            assert before.position < record.position
        self.last[stream] = record
        if stream.startswith("claim-"):
            self._pay(stream, record.fact)
            self._authorise(stream, record)

    def _pay(self, stream: str, fact: object) -> None:
        match fact:
            case PaymentIssued(payment_id=key, amount=amount):
                assert (stream, key) not in self.issued
                self.issued[stream, key] = amount.minor
                self.paid[stream] += amount.minor
            case PaymentVoided(payment_id=key, amount=amount):
                assert self.issued[stream, key] == amount.minor
                self.paid[stream] -= amount.minor
            case _:
                pass

    def _authorise(self, stream: str, record: Recorded[Any]) -> None:
        fact, judgement = record.fact, record.envelope.judgement
        needs = isinstance(fact, NEED_AUTHORITY) and record.envelope.corrects is None
        if needs and not (isinstance(fact, EstimateSet) and fact.amount.minor == 0):
            assert judgement.grounds is not Grounds.NOT_NEEDED
        if judgement.grounds in (Grounds.MANDATE, Grounds.APPROVAL):
            assert judgement.headroom is not None
            assert judgement.headroom.minor >= 0
            assert judgement.person == record.envelope.actor.person
        match fact:
            case PaymentApproved(payment_id=key, approved_by=person):
                payment = self.desk.claim(stream.removeprefix("claim-")).payments.by_id[key]
                assert payment.requested_by != person == record.envelope.actor.person
            case EscalationDecided(escalation_id=key, decided_by=person):
                escalations = self.desk.claim(stream.removeprefix("claim-")).escalations.by_id
                assert escalations[key].asked.asked_by != person
            case ApprovalConsumed(escalation_id=key):
                assert (stream, key) not in self.used
                self.used.add((stream, key))
            case _:
                pass

    @invariant()
    def no_money_is_lost_or_owed_twice(self) -> None:
        for name, claim in self.files.items():
            asked = {each.line for each in claim.payments.by_id.values() if each.in_progress}
            for line in asked | set(claim.reserves.lines):
                state = claim.reserves.on(line)
                assert 0 <= claim.payments.in_progress_on(line) <= state.outstanding
                assert state.paid >= 0
                if claim.lifecycle.closed_on is not None:
                    assert state.outstanding == 0
            paid = sum(state.paid for state in claim.reserves.lines.values())
            assert paid == self.paid[f"claim-{name}"]

    @invariant()
    def one_offer_is_accepted_in_each_scope(self) -> None:
        for claim in self.files.values():
            scopes = Counter(
                offer.terms.scope
                for offer in claim.offers.by_id.values()
                if offer.ended is OfferStatus.ACCEPTED
            )
            assert set(scopes.values()) <= {1}
            assert OfferScope.WHOLE_CLAIM not in scopes or len(scopes) == 1
            if claim.settlement.agreed is not None:
                assert not list(claim.offers.live_on(self.desk.today))

    def teardown(self) -> None:
        """Everything that was ever asked gets the answer it got, in one batch."""
        before = self.desk.lengths()
        again = self.desk.send(*(json.dumps(body).encode() for body, _ in self.answered))
        assert again == [receipt for _, receipt in self.answered]
        assert self.desk.lengths() == before


TestCore = Core.TestCase
TestCore.settings = settings(
    max_examples=max(10, settings().max_examples // 5), stateful_step_count=30, deadline=None
)
