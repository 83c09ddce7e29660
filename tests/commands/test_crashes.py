"""Each command has its effect once, however often the ledger dies and it comes again (I7)."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import DataObject

from commands.door import read
from commands.ledger import Ledger
from commands.ports import Answered, Batch, History
from commands.receipt import Receipt
from domain.errors import StoreUnavailable
from edge.store.errors import CommitInDoubt
from edge.store.memory_store import MemoryStore
from tests.commands.bodies import Body, Desk, estimate
from tests.commands.requests import a_request
from tests.values import pick

POINTS = ("answered", "load", "before append", "after append")


class Died(Exception):
    """The process ended here: nobody was told anything, and all it held in memory is gone."""


class MortalStore(MemoryStore):
    """What it stores outlives its processes, which may meet an error at a named point."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: tuple[str, Exception] | None = None

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        self._pass("answered")
        return super().answered(command_ids)

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        self._pass("load")
        return super().load(streams)

    def append(self, batch: Batch) -> Sequence[bytes]:
        self._pass("before append")
        receipts = super().append(batch)
        self._pass("after append")
        return receipts

    def _pass(self, point: str) -> None:
        if self.fault is not None and self.fault[0] == point:
            _, error = self.fault
            self.fault = None
            raise error


class Crashing(RuleBasedStateMachine):
    """A ledger of two processes that die and are started again, and senders that send again."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MortalStore()
        self.desk = Desk(store=self.store)
        self.other = self.started()
        self.terms_asked: dict[str, dict[str, Body]] = {}
        self.sent: dict[str, Body] = {}
        self.acknowledged: dict[str, bytes] = {}

    def started(self) -> Ledger:
        return Ledger(self.store, lambda: self.desk.now)

    @initialize()
    def people_are_employed(self) -> None:
        self.desk.employ("ann", 1_000)
        self.desk.employ("cat", 100_000)
        self.desk.opened("C1", days_ago=20)
        self.desk.told("set-estimate", "cat", estimates=[estimate(900)])

    @rule(data=st.data(), many=st.integers(1, 3), other=st.booleans())
    def something_is_asked(self, data: DataObject, many: int, other: bool) -> None:
        self.send(self.new(data, many), self.other if other else self.desk.ledger)

    @rule(data=st.data(), many=st.integers(1, 3), point=st.sampled_from(POINTS))
    def the_process_dies(self, data: DataObject, many: int, point: str) -> None:
        bodies = self.new(data, many)
        self.store.fault = (point, Died())
        try:
            self.send(bodies, self.desk.ledger)
        except Died:
            self.desk.ledger = self.started()
        self.store.fault = None

    @rule(data=st.data(), many=st.integers(1, 3), point=st.sampled_from(POINTS))
    def the_connection_is_cut(self, data: DataObject, many: int, point: str) -> None:
        bodies, doubt = self.new(data, many), point == "after append"
        self.store.fault = (point, (CommitInDoubt if doubt else StoreUnavailable)("cut"))
        self.send(bodies, self.desk.ledger)
        self.store.fault = None

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), many=st.integers(1, 4), other=st.booleans())
    def something_comes_again(self, data: DataObject, many: int, other: bool) -> None:
        bodies = [self.sent[pick(data.draw, list(self.sent))] for _ in range(many)]
        self.send(bodies, self.other if other else self.desk.ledger)

    def new(self, data: DataObject, many: int) -> list[Body]:
        bodies = [a_request(data.draw, self.desk, self.terms_asked) for _ in range(many)]
        self.sent |= {body["command_id"]: body for body in bodies}
        return bodies

    def send(self, bodies: Sequence[Body], ledger: Ledger) -> None:
        commands = [read(json.dumps(body).encode()) for body in bodies]
        for body, receipt in zip(bodies, ledger.handle_many(commands), strict=True):
            if kept(receipt):
                known = self.acknowledged.setdefault(body["command_id"], receipt.body)
                assert known == receipt.body

    @invariant()
    def every_answer_has_its_facts_and_every_fact_its_answer(self) -> None:
        facts = Counter(
            record.envelope.command_id
            for stream in self.desk.lengths()
            for record in self.desk.history(stream)
        )
        answers = self.store.answered({*self.sent, *facts})
        told = {key: facts_told(Receipt(answer.receipt)) for key, answer in answers.items()}
        assert facts == Counter(told)
        stored = {key: answer.receipt for key, answer in answers.items()}
        assert self.acknowledged.items() <= stored.items()

    def teardown(self) -> None:
        """Whatever was left in the air comes again, and then everything has its answer."""
        self.send(list(self.sent.values()), self.started())
        assert self.acknowledged.keys() == self.sent.keys()
        self.every_answer_has_its_facts_and_every_fact_its_answer()


def kept(receipt: Receipt) -> bool:
    told: dict[str, Any] = receipt.data
    return told["outcome"] == "accepted" or bool(told["kept_in"])


def facts_told(receipt: Receipt) -> int:
    told: dict[str, Any] = receipt.data
    return len(told["facts"]) if told["outcome"] == "accepted" else 1


TestCrashing = Crashing.TestCase
TestCrashing.settings = settings(
    max_examples=max(10, settings().max_examples // 5), stateful_step_count=20, deadline=None
)


def test_a_store_that_forgets_an_answer_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Crashing()
    machine.people_are_employed()
    body = machine.desk.body("set-strategy", claim="C1", objective="x", review_on="2026-12-01")
    machine.sent[body["command_id"]] = body
    machine.send([body], machine.desk.ledger)
    monkeypatch.setattr(machine.store, "_answers", {})
    with pytest.raises(AssertionError):
        machine.every_answer_has_its_facts_and_every_fact_its_answer()
