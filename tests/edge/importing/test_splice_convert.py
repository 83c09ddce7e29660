"""The converter of simulated histories rounds without drift, and what it writes can be imported."""

import csv
import gzip
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.splice_convert import bordereau, convert, day_of, first_day
from bench.splice_reconcile import end_of, source_claims
from tests.edge.importing.desk import Desk, imported

Transaction = tuple[str, str, str, str]  # time, type, incurred, cumulative paid
CLAIMS = [
    [
        ("1.5", "Ma", "100.004", "1.4e-11"),
        ("1.9", "P", "100.004", "33.335"),
        ("1.9", "PMi", "120.5", "66.67"),
        ("2.2", "P", "120.5", "66.6749"),  # less than half a penny
        ("3.999999", "PMi", "99.995", "99.995"),
    ],
    [("0.25", "Ma", "10", "0"), ("7.1", "Mi", "12.34", "0")],
]


def source(folder: Path, claims: Sequence[Sequence[Transaction]]) -> Path:
    """A data folder as the source has it."""
    with gzip.open(folder / "claim_1.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("", "claim_no", "occurrence_time"))
        writer.writerows((n, n, claim[0][0]) for n, claim in enumerate(claims, start=1))
    with gzip.open(folder / "incurred_1.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("", "claim_no", "txn_time", "txn_type", "incurred", "OCL", "cumpaid"))
        for number, claim in enumerate(claims, start=1):
            for time, kind, incurred, paid in claim:
                outstanding = Fraction(incurred) - Fraction(paid)
                row = (number, number, time, kind, incurred, float(outstanding), paid)
                writer.writerow(row)
    return folder


def test_a_history_is_written_row_by_row(desk: Desk) -> None:
    rows = list(bordereau(source(desk.folder, CLAIMS)))
    assert [(row["kind"], row["amount"], row["estimate"]) for row in rows] == [
        ("opened", "", "100.00"),
        ("payment", "33.34", "100.00"),
        ("payment", "33.33", "120.50"),
        ("estimate", "", "120.50"),
        ("payment", "33.33", "100.00"),
        ("closed", "", ""),
        ("opened", "", "10.00"),
        ("estimate", "", "12.34"),
    ]
    days = [row["effective_on"] for row in rows]
    assert days[:2] == ["2000-05-16", "2000-06-21"]
    assert days[4:6] == ["2000-12-31", "2000-12-31"]


def test_what_is_written_goes_in_and_is_what_the_source_says(desk: Desk) -> None:
    path = desk.folder / "bordereau.csv"
    assert convert(source(desk.folder, CLAIMS), path) == 8
    assert imported(path, desk.store).outcome.all_in
    claims = source_claims(desk.folder)
    assert [claim.figures[-1] for claim in claims.values()] == [
        (100_00, 100_00, 0),
        (0, 12_34, 12_34),
    ]


amounts = st.integers(0, 10**9).map(lambda steps: Fraction(steps, 10**4))


@given(steps=st.lists(amounts, min_size=1, max_size=20))
def test_rounded_payments_never_drift(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Fraction]
) -> None:
    folder = tmp_path_factory.mktemp("source")
    paid = [sum(steps[: n + 1], Fraction(0)) for n in range(len(steps))]
    total = f"{float(paid[-1]):.4f}"
    claim = [("0.5", "Ma", total, "0")]
    claim += [("0.6", "P", total, f"{float(each):.4f}") for each in paid]
    rows = list(bordereau(source(folder, [claim])))
    so_far, expected = Fraction(0), iter(claim[1:])
    for row in rows[1 : len(claim)]:
        so_far += Fraction(row["amount"] or "0")
        assert so_far * 100 == floor(Fraction(next(expected)[3]) * 100 + Fraction(1, 2))
    assert rows[-1]["kind"] == "closed"


@given(day=st.dates(date(2000, 1, 1), date(2030, 12, 31)), part=st.fractions(0, 1))
def test_a_day_ends_where_the_next_one_begins(day: date, part: Fraction) -> None:
    begins, ends = end_of(day - timedelta(days=1)), end_of(day)
    moment = begins + (ends - begins) * part
    assert day_of(str(moment)) == (day if part < 1 else day + timedelta(days=1))


def test_a_quarter_ends_with_its_last_day() -> None:
    assert [end_of(first_day(quarter + 1) - timedelta(days=1)) for quarter in range(8)] == [
        *range(1, 9)
    ]
