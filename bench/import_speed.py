"""How fast histories are imported, beside a bare COPY of the same facts into a table like the log.

Both in the same run, in turns, because absolute figures drift on shared machines: the ratio of the
medians is what counts.
"""

import csv
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import Connection

from bench.ledger_of_its_own import fresh_books, import_file
from edge.postgres.connections import Role, conninfo_for
from edge.wiring import Books

CLAIMS = 500
ROWS = 10  # of each claim
TURNS = 5
SEED = 7

_LIKE_THE_LOG = """
CREATE TABLE IF NOT EXISTS ledger.copied (LIKE ledger.facts INCLUDING ALL);
TRUNCATE ledger.copied
"""
_FACTS = """
SELECT notification_id, originator_version, originator_id, topic, state FROM ledger.facts
WHERE originator_id LIKE %s ORDER BY notification_id
"""
_COPY = """
COPY ledger.copied (notification_id, originator_version, originator_id, topic, state)
FROM STDIN (FORMAT binary)
"""


def write_bordereau(path: Path, turn: int) -> None:
    """Claims with an opening, payments and estimates, and an end."""
    chance = random.Random(SEED + turn)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("claim_ref", "effective_on", "kind", "amount", "estimate"))
        for number in range(CLAIMS):
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


def copied(connection: Connection[tuple[object, ...]], turn: int) -> float:
    """Facts a second of a bare COPY of what the import has just stored."""
    rows = connection.execute(_FACTS, [f"claim-T{turn}-%"], binary=True).fetchall()
    connection.execute(_LIKE_THE_LOG)
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(("int8", "int8", "text", "text", "bytea"))
        for row in rows:
            copy.write_row(row)
    return len(rows) / (time.perf_counter() - started)


def measure(books: Books, folder: Path) -> list[tuple[float, float, float]]:
    """For each turn: rows a second imported, facts a second imported, facts a second copied."""
    told: list[tuple[float, float, float]] = []
    owner = conninfo_for(books.server.conninfo, Role.OWNER)
    with psycopg.connect(owner, autocommit=True) as connection:
        for turn in range(TURNS):
            path = folder / f"turn-{turn}.csv"
            write_bordereau(path, turn)
            started = time.perf_counter()
            share = import_file(books, path, "bench").imported
            took = time.perf_counter() - started
            told.append((share.rows / took, share.facts / took, copied(connection, turn)))
    return told


def main() -> int:
    """Measure and print the medians."""
    with tempfile.TemporaryDirectory() as folder, fresh_books() as books:
        told = measure(books, Path(folder))
    rows, facts, bare = (statistics.median(column) for column in zip(*told, strict=True))
    ratio = statistics.median(each[1] / each[2] for each in told)
    print(f"{CLAIMS * ROWS:,} rows, {TURNS} turns, medians:")
    print(f"import    {rows:10,.0f} rows/s  {facts:10,.0f} facts/s")
    print(f"bare COPY {'':17}  {bare:10,.0f} facts/s")
    print(f"ratio     {ratio:10.3f}")
    print(f"memory    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:10} MB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
