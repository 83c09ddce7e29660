"""What P9 counts is what is on the topics, and an answer that was held up is late."""

import secrets
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from bench import kafka_memory, lane, pacing
from bench.cluster import Cluster
from bench.lane import Sent
from bench.p9_kafka import MEASUREMENT
from bench.pairs import Sized, measure
from edge.kafka.clients import admin
from edge.postgres.server import Server
from tests.brokers.broker import Broker

SMALL = Sized(share=0.02, pairs=1)
HELD_UP_S = 0.5
ACCEPTED = """
SELECT split_part(command_id, '-', 1), count(*) FROM ledger.answers
WHERE command_id ~ '^(turn|paced)-' AND convert_from(receipt, 'UTF8') LIKE '%"accepted"%'
GROUP BY 1
"""
POSITION = "SELECT position - (SELECT max(notification_id) FROM ledger.facts) FROM relay.position"


@pytest.fixture
def cluster(postgres: Server) -> Iterator[Cluster]:
    cluster = Cluster(postgres.conninfo)
    yield cluster
    cluster.drop("p9_ours")


@pytest.fixture
def topics(kafka: Broker) -> list[str]:
    """Two topics of one partition, of the test's own."""
    names = [f"lane-{secrets.token_hex(4)}" for _ in range(2)]
    client = admin(kafka.settings())
    client.create_topics({each: {"num_partitions": 1} for each in names}, wait_for_metadata=True)
    client.close()
    return names


def sent(number: int) -> Sent:
    return Sent(b"key", b"value %d" % number, [("ce_id", b"id-%d" % number)])


def test_every_command_that_p9_counts_is_accepted_and_its_fact_relayed(cluster: Cluster) -> None:
    sides = measure(MEASUREMENT, cluster, SMALL, lambda _: None)
    (turn,), (moved,) = sides["ours"].turns, sides["theirs"].turns
    assert turn.count == moved.count
    assert {*turn.processes_mb} == {"consume", "relay"}
    assert sides["ours"].rss_mb == sum(turn.processes_mb.values()) > 0
    with psycopg.connect(f"{cluster.conninfo} dbname=p9_ours") as connection:
        stored: dict[str, int] = dict(connection.execute(ACCEPTED).fetchall())
        assert connection.execute(POSITION).fetchall() == [(0,)]
    assert stored == {"turn": 2 * turn.count, "paced": len(turn.latencies_ms)}


def test_memory_is_looked_at_after_every_step(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count in {"FILES_A_STEP": 20, "STEP": 40, "CHUNK": 30}.items():
        monkeypatch.setattr(kafka_memory, name, count)
    cluster = Cluster(postgres.conninfo)
    try:
        told = kafka_memory.measure(cluster, 100, lambda _: None)
    finally:
        cluster.drop("p9_memory")
    assert {*told["programs"]} == {"consume", "relay"}
    for program in told["programs"].values():
        assert len(program["looks"]) == 3
        assert program["peak"] >= program["last"] > 0


def test_what_is_put_on_a_topic_is_what_it_holds(kafka: Broker, topics: list[str]) -> None:
    lane.put(kafka.plain, topics[0], list(map(sent, range(5))))
    assert list(lane.held(kafka.plain, topics[0])) == list(map(sent, range(5)))
    with lane.counting(kafka.plain, topics) as count:
        assert count() == [5, 0]


def test_an_answer_counts_from_when_its_message_was_to_be_sent(
    kafka: Broker, topics: list[str]
) -> None:
    """Whoever answers is held up: all who were planned meanwhile have waited for it."""
    asked, answers = topics

    def answer() -> None:
        with lane.counting(kafka.plain, [asked]) as count:
            while count() != [3]:
                time.sleep(0.01)
        time.sleep(HELD_UP_S)
        lane.put(kafka.plain, answers, list(map(sent, range(3))))

    answering = threading.Thread(target=answer)
    answering.start()
    found = pacing.latencies_ms(kafka.plain, topics, list(map(sent, range(3))), per_s=1_000.0)
    answering.join()
    assert len(found) == 3
    assert min(found) > HELD_UP_S * 1_000
