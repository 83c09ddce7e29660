"""`claims contracts` writes what messages look like, and finds a change that breaks some of it."""

import json
from pathlib import Path

import pytest

from domain.schema import NAMES
from edge.contracts.documents import documents
from tests.edge.cli.conftest import line_of, tell
from tests.edge.cli.invoking import Line
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database

NOBODY = Line()  # no ledger and no database


def older(folder: Path) -> Path:
    """Contracts of a program that knew a command more."""
    assert NOBODY("contracts", "export", str(folder)).code == 0
    told = json.loads((folder / "commands.json").read_text("utf-8"))
    told["$defs"]["set-fire.1"] = {"type": "object"}
    told["oneOf"].append({"$ref": "#/$defs/set-fire.1"})
    (folder / "commands.json").write_text(json.dumps(told), "utf-8")
    return folder


# --- without a ledger ----------------------------------------------------------------------------


def test_the_contracts_are_written_and_named(tmp_path: Path) -> None:
    answer = NOBODY("contracts", "export", str(tmp_path / "new"), "--json")
    assert answer.code == 0
    assert {Path(path).name for path in answer.data["written"]} == set(documents())
    assert str(tmp_path / "new" / "asyncapi.json") in (
        NOBODY("contracts", "export", str(tmp_path / "new")).out.replace("\n", "")
    )


def test_contracts_are_not_written_over_some_that_they_break(tmp_path: Path) -> None:
    told = NOBODY("contracts", "export", str(older(tmp_path)), "--json").refused("E750", 1)
    assert told["evidence"]["place"] == "commands.json: set-fire.1"


def test_this_program_breaks_nothing_that_is_published() -> None:
    answer = NOBODY("contracts", "check", "--no-log", "--json")
    assert (answer.code, answer.data["breaks"], answer.data["stored"]) == (0, [], [])
    assert "Compatible" in NOBODY("contracts", "check", "--no-log").out


def test_a_break_is_told_with_its_place(tmp_path: Path) -> None:
    asked = ("contracts", "check", "--no-log", "--against", str(older(tmp_path)))
    answer = NOBODY(*asked, "--json")
    assert answer.code == 1
    assert answer.data["breaks"] == [
        {"where": "commands.json: set-fire.1", "why": "it was taken out"}
    ]
    assert "set-fire.1" in NOBODY(*asked).out


def test_a_folder_without_contracts_is_refused_by_name(tmp_path: Path) -> None:
    asked = ("contracts", "check", "--no-log", "--against", str(tmp_path), "--json")
    NOBODY(*asked).refused("E751", 1)


# --- against the log -----------------------------------------------------------------------------


def test_every_kind_of_fact_in_the_log_is_read(told: Line) -> None:
    answer = told("contracts", "check", "--json")
    assert (answer.code, answer.data["unreadable"]) == (0, 0)
    held = {each["name"]: each["facts"] for each in answer.data["stored"]}
    assert set(held) <= set(NAMES)
    assert sum(held.values()) == told("verify", "--json").data["facts"]
    assert f"{len(held)} kinds of fact" in told("contracts", "check").out.replace("\n", " ")


def test_an_empty_log_holds_nothing_to_be_read(claims: Line) -> None:
    answer = claims("contracts", "check", "--json")
    assert (answer.code, answer.data["stored"]) == (0, [])


@pytest.mark.parametrize(
    ("change", "name", "code"),
    [
        ("topic = 'estimate-set.2'", "estimate-set.2", "E802"),
        ("topic = 'estimate-guessed.1'", "estimate-guessed.1", "E801"),
        ("state = '{}'", "estimate-set.1", "E803"),
    ],
)
def test_a_kind_of_fact_that_this_program_cannot_read_is_found(
    database: Database, change: str, name: str, code: str
) -> None:
    tell(database)
    altered(database, f"UPDATE ledger.facts SET {change} WHERE topic = 'estimate-set.1'")  # noqa: S608 - the test's own
    answer = line_of(database)("contracts", "check", "--json")
    assert (answer.code, answer.data["unreadable"], answer.data["breaks"]) == (4, 1, [])
    (found,) = [each for each in answer.data["stored"] if each["code"]]
    assert (found["name"], found["code"]) == (name, code)
    assert found["facts"] > 1
    assert found["why"]
    assert code in line_of(database)("contracts", "check").out
