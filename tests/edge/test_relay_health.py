"""The health of a relay: what its topic lacks, whoever relays, and how its loop does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest

from consumers.pace import STUCK_S_MAX
from consumers.relaying import Lost, Pulse
from consumers.topics import EVENTS
from edge.health import Connect, Oldest
from edge.postgres.connections import Role
from edge.relay_health import UNSENT_S_MAX, Health, State, Unsent, as_data, during, unsent
from edge.starting import Absent
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ledger, store

LOG = ledger(facts=30)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEVEL = Unsent(30, 0, None, 0.0)
AWAY = Absent(database=True, code="E603", why="gone")
WORKING = Pulse(0.0, working=True)


@pytest.fixture
def connect(database: Database) -> Connect:
    store(database, LOG)
    return partial(psycopg.connect, database.conninfo(Role.READER), autocommit=True)


@pytest.fixture
def reached(database: Database) -> int:
    """The topic has ten facts of the log."""
    with psycopg.connect(database.conninfo(), autocommit=True) as owner:
        owner.execute("INSERT INTO relay.position VALUES (%s, %s)", [EVENTS, LOG[9].position])
    return LOG[9].position


def test_a_topic_that_was_never_published_to_lacks_the_whole_log(connect: Connect) -> None:
    found = unsent(connect, EVENTS, LOG[0].envelope.recorded_at)
    assert isinstance(found, Unsent)
    assert (found.position, found.lag, found.lag_s) == (0, 30, 0.0)


def test_what_a_topic_lacks_is_counted_and_its_oldest_fact_named(
    connect: Connect, reached: int
) -> None:
    lacked = LOG[10]
    at = lacked.envelope.recorded_at
    found = unsent(connect, EVENTS, at + timedelta(hours=1))
    assert found == Unsent(reached, 20, Oldest(lacked.position, lacked.envelope.stream, at), 3600.0)
    told = as_data(during(NOON, 0.0, WORKING, found, 4), EVENTS)
    assert told["position"] == reached
    assert told["lag"] == {"facts": 20, "seconds": 3600.0}
    assert told["oldest_unsent"] == {
        "position": lacked.position,
        "stream": lacked.envelope.stream,
        "recorded_at": at.isoformat(),
    }
    assert (told["turn"], told["loop"]) == ("working", {"alive": True, "facts": 4})
    assert told["state"] == "behind"


def test_a_database_that_is_away_is_an_answer(database: Database) -> None:
    nowhere = partial(psycopg.connect, database.conninfo(Role.READER) + " port=1")
    found = unsent(nowhere, EVENTS, NOON)
    assert isinstance(found, Absent)
    health = during(NOON, 0.0, WORKING, found, 0)
    assert health.state is State.LOST
    told = as_data(health, EVENTS)
    assert (told["lost"]["for"], told["lost"]["code"]) == ("database", "E603")
    assert "position" not in told


def test_behind_begins_past_its_limit() -> None:
    late = replace(LEVEL, lag=1, lag_s=UNSENT_S_MAX)
    later, unknown = replace(late, lag_s=UNSENT_S_MAX + 1), replace(late, lag_s=None)
    states = [during(NOON, 0.0, WORKING, each, 0).state for each in (LEVEL, late, later, unknown)]
    assert states == [State.LEVEL, State.LEVEL, State.BEHIND, State.BEHIND]


def test_a_broker_that_is_lost_is_told_with_since_when() -> None:
    pulse = Pulse(90.0, working=True, lost=Lost(False, "E776", "no answer"), since_s=70.0)
    health = during(NOON, 100.0, pulse, LEVEL, 0)
    assert health.state is State.LOST
    assert as_data(health, EVENTS)["lost"] == {
        "for": "broker",
        "code": "E776",
        "why": "no answer",
        "since": "2026-03-02T11:59:30+00:00",
    }


def test_a_relay_that_waits_for_another_is_well() -> None:
    health = during(NOON, 0.0, Pulse(0.0, working=False), LEVEL, 0)
    assert (health.state, health.turn) == (State.LEVEL, "another works")


def test_a_stuck_relay_is_told_even_when_nothing_is_behind() -> None:
    assert during(NOON, STUCK_S_MAX + 1, WORKING, LEVEL, 0).state is State.STUCK


def test_one_that_has_not_begun_is_starting() -> None:
    health = Health(NOON, lost=AWAY, lost_s=30.0)
    assert health.state is State.STARTING
    told = as_data(health, EVENTS)
    assert (told["turn"], told["loop"]) == ("not known", None)
    assert told["lost"]["since"] == "2026-03-02T11:59:30+00:00"
