"""`claims relay` on a real broker and a real database: processes that are killed, and lose both."""

import json
import os
import secrets
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from consumers.topics import EVENTS, RECEIPTS
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.server import reach, ready
from edge.store.postgres_store import PostgresStore
from tests.brokers.broker import Broker
from tests.brokers.console import consume
from tests.edge.cli.invoking import Line
from tests.edge.cli.loops import Running, page_under_way, until
from tests.edge.kafka.following import everything, facts, files, line_on, made, of_its_own
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database

POSITION = "SELECT coalesce(max(position), 0) FROM relay.position"
HEAD = "SELECT coalesce(max(notification_id), 0) FROM ledger.facts"
WAITING_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
SECRET = "tooth 36 was perforated"


@pytest.fixture(scope="module")
def broker(run_folder: Path) -> Iterator[Broker]:
    """A broker of this module's own, with the ledger's topics."""
    with of_its_own(run_folder, "relays") as broker:
        yield broker


@pytest.fixture
def claims(broker: Broker, database: Database) -> Line:
    return line_on(broker, database.conninfo())


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with PostgresStore(database.conninfo(Role.WRITER)) as opened:
        yield Writer(opened)


@pytest.fixture
def prefix() -> str:
    """How the names of a test's files begin: the topic is shared."""
    return f"claim-{secrets.token_hex(4)}-"


def written(writer: Writer, prefix: str, facts: int = 20, files: int = 3) -> dict[str, list[int]]:
    """Facts of several files, in turns; all versions of each by now."""
    for number in range(facts):
        writer.write(f"{prefix}{number % files}")
    mine = {name: head for name, (head, _) in writer.heads.items() if name.startswith(prefix)}
    return {stream: list(range(1, version + 1)) for stream, version in mine.items()}


def value(conninfo: str, query: str) -> int:
    with psycopg.connect(conninfo) as connection:
        return int(connection.execute(query.encode()).fetchall()[0][0])


def level(conninfo: str) -> bool:
    """Whether all facts are published; a database that is away says no."""
    try:
        return value(conninfo, POSITION) == value(conninfo, HEAD)
    except psycopg.OperationalError:
        return False


def test_every_fact_is_published_as_it_is_stored_and_each_file_in_order(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    expected = written(writer, prefix)
    answer = claims.apart("relay", "--once", "--json")
    assert answer.code == 0, answer.err
    assert [line["event"] for line in answer.receipts] == [
        *("started", "working", "published", "caught-up", "stopping"),
    ]
    found = facts(everything(broker.settings("follower"), EVENTS), prefix)
    assert len(found) == 20
    assert files(found) == expected
    with psycopg.connect(database.conninfo()) as owner:
        rows = owner.execute(
            "SELECT notification_id, originator_id, originator_version, topic, state"
            " FROM ledger.facts ORDER BY 1"
        ).fetchall()
    assert rows == [
        (each.position, each.stream, each.version, each.name, each.body)
        for each in sorted(found, key=lambda each: each.position)
    ]
    assert level(database.conninfo())
    again = claims.apart("relay", "--once", "--json")
    assert again.receipts[-1]["facts"] == 0


def test_what_a_label_forbids_leaves_as_a_stub_without_what_it_says(
    claims: Line, broker: Broker, prefix: str
) -> None:
    claim = f"{prefix}x".removeprefix("claim-")
    body = {
        "type": "notify-matter",
        "command_id": prefix,
        "claim": claim,
        "matter_type": "claim",
        "actor": {"person": "c.desk", "role": "customer_service"},
        "jurisdiction": "england_wales",
        "currency": "GBP",
        "allegations": SECRET,
        "event_date": "2025-03-14",
        "notified_on": datetime.now(UTC).date().isoformat(),
    }
    sent = claims.apart("submit", "-", stdin=json.dumps(body).encode())
    assert sent.code == 0, sent.out
    assert claims.apart("relay", "--once").code == 0
    records = everything(broker.settings("follower"), EVENTS)
    (found,) = facts(records, prefix)
    assert (found.version, found.withheld, found.name) == (1, "clinical", "claim-notified.1")
    whole = [part for each in records for part in (each.value, *(v for _, v in each.headers))]
    assert not any(SECRET.encode() in (part or b"") for part in whole)


def test_what_is_committed_while_it_runs_is_published_and_logged(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    with Running(claims, command="relay") as running:
        running.said("caught-up")
        expected = written(writer, prefix)
        until(lambda: level(database.conninfo()), "a level topic")
        assert running.stop() == 0
    assert running.lines[-1]["event"] == "stopping"
    assert running.lines[-1]["facts"] == 20
    assert files(facts(everything(broker.settings("follower"), EVENTS), prefix)) == expected
    logged = claims.apart("--log-json", "relay", "--once")
    told = [json.loads(line)["event"] for line in logged.err.splitlines()]
    assert told == ["relay started", "relay works", "caught up", "stopping"]
    assert logged.out == ""


def test_of_two_one_works_and_the_other_takes_over_when_it_is_killed(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    with Running(claims, command="relay") as first:
        first.said("caught-up")
        claims.apart("relay", "--once", "--json").refused_last("E780", 1)
        with Running(claims, command="relay") as second:
            second.said("waiting")
            written(writer, prefix)
            until(lambda: level(database.conninfo()), "a level topic")
            first.process.kill()
            expected = written(writer, prefix)
            until(lambda: level(database.conninfo()), "a level topic")
            assert second.stop() == 0
    assert second.events[:3] == ["started", "waiting", "working"]
    found = facts(everything(broker.settings("follower"), EVENTS), prefix)
    assert files(found) == expected


def test_killed_between_publishing_and_keeping_it_sends_again_and_leaves_nothing_out(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    written(writer, prefix, facts=1)
    assert claims.apart("relay", "--once").code == 0
    expected = written(writer, prefix, facts=19)
    with psycopg.connect(database.conninfo()) as holding:
        holding.execute("SELECT FROM relay.position FOR UPDATE")
        with Running(claims, command="relay") as running:
            until(lambda: page_under_way(database.conninfo()), "a page published and not kept")
            running.process.send_signal(signal.SIGKILL)
            running.ended()
        holding.execute(WAITING_CUT)  # else it would be kept for one that is dead
    assert claims.apart("relay", "--once").code == 0
    found = facts(everything(broker.settings("follower"), EVENTS), prefix)
    assert len(found) == 1 + 2 * 19
    assert files(found) == expected


def test_a_broker_that_is_killed_and_started_again_is_waited_for(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    with Running(claims, command="relay") as running:
        running.said("caught-up")
        written(writer, prefix)
        broker.kill()
        expected = written(writer, prefix)
        broker.start()
        until(lambda: level(database.conninfo()), "a level topic")
        assert running.stop() == 0
    found = facts(everything(broker.settings("follower"), EVENTS), prefix)
    assert files(found) == expected


def test_a_stop_is_heard_while_the_broker_is_away(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    with Running(claims, command="relay") as running:
        running.said("caught-up")
        broker.kill()
        try:
            written(writer, prefix)
            running.said("lost")
            assert running.stop() == 0
        finally:
            broker.start()
    assert running.events[-2:] == ["lost", "stopping"]
    assert not level(database.conninfo())


def test_a_database_that_goes_and_comes_back_is_waited_for(
    broker: Broker, server_home: Path, prefix: str
) -> None:
    conninfo = ready(None, server_home).conninfo
    with (
        PostgresStore(conninfo_for(conninfo, Role.WRITER)) as opened,
        Running(line_on(broker, conninfo), command="relay") as running,
    ):
        writer = Writer(opened)
        running.said("caught-up")
        written(writer, prefix)
        os.kill(postmaster(server_home), signal.SIGQUIT)  # an immediate shutdown
        running.said("lost")
        reach(None, server_home)
        running.said("back")
        expected = written(writer, prefix)
        until(lambda: level(conninfo), "a level topic")
        assert running.stop() == 0
    assert files(facts(everything(broker.settings("follower"), EVENTS), prefix)) == expected


def postmaster(home: Path) -> int:
    return int((home / "postgresql/data/postmaster.pid").read_text().split()[0])


def test_a_fact_that_cannot_be_read_stops_it_and_is_named_with_its_place(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    expected = written(writer, prefix)
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute(
            "INSERT INTO ledger.facts (originator_id, originator_version, topic, state)"
            " VALUES (%s, 1, 'strategy-set.1', '{')",
            [f"{prefix}damaged"],
        )
    written(writer, f"{prefix}later-")
    told = claims.apart("relay", "--json").refused_last("E803", 4)
    assert told["evidence"]["stream"] == f"{prefix}damaged"
    assert told["notes"] == [f"It is at position 21; {EVENTS} has all before it."]
    assert files(facts(everything(broker.settings("follower"), EVENTS), prefix)) == expected


# --- replays -------------------------------------------------------------------------------------


def test_a_replay_sends_the_log_from_a_position_to_another_topic_and_ends(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    positions = [position for _ in range(30) for position in writer.write(f"{prefix}1")]
    topic = f"replay-{secrets.token_hex(4)}"
    made(broker, topic)
    as_admin = line_on(broker, database.conninfo(), "admin")
    told = as_admin.apart("relay", "--from", str(positions[10]), "--to", topic)
    assert told.code == 0, told.err
    assert told.out == f"Sent 20 facts to {topic}, up to position {positions[-1]}.\n"
    found = [each.position for each in facts(everything(broker.settings(), topic), prefix)]
    assert found == positions[10:]
    assert value(database.conninfo(), "SELECT count(*) FROM relay.position") == 0
    lines = as_admin.apart("relay", "--from", "1", "--to", topic, "--json").receipts
    assert lines[-1]["facts"] == 30


def test_the_console_consumer_of_kafka_reads_a_fact(
    broker: Broker, database: Database, writer: Writer, prefix: str, run_folder: Path
) -> None:
    writer.write(f"{prefix}1")
    topic = f"replay-{secrets.token_hex(4)}"
    made(broker, topic)
    as_admin = line_on(broker, database.conninfo(), "admin")
    assert as_admin.apart("relay", "--from", "1", "--to", topic).code == 0
    settings = broker.settings("admin")
    ((headers, key, body),) = consume(run_folder, settings, topic, 1, "admin.console")
    assert "ce_type:claims.fact.strategy-set.1" in headers.split(",")
    assert f"ce_id:{prefix}1/1" in headers.split(",")
    assert key == f"{prefix}1"
    assert json.loads(body)["fact"]["objective"] == "objective 1"


def test_a_topic_that_was_lost_is_filled_from_the_log_while_the_relay_waits(
    claims: Line, broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    expected = written(writer, prefix)
    assert claims.apart("relay", "--once").code == 0
    with Running(claims, command="relay") as running:
        running.said("caught-up")
        claims.apart("relay", "--from", "1", "--to", EVENTS, "--json").refused_last("E780", 1)
        assert running.stop() == 0
    assert claims.apart("relay", "--from", "1", "--to", EVENTS).code == 0
    claims.apart("relay", "--from", "99", "--to", EVENTS, "--json").refused_last("E652", 1)
    found = facts(everything(broker.settings("follower"), EVENTS), prefix)
    assert len(found) == 40
    assert files(found) == expected


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (("--from", "1"), "E102", 2),
        (("--to", "elsewhere"), "E102", 2),
        (("--from", "1", "--to", ""), "E102", 2),
        (("--from", "1", "--to", RECEIPTS), "E102", 2),
        (("--from", "1", "--to", "claims.commands.bank"), "E102", 2),
        (("--from", "1", "--to", "no-such-topic"), "E774", 5),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    claims: Line, options: tuple[str, ...], code: str, exit_code: int
) -> None:
    claims.apart("relay", *options, "--json").refused(code, exit_code)


def test_with_a_wrong_password_or_once_and_without_a_broker_it_does_not_begin(claims: Line) -> None:
    nowhere = claims.with_settings(CLAIMS_KAFKA_BOOTSTRAP="127.0.0.1:1", CLAIMS_KAFKA_WAIT_S="1")
    nowhere.apart("relay", "--once", "--json").refused("E771", 5)
    stranger = claims.with_settings(CLAIMS_KAFKA_PASSWORD="guessed")
    stranger.apart("relay", "--json").refused("E772", 5)


def test_a_user_that_may_not_write_is_told_so_and_it_ends(
    broker: Broker, database: Database, writer: Writer, prefix: str
) -> None:
    writer.write(f"{prefix}1")
    as_follower = line_on(broker, database.conninfo(), "follower")
    as_follower.apart("relay", "--json").refused_last("E773", 5)
    assert value(database.conninfo(), POSITION) == 0
