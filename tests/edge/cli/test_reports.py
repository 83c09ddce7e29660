"""Totals are what was submitted, at whatever coordinate they are asked for."""

from decimal import Decimal
from typing import Any

import pytest

from tests.edge.cli.invoking import Line
from tests.edge.cli.story import ODD

Row = dict[str, Any]
FIGURES = ("estimate", "paid", "outstanding", "recovered")


def figures(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in FIGURES)


def total(told: Line, currency: str, *coordinate: str) -> tuple[str, ...]:
    totals = told("reserves", *coordinate, "--json").data["totals"]
    return next((figures(each) for each in totals if each["currency"] == currency), ())


def test_reserves_answer_with_the_documented_keys_and_decimal_strings(told: Line) -> None:
    answer = told("reserves", "--json").data
    assert list(answer) == [
        *("known_at", "as_of", "position", "left_out"),
        *("basis", "totals", "rows"),
    ]
    assert answer["left_out"] == {
        "files": 0,
        "parked_files": 0,
        "parked_facts": 0,
        "unread_facts": 0,
        "money": [],
    }
    assert answer["position"] > 0
    assert answer["basis"] == "gross"
    assert answer["rows"] == []
    assert answer["totals"] == [
        {
            "currency": "GBP",
            "claims": 1,
            "estimate": "21500.00",
            "paid": "1200.00",
            "outstanding": "20300.00",
            "recovered": "500.00",
        },
        {
            "currency": "JPY",
            "claims": 1,
            "estimate": "120000",
            "paid": "0",
            "outstanding": "120000",
            "recovered": "0",
        },
        {
            "currency": "ZAR",
            "claims": 1,
            "estimate": "250000.00",
            "paid": "0.00",
            "outstanding": "250000.00",
            "recovered": "0.00",
        },
    ]


@pytest.mark.parametrize(
    ("coordinate", "expected"),
    [
        # before the correction the ledger believed the nought too many, on whatever day
        (["--known-at", "2025-03-09"], ("25500.00", "1200.00", "24300.00", "0.00")),
        (
            ["--known-at", "2025-03-10T09:59:59Z"],
            ("25500.00", "1200.00", "24300.00", "0.00"),
        ),
        # with it, not even the day before the payment did
        (["--known-at", "2025-03-10T10:00:00Z"], ("21900.00", "1200.00", "20700.00", "0.00")),
        (
            ["--known-at", "2025-03-10T12:00:00+02:00"],
            ("21900.00", "1200.00", "20700.00", "0.00"),
        ),
        (["--known-at", "2025-03-10"], ("21900.00", "1200.00", "20700.00", "0.00")),
        (["--as-of", "2025-02-09"], ("21900.00", "0.00", "21900.00", "0.00")),
        (
            ["--known-at", "2025-03-09", "--as-of", "2025-02-09"],
            ("25500.00", "0.00", "25500.00", "0.00"),
        ),
        (["--known-at", "2025-01-12"], ()),
    ],
)
def test_totals_are_as_they_were_known_and_as_they_were(
    told: Line, coordinate: list[str], expected: tuple[str, ...]
) -> None:
    assert total(told, "GBP", *coordinate) == expected


def test_an_answer_can_be_asked_again_by_the_coordinate_that_it_names(told: Line) -> None:
    first = told("reserves", "--by", "line", "--json")
    coordinate = ["--known-at", first.data["known_at"], "--as-of", first.data["as_of"]]
    assert told("reserves", "--by", "line", *coordinate, "--json").stdout == first.stdout


KEYS = ["line", "cost_type", "head", "currency", "pathway", "handler", "claim"]


@pytest.mark.parametrize("key", KEYS)
def test_the_rows_of_a_grouping_sum_to_the_totals(told: Line, key: str) -> None:
    answer = told("reserves", "--by", key, "--json").data
    assert all(list(row)[:1] == [key] for row in answer["rows"])
    for each in answer["totals"]:
        rows = [row for row in answer["rows"] if row["currency"] == each["currency"]]
        sums = [sum(Decimal(row[name]) for row in rows) for name in FIGURES]
        assert sums == [Decimal(each[name]) for name in FIGURES]


def test_a_group_is_named_as_it_was_submitted(told: Line) -> None:
    rows = told("reserves", "--by", "claim", "--by", "line", "--json").data["rows"]
    assert [(row["claim"], row["line"], row["outstanding"]) for row in rows] == [
        ("A-1", "damages future_treatment GBP", "18500.00"),
        ("A-1", "defence_costs GBP", "1800.00"),
        ("E-1", "damages JPY", "120000"),
        ("B-1", "damages psla ZAR", "250000.00"),
    ]


def test_a_key_that_is_given_twice_counts_once(told: Line) -> None:
    once = told("reserves", "--by", "cost-type", "--as-of", "2025-06-01", "--json").data
    twice = ["--by", "cost_type", "--by", "cost_type"]
    again = told("reserves", *twice, "--as-of", "2025-06-01", "--json").data
    assert again["rows"] == once["rows"]


def test_our_share_is_the_whole_where_nothing_is_apportioned(told: Line) -> None:
    answer = told("reserves", "--basis", "our-share", "--json").data
    assert answer["basis"] == "our_share"
    assert figures(answer["totals"][0]) == ("21500.00", "1200.00", "20300.00", "500.00")


PERIODS = [("2025-01-01", "2025-01-31"), ("2025-02-01", "2025-03-31"), ("2025-04-01", "2025-05-31")]


@pytest.mark.parametrize("axis", ["recorded", "effective"])
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("key", [[], ["--by", "claim"], ["--by", "line", "--by", "handler"]])
def test_opening_and_movements_are_closing(
    told: Line, axis: str, period: tuple[str, str], key: list[str]
) -> None:
    first, last = period
    answer = told("movements", "--from", first, "--to", last, "--axis", axis, *key, "--json").data
    assert (answer["from"], answer["to"], answer["axis"]) == (first, last, axis)
    assert answer["rows"]
    for row in answer["rows"]:
        for name in FIGURES:
            moved = sum(Decimal(movement[name]) for movement in row["movements"])
            assert Decimal(row["opening"][name]) + moved == Decimal(row["closing"][name])


def test_a_period_closes_on_the_totals_known_at_its_end(told: Line) -> None:
    for _, last in PERIODS:
        [gbp, *_] = told("movements", "--from", "2025-01-01", "--to", last, "--json").data["rows"]
        assert figures(gbp["closing"]) == total(told, "GBP", "--known-at", last)


def test_movements_say_why(told: Line) -> None:
    period = ["--from", "2025-03-01", "--to", "2025-05-31"]
    rows = told("movements", *period, "--by", "claim", "--json").data["rows"]
    moved = {
        row["claim"]: {each["reason"]: each["estimate"] for each in row["movements"]}
        for row in rows
    }
    assert moved["C-1"] == {"corrected": "-3600.00", "decreased": "-400.00"}
    assert moved["A-1"] == {"recovered": "0.00"}
    [corrected] = [
        each["prior_period"]["estimate"]
        for row in rows
        for each in row["movements"]
        if each["reason"] == "corrected"
    ]
    assert corrected == "-3600.00"


def test_a_period_in_which_there_was_nothing_says_so(told: Line) -> None:
    period = ["--from", "2020-01-01", "--to", "2020-12-31"]
    assert told("movements", *period, "--json").data["rows"] == []
    assert "nothing was held" in told("movements", *period).out


def test_the_caseload_lists_open_files_with_their_age(told: Line) -> None:
    rows = told("caseload", "--as-of", "2025-06-01", "--json").data["rows"]
    assert [(row["claim"], row["status"], row["outstanding"]) for row in rows] == [
        ("A-1", "open", "20300.00"),
        ("B-1", "open", "250000.00"),
        (ODD, "notified", "0.00"),
        ("E-1", "open", "120000"),
    ]
    assert [row["age_days"] for row in rows] == [142, 139, 139, 139]
    assert rows[0]["idle_days"] == 20
    assert rows[0]["handler"] == "n.ames"


def test_a_file_that_was_closed_later_was_open_then(told: Line) -> None:
    def claims(*coordinate: str) -> list[str]:
        rows = told("caseload", "--handler", "n.ames", *coordinate, "--json").data["rows"]
        return [row["claim"] for row in rows]

    assert "C-1" in claims("--known-at", "2025-05-11")
    assert "C-1" not in claims("--known-at", "2025-05-12")
    assert claims("--status", "closed") == ["C-1"]
    assert told("caseload", "--handler", "nobody", "--json").data["rows"] == []


def test_the_caseload_is_counted_by_group_and_currency(told: Line) -> None:
    rows = told("caseload", "--by", "handler", "--by", "team", "--json").data["rows"]
    counted = {(row["handler"], row["team"], row["currency"]): row["files"] for row in rows}
    assert counted == {
        ("n.ames", "cape", "JPY"): 1,
        ("n.ames", "cape", "ZAR"): 1,
        ("n.ames", "dental-north", "GBP"): 1,
        ("unallocated", "unallocated", "GBP"): 1,
    }


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["reserves", "--by", "colour"], "--by"),
        (["reserves", "--by", ""], "--by"),
        (["reserves", "--basis", "net"], "--basis"),
        (["caseload", "--by", "line"], "--by"),
        (["caseload", "--status", "asleep"], "--status"),
        (["movements", "--from", "2025-02-01", "--to", "2025-01-01"], "--to"),
        (["movements", "--from", "soon", "--to", "2025-01-01"], "--from"),
        (["movements", "--from", "2025-01-01", "--to", "9999-12-31"], "--to"),
        (["movements", "--from", "2025-01-01", "--to", "2025-01-31", "--axis", "x"], "--axis"),
    ],
)
def test_a_report_that_does_not_exist_is_refused_by_the_option(
    told: Line, arguments: list[str], field: str
) -> None:
    assert told(*arguments, "--json").refused("E102", 2)["field"] == field


@pytest.mark.parametrize(
    "command", [["reserves"], ["caseload"], ["file", "A-1"], ["history", "A-1"]]
)
@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--known-at", "2025-03-02T09:00", "time zone"),
        ("--known-at", "2025-03-02 09:00:00", "time zone"),
        ("--known-at", "yesterday", "a moment such as"),
        ("--known-at", "", "a moment such as"),
        ("--known-at", "2025-02-30", "a moment such as"),
        ("--known-at", "0001-01-01T00:00+14:00", "between 1900 and 2200"),
        ("--known-at", "9999-12-31", "between 1900 and 2200"),
        ("--as-of", "2025-03-02T09:00Z", "a day such as"),
        ("--as-of", "31/12/2025", "a day such as"),
        ("--as-of", "9999-12-31", "between 1900 and 2200"),
    ],
)
def test_a_coordinate_that_is_none_is_refused_with_what_it_should_be(
    told: Line, command: list[str], option: str, value: str, said: str
) -> None:
    refusal = told(*command, option, value, "--json").refused("E102", 2)
    assert refusal["field"] == option
    assert said in refusal["message"]
