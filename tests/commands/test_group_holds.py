"""What holds of the group commit, whoever asks what: each caller gets its own answer."""

import json
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from commands.door import read
from commands.group import GroupCommit
from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.schema import chain_start
from edge.store.memory_store import MemoryStore
from tests.commands.bodies import START, Body, matter
from tests.commands.group_stores import FlakyStore

CALLERS_MAX = 8
PASSING = {"E603", "E604", "E607", "E608"}  # "send the same command again"


@dataclass(frozen=True)
class Choice:
    """One command of a small world, so that callers meet: on an id, on a file, or on both."""

    number: int
    kind: str

    @property
    def body(self) -> Body:
        asked: Body = {
            "type": "notify-matter",
            "command_id": f"c-{self.number}",
            "actor": {"person": "bob", "role": "case_manager"},
            "claim": f"C-{self.number % 3}",
            **matter(),
        }
        match self.kind:
            case "good":
                return asked
            case "other":  # the same id for something else
                return {**asked, "rationale": "another one altogether"}
            case "bad":
                return {**asked, "command_id": f"bad-{self.number}", "currency": "gold"}
            case _:
                return {**asked, "command_id": None}


choices = st.builds(
    Choice, st.integers(0, 9), st.sampled_from(["good", "good", "good", "other", "bad", "nameless"])
)
asked_by_callers = st.lists(
    st.lists(st.lists(choices, min_size=1, max_size=3), max_size=4), max_size=CALLERS_MAX
)


def until_answered(group: GroupCommit, asked: list[Choice]) -> list[Receipt]:
    """As every remedy says: the same commands again, until the answer is one to keep."""
    bodies = [json.dumps(each.body).encode() for each in asked]
    while True:
        receipts = group.handle_many([read(body) for body in bodies], sum(map(len, bodies)))
        if not any(receipt.code in PASSING for receipt in receipts):
            return receipts


@given(everybody=asked_by_callers, away=st.lists(st.booleans(), max_size=12))
def test_each_caller_gets_the_one_answer_to_its_own_command(
    everybody: list[list[list[Choice]]], away: list[bool]
) -> None:
    store = FlakyStore(iter(away))
    answers: list[tuple[Choice, Receipt]] = []
    with (
        GroupCommit(Ledger(store, lambda: START)) as group,
        ThreadPoolExecutor(CALLERS_MAX) as pool,
    ):

        def ask_all(requests: list[list[Choice]]) -> None:
            for asked in requests:
                answers.extend(zip(asked, until_answered(group, asked), strict=True))

        list(pool.map(ask_all, everybody))
    store.away = iter(())
    for choice, receipt in answers:
        require_its_own(store, choice, receipt)
    require_nothing_lost_or_doubled(store, answers)


def require_its_own(store: MemoryStore, choice: Choice, receipt: Receipt) -> None:
    command_id = choice.body["command_id"] or ""
    assert receipt.data["command_id"] == command_id
    if receipt.code == "E702":
        return  # the id had been taken by another body
    if choice.kind == "nameless":
        assert receipt.code == "E102"
        assert store.answered([command_id]) == {}
        return
    assert receipt.body == store.answered([command_id])[command_id].receipt
    assert (receipt.code == "E102") == (choice.kind == "bad")


def require_nothing_lost_or_doubled(
    store: MemoryStore, answers: list[tuple[Choice, Receipt]]
) -> None:
    by_id: dict[str, set[bytes]] = defaultdict(set)
    for _, receipt in answers:
        told = receipt.data
        if told["command_id"] and receipt.code != "E702":
            by_id[told["command_id"]].add(receipt.body)
    assert all(len(bodies) == 1 for bodies in by_id.values())
    recorded = lengths(store)
    expected: dict[str, int] = defaultdict(int)
    for (body,) in by_id.values():
        told = Receipt(body).data
        accepted = told["outcome"] == "accepted"
        expected[told["stream"] if accepted else told["kept_in"]] += 1
    assert recorded == expected


def lengths(store: MemoryStore) -> Mapping[str, int]:
    """How many facts each stream has, each chain whole."""
    streams = {str(each.originator_id) for each in store.recorder.select_notifications(None, 10**6)}
    for history in store.load(streams).values():
        digest = chain_start(history[0].envelope.stream)
        for record in history:
            assert record.envelope.previous == digest
            digest = record.digest
    return {stream: len(history) for stream, history in store.load(streams).items()}
