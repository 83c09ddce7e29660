"""What the doors of Kafka say of themselves, at work on a real broker and a real database."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.sources import Source
from consumers.topics import EVENTS, commands_topic
from edge.kafka.topics import topics
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.server import reach, ready
from edge.store.postgres_store import PostgresStore
from tests.brokers.broker import Broker
from tests.consumers.test_commanding_machine import carrying
from tests.edge.cli.invoking import Line
from tests.edge.cli.loops import until
from tests.edge.cli.test_running import postmaster
from tests.edge.cli.watched import Watched
from tests.edge.kafka.following import line_on, of_its_own
from tests.edge.kafka.speaking import letters, notify, opening, receipts, say
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database

CRM = commands_topic(Source.CRM)
QUICK = {"CLAIMS_KAFKA_WAIT_S": "1"}  # a broker that is away is not there a second longer either


@pytest.fixture(scope="module")
def broker(run_folder: Path) -> Iterator[Broker]:
    """A broker of this module's own, with the ledger's topics."""
    with of_its_own(run_folder, "watched") as broker:
        yield broker


@pytest.fixture
def claims(broker: Broker, database: Database) -> Line:
    return line_on(broker, database.conninfo())


def of_commands(broker: Broker) -> int:
    """How many partitions hold commands."""
    ours = {commands_topic(each) for each in Source}
    return sum(each.partitions for each in topics(broker.settings()) if each.name in ours)


def held(running: Watched) -> float:
    return running.metric("claims_consumer_partitions")


def waits_for(running: Watched) -> str:
    waiting = running.health()[1]["waiting"]
    return waiting["for"] if waiting else ""


def lag(running: Watched) -> float:
    """Of all partitions, by the metrics; the health answer says the same."""
    return sum(
        value
        for (name, *_), value in running.metrics().items()
        if name == "claims_consumer_lag_messages"
    )


# --- commands -------------------------------------------------------------------------------------


def test_receipts_dead_letters_and_batches_are_counted_by_code(
    claims: Line, broker: Broker
) -> None:
    crm = broker.settings("crm")
    wrong = carrying({**notify("c-3", "C1"), "type": "approve-payment"})
    with Watched(claims, command="consume") as running:
        say(crm, CRM, [opening("c-1", "C1"), opening("c-2", "C1")])
        (place,) = say(crm, CRM, [wrong])
        receipts(crm, ["c-1", "c-2", "c-3"])
        say(crm, CRM, [opening("c-1", "C1")])
        receipts(crm, ["c-1"], each=2)
        (letter,) = letters(broker.settings("ledger"), CRM, [place])
        until(lambda: lag(running) == 0, "all committed")
        told = running.metrics()
        assert running.stop() == 0
    assert told["claims_consumer_receipts_total", "", "accepted"] == 2
    assert told["claims_consumer_receipts_total", "E411", "refused"] == 1
    assert told["claims_consumer_repeated_total",] == 1
    assert told["claims_consumer_dead_letters_total", letter.code, CRM] == 1
    assert told["claims_consumer_batch_messages_sum",] == 4
    assert told["claims_consumer_batch_seconds_count",] >= 1
    assert told["claims_consumer_waiting_seconds", "database"] == 0
    assert told["claims_consumer_stuck",] == 0


def test_its_lag_grows_while_the_database_is_away_and_falls_when_it_is_back(
    broker: Broker, server_home: Path
) -> None:
    claims = line_on(broker, ready(None, server_home).conninfo)
    crm = broker.settings("crm")
    with Watched(claims, command="consume") as running:
        until(lambda: held(running) == of_commands(broker), "all partitions, and their ends")
        assert (lag(running), running.state()) == (0, (200, "consuming"))
        os.kill(postmaster(server_home), signal.SIGQUIT)
        say(crm, CRM, [opening(f"l-{number}", f"L{number}") for number in range(20)])
        running.said("waiting")
        say(crm, CRM, [opening(f"m-{number}", f"M{number}") for number in range(40)])
        until(lambda: lag(running) == 60, "what is not even polled is counted")
        told = running.health()[1]
        assert told["waiting"]["for"] == "database"
        assert told["waiting"]["code"] == "E603"
        assert told["lag"]["messages"] == 60
        assert 0 < told["held"] < 60
        seen = told["lag"]["seconds"]
        until(lambda: running.health()[1]["lag"]["seconds"] > seen > 0, "it grows older")
        assert running.metric("claims_consumer_waiting_seconds", "database") > 0
        reach(None, server_home)
        until(lambda: lag(running) == 0, "it is level again")
        assert running.state() == (200, "consuming")
        assert running.health()[1]["lag"] == {"messages": 0, "seconds": 0.0}
        assert running.metric("claims_consumer_receipts_total", "", "accepted") == 60
        assert running.stop() == 0


def test_two_share_the_partitions_and_count_how_often_that_was_done(
    claims: Line, broker: Broker
) -> None:
    whole = of_commands(broker)
    with Watched(claims, command="consume") as first:
        until(lambda: held(first) == whole, "all partitions")
        before = first.metric("claims_consumer_rebalances_total")
        with Watched(claims, command="consume") as second:
            until(lambda: held(first) + held(second) == whole and held(second), "both hold some")
            assert first.metric("claims_consumer_rebalances_total") > before
            assert first.metric("claims_consumer_partitions_revoked_total") >= whole
            assert second.stop() == 0
        until(lambda: held(first) == whole, "all partitions again")
        assert first.stop() == 0


def test_one_that_starts_before_anybody_is_there_waits_and_says_so(
    broker: Broker, server_home: Path
) -> None:
    claims = line_on(broker, ready(None, server_home).conninfo).with_settings(**QUICK)
    os.kill(postmaster(server_home), signal.SIGQUIT)
    broker.kill()
    try:
        with Watched(claims, command="consume") as running:
            running.said("absent")
            until(lambda: running.state() == (503, "starting"), "it answers")
            assert waits_for(running) == "database"
            reach(None, server_home)
            until(lambda: waits_for(running) == "broker", "the broker is next")
            assert running.metric("claims_consumer_waiting_seconds", "broker") > 0
            broker.start()
            running.said("started")
            say(broker.settings("crm"), CRM, [opening("n-1", "N1")])
            receipts(broker.settings("crm"), ["n-1"])
            assert running.stop() == 0
    finally:
        if not broker.alive:
            broker.start()
    told = [(line["event"], line.get("code")) for line in running.lines[:5]]
    assert told == [
        *(("absent", "E617"), ("present", None), ("absent", "E771"), ("present", None)),
        ("started", None),
    ]


@pytest.mark.parametrize("command", ["consume", "relay"])
def test_a_stop_is_heard_before_anybody_is_there(
    claims: Line, broker: Broker, command: str
) -> None:
    nowhere = claims.with_settings(CLAIMS_DSN=f"{claims.environment['CLAIMS_DSN']} port=1")
    no_broker = claims.with_settings(CLAIMS_KAFKA_BOOTSTRAP="127.0.0.1:1", **QUICK)
    for line, code in ((nowhere, "E617"), (no_broker, "E771")):
        with Watched(line, command=command) as running:
            running.said("absent")
            assert running.lines[-1]["code"] == code
            assert running.stop() == 0
        assert set(running.events) <= {"absent"}


@pytest.mark.parametrize("command", ["consume", "relay"])
def test_what_only_a_person_can_mend_ends_it_at_once(claims: Line, command: str) -> None:
    dsn = claims.environment["CLAIMS_DSN"]
    for wrong, code in (
        ({"CLAIMS_DSN": f"{dsn} dbname=absent"}, "E617"),
        ({"CLAIMS_DSN": f"{dsn} user=nobody"}, "E617"),
        ({"CLAIMS_KAFKA_PASSWORD": "guessed"}, "E772"),
    ):
        answer = claims.with_settings(**wrong).apart(command, "--json")
        answer.refused(code, 5)
    half = {name: value for name, value in claims.environment.items() if "BOOTSTRAP" not in name}
    Line(half)(command, "--json").refused("E770", 2)


def test_it_ends_in_order_while_the_broker_is_away_and_does_what_is_left_afterwards(
    broker: Broker, server_home: Path
) -> None:
    claims = line_on(broker, ready(None, server_home).conninfo)
    crm = broker.settings("crm")
    with Watched(claims, command="consume") as running:
        until(lambda: held(running) == of_commands(broker), "all partitions")
        os.kill(postmaster(server_home), signal.SIGQUIT)
        say(crm, CRM, [opening("b-1", "B1")])
        running.said("waiting")
        broker.kill()
        try:
            reach(None, server_home)
            running.said("waiting", 2)  # for the topics, with an answer that is in the ledger
            assert waits_for(running) == "topics"
            assert running.stop() == 0
        finally:
            broker.start()
    assert running.lines[-1] == {**running.lines[-1], "event": "ended", "held": 1}
    with Watched(claims, command="consume") as running:
        receipts(crm, ["b-1"])
        until(lambda: running.metric("claims_consumer_repeated_total") == 1, "answered as before")
        assert running.stop() == 0


# --- facts ----------------------------------------------------------------------------------------


def test_a_relay_says_what_its_topic_lacks(
    claims: Line, broker: Broker, database: Database
) -> None:
    with (
        PostgresStore(conninfo_for(database.conninfo(), Role.WRITER)) as opened,
        Watched(claims, command="relay") as running,
    ):
        writer = Writer(opened)
        running.said("caught-up")
        assert running.state() == (200, "level")
        sent = [position for _ in range(5) for position in writer.write("w-1")]
        until(lambda: running.metric("claims_relay_published_facts_total") == 5, "five are out")
        until(lambda: running.metric("claims_relay_lag_facts") == 0, "a level topic")
        assert running.metric("claims_relay_position") == sent[-1]
        broker.kill()
        try:
            late = [position for _ in range(3) for position in writer.write("w-1")]
            running.said("lost")
            status, told = running.health()
            assert (status, told["state"], told["lost"]["for"]) == (503, "lost", "broker")
            assert (told["position"], told["lag"]["facts"]) == (sent[-1], 3)
            assert told["oldest_unsent"]["position"] == late[0]
            metrics = running.metrics()
            assert metrics["claims_relay_lag_facts",] == 3
            assert metrics["claims_relay_oldest_unsent_position",] == late[0]
            assert metrics["claims_relay_lag_seconds",] > 0
            assert metrics["claims_relay_lost_seconds",] >= 0
            assert metrics["claims_relay_failures_total", told["lost"]["code"]] == 1
        finally:
            broker.start()
        until(lambda: running.state() == (200, "level"), "level again")
        assert running.metric("claims_relay_published_facts_total") == 8
        assert running.stop() == 0


def test_of_two_relays_each_says_whose_turn_it_is(claims: Line) -> None:
    with Watched(claims, command="relay") as first:
        first.said("working")
        with Watched(claims, command="relay") as second:
            second.said("waiting")
            assert first.health()[1]["turn"] == "working"
            assert first.metric("claims_relay_working") == 1
            assert second.health()[1]["turn"] == "another works"
            assert second.metrics()["claims_relay_working",] == 0
            assert second.state() == (200, "level")
            assert first.stop() == 0
            until(lambda: second.metric("claims_relay_working") == 1, "it takes over")
            assert second.stop() == 0


def test_a_relay_without_its_database_says_so(broker: Broker, server_home: Path) -> None:
    claims = line_on(broker, ready(None, server_home).conninfo)
    with Watched(claims, command="relay") as running:
        running.said("caught-up")
        os.kill(postmaster(server_home), signal.SIGQUIT)
        running.said("lost")
        status, told = running.health()
        assert (status, told["state"], told["lost"]["for"]) == (503, "lost", "database")
        assert running.metrics()["claims_relay_database_up",] == 0
        assert ("claims_relay_lag_facts",) not in running.metrics()
        reach(None, server_home)
        until(lambda: running.state() == (200, "level"), "level again")
        assert running.stop() == 0


def test_a_replay_has_no_port_for_it_says_how_it_went_itself(claims: Line) -> None:
    replay = ("relay", "--from", "1", "--to", EVENTS, "--health-port", "8080", "--json")
    assert claims(*replay).refused("E102", 2)["field"] == "--health-port"
    alone = claims("relay", "--health-host", "127.0.0.2", "--json").refused("E102", 2)
    assert alone["field"] == "--health-host"


def test_a_relay_that_waits_for_the_broker_knows_what_its_topic_lacks(
    broker: Broker, database: Database
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER)) as opened:
        Writer(opened).write("waits-1")
    claims = line_on(broker, database.conninfo()).with_settings(**QUICK)
    broker.kill()
    try:
        with Watched(claims, command="relay") as running:
            running.said("absent")
            assert running.metric("claims_relay_database_up") == 1
            assert running.metric("claims_relay_lag_facts") > 0
            broker.start()
            running.said("caught-up")
            assert running.stop() == 0
    finally:
        if not broker.alive:
            broker.start()
