"""`make soak`: cycle after cycle for as long as asked, and what it came to.

The first cycle has the seed that is given, and each later one the next number, so that a cycle that
found something is run again by its own seed. It ends with 1 if anything was found.
"""

import fcntl
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from edge.postgres import embedded
from tests.faults.canary import Sung, sing
from tests.faults.checks import Finding, Kind, shown
from tests.faults.cycle import Outcome, cycle
from tests.faults.server import Server
from tests.faults.storm import Storm

STORM_S = 40.0
CANARY_S_MAX = 60.0
PLACE = Path(tempfile.gettempdir())
PREFIX = f"claims-soak-{os.getuid()}-"
SEEDS = 10**9


@dataclass
class Total:
    """What all cycles came to."""

    seed: int
    minutes: float
    canary: Sung | None = None
    cycles: int = 0
    sent: int = 0
    acknowledged: int = 0
    facts: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    unkept: Counter[str] = field(default_factory=Counter[str])
    writes_back_s: list[float] = field(default_factory=list[float])
    views_back_s: list[float] = field(default_factory=list[float])
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, outcome: Outcome) -> None:
        self.cycles += 1
        self.sent += outcome.sent
        self.acknowledged += outcome.acknowledged
        self.facts += outcome.facts
        self.faults += outcome.faults
        self.unkept += outcome.unkept
        self.writes_back_s += outcome.writes_back_s
        self.views_back_s += outcome.views_back_s
        self.findings += [
            Finding(each.kind, f"seed {outcome.seed}: {each.what}") for each in outcome.findings
        ]

    def data(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "canary_skipped": len(self.canary.findings) if self.canary else 0,
            "cycles": self.cycles,
            "commands_sent": self.sent,
            "commands_acknowledged": self.acknowledged,
            "facts": self.facts,
            "faults": {str(kind): count for kind, count in self.faults.most_common()},
            "answers_not_kept": dict(self.unkept.most_common()),
            "writes_back_s": _spread(self.writes_back_s),
            "views_back_s": _spread(self.views_back_s),
            "found": dict(Counter(str(each.kind) for each in self.findings)),
            "findings": [f"{each.kind}: {each.what}" for each in self.findings],
        }


def soak(
    minutes: Annotated[float, typer.Option(help="How long; a cycle under way is finished.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The first cycle's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
) -> None:
    """Hurt the ledger for as long as asked; see docs/how-to/soak.md."""
    console = Console(stderr=as_json)
    total = Total(random.SystemRandom().randrange(SEEDS) if seed is None else seed, minutes)
    _clear_what_killed_soaks_left()
    with _folder() as folder:
        server = Server(folder)
        try:
            _soak(total, server, folder, console)
        finally:
            server.end()
        if not total.findings:
            shutil.rmtree(folder)
    if as_json:
        typer.echo(json.dumps(total.data()))
    console.print(drawn(total, "done"))
    if total.findings:
        console.print(shown(total.findings), markup=False)
        console.print(f"The journals and the database are in {folder}", markup=False)
        raise typer.Exit(1)
    console.print("Nothing was lost, doubled or skipped.")


def _soak(total: Total, server: Server, folder: Path, console: Console) -> None:
    deadline = time.monotonic() + 60 * total.minutes
    with Live(console=console, refresh_per_second=2, transient=True) as live:

        def tell(storm: Storm) -> None:
            live.update(drawn(total, f"seed {storm.seed}", storm.faults))

        live.update(drawn(total, "canary"))
        total.canary = _canary(server, folder, total.seed)
        if Kind.SKIPPED not in {each.kind for each in total.canary.findings}:
            total.findings.append(Finding(Kind.UNSEEN, "the canary stayed green"))
        server.drop("canary")
        while total.cycles == 0 or time.monotonic() < deadline:
            name = str(total.seed + total.cycles)
            outcome = cycle(server, folder / name, name, STORM_S, tell)
            total.add(outcome)
            if not outcome.findings:
                shutil.rmtree(folder / name)


def _canary(server: Server, folder: Path, seed: int) -> Sung:
    own = folder / "canary"
    own.mkdir()
    conninfo = server.database("canary")
    return sing(conninfo, own, str(seed), CANARY_S_MAX, lockless=True)


def drawn(total: Total, now: str, faults: Counter[str] | None = None) -> Table:
    """The totals so far, and what is going on."""
    table = Table(title=f"Soak, {now}", show_header=False, title_justify="left")
    canary = f"skips {len(total.canary.findings)}" if total.canary else "-"
    told: dict[str, object] = {
        "seed of the first cycle": total.seed,
        "canary": canary,
        "cycles": total.cycles,
        "commands sent": f"{total.sent:,}",
        "acknowledged": f"{total.acknowledged:,}",
        "facts": f"{total.facts:,}",
        "writes back, s (median, most)": "{median} {most}".format(**_spread(total.writes_back_s)),
        "views back, s (median, most)": "{median} {most}".format(**_spread(total.views_back_s)),
    }
    told |= dict((total.faults + (faults or Counter())).most_common())
    told |= {f"FOUND {kind}": n for kind, n in Counter(e.kind for e in total.findings).items()}
    for name, value in told.items():
        table.add_row(name, str(value))
    return table


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"median": 0.0, "most": 0.0}
    return {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)}


@contextmanager
def _folder() -> Generator[Path]:
    """A folder that the database's account can reach, locked for as long as this soak lives."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
    folder.chmod(0o711)
    with _held(folder):
        yield folder


def _held(folder: Path) -> IO[bytes]:
    lock = (folder / "soak.lock").open("ab")
    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def _clear_what_killed_soaks_left() -> None:
    """End the servers of soaks that are gone; what they found stays where it is."""
    for folder in PLACE.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, BlockingIOError), _held(folder):
            embedded.stop(folder)


if __name__ == "__main__":
    typer.run(soak)
