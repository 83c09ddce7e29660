"""`claims run`: real processes that keep views level, are stopped, and lose their database."""

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consumers.projector import PAGE_FACTS
from edge.health_door import HEALTH
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.server import reach, ready
from edge.store.connection import Statement
from edge.store.postgres_store import PostgresStore
from projections.view import views
from tests.edge.cli.conftest import line_of
from tests.edge.cli.invoking import Line
from tests.edge.cli.loops import (
    DEADLINE_S,
    Running,
    held_up,
    level,
    page_under_way,
    positions,
    until,
)
from tests.edge.cli.watched import Watched
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ledger, store

OTHERS_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
NAMES = [view.name for view in views()]


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with PostgresStore(database.conninfo(Role.WRITER)) as opened:
        yield Writer(opened)


def in_the_trail(conninfo: str) -> list[int]:
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT position FROM views.audit ORDER BY position").fetchall()
    return [position for (position,) in rows]


def test_once_it_brings_the_views_level_and_ends(claims: Line, database: Database) -> None:
    log = ledger(facts=50)
    store(database, log)
    answer = claims("run", "--once", "--json")
    assert answer.code == 0
    assert [line["event"] for line in answer.receipts] == [
        *("started", "progress", "caught-up", "stopping")
    ]
    started, progress, caught_up, stopping = answer.receipts
    assert started["views"] == progress["views"] == NAMES
    assert (progress["facts"], caught_up["facts"]) == (50, 50)
    assert {each["position"] for each in (progress, caught_up, stopping)} == {log[-1].position}
    assert positions(database.conninfo()) == dict.fromkeys(NAMES, log[-1].position)


def test_without_json_and_without_a_terminal_it_logs(claims: Line, database: Database) -> None:
    store(database, ledger(facts=5))
    answer = claims.apart("--log-json", "run", "--once")
    assert (answer.code, answer.out) == (0, "")
    told = [line.split('"event": "')[1].split('"')[0] for line in answer.err.splitlines()]
    assert told == ["started", "reading on", "caught up", "stopping"]
    assert "caught up" in claims.apart("run", "--once").err


def test_a_view_that_is_outdated_is_left_out_and_named(claims: Line, database: Database) -> None:
    assert claims("run", "--once").code == 0
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("UPDATE views.position SET version = 99 WHERE view = 'reserves'")
    log = ledger(facts=5)
    store(database, log)
    answer = claims("run", "--once", "--json")
    assert answer.code == 1
    [left_out] = [line for line in answer.receipts if line["event"] == "left-out"]
    assert (left_out["view"], left_out["code"]) == ("reserves", "E641")
    end = log[-1].position
    assert positions(database.conninfo()) == {"audit": end, "caseload": end, "reserves": 0}
    health = claims("health", "--json")
    assert (health.code, health.data["state"]) == (1, "behind")
    assert [each["view"] for each in health.data["views"] if each["left_out"]] == ["reserves"]
    assert claims("views", "rebuild", "reserves").code == 0
    assert claims("run", "--once").code == 0
    assert claims("health").code == 0


def test_what_is_committed_while_it_runs_is_in_the_views(
    claims: Line, database: Database, writer: Writer
) -> None:
    with Running(claims) as running:
        running.said("caught-up")
        written = [position for number in range(20) for position in writer.write(f"x-{number}", 3)]
        until(lambda: level(database.conninfo()), "level views")
        assert running.stop(signal.SIGINT) == 0
    assert running.events[-1] == "stopping"
    assert running.err == ""
    assert in_the_trail(database.conninfo()) == written


def test_without_any_hint_it_gets_level_by_looking(
    claims: Line, database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Statement("SELECT 'a hint that is lost'")
    monkeypatch.setattr("edge.store.recorder._HINT", lost)
    with Running(claims) as running:
        running.said("caught-up")
        writer.write("x-1")
        until(lambda: level(database.conninfo()), "level views")
        writer.write("x-1")
        until(lambda: level(database.conninfo()), "level views")
        assert running.stop() == 0
    assert len(in_the_trail(database.conninfo())) == 2


def test_a_stop_finishes_the_page_under_way_and_begins_no_other(
    claims: Line, database: Database
) -> None:
    assert claims("run", "--once").code == 0
    log = ledger(facts=3 * PAGE_FACTS)
    store(database, log)
    with held_up(database.conninfo()) as holding, Running(claims) as running:
        until(lambda: page_under_way(database.conninfo()), "a page under way")
        running.process.send_signal(signal.SIGTERM)
        holding.rollback()
        assert running.ended() == 0
    page = log[PAGE_FACTS - 1].position
    assert running.lines[-1]["event"] == "stopping"
    assert running.lines[-1]["position"] == page
    assert positions(database.conninfo()) == dict.fromkeys(NAMES, page)
    assert in_the_trail(database.conninfo()) == [each.position for each in log[:PAGE_FACTS]]


def test_a_second_signal_ends_it_at_once_with_nothing_half_done(
    claims: Line, database: Database
) -> None:
    assert claims("run", "--once").code == 0
    store(database, ledger(facts=10))
    with held_up(database.conninfo()), Running(claims) as running:
        until(lambda: page_under_way(database.conninfo()), "a page under way")
        running.process.send_signal(signal.SIGTERM)
        running.process.send_signal(signal.SIGINT)
        assert running.ended() in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert positions(database.conninfo()) == dict.fromkeys(NAMES, 0)
    assert in_the_trail(database.conninfo()) == []


def test_two_share_the_work_and_one_takes_over_when_the_other_is_killed(
    claims: Line, database: Database, writer: Writer
) -> None:
    store(database, ledger(facts=2 * PAGE_FACTS))
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("SELECT setval('ledger.position', max(notification_id)) FROM ledger.facts")
    with Running(claims) as first, Running(claims) as second:
        first.said("caught-up")
        second.said("caught-up")
        writer.write("x-1", 5)
        until(lambda: level(database.conninfo()), "level views")
        first.process.kill()
        writer.write("x-2", 5)
        until(lambda: level(database.conninfo()), "level views")
        assert second.stop() == 0
    found = in_the_trail(database.conninfo())
    assert len(found) == len(set(found)) == 2 * PAGE_FACTS + 10


def test_a_transaction_left_open_on_the_log_holds_no_view_back(
    claims: Line, database: Database, writer: Writer
) -> None:
    with psycopg.connect(database.conninfo()) as left_open:
        left_open.execute("SET idle_in_transaction_session_timeout = 0")
        left_open.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        left_open.execute("SELECT count(*) FROM ledger.facts")
        left_open.execute("SELECT nextval('ledger.position')")
        left_open.execute(
            "INSERT INTO ledger.answers (recorded_at, command_id, stream, body_sha256, receipt)"
            " VALUES (now(), 'left open', 'x-0', sha256('x'), 'x')"
        )
        writer.write("x-1", 5)
        assert claims("run", "--once").code == 0
        assert level(database.conninfo())
        left_open.rollback()


# --- what it shows --------------------------------------------------------------------------------


def test_a_supervisor_is_answered_over_http(claims: Line, database: Database) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        refusal = claims("run", "--once", "--health-port", str(port), "--json").refused("E102", 2)
        assert refusal["field"] == "--health-port"
    with Running(claims, "--health-port", str(port)) as running:
        running.said("caught-up")
        until(lambda: asked(port)[0] == 200, "a level answer")
        first = asked(port)[1]
        assert (first["state"], first["loop"]["alive"]) == ("level", True)
        until(lambda: asked(port)[1]["loop"]["turns"] > first["loop"]["turns"], "another turn")
        with held_up(database.conninfo()):
            log = ledger(facts=10)
            store(database, log)
            status, told = asked(port)
            assert (status, told["state"], told["lag"]["facts"]) == (503, "behind", 10)
            assert told["oldest_unapplied"]["position"] == log[0].position
        until(lambda: asked(port)[0] == 200, "a level answer")
        assert running.stop() == 0


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "2001:db8::1", ""])
def test_an_address_that_is_not_this_machine_s_is_what_is_refused(host: str) -> None:
    asked = ("run", "--once", "--health-port", "18080", "--health-host", host, "--json")
    refusal = Line()(*asked).refused("E102", 2)
    assert refusal["field"] == "--health-host"


def test_prometheus_is_told_what_the_views_lack(claims: Line, database: Database) -> None:
    with Watched(claims) as running:
        running.said("caught-up")
        with held_up(database.conninfo()):
            log = ledger(facts=10)
            store(database, log)
            told = running.metrics()
            assert {told["claims_views_lag_facts", name] for name in NAMES} == {10}
            assert told["claims_views_oldest_unapplied_position",] == log[0].position
            assert told["claims_views_lag_seconds",] > 0
        until(lambda: running.metric("claims_views_read_facts_total") == 10, "it has read on")
        until(lambda: running.state() == (200, "level"), "a level answer")
        assert running.metrics()["claims_views_lag_facts", NAMES[0]] == 0
        assert running.stop() == 0


def test_one_that_starts_before_its_database_waits_and_says_so(server_home: Path) -> None:
    line = Line({"CLAIMS_DSN": ready(None, server_home).conninfo})
    os.kill(postmaster(server_home), signal.SIGQUIT)
    with Watched(line) as running:
        running.said("absent")
        until(lambda: running.state() == (503, "unavailable"), "it answers")
        assert running.health()[1]["database"]["why"]
        assert running.metrics() == {("claims_views_database_up",): 0}
        reach(None, server_home)
        running.said("caught-up")
        assert running.stop() == 0
    assert running.events[:3] == ["absent", "present", "started"]


def asked(port: int) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("GET", HEALTH)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


# --- a database that goes and comes back ---------------------------------------------------------


def test_stopped_at_once_and_started_the_database_finds_the_views_level_again(
    server_home: Path,
) -> None:
    conninfo = ready(None, server_home).conninfo
    claims = Line({"CLAIMS_DSN": conninfo})
    with (
        PostgresStore(conninfo_for(conninfo, Role.WRITER)) as opened,
        Running(claims) as running,
    ):
        writer = Writer(opened)
        running.said("caught-up")
        for times in (1, 2):
            writer.write("x-1", 3)
            os.kill(postmaster(server_home), signal.SIGQUIT)  # an immediate shutdown
            running.said("lost", times)
            away = claims("health", "--json")
            assert (away.code, away.data["state"]) == (5, "unavailable")
            reach(None, server_home)
            running.said("back", times)
            until(lambda: level(conninfo), "level views")
            writer.write("x-2", 3)
            until(lambda: level(conninfo), "level views")
        assert running.stop() == 0
        assert running.events.count("lost") == running.events.count("back") == 2
    assert len(in_the_trail(conninfo)) == 12


def test_an_embedded_server_that_died_is_started_again(server_home: Path) -> None:
    with Running(Line({"CLAIMS_HOME": str(server_home)})) as running:
        running.said("caught-up")
        first = postmaster(server_home)
        os.kill(first, signal.SIGKILL)
        running.said("back")
        assert running.stop() == 0
    assert postmaster(server_home) != first


def test_a_stop_is_heard_while_the_database_is_away(server_home: Path) -> None:
    claims = Line({"CLAIMS_DSN": ready(None, server_home).conninfo})
    with Running(claims) as running:
        running.said("caught-up")
        os.kill(postmaster(server_home), signal.SIGQUIT)
        running.said("lost")
        assert running.stop() == 0
    assert running.events[-2:] == ["lost", "stopping"]


def test_each_of_its_connections_may_be_cut(
    claims: Line, database: Database, writer: Writer
) -> None:
    with Running(claims) as running, psycopg.connect(database.conninfo()) as owner:
        running.said("caught-up")
        for number in range(3):
            owner.execute(OTHERS_CUT)
            owner.rollback()
            writer.write(f"x-{number}")
            until(lambda: level(database.conninfo()), "level views")
        assert running.stop() == 0
    assert len(in_the_trail(database.conninfo())) == 3


def test_a_migration_while_it_ran_is_found_when_the_database_is_back(
    claims: Line, database: Database
) -> None:
    with Running(claims) as running:
        running.said("caught-up")
        with psycopg.connect(database.conninfo()) as owner:
            owner.execute(
                "INSERT INTO ledger.migrations (number, name, sha256)"
                " SELECT max(number) + 1, 'later', repeat('0', 64) FROM ledger.migrations"
            )
        with psycopg.connect(database.conninfo()) as owner:
            owner.execute(OTHERS_CUT)
        assert running.process.wait(DEADLINE_S) == 5
    assert running.lines[-1]["code"] == "E622"


def test_a_database_that_is_away_when_it_starts_is_said_by_name(database: Database) -> None:
    line = line_of(database)
    nowhere = Line({"CLAIMS_DSN": line.environment["CLAIMS_DSN"] + " port=1"})
    nowhere("run", "--once", "--json").refused("E617", 5)
    health = nowhere("health", "--json")
    assert (health.code, health.data["state"]) == (5, "unavailable")
    assert "away" in nowhere("health").out


def postmaster(home: Path) -> int:
    return int((home / "postgresql/data/postmaster.pid").read_text().split()[0])
