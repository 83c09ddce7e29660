"""`claims views`: where the read models stand, and building, taking back and releasing them."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from edge.postgres.connections import Role
from projections.view import views
from tests.edge.cli.conftest import line_of, tell
from tests.edge.cli.invoking import Line
from tests.edge.cli.story import Writer, as_lines
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database

NAMES = sorted(view.name for view in views())
DAY = ["--as-of", "2025-06-01", "--known-at", "2025-06-01", "--json"]


@pytest.fixture
def story(database: Database) -> Line:
    """The command line on the story, to be spoilt."""
    tell(database)
    return line_of(database)


def spoil(database: Database, name: str = "estimate-set.9", was: str = "estimate-set.1") -> None:
    """Give the third fact of A-1 a name, or give it its name back."""
    altered(
        database,
        "UPDATE ledger.facts SET topic = %s"
        " WHERE topic = %s AND originator_id = 'claim-A-1' AND originator_version = 3",
        name,
        was,
    )


def test_views_say_where_they_stand_and_are_built_again(claims: Line) -> None:
    status = claims("views", "status", "--json").data
    assert [(each["view"], each["version"], each["lag"]) for each in status] == [
        (name, 0, 0) for name in NAMES
    ]
    built = claims("views", "rebuild", "--json").data
    assert built["rebuilt"] == dict.fromkeys(NAMES, 0)
    assert (built["stopped"], built["differences"], built["parked"]) == ([], [], {})
    assert all(each["version"] for each in claims("views", "status", "--json").data)


def test_a_view_that_was_built_again_answers_as_before(story: Line) -> None:
    before = story("reserves", "--by", "line", *DAY)
    facts = story("verify", "--json").data["facts"]
    assert story("views", "rebuild", "reserves", "--json").data["rebuilt"] == {"reserves": facts}
    assert story("reserves", "--by", "line", *DAY) == before
    assert f"{facts:,} facts" in story("views", "rebuild", "audit").out


def test_facts_that_a_view_does_not_have_yet_are_counted(story: Line) -> None:
    status = story("views", "status", "--json").data
    facts = story("verify", "--json").data["facts"]
    assert {(each["lag"], each["left_out"]["files"]) for each in status} == {(facts, 5)}


def test_an_unknown_view_is_refused_with_those_there_are(claims: Line) -> None:
    refusal = claims("views", "rebuild", "colours", "--json").refused("E643", 2)
    assert refusal["evidence"]["known"] == ", ".join(NAMES)


def test_a_view_of_another_version_is_refused_until_it_is_built_again(
    story: Line, database: Database
) -> None:
    story("reserves")
    with psycopg.connect(database.conninfo(Role.PROJECTOR)) as connection:
        connection.execute("UPDATE views.position SET version = 99 WHERE view = 'reserves'")
    refusal = story("reserves", "--json").refused("E641", 5)
    assert "rebuild" in refusal["remedy"]
    assert story("views", "rebuild", "reserves").code == 0
    assert story("reserves").code == 0


# --- differences and rollback --------------------------------------------------------------------


def test_a_view_that_differs_is_shown_and_stays_until_the_difference_is_accepted(
    story: Line, database: Database
) -> None:
    right = story("reserves", *DAY).data
    with psycopg.connect(database.conninfo(Role.PROJECTOR)) as connection:
        connection.execute("UPDATE views.reserves SET estimate = estimate + 1 WHERE estimate > 0")
    wrong = story("reserves", *DAY).data
    assert wrong["totals"] != right["totals"]

    stopped = story("views", "rebuild", "reserves", "--json")
    assert stopped.code == 1
    assert stopped.data["rebuilt"] == {}
    assert stopped.data["stopped"] == ["reserves"]
    assert {each["view"] for each in stopped.data["differences"]} == {"reserves"}
    assert "reserves: checksum" in [each["what"] for each in stopped.data["differences"]]
    drawn = story("views", "rebuild", "reserves")
    assert drawn.code == 1
    assert "reserves differs from the live view" in drawn.out
    assert "--accept" in drawn.out
    assert story("reserves", *DAY).data == wrong

    assert story("views", "rebuild", "reserves", "--accept").code == 0
    assert story("reserves", *DAY).data == right
    back = story("views", "rollback", "reserves", "--json")
    assert (back.code, back.data["view"]) == (0, "reserves")
    assert story("reserves", *DAY).data == wrong
    assert "live again" in story("views", "rollback", "reserves").out
    assert story("reserves", *DAY).data == right


def test_a_view_of_which_no_build_is_kept_is_not_rolled_back(story: Line) -> None:
    story("reserves")
    story("views", "rollback", "reserves", "--json").refused("E646", 1)
    kept = {each["view"]: each["kept"] for each in story("views", "status", "--json").data}
    assert kept == dict.fromkeys(NAMES)
    story("views", "rebuild", "reserves")
    (status,) = [x for x in story("views", "status", "--json").data if x["view"] == "reserves"]
    assert status["kept"] == status["position"]


# --- parked files --------------------------------------------------------------------------------


def test_a_parked_file_is_listed_told_with_every_answer_and_released(
    story: Line, database: Database
) -> None:
    whole = story("reserves", *DAY).data
    with psycopg.connect(database.conninfo(Role.PROJECTOR)) as connection:
        for view in NAMES:
            connection.execute(f"DROP TABLE IF EXISTS views.{view}".encode())
        connection.execute("DELETE FROM views.position")
    spoil(database)
    answer = story("reserves", *DAY).data
    assert answer["totals"] != whole["totals"]
    left = answer["left_out"]
    assert (left["files"], left["parked_files"], left["unread_facts"]) == (0, 1, 1)
    assert left["parked_facts"] > 1
    waits = {"currency": "GBP", "estimate": "3000.00", "paid": "1200.00", "recovered": "500.00"}
    assert left["money"] == [waits]
    drawn = story("reserves").out
    assert "Left out: 1 parked files with" in drawn
    assert "1 of them unreadable" in drawn
    assert "GBP estimate 3,000.00, paid 1,200.00, recovered 500.00" in drawn
    assert story("caseload", *DAY).data["left_out"]["parked_files"] == 1

    story("run", "--once", "--json")
    status = story("views", "status", "--json").data
    assert [[each["file"] for each in view["parked"]] for view in status] == [["claim-A-1"]] * 3
    (parked,) = status[0]["parked"]
    assert (parked["version"], parked["code"]) == (3, "E802")
    assert parked["waiting"] == left["parked_facts"]
    assert "claim-A-1" in story("views", "status").out
    assert "estimate-set.9" in story("views", "status").out

    stays = story("views", "release", "A-1", "--json")
    assert stays.code == 1
    assert [(each["released"], each["code"]) for each in stays.data["views"]] == [
        (False, "E802")
    ] * 3
    assert "stays parked" in story("views", "release", "A-1").out

    spoil(database, "estimate-set.1", "estimate-set.9")
    goes = story("views", "release", "claim-A-1", "--json")
    assert goes.code == 0
    assert {each["facts"] for each in goes.data["views"]} == {left["parked_facts"]}
    assert story("reserves", *DAY).data == whole
    story("views", "release", "A-1", "--json").refused("E647", 1)


def test_a_file_that_cannot_be_read_costs_only_the_commands_on_it(
    story: Line, database: Database, tmp_path: Path
) -> None:
    spoil(database)
    told = Writer("late")
    for claim in ("B-91", "A-1", "B-92"):
        told.notified(claim, datetime.now(UTC).date().isoformat())
    source = tmp_path / "some.jsonl"
    source.write_bytes(as_lines(told.bodies))
    answer = story("submit", str(source))
    assert (answer.codes, answer.code) == (["", "E802", ""], 4)
