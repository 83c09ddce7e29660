"""What was measured as a table, on the terminal and between the marks of `docs/benchmarks.md`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import kafka_memory
from bench.pairs import Measurement
from bench.results import ROOT, load, measurements

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- what was measured -->", "<!-- until here -->"
SHOWN = (0, 1, 3, 4, 5, 6, 7, 10, 11)  # of the columns: as many as a terminal is wide
COLUMNS = (
    *("", "work", "measured against", "reach", "ratio", "least - most", "ours", "theirs", "unit"),
    *("p50 ms", "p99 ms", "MB", "theirs MB"),
)


def rows(kept: Mapping[str, Any], known: Sequence[Measurement]) -> list[list[str]]:
    """A row for each measurement that was taken, in the order of the keys."""
    told: list[list[str]] = []
    for each in known:
        found = kept.get(each.key)
        if found is None:
            continue
        told.append(
            [
                each.key,
                each.about,
                each.peer,
                _reach(each),
                f"{_number(found['ratio'])} x",
                f"{_number(found['ratio_min'])} - {_number(found['ratio_max'])}",
                _number(found["ours"]),
                _number(found["theirs"]),
                found["unit"],
                _number(found.get("p50_ms")),
                _number(found["p99_ms"]),
                _number(found["rss_mb"]),
                _number(found.get("theirs_rss_mb")),
            ]
        )
        if "ours_every_view" in found:
            every = [
                *("", "the same, every view there is", "", ""),
                f"{_number(found['ours_every_view_ratio'])} x",
                "",
                _number(found["ours_every_view"]),
                *("", found["unit"], "", "", "", ""),
            ]
            told.append(every)
    return told


def growth_rows(kept: Mapping[str, Any]) -> list[list[str]]:
    """A row for each work that was measured at several sizes of the log; none if none was."""
    found = kept.get("P11")
    if found is None:
        return []
    return [
        [
            f"{name}, {told['unit']}",
            *(_number(rate) for rate in told["rates"].values()),
            f"{told['fall']:+.1f} %",
            f"{told['fall_least']:+.1f} - {told['fall_most']:+.1f} %",
            " / ".join(_number(each) for each in told["rss_mb"].values()),
        ]
        for name, told in found["works"].items()
    ]


def growth_columns(kept: Mapping[str, Any]) -> list[str]:
    """The heads of those rows."""
    sizes = (
        [f"{int(size) / 1e6:g} million" for size in kept["P11"]["sizes"]] if "P11" in kept else []
    )
    return ["work", *sizes, "fall", "least - most", "peak MB"]


def memory_rows(kept: Mapping[str, Any]) -> list[list[str]]:
    """A row for each program that was watched over many messages; none if none was."""
    found = kept.get(kafka_memory.KEY)
    if found is None:
        return []
    return [
        [
            f"claims {name}",
            f"{found['messages']:,}",
            *(_number(told[each]) for each in ("first", "last", "peak")),
            f"{told['grew']:+d}",
        ]
        for name, told in found["programs"].items()
    ]


MEMORY_COLUMNS = (
    *("program", "messages", f"MB after {kafka_memory.STEP:,}", "MB at the end", "peak MB"),
    "grew by",
)


def show(console: Console, kept: Mapping[str, Any], known: Sequence[Measurement]) -> None:
    """Print the tables."""
    narrow = [[row[place] for place in SHOWN] for row in rows(kept, known)]
    _print(console, [COLUMNS[place] for place in SHOWN], narrow)
    _print(console, growth_columns(kept), growth_rows(kept))
    _print(console, MEMORY_COLUMNS, memory_rows(kept))


def write_page(known: Sequence[Measurement], page: Path = PAGE) -> None:
    """Put the tables into the page, between its marks; the rest of it stays."""
    page.write_text(with_tables(page.read_text("utf-8"), load(), known), "utf-8")


def with_tables(text: str, kept: Mapping[str, Any], known: Sequence[Measurement]) -> str:
    """The text of a page with these tables between its marks. Raises `ValueError` without marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    parts = [_markdown(COLUMNS, rows(kept, known))]
    if "P11" in kept:
        parts.append(_markdown(growth_columns(kept), growth_rows(kept)))
    parts.append(_markdown(MEMORY_COLUMNS, memory_rows(kept)))
    parts.append(_origin(kept))
    return before + BEGIN + "\n\n" + "\n\n".join(filter(None, parts)) + "\n\n" + END + after


def _origin(kept: Mapping[str, Any]) -> str:
    machine = kept.get("machine")
    if not machine or not measurements(kept):
        return "Nothing was measured yet."
    return (
        f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['memory']},"
        f" {machine['kernel']}, Python {machine['python']}, PostgreSQL {machine['postgres']},"
        f" at commit {kept['commit'] or '(none)'}."
    )


def _print(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        table = Table()
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*row)
        console.print(table)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _reach(measurement: Measurement) -> str:
    latency = measurement.p99_ms_max
    return f"{measurement.reach:g} x" + (f", p99 {latency:g} ms" if latency else "")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
