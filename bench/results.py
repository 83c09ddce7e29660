"""What was measured, in `bench/results.json`: by the key of each measurement, machine and commit.

A measurement replaces its own entry and leaves the others as they are, so that any number of runs
join the same file.
"""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "results.json"
ROOT = FILE.parent.parent


@dataclass(frozen=True, slots=True)
class Taken:
    """What one side did in one turn: how much, in how many seconds; latencies in milliseconds.

    `processes_mb` is the most that each of the processes which did the work ever had resident, by
    its name; empty where the side did it by itself.
    """

    count: int
    seconds: float
    latencies_ms: Sequence[float] = ()
    processes_mb: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def rate(self) -> float:
        """How much a second."""
        return self.count / self.seconds


@dataclass(slots=True)
class Series:
    """The turns of one side, and the peak resident memory of its process in MB."""

    turns: list[Taken] = field(default_factory=list[Taken])
    rss_mb: int = 0

    @property
    def rate(self) -> float:
        """The median of its rates."""
        return statistics.median(turn.rate for turn in self.turns)

    @property
    def processes_mb(self) -> Mapping[str, int]:
        """The peak of each process that did the work, which is that of the last turn."""
        return self.turns[-1].processes_mb if self.turns else {}

    def percentile_ms(self, share: float) -> float | None:
        """The latency that this share of all turns stayed within; None where it has no meaning."""
        return percentile([each for turn in self.turns for each in turn.latencies_ms], share)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def entry(unit: str, ours: Series, theirs: Series, **others: Series) -> dict[str, Any]:
    """A measurement's entry: rates are medians, the ratio that of the pairs, others beside ours.

    Raises `ValueError` for sides that did not take as many turns.
    """
    ratios = [mine.rate / peer.rate for mine, peer in zip(ours.turns, theirs.turns, strict=True)]
    told: dict[str, Any] = {
        "ratio": short(statistics.median(ratios)),
        "ratio_min": short(min(ratios)),
        "ratio_max": short(max(ratios)),
        "ours": short(ours.rate),
        "theirs": short(theirs.rate),
        "unit": unit,
        "p99_ms": short(ours.percentile_ms(0.99)),
        "rss_mb": ours.rss_mb,
        "pairs": len(ratios),
        "p50_ms": short(ours.percentile_ms(0.5)),
        "theirs_p99_ms": short(theirs.percentile_ms(0.99)),
        "theirs_rss_mb": theirs.rss_mb,
    }
    if ours.processes_mb:
        told["processes_mb"] = dict(ours.processes_mb)
    for name, series in others.items():
        of_it = [
            mine.rate / peer.rate for mine, peer in zip(series.turns, theirs.turns, strict=True)
        ]
        told[name] = short(series.rate)
        told[f"{name}_ratio"] = short(statistics.median(of_it))
    return told


def short(value: float | None) -> float | None:
    """Four figures: more would claim what no run repeats."""
    return None if value is None else float(f"{value:.4g}")


def join(
    found: Mapping[str, Mapping[str, Any]], machine: Mapping[str, Any], path: Path = FILE
) -> None:
    """Put entries into the file, each with the commit it was measured at; the others stay.

    Written beside it and moved into its place: a run that is stopped leaves the old file whole.
    """
    kept = load(path)
    commit = commit_of(ROOT)
    for key, told in found.items():
        kept[key] = {**told, "commit": commit}
    kept |= {"machine": dict(machine), "commit": commit}
    whole = {key: kept[key] for key in sorted(kept, key=_order)}
    half = path.with_suffix(".half")
    half.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")
    half.replace(path)


def load(path: Path = FILE) -> dict[str, Any]:
    """What the file holds; nothing when there is none."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def measurements(kept: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries of the measurements, without what is said of them all."""
    return {key: told for key, told in kept.items() if key not in ("machine", "commit")}


def _order(key: str) -> tuple[int, str]:
    number = key.removeprefix("P")
    return (int(number), key) if key != number and number.isdecimal() else (1_000, key)


def machine(postgres: str) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": postgres,
    }


def _cpu() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit_of(root: Path) -> str:
    """The commit that is measured, with a mark when files differ from it; "" outside a checkout."""
    try:
        head, changed = (
            _git(root, *what) for what in (("rev-parse", "--short=12", "HEAD"), CHANGED)
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


CHANGED = ("status", "--porcelain", "--untracked-files=no", "--", ":!bench/results.json", ":!docs")


def _git(root: Path, *what: str) -> str:
    done = subprocess.run(
        ["git", *what],  # noqa: S607 - the git on the path is the one meant
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
