"""Imports 3,663 simulated histories and reconciles them with their source, to the penny.

    python -m bench.splice_reconcile DATA_FOLDER

The source's figures are counted here from its own file, in its own time and with exact fractions:
nothing is taken from the converter but the day on which the source's time begins. For every
quarter end each claim's paid, incurred and outstanding are compared with the reserve totals of
the ledger, and so are the totals over all claims; for random days of random claims, with the fold
of the claim's history as well.
"""

import csv
import gzip
import random
import resource
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from pathlib import Path

from bench.ledger_of_its_own import fresh_books, import_file
from bench.splice_convert import CURRENCY, START_YEAR, convert, reference
from domain.claim import Claim, evolve
from domain.history import Coordinate, fold
from edge.wiring import Books
from projections.reserves import By, Total, totals

PAIRS = 500
SEED = 20_260_301
CLAIMS, TRANSACTIONS = 3_663, 32_777

Figures = tuple[int, int, int]  # paid, incurred, outstanding, in pennies


@dataclass(frozen=True, slots=True)
class SourceClaim:
    """One claim of the source: when something happened, and what then stood, in pennies."""

    times: tuple[Fraction, ...]
    figures: tuple[Figures, ...]

    def before(self, moment: Fraction) -> Figures | None:
        """What stood just before a moment, None if nothing had happened yet."""
        happened = bisect_left(self.times, moment)
        return self.figures[happened - 1] if happened else None


def source_claims(folder: Path) -> dict[str, SourceClaim]:
    """The source's own cumulative figures, each rounded once, by the claim's reference."""
    times: dict[str, list[Fraction]] = {}
    figures: dict[str, list[Figures]] = {}
    with gzip.open(folder / "incurred_1.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            claim = reference(row["claim_no"])
            paid, incurred = _pennies(row["cumpaid"]), _pennies(row["incurred"])
            # Two of the three can be rounded; rounded by itself the third may differ by a penny.
            assert abs(incurred - paid - _pennies(row["OCL"])) <= 1
            times.setdefault(claim, []).append(Fraction(row["txn_time"]))
            figures.setdefault(claim, []).append((paid, incurred, incurred - paid))
    return {claim: SourceClaim(tuple(times[claim]), tuple(figures[claim])) for claim in times}


def _pennies(amount: str) -> int:
    return floor(Fraction(amount) * 100 + Fraction(1, 2))


def end_of(day: date) -> Fraction:
    """The end of a day in the source's time: quarters of the calendar since its start."""
    quarter = (day.month - 1) // 3
    begins = date(day.year, 3 * quarter + 1, 1)
    ends = date(day.year + quarter // 3, 3 * ((quarter + 1) % 4) + 1, 1)
    passed = Fraction((day - begins).days + 1, (ends - begins).days)
    return 4 * (day.year - START_YEAR) + quarter + passed


def quarter_ends(source: Mapping[str, SourceClaim]) -> Iterator[date]:
    """The last day of every quarter, until the first after the source's last transaction."""
    last = max(claim.times[-1] for claim in source.values())
    for quarter in range(1, floor(last) + 2):
        year, of_year = divmod(quarter, 4)
        yield date(START_YEAR + year, 3 * of_year + 1, 1) - timedelta(days=1)


def at_quarter_ends(books: Books, source: Mapping[str, SourceClaim]) -> tuple[int, int, list[str]]:
    """Compare every claim, and the sum over all, at each quarter end.

    Returns how many quarter ends and how many claims' figures there were, and what differs.
    """
    wrong: list[str] = []
    ends = compared = 0
    with books.reading() as connection:
        for day in quarter_ends(source):
            found = totals(connection, [By.CLAIM], as_of=day)
            ours = {each.group["claim"].removeprefix("claim-"): _of(each) for each in found.groups}
            stood = {name: claim.before(end_of(day)) for name, claim in source.items()}
            theirs = {name: figures for name, figures in stood.items() if figures and any(figures)}
            (in_all,) = found.in_all
            assert in_all.currency == CURRENCY
            ours["in all"] = _of(in_all)
            paid, incurred, outstanding = (sum(each) for each in zip(*theirs.values(), strict=True))
            theirs["in all"] = (paid, incurred, outstanding)
            wrong += [
                f"{day} {name}: ledger {ours.get(name)}, source {theirs.get(name)}"
                for name in {**ours, **theirs}
                if ours.get(name) != theirs.get(name)
            ]
            ends, compared = ends + 1, compared + len(theirs)
    return ends, compared, wrong


def _of(total: Total) -> Figures:
    return total.figures.paid, total.figures.estimate, total.figures.outstanding


def at_random(books: Books, source: Mapping[str, SourceClaim]) -> list[str]:
    """Compare random claims on random days, folded from their histories; what differs, as text."""
    chance = random.Random(SEED)
    first, last = date(START_YEAR, 1, 1), max(quarter_ends(source))
    days = (last - first).days
    pairs = [
        (chance.choice(list(source)), first + timedelta(days=chance.randint(0, days)))
        for _ in range(PAIRS)
    ]
    histories = books.log.histories({f"claim-{name}" for name, _ in pairs})
    wrong: list[str] = []
    for name, day in pairs:
        state = fold(histories[f"claim-{name}"], evolve, Claim(), Coordinate(as_of=day))
        lines = state.reserves.lines.values()
        ours = (
            sum(line.paid for line in lines),
            sum(line.incurred for line in lines),
            sum(line.outstanding for line in lines),
        )
        theirs = source[name].before(end_of(day)) or (0, 0, 0)
        if ours != theirs:
            wrong.append(f"{day} {name}: ledger {ours}, source {theirs}")
    return wrong


@contextmanager
def _timed(what: str) -> Generator[None]:
    started = time.monotonic()
    yield
    print(f"{what:<58}{time.monotonic() - started:8.1f} s", flush=True)


def main(folder: str) -> int:
    """Convert, import, project, reconcile; 0 when every figure is equal."""
    data = Path(folder)
    with tempfile.TemporaryDirectory() as scratch, fresh_books() as books:
        bordereau = Path(scratch, "splice.csv")
        with _timed("convert"):
            rows = convert(data, bordereau)
        with _timed(f"import {rows:,} rows"):
            outcome = import_file(books, bordereau, "splice")
        with _timed(f"bring the views level with {outcome.imported.facts:,} facts"):
            books.level()
        source = source_claims(data)
        transactions = sum(len(claim.times) for claim in source.values())
        assert (len(source), transactions) == (CLAIMS, TRANSACTIONS)
        assert outcome.imported.claims == CLAIMS
        with _timed("reconcile every claim at every quarter end"):
            ends, compared, wrong = at_quarter_ends(books, source)
        with _timed(f"reconcile {PAIRS} random claims on random days"):
            wrong_pairs = at_random(books, source)
    figures = outcome.imported.money[CURRENCY]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{CLAIMS:,} claims, {TRANSACTIONS:,} transactions, {figures.paid:,} pennies paid")
    print(f"{ends} quarter ends, {compared:,} claim figures, {len(wrong)} differ")
    print(f"{PAIRS} random pairs, {len(wrong_pairs)} differ (seed {SEED}); {peak} MB at most")
    for each in [*wrong, *wrong_pairs][:20]:
        print(each)
    return 1 if wrong or wrong_pairs else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
