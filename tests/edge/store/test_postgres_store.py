"""The store in PostgreSQL when several write, when the connection breaks, and when it is away."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from commands.ports import Batch, Moved, Store
from domain.errors import StoreUnavailable
from domain.schema import chain_start
from edge.postgres.connections import LIMITS, POOL_WAIT_S_MAX, Role, conninfo_for
from edge.postgres.server import reach, ready, stop
from edge.store.connection import Statement
from edge.store.errors import CommitInDoubt
from edge.store.postgres_store import LOOK_UP_LOCK_MS_MAX, PostgresLog, PostgresStore
from edge.store.recorder import APPEND_LOCK, HINTS
from edge.store.verify import verify
from tests.edge.store.facts import Writer, answer_of, chained, merged
from tests.edge.store.threads import together
from tests.edge.store.wire import Cut, Wire
from tests.postgres_fixtures import Database


@pytest.fixture
def store(database: Database) -> Iterator[PostgresStore]:
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        yield store


@pytest.fixture
def log(database: Database) -> Iterator[PostgresLog]:
    with PostgresLog(database.conninfo(Role.READER)) as log:
        yield log


@pytest.fixture
def wire(database: Database, tmp_path: Path) -> Iterator[Wire]:
    with Wire(database.conninfo(Role.WRITER), tmp_path) as wire:
        yield wire


def backend_waiting_for_the_lock(owner: psycopg.Connection[tuple[object, ...]]) -> object:
    """The process id of the one backend that waits to append, once it does."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        waiting = owner.execute(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        ).fetchone()
        if waiting is not None:
            return waiting[0]
    raise TimeoutError


def write_until_it_fits(store: Store, stream: str, command_id: str) -> None:
    """One fact, judged again whenever the stream has moved."""
    while True:
        history = store.load([stream])[stream]
        previous = history[-1].digest if history else chain_start(stream)
        facts = chained(stream, len(history), previous, 1, command_id)
        answer = answer_of(command_id, stream, facts)
        try:
            store.append(Batch(facts, [answer], {stream: len(history)}))
        except Moved:
            continue
        return


def test_twenty_writers_on_one_stream_leave_a_whole_chain(
    store: PostgresStore, log: PostgresLog
) -> None:
    def write(writer: int) -> None:
        for number in range(5):
            write_until_it_fits(store, "claim-1", f"command-{writer}-{number}")

    together(partial(write, writer) for writer in range(20))
    assert verify(log, "claim-1").facts == 100
    history = store.load(["claim-1"])["claim-1"]
    assert [record.envelope.version for record in history] == list(range(1, 101))
    assert [r.position for r in history] == sorted({r.position for r in history})


def test_a_reader_who_follows_the_log_misses_nothing(
    store: PostgresStore, log: PostgresLog
) -> None:
    seen: list[int] = []
    written: list[int] = []
    done = threading.Event()

    def write(name: str) -> None:
        writer = Writer(store)
        for number in range(40):
            written.extend(writer.write(name, 1 + number % 3, f"{name}-{number}"))

    def follow() -> None:
        last = False
        while not last:
            last = done.is_set()
            while page := log.page(seen[-1] if seen else 0, 7):
                seen.extend(record.position for record in page)

    follower = threading.Thread(target=follow)
    follower.start()
    together(partial(write, f"claim-{number}") for number in range(6))
    done.set()
    follower.join()
    assert seen == sorted(written)


def test_an_append_waits_for_the_one_before_it(store: PostgresStore, database: Database) -> None:
    writer = Writer(store)
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
        appending = threading.Thread(target=writer.write, args=("claim-1",))
        appending.start()
        backend_waiting_for_the_lock(owner)
        taken = owner.execute("SELECT is_called FROM ledger.position").fetchone()
        assert taken == (False,)  # no position is taken before the lock
        assert store.load(["claim-1"]) == {"claim-1": []}
    appending.join()
    assert len(store.load(["claim-1"])["claim-1"]) == 1


def test_an_append_that_has_moved_leaves_the_connection_fit_for_the_next(
    database: Database,
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER), size=1) as store:
        writer, late = Writer(store), Writer(store)
        batch = late.batch("claim-1", 1, "late")
        writer.write("claim-1")
        for _ in range(3):
            with pytest.raises(Moved):
                store.append(batch)
        writer.write("claim-1")
        assert len(store.load(["claim-1"])["claim-1"]) == 2


def test_a_fact_that_breaks_a_rule_of_the_table_is_a_bug_and_not_moved(
    store: PostgresStore,
) -> None:
    writer = Writer(store)
    with pytest.raises(Exception, match="originator_fits"):
        writer.write("x" * 301)


def test_a_commit_that_was_stored_is_answered_when_its_connection_breaks(wire: Wire) -> None:
    with PostgresStore(wire.conninfo) as store:
        writer = Writer(store)
        writer.write("claim-1", 1)
        batch = merged(writer.batch("claim-1", 2, "lost-1"), writer.batch("claim-2", 1, "lost-2"))
        wire.cut = Cut.AFTER
        receipts = store.append(batch)
        assert wire.cuts == 1
        kept = store.answered(["lost-1", "lost-2"])
        assert receipts == [kept["lost-1"].receipt, kept["lost-2"].receipt]
        loaded = store.load(["claim-1", "claim-2"])
        assert [len(history) for history in loaded.values()] == [3, 1]
        with pytest.raises(Moved):
            store.append(batch)


def test_a_commit_that_never_arrived_is_told_to_be_not_stored(wire: Wire) -> None:
    with PostgresStore(wire.conninfo) as store:
        batch = Writer(store).batch("claim-1", 2, "lost-1")
        wire.cut = Cut.BEFORE
        with pytest.raises(StoreUnavailable) as caught:
            store.append(batch)
        assert not isinstance(caught.value, CommitInDoubt)
        assert wire.cuts == 1
        assert store.load(["claim-1"]) == {"claim-1": []}
        assert len(store.append(batch)) == 1


def test_a_lost_commit_that_nobody_can_look_up_is_in_doubt(wire: Wire) -> None:
    with PostgresStore(wire.conninfo, size=1) as store:
        batch = Writer(store).batch("claim-1", 2, "lost-1")
        store.load(["claim-1"])  # connects
        wire.cut, wire.down = Cut.AFTER, True
        with pytest.raises(CommitInDoubt):
            store.append(batch)
        wire.down = False
        assert list(store.answered(["lost-1"])) == ["lost-1"]


def test_a_lost_commit_without_an_answer_is_in_doubt(wire: Wire) -> None:
    with PostgresStore(wire.conninfo) as store:
        batch = Writer(store).batch("claim-1", 2)
        wire.cut = Cut.AFTER
        with pytest.raises(CommitInDoubt):
            store.append(Batch(batch.facts, [], batch.read))


def test_a_backend_killed_before_the_commit_stores_nothing(
    store: PostgresStore, database: Database
) -> None:
    writer = Writer(store)
    errors: list[type[Exception]] = []

    def append() -> None:
        try:
            writer.write("claim-1", 1, "killed")
        except StoreUnavailable as error:
            errors.append(type(error))

    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
        appending = threading.Thread(target=append)
        appending.start()
        owner.execute("SELECT pg_terminate_backend(%s)", [backend_waiting_for_the_lock(owner)])
        appending.join()
    assert errors == [StoreUnavailable]
    assert store.answered(["killed"]) == {}
    writer.write("claim-1", 1, "killed")


def test_idle_connections_that_were_killed_are_not_noticed(
    store: PostgresStore, log: PostgresLog, database: Database
) -> None:
    writer = Writer(store)
    writer.write("claim-1")
    assert log.head() > 0
    with psycopg.connect(database.conninfo(), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    writer.write("claim-1")
    assert len(log.page(0, 10)) == 2


def test_a_hint_is_heard_once_facts_are_there(store: PostgresStore, database: Database) -> None:
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reader:
        reader.execute(f"LISTEN {HINTS}".encode())
        Writer(store).write("claim-1", 3)
        heard = [notify.channel for notify in reader.notifies(timeout=2, stop_after=1)]
    assert heard == [HINTS]


def test_a_hint_that_fails_does_not_fail_the_append(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.recorder._HINT", Statement("NOTIFY"))
    Writer(store).write("claim-1", 3)
    assert len(store.load(["claim-1"])["claim-1"]) == 3


def test_what_a_writer_waits_for_ends_within_two_seconds() -> None:
    limits_s = (POOL_WAIT_S_MAX, LIMITS[Role.WRITER].lock_ms_max / 1000, LOOK_UP_LOCK_MS_MAX / 1000)
    assert max(limits_s) < 2


def test_a_database_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    def require_told(ask: Callable[[], object]) -> None:
        with pytest.raises(StoreUnavailable):
            ask()

    nowhere = conninfo_for(f"host={tmp_path} dbname=claims", Role.WRITER)
    with PostgresStore(nowhere) as store, PostgresLog(nowhere) as log:
        asked: list[Callable[[], object]] = [
            lambda: store.load(["claim-1"]),
            lambda: store.answered(["command-1"]),
            lambda: store.heads(["claim-1"]),
            lambda: Writer(store).write("claim-1"),
            lambda: log.page(0, 10),
            lambda: verify(log, "claim-1"),
        ]
        together(partial(require_told, ask) for ask in asked)


def test_work_resumes_when_the_database_comes_back(server_home: Path) -> None:
    server = ready(None, server_home)
    with PostgresStore(conninfo_for(server.conninfo, Role.WRITER)) as store:
        writer = Writer(store)
        writer.write("claim-1")
        stop(server_home)
        with pytest.raises(StoreUnavailable):
            store.load(["claim-1"])
        ready(None, server_home)
        writer.write("claim-1")
        assert len(store.load(["claim-1"])["claim-1"]) == 2


def test_a_store_that_can_revive_its_database_does(server_home: Path) -> None:
    server = ready(None, server_home)
    conninfo = conninfo_for(server.conninfo, Role.WRITER)

    def revive() -> None:
        reach(None, server_home)

    with PostgresStore(conninfo, revive=revive) as store:
        writer = Writer(store)
        writer.write("claim-1")
        stop(server_home)
        deadline = time.monotonic() + 20
        while not heads_or_nothing(store):
            assert time.monotonic() < deadline
        assert store.heads(["claim-1"])["claim-1"].version == 1


def heads_or_nothing(store: PostgresStore) -> object:
    try:
        return store.heads(["claim-1"])
    except StoreUnavailable:
        return None
