"""The health answer tells the truth: lag, age, quarantine, a lost database and a stuck loop."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers.projector import Projector
from consumers.running import Pulse
from edge.health import (
    BEHIND_S_MAX,
    Health,
    Standing,
    State,
    ViewHealth,
    as_data,
    health,
    standing,
)
from edge.postgres.connections import Role
from projections.view import views
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database
from tests.projections.ledgers import MemoryLog, ledger, store

LOG = ledger(facts=30)
LACKED = LOG[10]  # what a view that holds ten facts lacks first
NOW = LACKED.envelope.recorded_at + timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PULSE = Pulse(NOON, 0.0, NOON, turn_ended_at=NOON)
LEVEL = Standing(5, (ViewHealth("audit", 1, 1, 5, 0),), None, 0.0)


@pytest.fixture
def reader(database: Database) -> Iterator[Connection[Any]]:
    store(database, LOG)
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as connection:
        yield connection


@pytest.fixture
def projector(database: Database) -> Iterator[Projector]:
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
        yield Projector(MemoryLog(LOG), connection)


# --- where the views stand -----------------------------------------------------------------------


def test_level_views_lack_nothing(reader: Connection[Any], projector: Projector) -> None:
    projector.catch_up(views())
    found = standing(reader, views(), NOW)
    assert (found.head, found.lag, found.lag_s, found.oldest) == (LOG[-1].position, 0, 0.0, None)
    assert found.level


def test_the_lag_is_that_of_the_view_that_is_furthest_behind(
    reader: Connection[Any], projector: Projector
) -> None:
    projector.catch_up(views("audit", "caseload"))
    projector.catch_up(views("reserves"), until=LOG[9].position)
    found = standing(reader, views(), NOW)
    assert [(view.name, view.lag) for view in found.views] == [
        ("audit", 0),
        ("caseload", 0),
        ("reserves", 20),
    ]
    assert (found.lag, found.lag_s) == (20, 3600.0)
    assert found.oldest is not None
    assert (found.oldest.position, found.oldest.stream) == (LACKED.position, LACKED.envelope.stream)
    assert not found.level


def test_behind_begins_past_its_limit_and_a_clock_that_lies_makes_no_negative_age(
    reader: Connection[Any], projector: Projector
) -> None:
    projector.catch_up(views(), until=LOG[9].position)
    recorded_at = LACKED.envelope.recorded_at
    late = timedelta(seconds=BEHIND_S_MAX)
    assert standing(reader, views(), recorded_at + late).level
    assert not standing(reader, views(), recorded_at + late + timedelta(seconds=1)).level
    before = standing(reader, views(), recorded_at - timedelta(seconds=1))
    assert (before.lag_s, before.lag, before.level) == (0.0, 20, True)
    ahead = standing(reader, views(), recorded_at - timedelta(hours=1))  # nobody can tell how old
    assert (ahead.lag_s, ahead.lag, ahead.level) == (None, 20, False)


def test_views_that_were_never_built_lack_the_whole_log(reader: Connection[Any]) -> None:
    found = standing(reader, views(), LOG[0].envelope.recorded_at + timedelta(days=9))
    assert {(view.built, view.lag) for view in found.views} == {(0, 30)}
    assert found.oldest is not None
    assert found.oldest.position == LOG[0].position
    assert not found.level


def test_a_fact_whose_age_cannot_be_read_is_behind(
    reader: Connection[Any], projector: Projector, database: Database
) -> None:
    projector.catch_up(views(), until=LOG[9].position)
    altered(
        database,
        "UPDATE ledger.facts SET state = 'not json'::bytea WHERE notification_id ="
        " (SELECT notification_id FROM ledger.facts ORDER BY 1 OFFSET 10 LIMIT 1)",
    )
    found = standing(reader, views(), NOW)
    assert found.lag_s is None
    assert not found.level


def test_a_view_of_another_version_is_not_level_though_it_lacks_no_fact(
    reader: Connection[Any], projector: Projector
) -> None:
    projector.catch_up(views())
    audit, *others = views()
    found = standing(reader, [replace(audit, version=99), *others], NOW)
    assert [view.name for view in found.views if view.left_out] == ["audit"]
    assert not found.level


def test_parked_files_are_counted(
    reader: Connection[Any], projector: Projector, database: Database
) -> None:
    projector.catch_up(views())
    with psycopg.connect(database.conninfo(Role.PROJECTOR)) as connection:
        for view, stream in (("audit", "a"), ("audit", "b"), ("reserves", "a")):
            connection.execute(
                "INSERT INTO views.parked (view, stream, version, position, code, why)"
                " VALUES (%s, %s, 1, 1, 'E803', 'damaged')",
                [view, stream],
            )
    found = standing(reader, views(), NOW)
    assert {view.name: len(view.parked) for view in found.views} == {
        "audit": 2,
        "caseload": 0,
        "reserves": 1,
    }
    assert found.parked_files == 2  # a file parked in two views is one
    assert found.level


# --- the answer ----------------------------------------------------------------------------------


def test_a_database_that_is_away_is_an_answer(database: Database) -> None:
    nowhere = partial(psycopg.connect, database.conninfo(Role.READER) + " port=1")
    answer = health(nowhere, views(), NOON)
    assert answer.state is State.UNAVAILABLE
    told = as_data(answer)
    assert told["database"]["answers"] is False
    assert told["database"]["why"]
    lost = replace(PULSE, why_away="gone", since=NOON - timedelta(seconds=9))
    answer = health(nowhere, views(), NOON, lost)
    assert as_data(answer)["database"]["since"] == "2026-03-02T11:59:51+00:00"


def test_a_stuck_loop_is_told_even_when_nothing_is_behind() -> None:
    alive = Health(NOON, LEVEL, pulse=PULSE)
    assert alive.state is State.LEVEL
    stuck = replace(alive, stuck=True)
    assert stuck.state is State.STUCK
    loop = as_data(stuck)["loop"]
    assert (loop["alive"], loop["turn_ended_at"]) == (False, NOON.isoformat())
    assert as_data(Health(NOON, LEVEL))["loop"] is None
