"""On PostgreSQL: an import that is killed and run again ends as one that was not."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.schema import NAMES
from edge.importing import importer
from edge.postgres.connections import Role
from edge.store.memory_store import MemoryStore
from edge.store.postgres_store import PostgresLog, PostgresStore
from tests.edge.importing.desk import HISTORY_FACTS, Desk, history, imported, said
from tests.postgres_fixtures import Database

CLAIMS = 60
BATCH_CLAIMS = 5
REFERENCES = [f"K{number:03d}" for number in range(CLAIMS)]
STREAMS = [f"claim-{reference}" for reference in REFERENCES]

# Says when a batch goes to the ledger and when it has its receipts.
CHILD = f"""
import sys
from pathlib import Path
from commands.ledger import Ledger
from edge.importing import importer
from edge.store.postgres_store import PostgresStore
from tests.edge.importing.desk import NOW, imported

importer.BATCH_CLAIMS = {BATCH_CLAIMS}
with PostgresStore(sys.argv[2]) as store:
    ledger = Ledger(store, lambda: NOW)

    def send(commands):
        print("sent", flush=True)
        receipts = ledger.handle_many(commands)
        print("received", flush=True)
        return receipts

    imported(Path(sys.argv[1]), store, send=send)
"""


def kill_one(path: Path, conninfo: str, batches: int, word: str) -> None:
    """Import in a process that is killed (SIGKILL) when it says a word for the so-manieth time."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), conninfo],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            batches -= line.strip() == word
            if batches == 0:
                break
        child.kill()
    assert child.returncode == -9


def test_an_import_that_is_killed_and_run_again_ends_as_one_that_was_not(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Interleaved, so that a half-read file would leave halves of all histories.
    rows = [each for step in zip(*map(history, REFERENCES), strict=True) for each in step]
    path = desk.file(rows)
    conninfo = database.conninfo(Role.WRITER)
    kill_one(path, conninfo, 3, "received")
    kill_one(path, conninfo, 2, "sent")
    monkeypatch.setattr(importer, "BATCH_CLAIMS", BATCH_CLAIMS)
    with PostgresStore(conninfo) as store, PostgresLog(database.conninfo(Role.READER)) as log:
        last = imported(path, store).outcome
        assert last.already_there.claims in {20, 25}  # the batch that was sent may have arrived
        assert last.imported.claims == CLAIMS - last.already_there.claims
        facts = log.page(0, 10_000)
        assert len(facts) == CLAIMS * HISTORY_FACTS
        again = imported(path, store).outcome
        assert (again.imported.claims, again.already_there.claims) == (0, CLAIMS)
        assert log.page(facts[-1].position, 10) == []
        killed = log.histories(STREAMS)
    whole = MemoryStore()
    assert imported(path, whole).outcome.all_in
    for stream, records in whole.load(STREAMS).items():
        assert said(killed[stream]) == said(records)
    # The order of the log is that of one whole run, too.
    assert [record.envelope.stream for record in facts[::HISTORY_FACTS]] == STREAMS


def test_a_claim_that_is_set_aside_leaves_no_trace_in_the_log(
    desk: Desk, database: Database
) -> None:
    bad = history("K002")
    bad[3]["amount"] = "9999.00"
    path = desk.file([*history("K001"), *bad])
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        ran = imported(path, store)
        assert ran.told == [("K002", 9, "amount", "E204")]
        assert set(store.heads(["claim-K001", "claim-K002"])) == {"claim-K001"}
    with PostgresLog(database.conninfo(Role.READER)) as log:
        assert {type(record.fact) for record in log.page(0, 100)} <= set(NAMES.values())
        assert log.page(0, 100)[-1].envelope.version == HISTORY_FACTS
