"""The followers that the documentation shows, as processes on a real broker."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from consumers.topics import EVENTS
from edge.kafka.clients import admin
from edge.kafka.library import TopicPartition
from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresStore
from tests.brokers.broker import Broker, password_of
from tests.edge.cli.invoking import Line
from tests.edge.cli.loops import DEADLINE_S, until
from tests.edge.kafka.following import everything, line_on, with_topics
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ledger, store

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "follow-facts.md"
LINES_MAX = 30
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PRINTER, KEEPER = BLOCKS
(LOGIN,) = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def broker(own_broker: Broker) -> Broker:
    """A broker of the test's own: a follower reads all that there is."""
    with_topics(own_broker)
    return own_broker


@pytest.fixture
def claims(broker: Broker, database: Database) -> Line:
    return line_on(broker, database.conninfo())


class Follower:
    """A program of the page that runs, and the lines that it has written."""

    def __init__(self, source: str, folder: Path, broker: Broker, *arguments: str) -> None:
        login = json.loads(LOGIN) | {"sasl_plain_password": password_of("follower")}
        program = folder / "follow.py"
        program.write_text(source)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program), broker.sasl, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"KAFKA_LOGIN": json.dumps(login)},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())

    def end(self) -> None:
        """Kill it, as a crash does."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)


@contextmanager
def following(source: str, folder: Path, broker: Broker, *arguments: str) -> Generator[Follower]:
    follower = Follower(source, folder, broker, *arguments)
    try:
        yield follower
    finally:
        follower.end()


def test_the_first_has_at_most_thirty_lines() -> None:
    assert len([line for line in PRINTER.splitlines() if line]) <= LINES_MAX


def test_a_follower_in_thirty_lines_meets_each_fact_once_and_in_order(
    claims: Line, broker: Broker, database: Database, tmp_path: Path
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER)) as opened:
        writer = Writer(opened)
        for number in range(30):
            writer.write(f"claim-{number % 4}")
        assert claims.apart("relay", "--once").code == 0
        assert claims.apart("relay", "--from", "11", "--to", EVENTS).code == 0  # again
        with following(PRINTER, tmp_path, broker) as follower:
            until(lambda: len(follower.lines) >= 30, "all facts")
            writer.write("claim-0", 2)
            assert claims.apart("relay", "--once").code == 0
            until(lambda: len(follower.lines) >= 32, "the later facts")
    assert len(everything(broker.settings("follower"), EVENTS)) == 52
    met: dict[str, list[int]] = {}
    for line in follower.lines:
        stream, version, what = line.split()
        met.setdefault(stream, []).append(int(version))
        assert what == "claims.fact.strategy-set.1"
    assert met == {
        stream: list(range(1, version + 1)) for stream, (version, _) in writer.heads.items()
    }


def test_a_follower_with_a_table_goes_on_where_it_was_killed(
    claims: Line, broker: Broker, database: Database, tmp_path: Path
) -> None:
    log = ledger(facts=300)
    path = tmp_path / "reports.db"
    for part in (log[:120], log[120:200], log[200:]):
        store(database, part)
        assert claims.apart("relay", "--once").code == 0
        again = claims.apart("relay", "--from", str(part[0].position), "--to", EVENTS)
        assert again.code == 0
        known = [each.envelope for each in log if each.position <= part[-1].position]
        wanted = {each.stream: each.version for each in known}
        with following(KEEPER, tmp_path, broker, str(path), EVENTS):
            until(partial(holds, path, wanted), wanted)
    with sqlite3.connect(path) as kept:
        estimates = dict(kept.execute("SELECT claim, minor FROM estimate"))
    assert estimates == {
        each.envelope.stream: each.fact.amount.minor for each in log if hasattr(each.fact, "amount")
    }


def holds(path: Path, wanted: dict[str, int]) -> bool:
    """Whether the follower has applied these versions, each the last of its file."""
    try:
        with sqlite3.connect(path) as kept:
            return dict(kept.execute("SELECT stream, version FROM file")) == wanted
    except sqlite3.OperationalError:  # it has not begun
        return False


def test_a_follower_that_missed_facts_says_so_and_stops(
    claims: Line, broker: Broker, database: Database, tmp_path: Path
) -> None:
    log = ledger(facts=40)
    store(database, log)
    with psycopg.connect(database.conninfo()) as owner:  # as if another topic had had the first
        owner.execute("INSERT INTO relay.position VALUES (%s, %s)", [EVENTS, log[19].position])
    assert claims.apart("relay", "--once").code == 0
    follower = Follower(KEEPER, tmp_path, broker, str(tmp_path / "reports.db"), EVENTS)
    assert follower.process.wait(DEADLINE_S) == 1
    _, err = follower.process.communicate()
    assert "ask for a replay" in err


def test_a_follower_whose_place_is_deleted_says_so_and_does_not_jump_to_the_end(
    claims: Line, broker: Broker, database: Database, tmp_path: Path
) -> None:
    log = ledger(facts=40)
    path = tmp_path / "reports.db"
    store(database, log[:20])
    assert claims.apart("relay", "--once").code == 0
    wanted = {each.envelope.stream: each.envelope.version for each in log[:20]}
    with following(KEEPER, tmp_path, broker, str(path), EVENTS):
        until(partial(holds, path, wanted), wanted)
    store(database, log[20:])
    assert claims.apart("relay", "--once").code == 0
    to_their_ends = {TopicPartition(EVENTS, number): -1 for number in range(6)}
    client = admin(broker.settings())
    client.delete_records(to_their_ends)
    client.close()
    follower = Follower(KEEPER, tmp_path, broker, str(path), EVENTS)
    try:
        assert follower.process.wait(DEADLINE_S) == 1
    finally:
        follower.process.kill()
    _, err = follower.process.communicate()
    assert "ask for a replay" in err
