"""What keeps the ledger running and trusted, and how it says that something is amiss."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.edge.cli.bad_lines import estimate
from tests.edge.cli.conftest import Made, line_of, tell
from tests.edge.cli.invoking import Line
from tests.edge.cli.story import as_lines
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database


@pytest.fixture
def story(database: Database) -> Line:
    """The command line on the story, to be spoilt."""
    tell(database)
    return line_of(database)


# --- verify --------------------------------------------------------------------------------------


def test_a_whole_ledger_verifies_with_the_digest_of_each_file(told: Line) -> None:
    every = told("verify", "--json")
    assert every.code == 0
    assert every.data["broken"] == []
    assert every.data["facts"] > every.data["streams"] > 5
    one = told("verify", "A-1", "--json").data
    assert (one["facts"], one["refusals"]) == (10, 1)
    last = told("history", "A-1", "--json").data["entries"][-1]
    assert one["digest"] == last["digest"]
    assert one["digest"] in told("verify", "A-1").out
    assert "Whole" in told("verify").out


def test_an_altered_fact_is_found_and_named(story: Line, database: Database) -> None:
    altered(
        database,
        "UPDATE ledger.facts SET state = replace(convert_from(state, 'UTF8'), '400000', '40000')"
        "::bytea WHERE originator_id = 'claim-C-1' AND originator_version = 3",
    )
    every = story("verify", "--json")
    assert every.code == 4
    [broken] = every.data["broken"]
    assert broken["stream"] == "claim-C-1"
    assert broken["version"] in (3, 4)
    assert story("verify").code == 4
    assert "claim-C-1" in story("verify").out
    refusal = story("verify", "C-1", "--json").refused("E902", 4)
    assert "claim-C-1" in refusal["message"]
    assert story("verify", "A-1").code == 0


def test_a_fact_that_cannot_be_read_stops_by_name_and_says_where(
    story: Line, database: Database
) -> None:
    altered(
        database,
        "UPDATE ledger.facts SET topic = 'estimate-set.9'"
        " WHERE originator_id = 'claim-C-1' AND originator_version = 3",
    )
    refusal = story("file", "C-1", "--json").refused("E802", 4)
    assert refusal["evidence"]["version"] == "3"
    command = estimate("on-c-1", claim="C-1")
    story("submit", "-", "--json", stdin=as_lines([command])).refused("E802", 4)


# --- migrate, and a database that is not what it should be ---------------------------------------


@pytest.fixture
def bare(made: Made) -> Iterator[Line]:
    """The command line on a database without any table."""
    with made("bare", "template1") as database:
        yield line_of(database)


READING = [
    ["file", "A-1"],
    ["history", "A-1"],
    ["caseload"],
    ["reserves"],
    ["movements", "--from", "2025-01-01", "--to", "2025-01-31"],
    ["replay", "file", "A-1"],
    ["replay", "diff", "A-1", "--from-version", "1"],
    ["verify"],
    ["views", "status"],
    ["views", "rebuild"],
    ["submit", "-"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_database_that_was_not_migrated_is_refused_by_name(
    bare: Line, command: list[str]
) -> None:
    refusal = bare(*command, "--json").refused("E621", 5)
    assert "claims migrate" in refusal["remedy"]


def test_migrate_brings_a_database_up_and_then_has_nothing_to_do(bare: Line) -> None:
    applied = bare("migrate", "--json").data["applied"]
    assert applied[0] == "0001_ledger"
    assert bare("migrate", "--json").data["applied"] == []
    assert "nothing" in bare("migrate").out
    assert bare("reserves", "--json").data["totals"] == []


def test_a_migration_by_somebody_without_the_right_to_is_refused_by_name(bare: Line) -> None:
    dsn = bare.environment["CLAIMS_DSN"]
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("CREATE ROLE test_guest")
        try:
            guest = Line({"CLAIMS_DSN": make_conninfo(dsn, options="-c role=test_guest")})
            refusal = guest("migrate", "--json").refused("E624", 5)
            assert "permission denied" in refusal["message"]
        finally:
            owner.execute("DROP ROLE test_guest")


def test_a_newer_or_changed_schema_is_refused_by_name(claims: Line, database: Database) -> None:
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute("UPDATE ledger.migrations SET sha256 = repeat('0', 64) WHERE number = 1")
    claims("reserves", "--json").refused("E623", 5)
    with psycopg.connect(database.conninfo()) as owner:
        owner.execute(
            "INSERT INTO ledger.migrations (number, name, sha256)"
            " SELECT max(number) + 1, 'later', repeat('0', 64) FROM ledger.migrations"
        )
    claims("reserves", "--json").refused("E622", 5)


# --- a database that is away ---------------------------------------------------------------------


@pytest.fixture
def away() -> Line:
    """The command line with the address of a server that is not there."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    return Line({"CLAIMS_DSN": f"postgresql://ann:correct-horse@127.0.0.1:{port}/claims"})


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_database_that_is_away_is_said_at_once_and_without_its_password(
    away: Line, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr("time.sleep", wait)
    answer = away(*command, "--json")
    refusal = answer.refused("E617", 5)
    assert "127.0.0.1" in refusal["message"]
    assert "correct-horse" not in answer.out + answer.err
    assert away(*command).code == 5


def test_a_database_that_does_not_exist_is_said_by_name(claims: Line) -> None:
    dsn = make_conninfo(claims.environment["CLAIMS_DSN"], dbname="absent")
    refusal = Line({"CLAIMS_DSN": dsn})("reserves", "--json").refused("E617", 5)
    assert "absent" in refusal["message"]


def test_an_address_that_cannot_be_read_is_not_repeated() -> None:
    dsn = "postgresql//ann:correct-horse@db.example/claims"
    answer = Line({"CLAIMS_DSN": dsn})("reserves", "--json")
    answer.refused("E620", 5)
    assert "correct-horse" not in answer.out


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"CLAIMS_DNS": "host=db.example"}, "E631", "CLAIMS_DSN"),
        ({"CLAIMS_LOG_LEVEL": "loud"}, "E632", "CLAIMS_LOG_LEVEL"),
        ({"CLAIMS_LOG_JSON": "perhaps"}, "E632", "CLAIMS_LOG_JSON"),
    ],
)
@pytest.mark.parametrize("command", [["reserves"], ["submit", "-"], ["down"]], ids=" ".join)
def test_a_wrong_setting_is_refused_by_name(
    settings: dict[str, str], code: str, said: str, command: list[str]
) -> None:
    wrong = Line(settings)
    assert said in wrong(*command, "--json").refused(code, 2)["message"]
    drawn = wrong(*command)
    assert (drawn.code, drawn.out) == (2, "")
    assert code in drawn.err
    assert wrong(*command[:1], "--help").code == 0


# --- down ----------------------------------------------------------------------------------------


def test_the_embedded_server_is_started_by_the_first_command_and_stopped_by_down(
    server_home: Path,
) -> None:
    claims = Line({"CLAIMS_HOME": str(server_home)})
    told = {"home": str(server_home)}
    assert claims("down", "--json").data == told | {"was_running": False}
    assert not (server_home / "postgresql" / "data").exists()
    assert claims("reserves", "--json").data["position"] == 0
    assert claims("down", "--json").data == told | {"was_running": True}
    assert claims("down").out == "It was not running.\n"


def test_a_folder_that_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    answer = Line({"CLAIMS_HOME": str(in_the_way)})("reserves", "--json")
    assert answer.code == 5
    assert answer.data["code"] in ("E610", "E611")
