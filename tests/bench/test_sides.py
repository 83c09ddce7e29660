"""What each side counts is what it did: read back from its database, not taken from the side."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from bench.cluster import Cluster
from bench.p1_commands import MEASUREMENT as P1
from bench.p2_callers import MEASUREMENT as P2
from bench.p3_import import MEASUREMENT as P3
from bench.p4_live_views import FIRST_PATH, PEER_EVENTS
from bench.p4_live_views import MEASUREMENT as P4
from bench.p5_rebuild import MEASUREMENT as P5
from bench.p6_replay import MEASUREMENT as P6
from bench.pairs import Measurement, Sized, measure
from bench.results import Series
from edge.postgres.server import Server

SMALL = Sized(share=0.004, pairs=2)
HELD_MB = 200
TURNS = SMALL.pairs + 1
ESTIMATES_OF_TURNS = """
SELECT count(*) FROM ledger.answers WHERE command_id LIKE 'turn-%'
AND convert_from(receipt, 'UTF8') LIKE '%"name":"estimate-set.1"%'
"""
EVENTS_AFTER_THE_FILLING = """
SELECT count(*) FROM public.claimfiles_events WHERE originator_version > 5
"""


@pytest.fixture
def cluster(postgres: Server) -> Iterator[Cluster]:
    """The run's server, without the databases that the measurement made."""
    cluster = Cluster(postgres.conninfo)
    yield cluster
    with psycopg.connect(postgres.conninfo) as connection:
        made = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^p[0-9]'")
        names = [str(name) for (name,) in made.fetchall()]
    for name in names:
        cluster.drop(name)


def taken(measurement: Measurement, cluster: Cluster) -> tuple[Series, Series]:
    """Both sides of a small measurement."""
    sides = measure(measurement, cluster, SMALL, lambda _: None)
    assert [len(side.turns) for side in sides.values()] == [SMALL.pairs] * len(sides)
    assert all(side.rss_mb > 0 for side in sides.values())
    return sides["ours"], sides["theirs"]


def counted(cluster: Cluster, name: str, query: str) -> int:
    with psycopg.connect(f"{cluster.conninfo} dbname={name}") as connection:
        ((found,),) = connection.execute(query.encode()).fetchall()
    return int(str(found))


@pytest.mark.parametrize("measurement", [P1, P2], ids=lambda each: each.key)
def test_every_command_that_is_counted_is_stored(
    measurement: Measurement, cluster: Cluster
) -> None:
    ours, theirs = taken(measurement, cluster)
    name = measurement.key.lower()
    of_each_turn = {turn.count for turn in ours.turns}
    assert len(of_each_turn) == 1
    stored = counted(cluster, f"{name}_ours", ESTIMATES_OF_TURNS)
    assert stored == TURNS * of_each_turn.pop()
    events = counted(cluster, f"{name}_theirs", EVENTS_AFTER_THE_FILLING)
    assert events >= sum(turn.count for turn in theirs.turns)
    assert events <= TURNS * max(turn.count for turn in theirs.turns)


def test_an_import_and_the_copy_beside_it_store_the_same_facts(cluster: Cluster) -> None:
    ours, theirs = taken(P3, cluster)
    assert [turn.count for turn in ours.turns] == [turn.count for turn in theirs.turns]
    differ = "SELECT count(*) FROM (TABLE ledger.facts EXCEPT TABLE ledger.copied) AS differs"
    assert counted(cluster, "p3_import", differ) == 0


def test_views_and_the_peers_view_end_where_their_logs_end(cluster: Cluster) -> None:
    ours, theirs = taken(P4, cluster)
    behind = (
        "SELECT count(*) FROM views.position, (SELECT max(notification_id) AS head"
        " FROM ledger.facts) AS log WHERE position <> head"
    )
    assert counted(cluster, "p4_ours", "SELECT count(*) FROM views.position") == len(FIRST_PATH)
    assert counted(cluster, "p4_ours", behind) == 0
    audit = "SELECT count(*) FROM views.audit"
    assert counted(cluster, "p4_ours", audit) == TURNS * ours.turns[0].count
    rows = "SELECT sum(version) FROM public.caseload"
    assert counted(cluster, "p4_theirs", rows) == TURNS * theirs.turns[0].count
    assert theirs.turns[0].count % PEER_EVENTS == 0


def test_a_rebuild_and_the_select_beside_it_read_the_same_log(cluster: Cluster) -> None:
    ours, theirs = taken(P5, cluster)
    facts = counted(cluster, "p5_log", "SELECT count(*) FROM ledger.facts")
    assert {turn.count for turn in (*ours.turns, *theirs.turns)} == {facts}


def test_replays_are_timed_one_by_one(cluster: Cluster) -> None:
    for side in taken(P6, cluster):
        assert [len(turn.latencies_ms) for turn in side.turns] == [
            turn.count for turn in side.turns
        ]


@pytest.mark.parametrize("module", ["peer_turns", "limits", "mover"])
def test_a_peer_has_none_of_the_product_in_its_memory(module: str) -> None:
    rooms = ("domain", "commands", "projections", "consumers", "replay", "edge")
    script = (
        f"import sys, bench.side, bench.{module};"
        f"print(sorted(each for each in sys.modules if each.partition('.')[0] in {rooms}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc tells what a process has resident")
def test_the_memory_of_a_side_is_not_that_of_who_started_it() -> None:
    held = bytearray(os.urandom(1)) * (HELD_MB * 2**20)
    script = "from bench.side import peak_mb; print(peak_mb())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert 0 < int(done.stdout) < HELD_MB <= len(held) // 2**20
