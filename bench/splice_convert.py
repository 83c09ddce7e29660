"""Converts simulated case-estimate histories (SPLICE) to a bordereau, rounding without drift.

    python -m bench.splice_convert DATA_FOLDER [BORDEREAU.csv]

The source counts time in quarters since its start and money in fractions of a penny. Cumulative
paid and incurred are rounded, and a row's amount is the difference of two rounded figures: so the
sums never drift from the source's, however many rows there are.
"""

import csv
import gzip
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from pathlib import Path

START_YEAR = 2000  # the first quarter of the source is the first of this year
CURRENCY = "GBP"
CLAIMS, TRANSACTIONS = "claim_1.csv.gz", "incurred_1.csv.gz"
COLUMNS = (
    *("claim_ref", "effective_on", "kind", "amount", "estimate", "line", "currency"),
    *("jurisdiction", "event_date", "notified_on"),
)
PAYMENTS = frozenset({"P", "PMi", "PMa"})
PENNY = Decimal("0.01")

Cells = dict[str, str]


def first_day(quarter: int) -> date:
    """The first day of a quarter, numbered from 0."""
    year, of_year = divmod(quarter, 4)
    return date(START_YEAR + year, 1 + 3 * of_year, 1)


def day_of(quarters: str) -> date:
    """The day that a time lies on; time runs evenly within each quarter of the calendar."""
    time = Fraction(quarters)
    quarter = int(time)
    begins = first_day(quarter)
    days = (first_day(quarter + 1) - begins).days
    return begins + timedelta(days=int((time - quarter) * days))


def pennies(amount: str) -> Decimal:
    """A cumulative amount, rounded once: half a penny and more goes up."""
    return Decimal(amount).quantize(PENNY, ROUND_HALF_UP)


def reference(claim_no: str) -> str:
    """The claim's reference in the ledger."""
    return f"SPLICE-{int(claim_no):05d}"


def table(path: Path) -> Iterator[Cells]:
    """The rows of a packed CSV file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def bordereau(folder: Path) -> Iterator[Cells]:
    """Every transaction as a row; a claim that ends with nothing outstanding is closed."""
    happened = {row["claim_no"]: row["occurrence_time"] for row in table(folder / CLAIMS)}
    by_claim = groupby(table(folder / TRANSACTIONS), key=lambda row: row["claim_no"])
    for claim_no, transactions in by_claim:
        yield from _history(claim_no, happened[claim_no], list(transactions))


def _history(claim_no: str, happened: str, transactions: list[Cells]) -> Iterator[Cells]:
    paid = incurred = Decimal(0)
    opened_on = effective_on = day_of(transactions[0]["txn_time"])
    for number, transaction in enumerate(transactions):
        before, paid = paid, pennies(transaction["cumpaid"])
        incurred = pennies(transaction["incurred"])
        effective_on = day_of(transaction["txn_time"])
        row = _row(claim_no, effective_on, "estimate", estimate=incurred)
        if number == 0:
            dates = {"event_date": str(day_of(happened)), "notified_on": str(opened_on)}
            row |= {"kind": "opened", "jurisdiction": "other", **dates}
        elif transaction["txn_type"] in PAYMENTS and paid != before:
            row |= {"kind": "payment", "amount": str(paid - before)}
        if row["kind"] != "payment" and paid != before:
            raise ValueError(f"claim {claim_no} pays without a payment, at {effective_on}")
        yield row
    if incurred == paid:
        yield _row(claim_no, effective_on, "closed")


def _row(claim_no: str, on: date, kind: str, estimate: Decimal | None = None) -> Cells:
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {"claim_ref": reference(claim_no), "effective_on": str(on), "kind": kind}
    return cells | {
        "estimate": "" if estimate is None else str(estimate),
        "line": "damages",
        "currency": CURRENCY,
    }


def convert(folder: Path, into: Path) -> int:
    """Write the bordereau; returns how many rows it has."""
    with into.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        rows = 0
        for row in bordereau(folder):
            writer.writerow(row)
            rows += 1
    return rows


def main(folder: str, into: str = "splice.csv") -> int:
    """Convert, and say how many rows there are."""
    print(f"{convert(Path(folder), Path(into)):,} rows in {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
