"""What every store promises: one suite, run for memory and for PostgreSQL."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from commands.ports import Answer, Batch, Moved, Store, ToStore
from domain.errors import DamagedFact, NameTooNew, UnknownName
from domain.schema import chain_start, digest
from edge.postgres.connections import Role
from edge.store.memory_store import MemoryStore
from edge.store.postgres_store import PostgresStore
from tests.edge.store.facts import NOON, Writer, answer_of, body_of, chained, merged
from tests.edge.store.threads import together
from tests.postgres_fixtures import Database


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database: Database = request.getfixturevalue("database")
    with PostgresStore(database.conninfo(Role.WRITER)) as postgres_store:
        yield postgres_store


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store)


def test_what_was_appended_is_loaded(store: Store, writer: Writer) -> None:
    batch = writer.batch("claim-1", 3)
    writer.append(batch)
    history = store.load(["claim-1"])["claim-1"]
    assert [record.envelope.version for record in history] == [1, 2, 3]
    assert [record.digest for record in history] == [digest(fact.state) for fact in batch.facts]
    assert [record.position for record in history] == sorted(r.position for r in history)
    assert history[0].envelope.previous == chain_start("claim-1")
    assert history[2].envelope.previous == history[1].digest


def test_a_stream_without_a_fact_has_an_empty_history(store: Store) -> None:
    assert store.load(["claim-1"]) == {"claim-1": []}


def test_nothing_asked_is_nothing_answered(store: Store) -> None:
    assert store.load([]) == {}
    assert store.answered([]) == {}
    assert store.heads([]) == {}


def test_a_stream_that_is_asked_for_twice_is_loaded_once(store: Store, writer: Writer) -> None:
    writer.write("claim-1", 2)
    assert len(store.load(["claim-1", "claim-1"])["claim-1"]) == 2


def test_many_streams_are_loaded_together(store: Store, writer: Writer) -> None:
    for number in range(5):
        writer.write(f"claim-{number}", number + 1)
    loaded = store.load([f"claim-{number}" for number in range(5)])
    assert [len(history) for history in loaded.values()] == [1, 2, 3, 4, 5]


def test_a_name_that_begins_like_another_is_another_stream(store: Store, writer: Writer) -> None:
    writer.write("claim-1", 1)
    writer.write("claim-10", 2)
    assert len(store.load(["claim-1"])["claim-1"]) == 1


def test_a_head_is_the_last_fact_of_a_stream_that_has_one(store: Store, writer: Writer) -> None:
    writer.write("claim-1", 3)
    last = store.load(["claim-1"])["claim-1"][-1]
    heads = store.heads(["claim-1", "claim-2"])
    assert list(heads) == ["claim-1"]
    head = heads["claim-1"]
    assert (head.version, head.digest) == (3, last.digest)
    assert head.recorded_at == last.envelope.recorded_at


def test_a_receipt_is_made_of_the_positions_and_kept(store: Store, writer: Writer) -> None:
    (receipt,) = writer.append(writer.batch("claim-1", 2, "command-a"))
    history = store.load(["claim-1"])["claim-1"]
    told = [fact["position"] for fact in json.loads(receipt)["facts"]]
    assert told == [record.position for record in history]
    kept = store.answered(["command-a", "command-b"])
    assert list(kept) == ["command-a"]
    assert (kept["command-a"].receipt, kept["command-a"].body_sha256) == (
        receipt,
        body_of("command-a"),
    )


def test_the_receipts_of_a_batch_come_in_the_order_of_its_answers(
    store: Store, writer: Writer
) -> None:
    batch = merged(*(writer.batch(f"claim-{n}", n, f"command-{n}") for n in (3, 1, 2)))
    receipts = [json.loads(receipt) for receipt in store.append(batch)]
    assert [receipt["command_id"] for receipt in receipts] == [
        "command-3",
        "command-1",
        "command-2",
    ]
    assert [len(receipt["facts"]) for receipt in receipts] == [3, 1, 2]
    told = [fact["position"] for receipt in receipts for fact in receipt["facts"]]
    assert told == sorted(set(told))


def test_positions_go_up_from_one_append_to_the_next(writer: Writer) -> None:
    first, second = writer.write("claim-1", 2), writer.write("claim-2", 2)
    assert 0 < first[0] < first[1] < second[0] < second[1]


def test_an_answer_may_stand_without_a_fact(store: Store) -> None:
    store.append(Batch([], [answer_of("command-a", "claim-1", [])], {"claim-1": 0}))
    assert list(store.answered(["command-a"])) == ["command-a"]
    assert store.load(["claim-1"]) == {"claim-1": []}


def test_a_stream_that_was_written_meanwhile_has_moved_and_nothing_is_stored(
    store: Store, writer: Writer
) -> None:
    late = writer.batch("claim-1", 1, "command-late")
    writer.write("claim-1", 1)
    with pytest.raises(Moved):
        store.append(late)
    assert len(store.load(["claim-1"])["claim-1"]) == 1
    assert store.answered(["command-late"]) == {}


def test_a_stream_that_was_only_read_is_proved_too(store: Store, writer: Writer) -> None:
    writer.write("mandate-1", 1)
    batch = writer.batch("claim-1", 1, "command-late")
    resting = Batch(batch.facts, batch.answers, {**batch.read, "mandate-1": 1})
    writer.write("mandate-1", 1)
    with pytest.raises(Moved):
        store.append(resting)
    assert store.load(["claim-1"]) == {"claim-1": []}
    assert store.answered(["command-late"]) == {}
    store.append(Batch(batch.facts, batch.answers, {**batch.read, "mandate-1": 2}))


def test_a_stream_that_ends_in_another_fact_than_remembered_has_moved(
    store: Store, writer: Writer
) -> None:
    writer.write("mandate-1", 1)
    batch, remembered = writer.batch("claim-1", 1), store.heads(["mandate-1"])["mandate-1"]
    read = {**batch.read, "mandate-1": 1}
    with pytest.raises(Moved) as moved:
        store.append(Batch(batch.facts, batch.answers, read, {"mandate-1": "0" * 64}))
    assert list(moved.value.streams) == ["mandate-1"]
    assert store.load(["claim-1"]) == {"claim-1": []}
    store.append(Batch(batch.facts, batch.answers, read, {"mandate-1": remembered.digest}))


def test_a_stream_shorter_than_it_was_read_has_moved(store: Store) -> None:
    with pytest.raises(Moved):
        store.append(Batch([], [answer_of("command-a", "claim-1", [])], {"claim-1": 1}))


def test_a_command_answered_meanwhile_moves_the_batch_and_nothing_is_stored(
    store: Store, writer: Writer
) -> None:
    writer.write("claim-1", 1, "command-a")
    with pytest.raises(Moved):
        store.append(merged(writer.batch("claim-2"), writer.batch("claim-3", 1, "command-a")))
    assert store.load(["claim-2", "claim-3"]) == {"claim-2": [], "claim-3": []}


def test_a_batch_that_answers_a_command_twice_is_not_stored(store: Store, writer: Writer) -> None:
    batch = merged(writer.batch("claim-1", 1, "command-a"), writer.batch("claim-2", 1, "command-a"))
    with pytest.raises(Moved):
        store.append(batch)
    assert store.load(["claim-1"]) == {"claim-1": []}


def test_a_receipt_that_cannot_be_made_stores_nothing(store: Store, writer: Writer) -> None:
    def fails(_: object) -> bytes:
        raise ZeroDivisionError

    batch = writer.batch("claim-1")
    answer = Answer("command-a", body_of("command-a"), "claim-1", NOON, range(1), fails)
    with pytest.raises(ZeroDivisionError):
        store.append(Batch(batch.facts, [answer], batch.read))
    assert store.load(["claim-1"]) == {"claim-1": []}
    writer.append(batch)


@pytest.mark.parametrize("read", [{}, {"claim-1": 1}, {"claim-2": 0}])
def test_a_batch_with_a_gap_is_a_bug(store: Store, read: dict[str, int]) -> None:
    facts = chained("claim-1", 0, chain_start("claim-1"), 1, "command-a")
    with pytest.raises(ValueError, match="does not follow"):
        store.append(Batch(facts, [answer_of("command-a", "claim-1", facts)], read))


def test_an_answer_to_facts_not_in_the_batch_is_a_bug(store: Store, writer: Writer) -> None:
    batch = writer.batch("claim-1")
    answer = answer_of("command-a", "claim-1", batch.facts, range(2))
    with pytest.raises(ValueError, match="not in the batch"):
        store.append(Batch(batch.facts, [answer], batch.read))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("strategy-set.2", NameTooNew),
        ("never-heard-of.1", UnknownName),
        ("os:system", UnknownName),
        ("claim-closed.1", DamagedFact),
    ],
)
def test_reading_stops_at_a_fact_it_does_not_know_and_says_where(
    store: Store, writer: Writer, name: str, error: type[UnknownName]
) -> None:
    writer.write("claim-1", 1)
    batch = writer.batch("claim-1")
    renamed = [ToStore(fact.stream, fact.version, name, fact.state) for fact in batch.facts]
    store.append(Batch(renamed, [answer_of("command-a", "claim-1", renamed)], batch.read))
    with pytest.raises(error) as caught:
        store.load(["claim-1"])
    assert (caught.value.stream, caught.value.version, caught.value.name) == ("claim-1", 2, name)


def test_writers_who_meet_on_one_stream_leave_it_whole(store: Store) -> None:
    """Every writer judges again when the stream has moved, as the ledger does."""

    def write(name: str) -> None:
        for number in range(3):
            command_id = f"{name}-{number}"
            while True:
                history = store.load(["claim-1"])["claim-1"]
                previous = history[-1].digest if history else chain_start("claim-1")
                facts = chained("claim-1", len(history), previous, 1, command_id)
                answer = answer_of(command_id, "claim-1", facts)
                try:
                    store.append(Batch(facts, [answer], {"claim-1": len(history)}))
                except Moved:
                    continue
                break

    together([partial(write, f"writer-{n}") for n in range(8)])
    history = store.load(["claim-1"])["claim-1"]
    assert [record.envelope.version for record in history] == list(range(1, 25))
    assert len({record.envelope.command_id for record in history}) == 24
