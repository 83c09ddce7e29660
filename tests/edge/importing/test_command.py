"""`claims import histories`, as a user meets it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresLog
from tests.edge.cli.invoking import Answer, Line
from tests.edge.importing.desk import HISTORY_FACTS, Desk, history, row
from tests.postgres_fixtures import Database

BAD = row("C2", "2020-03-01", "payment", amount="1e5")
IMPORT = ("import", "histories")


@pytest.fixture
def claims(database: Database) -> Iterator[Line]:
    """The command line on an empty ledger; it sets up the log, which the tests share."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Line({"CLAIMS_DSN": database.conninfo(Role.OWNER)})
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def imports(claims: Line, path: Path, *options: str | Path, who: str = "") -> Answer:
    named = ("--as", who) if who else ()
    return claims(*named, *IMPORT, str(path), *map(str, options))


def test_all_in(desk: Desk, claims: Line, database: Database) -> None:
    path = desk.file([*history("C1"), *history("C2")])
    answer = imports(claims, path, "--json", who="n.ames:case_manager:dental-1")
    assert answer.code == 0
    money = {"currency": "GBP", "paid": "1900.00", "outstanding": "0.00", "incurred": "1900.00"}
    money["recovered"] = "0.00"
    share = {"claims": 2, "rows": 10, "facts": 2 * HISTORY_FACTS, "money": [money]}
    told: dict[str, Any] = answer.data
    assert (told["imported"], told["source"]) == (share, "bordereau.csv")
    again = imports(claims, path, "--json")
    assert (again.code, again.data["already_there"]) == (0, share)
    with PostgresLog(database.conninfo(Role.READER)) as log:
        facts = log.page(0, 100)
    assert len(facts) == 2 * HISTORY_FACTS
    assert {each.envelope.actor.person for each in facts} == {"n.ames"}


def test_some_set_aside(desk: Desk, claims: Line) -> None:
    path, rejects = desk.file([*history("C1"), BAD]), desk.folder / "rejects.csv"
    options = ("--rejects", rejects, "--source", "legacy", "--currency", "ZAR")
    answer = imports(claims, path, "--json", *options)
    assert answer.code == 3
    left_out = answer.data["left_out"]
    assert (left_out["claims"], left_out["rows"], left_out["faults"]) == (1, 1, 1)
    assert left_out["first"][0]["code"] == "E103"
    assert answer.data["imported"]["money"][0]["currency"] == "ZAR"
    assert "C2,6,amount,E103" in rejects.read_text()


def test_told_to_a_person(desk: Desk, claims: Line) -> None:
    path = desk.file([*history("C1"), *([BAD] * 20)])
    tried = imports(claims, path, "--dry-run")
    assert (tried.code, "would go in" in tried.out) == (3, True)
    answer = imports(claims, path)
    assert answer.code == 3
    assert "950.00" in answer.out
    assert "E103" in answer.out
    assert "--rejects FILE" in answer.err
    assert "already there" in imports(claims, path).out


def test_processes_may_share_the_work(desk: Desk, claims: Line) -> None:
    path = desk.file([*history("C1"), *history("C2"), BAD])
    answer = imports(claims, path, "--json", "--processes", "2")
    assert (answer.code, answer.data["imported"]["claims"], answer.err) == (3, 1, "")
    assert answer.data["left_out"]["first"][0]["claim_ref"] == "C2"


def test_asked_as_a_process_of_its_own(desk: Desk, claims: Line) -> None:
    path = desk.file(history("C1"))
    answer = claims.apart(*IMPORT, str(path), "--json")
    assert (answer.code, answer.data["imported"]["claims"], answer.err) == (0, 1, "")


@pytest.mark.parametrize(
    ("content", "code"), [("", "E151"), ("claim_ref,loss\n", "E152"), (b"\x1f\x8b\x08", "E153")]
)
def test_nothing_could_be_read(desk: Desk, claims: Line, content: str | bytes, code: str) -> None:
    imports(claims, desk.file(content), "--json").refused(code, 1)


def test_a_file_that_is_not_there(desk: Desk, claims: Line) -> None:
    imports(claims, desk.folder / "none.csv", "--json").refused("E150", 1)


def test_the_file_itself_is_never_overwritten_by_its_rejects(desk: Desk, claims: Line) -> None:
    path = desk.file(history("C1"))
    before = path.read_bytes()
    imports(claims, path, "--json", "--rejects", path).refused("E102", 2)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (("--source", ""), "E102", 2),
        (("--currency", "gbp"), "E102", 2),
        (("--rejects", "/nowhere/at/all.csv"), "E157", 1),
    ],
)
def test_an_option_that_cannot_be_used(
    desk: Desk, claims: Line, options: tuple[str, ...], code: str, exit_code: int
) -> None:
    answer = imports(claims, desk.file(history("C1")), "--json", *options)
    answer.refused(code, exit_code)
