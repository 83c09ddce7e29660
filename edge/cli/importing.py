"""`claims import histories`: claims of another system, with all that happened on them."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from commands.fields import ActorIn
from domain.envelope import recorded_day
from domain.errors import BadValue
from domain.terms import Role
from edge.cli.asking import OK, SET_ASIDE, Caller, Json, answering
from edge.cli.output import amount, console, errors, pounds, print_json, table
from edge.importing.importer import Importer
from edge.importing.intake import Plan, require_source
from edge.importing.opening import log_of_this_process, opened
from edge.importing.outcome import Outcome, Rejects, Share
from edge.importing.sharing import PROCESSES_MAX, processes_for, sharing
from edge.importing.source import Watch, read
from edge.importing.staging import Staging
from edge.wiring import system_clock

REJECTS_DRAWN_MAX = 10  # what a screen has room for; the file of rejects has them all

File = Annotated[Path, typer.Argument(metavar="FILE", help="A bordereau: CSV, CSV.gz or Parquet.")]
Currency = Annotated[
    str, typer.Option("--currency", metavar="CODE", help="Of rows that name none.")
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="What the source is called; the file's name."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Judge everything, write nothing.")]
RejectsFile = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Where to say, as CSV, what was set aside."),
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        metavar="N",
        min=1,
        max=PROCESSES_MAX,
        help="How many share the work; for a large file one a processor.",
    ),
]


@answering
def import_histories(
    context: typer.Context,
    path: File,
    currency: Currency = "GBP",
    source: Source = None,
    dry_run: DryRun = False,
    rejects: RejectsFile = None,
    processes: Processes = None,
    json: Json = False,
) -> int:
    """Import the histories of claims, one row a transaction; the same file again adds nothing.

    A claim goes in whole or is set aside whole, and the rest goes on. A claim's rows are in
    order; claims may interleave. Columns: claim_ref, effective_on, kind (opened, estimate,
    payment, recovery, closed, reopened), amount, estimate; optional: line, currency, handler,
    pathway, jurisdiction, event_date, notified_on, note. A line is damages, damages/psla,
    defence_costs and so on, with " our_share" behind it if it is kept for our share.

    Exit codes: 0 all in, 3 claims were set aside, 1 nothing could be read, 5 stopped on the way;
    the same import again goes on from there.
    """
    caller: Caller = context.obj
    started = time.monotonic()
    name = path.name if source is None else source
    require_source(name)
    plan = Plan(name, _actor(caller, name), recorded_day(system_clock()), currency, dry_run)
    if rejects is not None and _same(path, rejects):
        raise BadValue("--rejects", "another file than the one that is imported")
    opens = partial(opened, caller.settings, plan, log_of_this_process(json=caller.log_json))
    shared = sharing(opens, processes or processes_for(path))
    with Staging() as staging, Rejects(rejects) as rejected, shared as dealing:
        with _bar("reading") as reading:
            staging.take(read(path, reading))
        with _bar("importing") as importing:
            outcome = Importer(plan, rejected, dealing).run(staging, importing)
    run = _Run(str(path), outcome, rejected, rejects, time.monotonic() - started)
    if json:
        print_json(run.told())
    else:
        run.draw()
    return OK if outcome.all_in else SET_ASIDE


def _actor(caller: Caller, source: str) -> ActorIn:
    """Who the facts say recorded them: the person that was named, else the source itself."""
    role = Role(caller.role or Role.SERVICE)
    return ActorIn(person=caller.person or source, role=role, team=caller.team)


def _same(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and path.samefile(other)


@contextmanager
def _bar(task: str) -> Generator[Watch]:
    """A progress bar on stderr while it is a terminal."""
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bar:
        number = bar.add_task(task, total=None)
        yield lambda done, total: bar.update(number, completed=done, total=total)


@dataclass(frozen=True, slots=True)
class _Run:
    """An import that is over, to be told."""

    path: str
    outcome: Outcome
    rejected: Rejects
    rejects: Path | None
    seconds: float

    def told(self) -> dict[str, Any]:
        """As data; amounts are decimal strings."""
        outcome = self.outcome
        return {
            "file": self.path,
            "source": outcome.source,
            "dry_run": outcome.dry_run,
            "imported": _share(outcome.imported),
            "already_there": _share(outcome.already_there),
            "left_out": _share(outcome.left_out)
            | {
                "rows_without_claim": outcome.rows_without_claim,
                "faults": self.rejected.count,
                "rejects": str(self.rejects) if self.rejects else None,
                "first": [each._asdict() for each in self.rejected.first],
            },
            "seconds": round(self.seconds, 3),
        }

    def draw(self) -> None:
        """As tables for people, and what to do next."""
        outcome = self.outcome
        went_in = "would go in" if outcome.dry_run else "imported"
        shares = {
            went_in: outcome.imported,
            "already there": outcome.already_there,
            "left out": outcome.left_out,
        }
        counts = [[name, *_counts(share)] for name, share in shares.items()]
        title = f"{outcome.source}, in {self.seconds:.1f} s"
        console.print(table(title, ["", "claims>", "rows>", "facts>"], counts))
        money = [[name, *cells] for name, share in shares.items() for cells in _money(share)]
        columns = ["", "currency", "paid>", "outstanding>", "incurred>"]
        console.print(table("Money", columns, money))
        if not outcome.all_in:
            self._draw_rejects()

    def _draw_rejects(self) -> None:
        if self.outcome.rows_without_claim:
            errors.print(f"Rows left out that name no claim: {self.outcome.rows_without_claim:,}.")
        first = self.rejected.first[:REJECTS_DRAWN_MAX]
        faults = [
            [each.claim_ref, each.row, each.column, each.code, each.message] for each in first
        ]
        console.print(table("Set aside", ["claim", "row>", "column", "code", "why"], faults))
        if self.rejects is not None:
            errors.print(f"Faults: {self.rejected.count:,}, all in {self.rejects}.")
        elif self.rejected.count > len(first):
            errors.print(f"Faults: {self.rejected.count:,}; --rejects FILE writes them all down.")


def _share(share: Share) -> dict[str, Any]:
    money = [
        {
            "currency": currency,
            "paid": amount(figures.paid, currency),
            "outstanding": amount(figures.outstanding, currency),
            "incurred": amount(figures.incurred, currency),
            "recovered": amount(figures.recovered, currency),
        }
        for currency, figures in sorted(share.money.items())
    ]
    return {"claims": share.claims, "rows": share.rows, "facts": share.facts, "money": money}


def _counts(share: Share) -> list[str]:
    return [f"{count:,}" for count in (share.claims, share.rows, share.facts)]


def _money(share: Share) -> list[list[str]]:
    return [
        [
            currency,
            pounds(figures.paid, currency),
            pounds(figures.outstanding, currency),
            pounds(figures.incurred, currency),
        ]
        for currency, figures in sorted(share.money.items())
    ]
