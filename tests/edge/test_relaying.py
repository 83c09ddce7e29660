"""Whose turn it is to publish: one session of the database at a time, and never back."""

from collections.abc import Iterator

import psycopg
import pytest

from consumers.relaying import LeavesAHole
from consumers.topics import EVENTS
from domain.errors import StoreUnavailable
from edge.postgres.connections import Role
from edge.relaying import IDLE_MS_MAX, RelayPosition, ReplayPosition
from edge.settings import Settings
from edge.wiring import Books, open_books
from tests.edge.cli.loops import until
from tests.postgres_fixtures import Database

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def books(database: Database) -> Iterator[Books]:
    with open_books(Settings(dsn=database.conninfo(Role.OWNER))) as opened:
        yield opened


@pytest.fixture
def first(books: Books) -> Iterator[RelayPosition]:
    made = RelayPosition(books, EVENTS)
    yield made
    made.close()


@pytest.fixture
def second(books: Books) -> Iterator[RelayPosition]:
    made = RelayPosition(books, EVENTS)
    yield made
    made.close()


def test_one_holds_the_work_until_it_gives_it_up(
    first: RelayPosition, second: RelayPosition
) -> None:
    assert (first.held(), second.held(), first.held(), second.held()) == (True, False, True, False)
    first.close()
    until(second.held, "the work of the first")
    assert not first.held()


def test_another_topic_is_other_work(books: Books, first: RelayPosition) -> None:
    other = RelayPosition(books, "claims.elsewhere")
    assert first.held()
    assert other.held()
    first.move(7)
    assert (first.position(), other.position()) == (7, 0)
    other.close()


def test_a_position_moves_forward_and_never_back(database: Database, first: RelayPosition) -> None:
    assert first.held()
    assert first.position() == 0
    first.move(5)
    first.move(5)
    first.move(9)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="does not go back to 8"):
        first.move(8)
    with psycopg.connect(database.conninfo()) as owner, pytest.raises(psycopg.IntegrityError):
        owner.execute("UPDATE relay.position SET position = 0")
    assert first.position() == 9


def test_whose_session_was_cut_moves_nothing(
    database: Database, first: RelayPosition, second: RelayPosition
) -> None:
    assert first.held()
    first.move(5)
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute(CUT)
    with pytest.raises(StoreUnavailable):
        first.move(9)
    with pytest.raises(StoreUnavailable):
        first.position()
    until(second.held, "the work of the first")
    assert second.position() == 5
    assert not first.held()


def test_one_that_is_stopped_loses_the_work_after_a_while(first: RelayPosition) -> None:
    assert first.held()
    with first._asking() as connection:  # pyright: ignore[reportPrivateUsage] - the session is what is looked at
        ((idle,),) = connection.execute("SHOW idle_session_timeout").fetchall()
    assert idle == f"{IDLE_MS_MAX // 60_000}min"


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
def test_only_who_projects_keeps_positions(database: Database, role: Role) -> None:
    with psycopg.connect(database.conninfo(role)) as connection:
        connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO relay.position VALUES ('claims.events', 1)")


def test_the_topic_of_facts_begins_with_the_first_and_any_other_where_it_likes(
    books: Books,
) -> None:
    late = ReplayPosition(books, EVENTS, 1)
    with pytest.raises(LeavesAHole):
        until(late.held, "the work")
    late.close()
    elsewhere = ReplayPosition(books, "facts-of-this-year", 1)
    until(elsewhere.held, "the work")
    elsewhere.close()


def test_a_replay_keeps_no_position_and_goes_to_work_only_where_it_leaves_no_hole(
    database: Database, books: Books, first: RelayPosition
) -> None:
    assert first.held()
    first.move(5)
    first.close()
    late = ReplayPosition(books, EVENTS, 6)
    with pytest.raises(LeavesAHole) as caught:
        until(late.held, "the work")
    assert (caught.value.kept, caught.value.asked) == (5, 7)
    late.close()
    replay = ReplayPosition(books, EVENTS, 5)
    until(replay.held, "the work")
    replay.move(40)
    assert replay.position() == 40
    replay.close()
    with psycopg.connect(database.conninfo()) as owner:
        assert owner.execute("SELECT topic, position FROM relay.position").fetchall() == [
            (EVENTS, 5)
        ]
