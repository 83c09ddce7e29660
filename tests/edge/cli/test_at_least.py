"""A read that names a receipt's position: who wrote reads what they wrote, or hears why not."""

import getpass
import json
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from edge import wiring
from edge.postgres.connections import Role, conninfo_for
from edge.postgres.server import ready
from edge.store.postgres_store import PostgresStore
from tests.edge.cli.conftest import line_of, tell
from tests.edge.cli.invoking import CLAIMS, PROCESS_S_MAX, Line
from tests.edge.cli.loops import Running, held_up
from tests.edge.store.facts import Writer
from tests.postgres_fixtures import Database

READS = [
    ["history", "A-1"],
    ["caseload"],
    ["reserves"],
    ["movements", "--from", "2025-01-01", "--to", "2025-01-31"],
]


@pytest.fixture
def story(database: Database) -> Line:
    tell(database)
    return line_of(database)


@pytest.fixture
def may_not_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a login that is no member of the projector's role, and a wait that is soon over."""

    def may_not(_: object) -> bool:
        return False

    monkeypatch.setattr(wiring, "may_project", may_not)
    monkeypatch.setattr(wiring, "WAIT_S_MAX", 0.05)


def end_of(database: Database) -> int:
    with psycopg.connect(database.conninfo()) as connection:
        ((end,),) = connection.execute("SELECT max(notification_id) FROM ledger.facts").fetchall()
    return int(end)


@pytest.mark.parametrize("read", READS, ids=lambda read: read[0])
def test_a_read_at_a_position_answers_at_or_past_it(
    story: Line, database: Database, read: list[str]
) -> None:
    end = end_of(database)
    for position in (0, 1, end):
        answer = story(*read, "--at-least", str(position), "--json")
        assert (answer.code, answer.data["position"]) == (0, end)


@pytest.mark.parametrize("read", READS, ids=lambda read: read[0])
def test_a_position_beyond_the_log_is_refused_by_name(
    story: Line, database: Database, read: list[str]
) -> None:
    end = end_of(database)
    refusal = story(*read, "--at-least", str(end + 1), "--json").refused("E652", 1)
    assert refusal["evidence"] == {"asked": str(end + 1), "head": str(end)}
    assert story(*read, "--at-least", "-1").code == 2


@pytest.mark.parametrize("read", READS, ids=lambda read: read[0])
@pytest.mark.usefixtures("may_not_project")
def test_who_may_not_write_the_views_is_told_by_name_that_they_are_not_there_yet(
    story: Line, database: Database, read: list[str]
) -> None:
    end = end_of(database)
    refusal = story(*read, "--at-least", str(end), "--json").refused("E651", 1)
    assert (refusal["evidence"]["asked"], refusal["evidence"]["reached"]) == (str(end), "0")
    assert "claims run" in refusal["remedy"]


@pytest.mark.usefixtures("may_not_project")
def test_who_may_not_write_the_views_reads_them_as_they_stand(
    story: Line, database: Database
) -> None:
    story("views", "rebuild")
    end = end_of(database)
    assert story("reserves", "--at-least", str(end), "--json").data["position"] == end
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        [written] = Writer(store).write("claim-late")
    stale = story("reserves", "--json").data
    assert (stale["position"], stale["left_out"]["files"]) == (end, 1)
    story("reserves", "--at-least", str(written), "--json").refused("E651", 1)


@pytest.fixture
def guest(server_home: Path) -> tuple[Line, Line]:
    """The command line of the owner of a server, and of a login that may only read."""
    conninfo = ready(None, server_home).conninfo
    with psycopg.connect(conninfo, autocommit=True) as owner:
        owner.execute("CREATE ROLE guest LOGIN IN ROLE claims_reader")
        with (server_home / "postgresql/data/pg_ident.conf").open("a") as map_of_names:
            map_of_names.write(f'claims "{getpass.getuser()}" guest\n')
        owner.execute("SELECT pg_reload_conf()")
    return (
        Line({"CLAIMS_DSN": conninfo}),
        Line({"CLAIMS_DSN": make_conninfo(conninfo, user="guest")}),
    )


def test_a_reader_waits_for_the_projector_that_another_process_runs(
    guest: tuple[Line, Line],
) -> None:
    owner, reader = guest
    dsn = owner.environment["CLAIMS_DSN"]
    reader("run", "--json").refused("E624", 5)
    with (
        PostgresStore(conninfo_for(dsn, Role.WRITER)) as store,
        Running(owner) as running,
    ):
        running.said("caught-up")
        with held_up(dsn) as holding:
            written = Writer(store).write("x-1", 3)[-1]
            asking = subprocess.Popen(
                [str(CLAIMS), "reserves", "--at-least", str(written), "--json"],
                stdout=subprocess.PIPE,
                env=reader.whole_environment(),
            )
            holding.rollback()
        answer, _ = asking.communicate(timeout=PROCESS_S_MAX)
        assert asking.returncode == 0, answer
        assert json.loads(answer)["position"] >= written
        assert reader("reserves", "--json").data["position"] >= written
        assert running.stop() == 0
