"""Memory does not grow with the file."""

import subprocess
import sys
from pathlib import Path

ROWS = 200_000  # held as text they would take some 70 MB
SOUND = 5_000  # of them: judged, one row costs more time than all that is measured here
GROWTH_MB_MAX = 40  # the sorter's share of it is 16

# In a process of its own, because the most memory ever used is told of a whole process.
IMPORT = """
import datetime, resource, sys
from pathlib import Path
from commands.fields import ActorIn
from domain.terms import Role
from edge.importing.importer import Importer
from edge.importing.intake import Intake, Plan
from edge.importing.outcome import Rejects
from edge.importing.sharing import Dealing
from edge.importing.source import read
from edge.importing.staging import Staging
from edge.store.memory_store import MemoryStore

def nothing(done, total):
    pass

def peak_mb():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1024 * 1024 if sys.platform == "darwin" else 1024)

before = peak_mb()
plan = Plan("s", ActorIn(person="p", role=Role.SERVICE), datetime.date(2026, 3, 2), dry_run=True)
with Staging() as staging, Rejects(Path(sys.argv[1] + ".rejects")) as rejects:
    staging.take(read(Path(sys.argv[1]), nothing))
    intake = Intake(plan, MemoryStore(), lambda commands: [])
    dealing = Dealing(lambda claims: lambda: intake.take(claims))
    outcome = Importer(plan, rejects, dealing).run(staging, nothing)
print(outcome.imported.rows, outcome.left_out.rows, rejects.count, peak_mb() - before)
"""


def write(path: Path) -> None:
    """Claims of ten rows, interleaved: no row is of the same claim as the one before it."""
    with path.open("w", encoding="utf-8") as file:
        file.write("claim_ref,effective_on,kind,amount,estimate,note\n")
        for number in range(10):
            kind = "estimate" if number else "opened"
            for claim in range(ROWS // 10):
                cells = f"2020-01-01,{kind},,{100 + number}.00,{'a note ' * 5}"
                file.write(f"C{claim},{cells if claim < SOUND // 10 else 'too few cells'}\n")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    write(path)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(path)], capture_output=True, text=True, check=True
    )
    went_in, left_out, faults, growth_mb = map(int, done.stdout.split())
    assert (went_in, left_out, faults) == (SOUND, ROWS - SOUND, ROWS - SOUND)
    assert growth_mb < GROWTH_MB_MAX
