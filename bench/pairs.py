"""Two sides in turns, each in a process of its own, so that neither sees the other's memory.

A side is set up and warmed up once; then, for each pair, one side works while the other waits, and
who goes first alternates. The parent writes a checkpoint between them.
"""

import importlib
import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Any

from bench.cluster import Cluster
from bench.results import Series, Taken
from bench.turns import Given

PAIRS = 5
TURN_S_MAX = 1_800.0  # a rebuild of four million facts takes minutes; nothing takes longer
LOOK_S = 0.1  # between looks at how much memory a side has, which cost it nothing
Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sized:
    """How large a measurement is: `share` of its ordinary counts, in so many pairs."""

    share: float = 1.0
    pairs: int = PAIRS

    def of(self, count: int) -> int:
        """A count at this size."""
        return max(1, round(count * self.share))


@contextmanager
def nothing_beside() -> Generator[Given]:
    """The server is all that most measurements need."""
    yield {}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the table.

    `prepare` fills databases and returns what each side is given. `sides` are functions of this
    folder, as `module:name`: at least `ours` and `theirs`, and any other is measured beside them.
    `reach` is the ratio to reach, and `p99_ms_max` the latency to stay within. `alternates` is
    False where their work is on what ours has just made. `beside` runs what the measurement needs
    besides the server, and says what every side is given of it.
    """

    key: str
    about: str
    peer: str
    unit: str
    reach: float
    prepare: Callable[[Cluster, Sized], Mapping[str, Given]]
    sides: Mapping[str, str]
    p99_ms_max: float | None = None
    alternates: bool = True
    beside: Callable[[], AbstractContextManager[Given]] = nothing_beside


@dataclass(slots=True)
class Process:
    """A side at work in its own process: one line in, one line out."""

    child: "subprocess.Popen[str]"
    series: Series = field(default_factory=Series)
    tree_mb: int = 0  # the most that it and the processes it started were seen to have together

    def turn(self, number: int) -> Taken:
        """Have it take a turn; turn 0 is not kept."""
        told = self._ask({"turn": number})
        taken = Taken(**told)
        if number:
            self.series.turns.append(taken)
        return taken

    def end(self) -> None:
        """Ask for the memory it took, and let it go."""
        told = self._ask({"end": True})["rss_mb"]
        at_work = sum(self.series.processes_mb.values())
        self.series.rss_mb = at_work or max(self.tree_mb, told)

    def tell(self, what: Mapping[str, Any]) -> None:
        """Send a line."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(what) + "\n")
        self.child.stdin.flush()

    def _ask(self, what: Mapping[str, Any]) -> Any:
        self.tell(what)
        assert self.child.stdout is not None
        deadline = time.monotonic() + TURN_S_MAX
        while not select.select([self.child.stdout], [], [], LOOK_S)[0]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"a side has not answered {what} in {TURN_S_MAX} s")
            self.tree_mb = max(self.tree_mb, resident_mb(self.child.pid))
        answer = self.child.stdout.readline()
        if not answer:
            raise RuntimeError(f"a side ended with code {self.child.wait()}; what it said is above")
        return json.loads(answer)


def resident_mb(process: int) -> int:
    """What a process and those it started have resident together; 0 where /proc does not tell."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        started_by_it = [
            int(each)
            for thread in Path(f"/proc/{process}/task").iterdir()
            for each in (thread / "children").read_text().split()
        ]
    except OSError:  # it has just ended
        return 0
    return pages * resource.getpagesize() // 2**20 + sum(map(resident_mb, started_by_it))


def own_environment() -> dict[str, str]:
    """That of this process, without the ledger's settings.

    One of the reader's own, such as another database, is no part of the measurement.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("CLAIMS_")}


@contextmanager
def started(side: str, given: Given) -> Generator[Process]:
    """A process for one side, gone at the end whatever happens."""
    command = [sys.executable, "-m", "bench.side", side]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that what it starts can be ended with it
        env=own_environment(),
    ) as child:
        try:
            process = Process(child)
            process.tell(given)
            yield process
        finally:
            with suppress(ProcessLookupError):  # it and all it started have ended
                os.killpg(child.pid, SIGKILL)


def measure(
    measurement: Measurement, cluster: Cluster, sized: Sized, watch: Watch
) -> dict[str, Series]:
    """Take the pairs of one measurement; each side's turns."""
    watch("setting up")
    given = measurement.prepare(cluster, sized)
    with ExitStack() as open_sides:
        beside = open_sides.enter_context(measurement.beside())
        sides = {
            name: open_sides.enter_context(started(where, {**given[name], **beside}))
            for name, where in measurement.sides.items()
        }
        watch("warming up")
        for side in sides.values():
            side.turn(0)
        for pair in range(1, sized.pairs + 1):
            for name in order(list(sides), pair, alternates=measurement.alternates):
                cluster.checkpoint()
                watch(f"pair {pair} of {sized.pairs}, {name}")
                sides[name].turn(pair)
        for side in sides.values():
            side.end()
    return {name: side.series for name, side in sides.items()}


def order(names: Sequence[str], pair: int, *, alternates: bool) -> list[str]:
    """Who goes first in a pair: the other one each time."""
    return list(reversed(names)) if alternates and pair % 2 == 0 else list(names)


def found(module: str) -> Measurement:
    """The measurement that a module of this folder declares as `MEASUREMENT`."""
    measurement = importlib.import_module(f"bench.{module}").MEASUREMENT
    assert isinstance(measurement, Measurement)
    return measurement
