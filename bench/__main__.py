"""`python -m bench` takes the short measurements; `python -m bench NAME ...` takes those named.

    python -m bench [P1 P3 ...] [--share 0.2] [--pairs 5] [--json]
    python -m bench growth [--sizes 250000 1000000 4000000] [--json]
    python -m bench kafka-memory [--messages 1000000] [--json]
    python -m bench profile P1
    python -m bench table
    python -m bench splice_reconcile DATA_FOLDER
    python -m bench splice_convert DATA_FOLDER [BORDEREAU.csv]

What is taken at its full size joins `bench/results.json` and the table in `docs/benchmarks.md`.
"""

import importlib
import json
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import kafka_memory, profile, results, table
from bench import p11_growth as growth
from bench.cluster import Cluster, own_cluster
from bench.pairs import PAIRS, Measurement, Sized, Watch, found, measure

SHORT = (
    *("p1_commands", "p2_callers", "p3_import", "p4_live_views", "p5_rebuild", "p6_replay"),
    "p9_kafka",
)
Entries = dict[str, dict[str, Any]]
Machine = dict[str, Any]
OTHERS = ("splice_reconcile", "splice_convert")  # which take a data folder


def main(arguments: Sequence[str]) -> int:
    """Measure, show, and keep what was found."""
    if arguments and arguments[0] in OTHERS:
        run: Callable[..., int] = importlib.import_module(f"bench.{arguments[0]}").main
        return run(*arguments[1:])
    known = {each.key: each for each in map(found, SHORT)}
    asked = _asked(arguments, known)
    match asked.what:
        case ["table"]:
            table.write_page(list(known.values()))
            table.show(Console(), results.load(), list(known.values()))
        case ["profile", str(key)]:
            profile.run(known[key], Sized(asked.share, pairs=1), Console())
        case ["growth"]:
            taken, machine = _alone(
                "P11", lambda cluster, watch: growth.measure(cluster, asked.sizes, watch)
            )
            if tuple(asked.sizes) == growth.SIZES:
                _keep(taken, machine, list(known.values()))
            _tell(taken, machine, asked, list(known.values()))
        case ["kafka-memory"]:
            taken, machine = _alone(
                kafka_memory.KEY,
                lambda cluster, watch: kafka_memory.measure(cluster, asked.messages, watch),
            )
            if asked.messages >= kafka_memory.MESSAGES:
                _keep(taken, machine, list(known.values()))
            _tell(taken, machine, asked, list(known.values()))
        case keys:
            whole = asked.share == 1.0 and asked.pairs >= PAIRS
            entries: Entries = {}
            last: Machine = {}
            for taken, machine in take([known[key] for key in keys or known], asked):
                if whole:  # at once: what comes later may fail
                    _keep(taken, machine, list(known.values()))
                entries |= taken
                last = machine
            _tell(entries, last, asked, list(known.values()))
    return 0


def take(wanted: Sequence[Measurement], asked: Namespace) -> Iterator[tuple[Entries, Machine]]:
    """Take measurements on one server: the entry of each by its key, and the machine."""
    sized = Sized(asked.share, asked.pairs)
    with own_cluster() as cluster, _bar() as bar:
        for each in wanted:
            steps = 2 + sized.pairs * len(each.sides)
            task = bar.add_task(each.key, total=steps)

            def watch(what: str, task: Any = task, key: str = each.key) -> None:
                bar.update(task, advance=1, description=f"{key} {what}")

            entry = results.entry(each.unit, **measure(each, cluster, sized, watch))
            told = f"{each.key} {each.about}: {entry['ratio']} x"
            bar.update(task, completed=steps, description=told)
            yield {each.key: entry}, results.machine(cluster.version())


def _alone(key: str, work: Callable[[Cluster, Watch], dict[str, Any]]) -> tuple[Entries, Machine]:
    """Take one long measurement of our side alone, and say what it is at."""
    with _bar() as bar, own_cluster() as cluster:
        task = bar.add_task(key, total=None)
        told = work(cluster, lambda what: bar.update(task, description=f"{key} {what}"))
        return {key: told}, results.machine(cluster.version())


def _keep(entries: Entries, machine: Machine, known: Sequence[Measurement]) -> None:
    results.join(entries, machine)
    table.write_page(known)


def _tell(
    entries: Entries, machine: Machine, asked: Namespace, known: Sequence[Measurement]
) -> None:
    if asked.json:
        print(json.dumps({**entries, "machine": machine}, indent=2))
    else:
        table.show(Console(), {**entries, "machine": machine}, known)


def _asked(arguments: Sequence[str], known: dict[str, Measurement]) -> Namespace:
    parser = ArgumentParser(
        "python -m bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", default=[], help=f"of {', '.join(known)}")
    parser.add_argument("--share", type=float, default=1.0, help="of the ordinary counts")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--sizes", type=int, nargs="+", default=growth.SIZES)
    parser.add_argument("--messages", type=int, default=kafka_memory.MESSAGES)
    parser.add_argument("--json", action="store_true", help="entries on stdout")
    asked = parser.parse_args(arguments)
    plain = asked.what not in (["table"], ["growth"], ["kafka-memory"]) and asked.what[:1] != [
        "profile"
    ]
    keys = asked.what if plain else asked.what[1:]
    if any(key not in known for key in keys) or asked.what == ["profile"]:
        parser.error(f"choose of {', '.join(known)}")
    return asked


def _bar() -> Progress:
    """Progress on stderr, where no program reads an answer."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _end(number: int, _: object) -> None:
    """Ended from outside, it still stops the server that it started."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
