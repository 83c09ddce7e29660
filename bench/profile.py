"""Where the time of our side goes, in numbers: one turn under cProfile, by room and by function.

The profiler makes every call dearer, calls of small functions most of all: read the shares, not the
seconds. `busy` is the processor time of the same turn without it, by which one sees how much of the
rest is waiting for PostgreSQL.
"""

import cProfile
import importlib
import pstats
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.cluster import own_cluster
from bench.pairs import Measurement, Sized, nothing_beside
from bench.results import ROOT
from bench.turns import Given, Side

FUNCTIONS_SHOWN = 25
IDLE = re.compile("acquire|_queue")  # most of it is threads that wait for work that never comes
_PACKAGE = re.compile(r"site-packages/([^/]+)")

Place = tuple[str, int, str]  # file, line, function
Told = tuple[
    int, int, float, float, object
]  # calls, with recursion; seconds, own and in all; callers


def run(measurement: Measurement, sized: Sized, console: Console) -> None:
    """Set up, warm up, take a turn without the profiler and one under it, and print both."""
    if measurement.beside is not nothing_beside:
        console.print(f"{measurement.key} is the work of other processes; there is nothing to see.")
        return
    with own_cluster() as cluster:
        given = measurement.prepare(cluster, Sized(sized.share, pairs=2))
        with _side(measurement)(given["ours"]) as turn:
            turn(0)
            busy = time.process_time()
            taken = turn(1)
            busy = time.process_time() - busy
        stats = _profiled(lambda: _once_more(measurement, given["ours"]))
    console.print(
        f"{measurement.key}: {taken.rate:,.0f} {measurement.unit}, {taken.seconds:.2f} s,"
        f" {busy:.2f} s of them busy in this process"
    )
    idle = {place for place in stats if IDLE.search(place[2])}
    waited = sum(stats[place][2] for place in idle)
    console.print(f"Left out below: {waited:.2f} s in which threads waited for one another.")
    times = {place: own for place, (_, _, own, _, _) in stats.items() if place not in idle}
    calls = {place: made for place, (_, made, _, _, _) in stats.items()}
    by_room: dict[str, float] = defaultdict(float)
    for place, own in times.items():
        by_room[room(place)] += own
    _show(console, "room", by_room, {})
    top = {_named(place): own for place, own in times.items()}
    _show(console, "function", top, {_named(place): made for place, made in calls.items()})


def _once_more(measurement: Measurement, given: Given) -> None:
    """Opened anew, so that its threads begin under the profiler, and with no other process."""
    with _side(measurement)({**given, "workers": 1}) as turn:
        turn(2)


def _side(measurement: Measurement) -> Side:
    module, _, name = measurement.sides["ours"].partition(":")
    side: Side = getattr(importlib.import_module(f"bench.{module}"), name)
    return side


def room(place: Place) -> str:
    """Where a function lives: a room of ours, a package, or Python itself."""
    file, _, name = place
    if file == "~":
        return f"built in: {name.strip('<>').split(' of ')[-1]}" if _waits(name) else "built in"
    package = _PACKAGE.search(file)
    if package:
        return package[1]
    path = Path(file)
    if path.is_relative_to(ROOT):
        return ".".join(path.relative_to(ROOT).with_suffix("").parts[:2])
    return "python"


def _waits(name: str) -> bool:
    return any(sign in name for sign in ("wait", "acquire", "select", "poll", "sleep", "send"))


def _profiled(work: Callable[[], None]) -> dict[Place, Told]:
    """Run under a profiler in this thread and in every thread that is started meanwhile."""
    profilers = [cProfile.Profile()]

    def also_here(*_: object) -> None:
        profilers.append(cProfile.Profile())
        profilers[-1].enable()

    threading.setprofile(also_here)
    profilers[0].enable()
    try:
        work()
    finally:
        profilers[0].disable()
        threading.setprofile(None)
    found: dict[Place, Told] = vars(pstats.Stats(*profilers))["stats"]
    return found


def _named(place: Place) -> str:
    file, line, name = place
    if file == "~":
        return name
    return f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"


def _show(console: Console, what: str, times: Mapping[str, float], calls: dict[str, int]) -> None:
    total = sum(times.values())
    table = Table(what, "share", "seconds", "calls", title=f"own time by {what}")
    for name, own in sorted(times.items(), key=lambda each: -each[1])[:FUNCTIONS_SHOWN]:
        made = f"{calls[name]:,}" if name in calls else ""
        table.add_row(name, f"{own / total:.1%}", f"{own:.3f}", made)
    console.print(table)
