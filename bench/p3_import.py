"""P3: importing histories, beside a bare COPY of the very facts into a table like the log.

The import reads a bordereau, judges every row, chains, answers and stores, as `claims import` does.
The COPY has the facts ready in memory and puts them, in one transaction, into a table with the
columns, the checks and the indexes of the log; both tables grow from turn to turn alike.
"""

import csv
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench import logs
from bench.cluster import Cluster
from bench.ledger_of_its_own import import_file
from bench.limits import LIKE_THE_LOG
from bench.pairs import Measurement, Sized
from bench.results import Taken
from bench.turns import Given, Turn

CLAIMS_A_TURN = 6_000
ROWS = 10  # of each claim
SEED = 7


def prepare(cluster: Cluster, sized: Sized) -> dict[str, Given]:
    """One ledger, in which the peer's table stands beside the log."""
    conninfo = cluster.ledger("p3_import")
    with psycopg.connect(conninfo) as connection:
        connection.execute(LIKE_THE_LOG)
    given = {"conninfo": conninfo, "claims": sized.of(CLAIMS_A_TURN)}
    return {"ours": given, "theirs": given}


def write_bordereau(path: Path, turn: int, claims: int) -> None:
    """Claims with an opening, payments and estimates."""
    chance = random.Random(SEED + turn)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("claim_ref", "effective_on", "kind", "amount", "estimate"))
        for number in range(claims):
            name, day = f"T{turn}-{number:06d}", date(2015, 1, 1)
            estimate, paid = chance.randint(10_000, 9_000_000), 0
            for row in range(ROWS):
                day += timedelta(days=chance.randint(1, 60))
                kind = "opened" if row == 0 else chance.choice(("estimate", "payment"))
                amount = ""
                if kind == "payment":
                    paid += (part := chance.randint(1, 100_000))
                    amount = f"{part / 100:.2f}"
                estimate = max(estimate + chance.randint(-50_000, 90_000), paid)
                writer.writerow((name, day, kind, amount, f"{estimate / 100:.2f}"))


@contextmanager
def ours(given: Given) -> Generator[Turn]:
    """From the file to the last receipt."""
    with TemporaryDirectory() as folder, logs.opened(given["conninfo"]) as books:

        def turn(number: int) -> Taken:
            path = Path(folder, f"turn-{number}.csv")
            write_bordereau(path, number, given["claims"])
            started = time.perf_counter()
            share = import_file(books, path, "bench", given.get("workers")).imported
            return Taken(share.facts, time.perf_counter() - started)

        yield turn


MEASUREMENT = Measurement(
    key="P3",
    about="import of histories",
    peer="COPY of the same facts",
    unit="facts/s",
    reach=0.4,
    prepare=prepare,
    sides={"ours": "p3_import:ours", "theirs": "limits:copy"},
    alternates=False,
)
