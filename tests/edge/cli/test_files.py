"""A file as it stands or stood, what was recorded on it, and what changed in between."""

from typing import Any

import pytest

from edge.cli.asking import UNREADABLE
from tests.edge.cli.conftest import line_of, tell
from tests.edge.cli.invoking import Line
from tests.edge.cli.story import ODD
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database

UNKNOWN = "Z-404"


def test_a_file_answers_with_its_lines_offers_and_payments(told: Line) -> None:
    answer = told("file", "A-1", "--json").data
    assert (answer["claim"], answer["status"], answer["handler"]) == ("A-1", "open", "n.ames")
    assert answer["facts_known"] == answer["facts_standing"] == 10
    assert [(line["line"], line["outstanding"]) for line in answer["lines"]] == [
        ("damages future_treatment GBP", "18500.00"),
        ("defence_costs GBP", "1800.00"),
    ]
    assert answer["payments"] == [
        {
            "payment_id": "P-1",
            "line": "defence_costs GBP",
            "amount": "1200.00",
            "currency": "GBP",
            "status": "issued",
            "requested_by": "n.ames",
        }
    ]
    [offer] = answer["offers"]
    assert offer["gross"] == {"amount": "15000.00", "currency": "GBP"}


@pytest.mark.parametrize("command", [["file"], ["replay", "file"]])
def test_a_file_can_be_read_as_it_was_known(told: Line, command: list[str]) -> None:
    def estimate(*coordinate: str) -> str:
        answer = told(*command, "C-1", *coordinate, "--json").data
        return str(answer["lines"][0]["estimate"])

    assert estimate() == "0.00"
    assert estimate("--known-at", "2025-03-09") == "4000.00"
    assert estimate("--known-at", "2025-03-10") == "400.00"
    assert estimate("--as-of", "2025-03-09") == "400.00"


def test_a_version_a_position_and_just_before_a_fact_are_coordinates(told: Line) -> None:
    def read(*coordinate: str) -> Any:
        return told("replay", "file", "C-1", *coordinate, "--json").data

    third = read("--version", "3")
    assert third["version"] == 3
    assert third["lines"][0]["estimate"] == "4000.00"
    assert read("--before", "4") == third
    position = next(
        entry["position"]
        for entry in told("history", "C-1", "--json").data["entries"]
        if entry["version"] == 4
    )
    assert read("--position", str(position))["lines"][0]["estimate"] == "400.00"
    assert read("--position", str(position - 1))["lines"] == third["lines"]
    all_at_once = ["--version", "4", "--as-of", "2025-01-13", "--known-at", "2025-03-09"]
    assert read(*all_at_once)["lines"] == third["lines"]


@pytest.mark.parametrize(
    "coordinate",
    [
        ["--version", "0"],
        ["--version", "-1"],
        ["--version", "7"],
        ["--version", str(10**30)],
        ["--before", "0"],
        ["--before", "1"],
        ["--before", "8"],
        ["--position", "0"],
        ["--position", "-5"],
        ["--position", "99999999999999999999"],
        ["--known-at", "2025-01-12"],
        ["--as-of", "2025-01-12"],
    ],
)
def test_a_coordinate_that_the_file_does_not_have_is_refused(
    told: Line, coordinate: list[str]
) -> None:
    refusal = told("replay", "file", "C-1", *coordinate, "--json").refused("E901", 1)
    assert "C-1" in refusal["message"]


def test_a_version_and_just_before_another_exclude_each_other(told: Line) -> None:
    refusal = told("replay", "file", "C-1", "--version", "3", "--before", "2", "--json")
    assert refusal.refused("E102", 2)["field"] == "--before"
    assert told("replay", "file", "C-1", "--version", "three").code == 2


def test_a_difference_names_the_fields_and_the_facts_that_changed_them(told: Line) -> None:
    answer = told("replay", "diff", "C-1", "--from-version", "3", "--version", "4", "--json").data
    assert answer["from"] == {"version": 3}
    [change] = [each for each in answer["changes"] if each["path"].endswith(".estimate")]
    assert change == {
        "path": "reserves.lines.damages GBP.estimate",
        "before": "GBP 4000.00",
        "after": "GBP 400.00",
        "facts": [{"version": 4, "name": "estimate-set.1"}],
    }
    assert answer["hindsight"] == [{"version": 4, "name": "estimate-set.1"}]


def test_a_difference_can_begin_at_a_moment_or_a_day_and_ends_now(told: Line) -> None:
    def fields(*begins: str) -> set[str]:
        answer = told("replay", "diff", "C-1", *begins, "--json").data
        return {change["path"] for change in answer["changes"]}

    assert "lifecycle.closed_on" in fields("--from-known-at", "2025-03-31")
    assert "lifecycle.closed_on" in fields("--from-as-of", "2025-03-31")
    assert fields("--from-version", "6") == set()


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["C-1"], "E102", 2),
        (["C-1", "--from-known-at", ""], "E102", 2),
        (["C-1", "--from-as-of", "then"], "E102", 2),
        (["C-1", "--from-version", "0"], "E901", 1),
        (["C-1", "--from-version", "9"], "E901", 1),
        (["C-1", "--from-version", "2", "--version", "0"], "E901", 1),
        (["C-1", "--from-known-at", "2024-12-31"], "E901", 1),
        ([UNKNOWN, "--from-version", "1"], "E410", 1),
    ],
)
def test_a_difference_with_an_end_that_is_not_there_is_refused(
    told: Line, arguments: list[str], code: str, exit_code: int
) -> None:
    told("replay", "diff", *arguments, "--json").refused(code, exit_code)


def test_a_history_holds_every_fact_and_every_refusal(told: Line) -> None:
    answer = told("history", "A-1", "--json").data
    facts = [entry["version"] for entry in answer["entries"] if not entry["code"]]
    assert facts == list(range(1, 11))
    [refused] = [entry for entry in answer["entries"] if entry["code"]]
    assert (refused["code"], refused["command"]) == ("E301", "make-offer")
    made = next(entry for entry in answer["entries"] if entry["name"] == "offer-made.1")
    assert (made["measured"], made["authority_limit"]) == ("15000.00", "500000.00")
    assert made["headroom"] == "485000.00"


def test_a_corrected_fact_stays_and_names_what_took_its_place(told: Line) -> None:
    third, fourth = told("history", "C-1", "--json").data["entries"][2:4]
    assert third["replaced_by"] == [4]
    assert fourth["corrects"] == 3
    assert fourth["original"]["version"] == 3
    known = told("history", "C-1", "--known-at", "2025-03-09", "--json").data["entries"]
    assert [entry["replaced_by"] for entry in known] == [[], [], []]


@pytest.mark.parametrize(
    "command", [["file"], ["history"], ["verify"], ["replay", "file"]], ids=" ".join
)
def test_an_unknown_file_is_refused_by_name(told: Line, command: list[str]) -> None:
    refusal = told(*command, UNKNOWN, "--json").refused("E410", 1)
    assert refusal["evidence"] == {"claim": UNKNOWN}


@pytest.mark.parametrize("command", [["file"], ["history"], ["replay", "file"]], ids=" ".join)
def test_a_file_that_had_not_begun_is_not_an_unknown_one(told: Line, command: list[str]) -> None:
    told(*command, "A-1", "--known-at", "2025-01-01", "--json").refused("E901", 1)


@pytest.mark.parametrize(
    "command",
    [["file"], ["history"], ["verify"], ["replay", "file"], ["replay", "diff"]],
    ids=" ".join,
)
def test_a_reference_may_have_odd_characters(told: Line, command: list[str]) -> None:
    begins = ["--from-version", "1"] if command[-1] == "diff" else []
    assert told(*command, ODD, *begins, "--json").data["claim"] == ODD
    drawn = told(*command, ODD, *begins)
    assert (drawn.code, drawn.err) == (0, "")
    assert ODD in drawn.out


@pytest.mark.parametrize(
    "command",
    [["file"], ["history"], ["verify"], ["replay", "file"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "reference", ["", " A-1", "A-1 ", "A\n1", "A\x1b[31m", "\udcff", "A" * 65], ids=ascii
)
def test_what_cannot_be_a_reference_is_refused_before_it_is_looked_for(
    told: Line, command: list[str], reference: str
) -> None:
    assert told(*command, reference, "--json").refused("E102", 2)["field"] == "REF"


def test_the_history_of_a_damaged_file_is_shown_and_says_which_fact_is(database: Database) -> None:
    tell(database)
    line = line_of(database)
    whole = line("history", "A-1", "--json").data["entries"]
    altered(
        database,
        "UPDATE ledger.facts SET state = '{}' WHERE originator_id = 'claim-A-1'"
        " AND originator_version = 3",
    )
    answer = line("history", "A-1", "--json")
    assert (answer.code, answer.data["unreadable"]["code"]) == (UNREADABLE, "E803")
    assert answer.data["entries"] == [untold(each) for each in whole]
    drawn = line("history", "A-1")
    assert (drawn.code, "E301" in drawn.out, "E803" in drawn.err) == (UNREADABLE, True, True)


def untold(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what its fact changed."""
    original = entry["original"]
    return {**entry, "changed": [], "original": original and untold(original)}
