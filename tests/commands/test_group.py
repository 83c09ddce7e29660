"""The group commit, as stories: who shares a batch, who is turned away, what nobody pays for."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from commands import group as groups
from commands.door import read
from commands.group import GroupCommit
from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.errors import ChainBroken
from tests.commands.bodies import START, Body, matter
from tests.commands.group_stores import HeldStore

SOON_S = 20  # far more than it takes; only a test that fails waits so long
ALWAYS_S = 60.0  # a caller's patience where the test is not about it


def notify(claim: str, **fields: object) -> Body:
    """A command that opens a file of its own."""
    actor = {"person": "bob", "role": "case_manager"}
    asked = {"type": "notify-matter", "command_id": f"notify-{claim}", "actor": actor}
    return {**asked, "claim": claim, **matter(), **fields}


def ask(group: GroupCommit, body: Body) -> Receipt:
    raw = json.dumps(body).encode()
    return group.handle(read(raw), len(raw))


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "WAIT_S_MAX", ALWAYS_S)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


@pytest.fixture
def held() -> Iterator[HeldStore]:
    store = HeldStore()
    yield store
    store.gate.set()


@pytest.fixture
def group(held: HeldStore, callers: ThreadPoolExecutor) -> Iterator[GroupCommit]:
    """On the held store; closed before its callers are waited for."""
    del callers
    with GroupCommit(Ledger(held, lambda: START)) as group:
        yield group
        held.gate.set()


def one_in_flight(
    group: GroupCommit, held: HeldStore, callers: ThreadPoolExecutor
) -> "Future[Receipt]":
    """A first command that is being stored, and does not get further."""
    held.gate.clear()
    first = callers.submit(ask, group, notify("first"))
    assert held.reached.wait(SOON_S)
    return first


def queue(
    group: GroupCommit, callers: ThreadPoolExecutor, *bodies: Body
) -> "list[Future[Receipt]]":
    """Callers who wait for the next batch, in this order."""
    before, asked = group.waiting, list["Future[Receipt]"]()
    for body in bodies:
        asked.append(callers.submit(ask, group, body))
        eventually(partial(waits_with, group, len(asked) + before))
    return asked


def waits_with(group: GroupCommit, commands: int) -> bool:
    return group.waiting == commands


# --- who shares a batch --------------------------------------------------------------------------


def test_a_lone_caller_gets_what_the_ledger_answers(group: GroupCommit, held: HeldStore) -> None:
    receipt = ask(group, notify("C1"))
    assert receipt.accepted
    assert receipt.body == held.answered(["notify-C1"])["notify-C1"].receipt
    assert ask(group, notify("C1")) == receipt
    assert held.batches == [1]


def test_those_who_arrive_while_a_batch_is_stored_share_the_next(
    group: GroupCommit, held: HeldStore, callers: ThreadPoolExecutor
) -> None:
    first = one_in_flight(group, held, callers)
    others = queue(group, callers, *(notify(f"C{n}") for n in range(9)))
    held.gate.set()
    assert first.result(SOON_S).accepted
    told = [each.result(SOON_S).data for each in others]
    assert [each["stream"] for each in told] == [f"claim-C{n}" for n in range(9)]
    assert held.batches == [1, 9]


def test_a_callers_commands_stay_together_and_in_order(group: GroupCommit) -> None:
    bodies = [json.dumps(notify(claim)).encode() for claim in ("C1", "C2", "C1")]
    receipts = group.handle_many([read(body) for body in bodies], sum(map(len, bodies)))
    assert [receipt.data["stream"] for receipt in receipts] == ["claim-C1", "claim-C2", "claim-C1"]
    assert receipts[0] == receipts[2]
    assert group.handle_many([], 0) == []


def test_a_batch_holds_no_more_commands_than_it_may(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "BATCH_COMMANDS_MAX", 4)
    one_in_flight(group, held, callers)
    others = queue(group, callers, *(notify(f"C{n}") for n in range(10)))
    held.gate.set()
    assert all(each.result(SOON_S).accepted for each in others)
    assert held.batches == [1, 4, 4, 2]


def test_a_batch_holds_no_more_bytes_than_it_may(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "BATCH_BYTES_MAX", 5_000)
    one_in_flight(group, held, callers)
    long = [notify(f"C{n}", rationale="x" * 2_000) for n in range(5)]
    others = queue(group, callers, *long)
    held.gate.set()
    assert all(each.result(SOON_S).accepted for each in others)
    assert held.batches == [1, 2, 2, 1]


@pytest.mark.parametrize(
    ("commands", "size"),
    [(groups.BATCH_COMMANDS_MAX + 1, 1), (1, groups.BATCH_BYTES_MAX + 1)],
)
def test_more_than_a_batch_is_not_for_a_group(group: GroupCommit, commands: int, size: int) -> None:
    with pytest.raises(ValueError, match="a batch of their own"):
        group.handle_many([read(b"{}")] * commands, size)


# --- who is turned away --------------------------------------------------------------------------


def test_a_full_queue_is_busy_at_once_and_keeps_nothing(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "QUEUE_COMMANDS_MAX", 2)
    one_in_flight(group, held, callers)
    others = queue(group, callers, notify("C1"), notify("C2"))
    refused = ask(group, notify("C3"))  # answered while nothing gets further
    assert (refused.code, refused.data["kept_in"]) == ("E607", "")
    assert refused.data["command_id"] == "notify-C3"
    assert refused.data["evidence"]["queued"] == "2"
    held.gate.set()
    assert all(each.result(SOON_S).accepted for each in others)
    assert ask(group, notify("C3")).accepted


def test_a_queue_that_holds_enough_bytes_is_full(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "QUEUE_BYTES_MAX", 2_000)
    one_in_flight(group, held, callers)
    queue(group, callers, notify("C1", rationale="x" * 1_500))
    assert ask(group, notify("C2")).code == "E607"


@pytest.mark.parametrize(("wait_s", "hint_ms"), [(ALWAYS_S, "1500"), (1.25, "1250")])
def test_who_is_turned_away_hears_when_to_come_again_by_the_pace_and_never_past_the_wait(
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
    wait_s: float,
    hint_ms: str,
) -> None:
    monkeypatch.setattr(groups, "QUEUE_COMMANDS_MAX", 3)
    monkeypatch.setattr(groups, "PACE_WEIGHT", 1)
    moments = iter([10.0, 10.0, 10.5])  # asked, begun, and stored half a second later
    with GroupCommit(Ledger(held, lambda: START), lambda: next(moments, 11.0)) as group:
        ask(group, notify("C0"))
        held.reached.clear()
        one_in_flight(group, held, callers)
        queue(group, callers, notify("C1"), notify("C2"), notify("C3"))
        monkeypatch.setattr(groups, "WAIT_S_MAX", wait_s)
        evidence = ask(group, notify("C4")).data["evidence"]
        held.gate.set()
    assert evidence == {"queued": "3", "retry_after_ms": hint_ms}


def test_a_wait_that_is_over_says_what_is_known_and_the_same_command_may_be_sent_again(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = one_in_flight(group, held, callers)
    monkeypatch.setattr(groups, "WAIT_S_MAX", 0.01)
    queued = ask(group, notify("queued"))
    assert (queued.code, queued.data["kept_in"]) == ("E603", "")
    assert group.waiting == 0
    held.gate.set()
    assert first.result(SOON_S).accepted
    held.gate.clear()
    in_flight = ask(group, notify("in-flight"))
    assert (in_flight.code, in_flight.data["evidence"]) == ("E608", {"waited_ms": "10"})
    monkeypatch.setattr(groups, "WAIT_S_MAX", ALWAYS_S)
    held.gate.set()
    assert ask(group, notify("queued")).accepted
    assert ask(group, notify("in-flight")).accepted
    assert held.batches == [1, 1, 1]  # what was given up in the queue was never begun


def test_who_would_not_live_to_see_another_try_is_told_that_the_database_is_away(
    held: HeldStore, callers: ThreadPoolExecutor
) -> None:
    now = 0.0
    with GroupCommit(Ledger(held, lambda: START), lambda: now) as group:
        first = one_in_flight(group, held, callers)
        (early,) = queue(group, callers, notify("early"))
        now = 0.5 * ALWAYS_S
        (late,) = queue(group, callers, notify("late"))
        now = 0.7 * ALWAYS_S
        held.away = 1
        held.gate.set()
        assert first.result(SOON_S).code == "E603"
        assert early.result(SOON_S).code == "E603"
        assert late.result(SOON_S).accepted  # it had the time, and the database was back
    assert held.batches == [1]


# --- what nobody pays for ------------------------------------------------------------------------


def test_a_bad_command_costs_nobody_else(
    group: GroupCommit, held: HeldStore, callers: ThreadPoolExecutor
) -> None:
    one_in_flight(group, held, callers)
    bad = {**notify("C2"), "jurisdiction": "atlantis"}
    nameless = {**notify("C3"), "command_id": 7}
    others = queue(group, callers, notify("C1"), bad, nameless, notify("C4"))
    held.gate.set()
    codes = [each.result(SOON_S).code for each in others]
    assert codes == ["", "E102", "E102", ""]
    assert held.batches == [1, 3]


def test_a_file_that_cannot_be_read_stops_its_own_callers_only(
    group: GroupCommit, held: HeldStore, callers: ThreadPoolExecutor
) -> None:
    one_in_flight(group, held, callers)
    held.broken["claim-C2"] = ChainBroken("claim-C2", 1, "it is missing")
    one, two, three = queue(group, callers, *(notify(f"C{n}") for n in (1, 2, 3)))
    held.gate.set()
    assert one.result(SOON_S).accepted
    assert two.result(SOON_S).code == ChainBroken.code
    assert three.result(SOON_S).accepted


def test_a_bug_reaches_every_caller_it_is_about_and_the_group_goes_on(
    group: GroupCommit, held: HeldStore, callers: ThreadPoolExecutor
) -> None:
    one_in_flight(group, held, callers)
    held.broken |= {f"claim-C{n}": RuntimeError("a bug") for n in range(5)}
    others = queue(group, callers, *(notify(f"C{n}") for n in range(5)))
    held.gate.set()
    for each in others:
        with pytest.raises(RuntimeError, match="a bug"):
            each.result(SOON_S)
    held.broken.clear()
    assert ask(group, notify("C0")).accepted


# --- the end -------------------------------------------------------------------------------------


def test_closing_answers_those_who_wait_and_turns_away_who_comes_later(
    group: GroupCommit,
    held: HeldStore,
    callers: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "QUEUE_COMMANDS_MAX", 3)  # nobody else waits before it is closed
    first = one_in_flight(group, held, callers)
    others = queue(group, callers, *(notify(f"C{n}") for n in range(3)))
    closing = callers.submit(group.close)
    eventually(lambda: ask(group, notify("late")).code == "E609")
    held.gate.set()
    closing.result(SOON_S)
    assert first.result(SOON_S).accepted
    assert all(each.result(SOON_S).accepted for each in others)
    assert held.answered(["notify-late"]) == {}
    group.close()  # once more says nothing
