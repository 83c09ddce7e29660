"""What the demo shows, drawn: a portfolio, one file's life, what was known when, and the proof."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from psycopg import Connection
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from consumers.files import Log
from domain.claim import Claim
from domain.envelope import recorded_day
from domain.history import Coordinate
from edge.cli.asking import moment_of
from edge.cli.files import changes_in, draw_history, entry_name
from edge.cli.output import amount, console, light_table, pounds, table
from edge.cli.replaying import draw_difference, history_of
from edge.cli.telling import draw_file
from edge.store.verify import Summary, verify_all
from edge.wiring import Books
from projections import caseload, reserves
from projections.audit import Entry, Filter, trail
from replay.difference import difference
from replay.file import History, file_at
from replay.portfolio import told as told_file

BAR_WIDTH = 36
STORY = told_file()


def show(books: Books, accepted: int, refused: dict[str, int], today: date) -> None:
    """The whole story, for a person."""
    told = ", ".join(f"{code} {count}" for code, count in sorted(refused.items()))
    console.print(Rule("The portfolio"))
    console.print(f"{accepted:,} commands accepted; refused as intended: {told or 'none'}.")
    with books.reading() as connection:
        show_caseload(connection, today)
        show_totals(connection, today)
        entries = entries_of(connection, STORY)
    history = history_of(books, STORY)
    console.print(Rule(f"The life of {STORY}"))
    show_life(entries)
    console.print(_estimates(history))
    show_replay(history)
    show_refusal(entries, books.log)
    console.print(Rule("The proof"))
    show_verified(verify_all(books.log))
    console.print(Rule("Try next"))
    for line in _next(history):
        console.print(f"  [bold cyan]{line}[/]")


def show_caseload(connection: Connection[Any], today: date) -> None:
    """Open files by handler."""
    groups = caseload.grouped(connection, caseload.Asked(today), [caseload.By.HANDLER])
    rows = [
        [
            each.group["handler"],
            each.currency,
            each.files,
            each.open_escalations,
            pounds(each.incurred, each.currency),
            pounds(each.outstanding, each.currency),
        ]
        for each in groups
    ]
    columns = ["handler", "", "open files>", "escalated>", "incurred>", "outstanding>"]
    console.print(table(f"Caseload on {today}", columns, rows))


def show_totals(connection: Connection[Any], today: date) -> None:
    """Reserve totals now and at two earlier days, as they were known then."""
    rows: list[list[object]] = []
    for years in (2, 1, 0):
        day = today.replace(year=today.year - years, day=min(today.day, 28))
        known_at = moment_of(str(day))  # its end, as `claims reserves --known-at` takes a day
        found = reserves.totals(connection, known_at=known_at, as_of=day).in_all
        for each in found:
            figures = each.figures
            shown = (figures.estimate, figures.paid, figures.outstanding, figures.recovered)
            cells = [pounds(figure, each.currency) for figure in shown]
            rows.append([day, each.currency, each.claims, *cells])
    rows.sort(key=lambda row: (str(row[1]), str(row[0])))
    columns = ["known on", "", "files>", "estimate>", "paid>", "outstanding>", "recovered>"]
    console.print(table("Reserve totals, as they were known", columns, rows))


def entries_of(connection: Connection[Any], reference: str) -> list[Entry]:
    """Everything recorded about a file."""
    return trail(connection, Filter(subject=f"claim-{reference}"))


def show_life(entries: Sequence[Entry]) -> None:
    """A file's life, a line a command; `claims history` has every fact of it."""
    drawn = light_table("")
    for name in ("fact", "recorded", "who", "what"):
        drawn.add_column(name, no_wrap=name != "what")
    for _, group in groupby(entries, key=lambda entry: entry.command_id):
        facts = list(group)
        names = list(dict.fromkeys(entry_name(entry) for entry in facts))
        what = Text(", ".join(names), style="red" if facts[0].code else "")
        if facts[0].rationale:
            what.append(f'\n"{facts[0].rationale}"', style="dim")
        first, last = facts[0].version, facts[-1].version
        number = "" if facts[0].code else str(first) if first == last else f"{first}-{last}"
        day = f"{facts[0].recorded_at:%Y-%m-%d}"
        drawn.add_row(Text(number), Text(day), Text(facts[0].person), what)
    console.print(drawn)


def _estimates(history: History) -> Table:
    """The file's damages estimate at the end of each day on which it changed."""
    drawn = Table(title="Damages estimate", title_justify="left", box=None, show_header=False)
    steps = _estimate_steps(history)
    most = max((minor for _, minor, _ in steps), default=1) or 1
    for day, minor, currency in steps:
        bar = "█" * max(1, round(BAR_WIDTH * minor / most))
        drawn.add_row(str(day), Text(bar, style="cyan"), f"{currency} {pounds(minor, currency)}")
    return drawn


def _estimate_steps(history: History) -> list[tuple[date, int, str]]:
    steps: dict[date, tuple[date, int, str]] = {}
    for record in history:
        claim = _as_recorded(history, record.envelope.version)
        total = claim.damages_estimated(claim.currency)
        day = recorded_day(record.envelope.recorded_at)
        steps[day] = (day, total.minor, total.currency)
    told = [step for step in steps.values() if step[1]]
    return told[:1] + [step for before, step in pairwise(told) if step[1] != before[1]]


def _as_recorded(history: History, version: int) -> Claim:
    return file_at(history, Coordinate(version=version)).claim


def show_replay(history: History) -> None:
    """The file as it was known before an estimate was corrected, and what changed since."""
    then = Coordinate(known_at=_before_correction(history))
    day = recorded_day(then.known_at) if then.known_at else date.max
    console.print(Rule(f"The same file as it was known on {day}"))
    fixed = [each.envelope for each in history if each.envelope.corrects is not None]
    for envelope in fixed[:1]:
        corrected = (
            f"On {recorded_day(envelope.recorded_at)} fact {envelope.corrects} was corrected."
        )
        console.print(f"{corrected} Until then the ledger knew only this:")
    console.print(draw_file(f"{STORY} on {day}", file_at(history, then).claim, day))
    found = difference(history, then, Coordinate())
    told = [change for change in found.changes if _TELLING.fullmatch(change.path)]
    draw_difference(f"What changed since {day}", replace(found, changes=tuple(told), hindsight=()))
    left = len(found.changes) - len(told)
    console.print(
        f"[dim]... and {left} more fields: claims replay diff {STORY} --from-known-at {day}[/]"
    )


_TELLING = re.compile(
    r"lifecycle\.(status|stage|closed_on)|reserves\.lines\..+\.(estimate|paid|recovered)"
    r"|offers\.by_id\..+\.ended|settlement\.agreed\.damages\.gross"
)


def _before_correction(history: History) -> datetime:
    """A moment at which something was held to be so that was corrected later."""
    for record in history:
        if record.envelope.corrects is not None:
            return record.envelope.recorded_at - timedelta(days=1)
    return history[len(history) // 2].envelope.recorded_at


def show_refusal(entries: Sequence[Entry], log: Log) -> None:
    """The offer above authority: refused, escalated, approved, made."""
    near = next((entry for entry in entries if entry.near_miss), None)
    if near is None:
        return
    console.print(Rule("An offer above authority: refused, escalated, approved, made"))
    names = ("escalated", "escalation-decided", "offer-made", "approval-consumed")
    after = [
        entry
        for entry in entries
        if entry.position > near.position and entry.name.rpartition(".")[0] in names
    ]
    shown = [near, *after[: len(names)]]
    console.print(draw_history("", shown, changes_in(shown, log)))


def show_verified(summary: Summary) -> None:
    """Every chain followed."""
    if summary.broken:
        console.print(f"[red]Broken:[/] {', '.join(each.stream for each in summary.broken)}")
        return
    console.print(
        f"[green]Whole:[/] {summary.facts:,} facts in {summary.streams:,} streams; every link and"
        " every receipt as it was given."
    )


def _next(history: History) -> list[str]:
    day = recorded_day(_before_correction(history))
    return [
        f"claims replay file {STORY} --known-at {day}",
        "claims reserves --by handler --basis our_share",
        f"claims history {STORY} --json",
    ]


def story_data(books: Books, accepted: int, refused: dict[str, int]) -> dict[str, Any]:
    """What was played and proved, as data."""
    with books.reading() as connection:
        totals = reserves.totals(connection).in_all
    summary = verify_all(books.log)
    return {
        "accepted": accepted,
        "refused": refused,
        "story": STORY,
        "totals": [
            {
                "currency": each.currency,
                "claims": each.claims,
                "estimate": amount(each.figures.estimate, each.currency),
                "paid": amount(each.figures.paid, each.currency),
                "outstanding": amount(each.figures.outstanding, each.currency),
                "recovered": amount(each.figures.recovered, each.currency),
            }
            for each in totals
        ],
        "verified": {
            "facts": summary.facts,
            "streams": summary.streams,
            "broken": [each.stream for each in summary.broken],
        },
    }
