"""`make soak`: cycle after cycle for as long as asked, and what it came to.

The first cycle has the seed that is given, and each later one the next number; those of the engine
and those over Kafka take turns. A cycle that found something is run again by its own seed and part.
It ends with 1 if anything was found.
"""

import fcntl
import itertools
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, NoReturn

import typer
from rich.console import Console
from rich.live import Live

from edge.postgres import embedded
from tests.brokers.broker import Broker
from tests.faults.canary import sing
from tests.faults.checks import Finding, Kind, shown
from tests.faults.cycle import cycle
from tests.faults.over_kafka.canary import sing as sing_over_kafka
from tests.faults.over_kafka.cycle import cycle as cycle_over_kafka
from tests.faults.over_kafka.storm import LONG
from tests.faults.over_kafka.storm import Storm as StormOverKafka
from tests.faults.server import Server
from tests.faults.storm import Storm
from tests.faults.totals import Part, Total

STORM_S = 40.0
CANARY_S_MAX = 60.0
PLACE = Path(tempfile.gettempdir())
PREFIX = f"claims-soak-{os.getuid()}-"
SEEDS = 10**9


def soak(
    minutes: Annotated[float, typer.Option(help="How long; a cycle under way is finished.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The first cycle's.")] = None,
    only: Annotated[Part | None, typer.Option(help="Cycles of one part only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
) -> None:
    """Hurt the ledger for as long as asked; see docs/how-to/soak.md."""
    signal.signal(signal.SIGTERM, _leave)
    console = Console(stderr=as_json)
    total = Total(random.SystemRandom().randrange(SEEDS) if seed is None else seed, minutes)
    _clear_what_killed_soaks_left()
    with _folder() as folder:
        server = Server(folder)
        try:
            with Live(console=console, refresh_per_second=2, transient=True) as live:
                Soak(total, server, folder, live).run([only] if only else list(Part))
        finally:
            server.end()
        if not total.findings:
            shutil.rmtree(folder)
    if as_json:
        typer.echo(json.dumps(total.data()))
    console.print(total.drawn("done"))
    if total.findings:
        console.print(shown(total.findings), markup=False)
        console.print(f"The journals and the database are in {folder}", markup=False)
        raise typer.Exit(1)
    console.print("Nothing was lost, doubled or skipped.")


class Soak:
    """The cycles, one after the other, on one server."""

    def __init__(self, total: Total, server: Server, folder: Path, live: Live) -> None:
        self._total = total
        self._server = server
        self._folder = folder
        self._live = live

    def run(self, parts: list[Part]) -> None:
        """Let the parts take turns until the time is up; before its first, each has its canary."""
        deadline = time.monotonic() + 60 * self._total.minutes
        for number, part in enumerate(itertools.cycle(parts)):
            if number and time.monotonic() >= deadline:
                return
            if part not in self._total.canaries:
                self._live.update(self._total.drawn(f"canary of the {part}"))
                self._sing(part)
            self._cycle(part, str(self._total.seed + number))

    def _sing(self, part: Part) -> None:
        seed, own = str(self._total.seed), self._folder / f"canary-{part}"
        own.mkdir()
        conninfo = self._server.database(f"canary_{part}")
        if part is Part.ENGINE:
            found = sing(conninfo, own, seed, CANARY_S_MAX, lockless=True).findings
            expected = {Kind.SKIPPED}
        else:
            found = sing_over_kafka(conninfo, self._broker("canary"), own, seed)
            expected = {Kind.LOST, Kind.EARLY}
        self._server.drop(f"canary_{part}")
        self._total.canaries[part] = len(found)
        if not expected <= {each.kind for each in found}:
            self._total.findings.append(Finding(Kind.UNSEEN, f"the {part} canary stayed green"))

    def _cycle(self, part: Part, seed: str) -> None:
        folder, found = self._folder / f"{part}-{seed}", len(self._total.findings)
        if part is Part.ENGINE:
            self._total.add(cycle(self._server, folder, seed, STORM_S, self._tell))
        else:
            broker = self._broker(seed)
            self._total.add_over_kafka(
                cycle_over_kafka(self._server, broker, folder, seed, LONG, self._tell)
            )
        if len(self._total.findings) == found:
            for each in (folder, self._broker(seed).folder):
                shutil.rmtree(each, ignore_errors=True)  # an engine's cycle has no broker

    def _broker(self, name: str) -> Broker:
        """A new one, where the next soak finds it if this one is killed."""
        return Broker(self._folder, f"broker-{name}")

    def _tell(self, storm: Storm | StormOverKafka) -> None:
        self._live.update(self._total.drawn(f"seed {storm.seed}", storm.faults))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as an error does, so that nothing is left behind."""
    del frame
    raise SystemExit(128 + number)


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
            for own in folder.glob("*/"):
                Broker(folder, own.name).kill()


if __name__ == "__main__":
    typer.run(soak)
