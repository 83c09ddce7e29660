"""What is drawn for people, on 80 columns: every name and every figure whole."""

import json
import re

import pytest

from edge.cli.output import spoken
from tests.edge.cli.invoking import Line
from tests.edge.cli.story import DEFENCE, ODD, Writer, as_lines

READING = {
    "file": ["file", "A-1"],
    "history": ["history", "A-1"],
    "caseload": ["caseload"],
    "caseload by": ["caseload", "--by", "handler", "--by", "pathway", "--by", "jurisdiction"],
    "reserves": ["reserves"],
    "reserves by": ["reserves", "--by", "line", "--by", "handler"],
    "movements": ["movements", "--from", "2025-01-01", "--to", "2025-05-31"],
    "replay file": ["replay", "file", "C-1", "--version", "3"],
    "replay diff": ["replay", "diff", "A-1", "--from-version", "2"],
    "verify": ["verify"],
    "verify one": ["verify", "A-1"],
    "views": ["views", "status"],
}
WORDS = {
    "file": ["A-1", "damages", "treatment", "18,500.00", "outstanding", "dental-north", "P-1"],
    "history": ["2025-01-13", "n.ames", "18,500.00", "(replaced", "E301", "500,000.00"],
    "caseload": ["A-1", ODD, "n.ames", "notified", "outstanding", "250,000.00", "120,000"],
    "caseload by": ["unallocated", "dental", "england_wales", "south_africa", "21,500.00"],
    "reserves": ["GBP", "21,500.00", "1,200.00", "20,300.00", "120,000"],
    "reserves by": ["damages", "treatment", "defence", "n.ames", "outstanding", "18,500.00"],
    "movements": ["opening", "corrected", "-3,600.00", "closing", "recovered", "500.00"],
    "replay file": ["4,000.00", "damages"],
    "replay diff": ["GBP", "18,500.00", "recovery", "received", "issued"],
    "verify": ["Whole:"],
    "verify one": ["Whole:", "A-1"],
    "views": ["reserves", "caseload", "audit"],
}


@pytest.mark.parametrize("name", READING)
def test_every_command_answers_in_json_and_drawn(told: Line, name: str) -> None:
    read = told(*READING[name], "--json")
    assert (read.code, read.err) == (0, "")
    assert read.out.count("\n") == 1
    assert json.loads(read.out)
    drawn = told(*READING[name])
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out


@pytest.mark.parametrize("name", READING)
def test_on_80_columns_no_word_is_broken(told: Line, name: str) -> None:
    drawn = told(*READING[name]).out
    wanted = [word for word in WORDS[name] if not word.startswith("(")]
    assert [word for word in wanted if not re.search(rf"(?<!\S){re.escape(word)}", drawn)] == []
    assert max(map(len, drawn.splitlines())) <= 100


def test_figures_that_need_more_than_80_columns_have_them(claims: Line) -> None:
    today = str(claims("reserves", "--json").data["as_of"])
    writer = Writer("wide")
    writer.mandate("n.ames", "negotiator")
    reference = "a-reference-that-takes-up-all-of-its-sixty-four-characters-at-once"[:64]
    writer.notified(reference, today)
    writer.allocated(reference)
    writer.estimated(reference, (DEFENCE, "1234567890123.45"))  # no damages, so no limit
    assert set(claims("submit", "-", stdin=as_lines(writer.bodies)).codes) == {""}
    for command in (["caseload"], ["reserves", "--by", "claim"], ["file", reference]):
        drawn = claims(*command).out
        assert "1,234,567,890,123.45" in drawn, drawn
        assert reference in drawn, drawn


def test_a_timeline_says_once_what_the_facts_of_a_command_share(told: Line) -> None:
    drawn = told("history", "A-1").out
    assert drawn.count('"Two implants and a crown, replaced once."') == 1
    assert drawn.count("authority to reserve: damages") == 1


def test_a_difference_leaves_out_what_was_nothing_and_is_nothing(told: Line) -> None:
    difference = ["replay", "diff", "A-1", "--from-version", "2", "--version", "3"]
    assert "GBP 0.00" in json.dumps(told(*difference, "--json").data)
    assert "0.00 " not in told(*difference).out.replace("18,500.00 ", "")


def test_a_difference_of_nothing_is_an_empty_table(told: Line) -> None:
    assert told("replay", "diff", "A-1", "--from-version", "10").code == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("GBP 1234567.80", "GBP 1,234,567.80"),
        ("JPY -120000", "JPY -120,000"),
        ("a" * 64, "aaaaaaaaaaaa..."),
        ("GBP of old", "GBP of old"),
        (None, "-"),
        (True, "yes"),
        (7, "7"),
    ],
)
def test_values_are_said_as_a_person_reads_them(value: object, said: str) -> None:
    assert spoken(value) == said


def test_help_and_version_need_no_settings_and_no_database() -> None:
    broken = Line({"CLAIMS_DSN": "nonsense", "CLAIMS_LOG_LEVEL": "loud"})
    assert re.fullmatch(r"claims-ledger \d+\.\d+\.\d+\n", broken("--version").out)
    overview = broken("--help")
    assert overview.code == 0
    for command in ("demo", "submit", "import", "file", "history", "caseload", "reserves"):
        assert f"  {command} " in overview.out
    assert "Exit codes: 0 done" in overview.out
    for path in ("submit", "import histories", "replay diff", "views rebuild", "demo"):
        assert "--json" in broken(*path.split(), "--help").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["burn"],
        ["file"],
        ["replay"],
        ["replay", "everything"],
        ["reserves", "--colour", "red"],
        ["movements"],
        ["submit"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_is_none_is_wrong_usage(told: Line, arguments: list[str]) -> None:
    answer = told(*arguments)
    assert answer.code == 2
    assert "Usage: " in answer.err + answer.out


def test_a_misspelt_command_is_told_the_nearest(told: Line) -> None:
    assert "Did you mean 'reserves'?" in told("reserve").err
    assert "Did you mean 'diff'?" in told("replay", "dif").err
