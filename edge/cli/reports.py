"""`claims caseload`, `reserves` and `movements`: what reporting jobs read, at any coordinate."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import typer

from domain.claim.lifecycle import Status
from domain.errors import BadValue
from domain.terms import Basis as Share
from edge.cli.asking import (
    AsOf,
    Basis,
    By,
    Caller,
    Json,
    KnownAt,
    When,
    answering,
    day_of,
    when,
)
from edge.cli.output import amount, console, pounds, print_json, table
from edge.wiring import Books
from projections import caseload as cases
from projections import reserves as totals
from projections.view import View, position_of

Figures = totals.Figures


@answering
def caseload(
    context: typer.Context,
    by: By = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="notified, open or closed.")
    ] = None,
    handler: Annotated[str | None, typer.Option("--handler", help="One person's files.")] = None,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """The files, or how many and how much by handler, team, pathway, jurisdiction or status."""
    caller: Caller = context.obj
    keys = [_one_of(cases.By, each, "--by") for each in by or ()]
    statuses = [_one_of(Status, each, "--status") for each in status or ()] or cases.LIVE
    with caller.books() as books, books.reading() as connection:
        at = when(books, known_at, as_of)
        where = {cases.By.HANDLER: handler} if handler else {}
        asked = cases.Asked(at.as_of, at.known_at, statuses, where)
        answer = _answered(at, connection, cases.VIEW, books)
        if keys:
            groups = cases.grouped(connection, asked, keys)
            answer["rows"] = [_group_row(each) for each in groups]
        else:
            answer["rows"] = [_case_row(each) for each in cases.cases(connection, asked)]
    if json:
        print_json(answer)
    else:
        _draw_caseload(answer, [key.value for key in keys], at)


def _group_row(group: cases.Group) -> dict[str, Any]:
    currency = group.currency
    return {
        **group.group,
        "currency": currency,
        "files": group.files,
        "open_escalations": group.open_escalations,
        "damages_estimate": amount(group.damages_estimate, currency),
        "incurred": amount(group.incurred, currency),
        "paid": amount(group.paid, currency),
        "outstanding": amount(group.outstanding, currency),
    }


def _case_row(case: cases.Case) -> dict[str, Any]:
    stands = case.standing
    figures = {
        "damages_estimate": amount(stands.damages_estimate, stands.currency),
        "incurred": amount(stands.incurred, stands.currency),
        "paid": amount(stands.paid, stands.currency),
        "outstanding": amount(stands.incurred - stands.paid, stands.currency),
    }
    days = {"age_days": case.age_days, "idle_days": case.idle_days}
    return {
        "claim": case.claim.removeprefix("claim-"),
        "version": case.version,
        "last_action_on": case.last_action_on,
        **days,
        **stands._asdict(),
        **figures,
    }


def _draw_caseload(answer: dict[str, Any], keys: list[str], at: When) -> None:
    """By group with how many files, or file by file with how old and how long untouched."""
    counted = {"files>": "files", "escalated>": "open_escalations"}
    single = {"claim": "claim", "status": "status", "handler": "handler"}
    days = {"age>": "age_days", "idle>": "idle_days"}
    names = {**dict.fromkeys(keys), **counted} if keys else {**single, **days}
    sources = {name: source or name for name, source in names.items()} | {"": "currency"}
    figures = {f"{name}>": name for name in ("incurred", "paid", "outstanding")}
    rows = [
        [
            *(row[source] for source in sources.values()),
            *(f"{Decimal(row[source]):,}" for source in figures.values()),
        ]
        for row in answer["rows"]
    ]
    console.print(table(f"Caseload {_told(at)}", [*sources, *figures], rows))


@answering
def reserves(
    context: typer.Context,
    by: By = None,
    basis: Basis = "gross",
    known_at: KnownAt = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Reserve totals by line, cost type, head, pathway, handler or claim, currency by currency."""
    caller: Caller = context.obj
    keys = [_one_of(totals.By, each, "--by") for each in by or ()]
    share = _one_of(Share, basis, "--basis")
    with caller.books() as books, books.reading() as connection:
        at = when(books, known_at, as_of)
        found = totals.totals(connection, keys, known_at=at.known_at, as_of=at.as_of, basis=share)
        answer = _answered(at, connection, totals.VIEW, books)
    answer["basis"] = share.value
    answer["totals"] = [_total_row(each) for each in found.in_all]
    answer["rows"] = [_total_row(each) for each in found.groups] if keys else []
    if json:
        print_json(answer)
        return
    columns = [*(key.value for key in keys), "currency", "claims>", *_FIGURES]
    title = f"Reserve totals, {share.value.replace('_', ' ')}, {_told(at)}"
    drawn = found.groups if keys else found.in_all
    console.print(table(title, columns, [_total_cells(each) for each in drawn]))
    if keys:
        console.print(table("In all", columns[len(keys) :], map(_total_cells, found.in_all)))


_FIGURES = ("estimate>", "paid>", "outstanding>", "recovered>")


def _figures(figures: Figures, currency: str) -> dict[str, str]:
    return {
        "estimate": amount(figures.estimate, currency),
        "paid": amount(figures.paid, currency),
        "outstanding": amount(figures.outstanding, currency),
        "recovered": amount(figures.recovered, currency),
    }


def _total_row(total: totals.Total) -> dict[str, Any]:
    group = {key: value.removeprefix("claim-") for key, value in total.group.items()}
    figures = _figures(total.figures, total.currency)
    return {**group, "currency": total.currency, "claims": total.claims, **figures}


def _total_cells(total: totals.Total) -> list[object]:
    return [
        *total.group.values(),
        total.currency,
        total.claims,
        *_cells(total.figures, total.currency),
    ]


def _cells(figures: Figures, currency: str) -> list[str]:
    shown = (figures.estimate, figures.paid, figures.outstanding, figures.recovered)
    return [pounds(each, currency) for each in shown]


@answering
def movements(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The period's first day.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Its last day, included.")],
    by: By = None,
    axis: Annotated[
        str,
        typer.Option("--axis", metavar="recorded|effective", help="What puts a movement into it."),
    ] = "recorded",
    basis: Basis = "gross",
    known_at: KnownAt = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """What moved in a period, by reason: opening + movements = closing, to the penny."""
    caller: Caller = context.obj
    keys = [_one_of(totals.By, each, "--by") for each in by or ()]
    start, end = day_of(first, "--from"), day_of(last, "--to")
    if end < start:
        raise BadValue("--to", "the period ends before it begins")
    with caller.books() as books, books.reading() as connection:
        at = when(books, known_at, as_of)
        found = totals.movements(
            connection,
            start,
            end,
            keys,
            axis=_one_of(totals.Axis, axis, "--axis"),
            known_at=at.known_at,
            as_of=at.as_of,
            basis=_one_of(Share, basis, "--basis"),
        )
        answer = _answered(at, connection, totals.VIEW, books)
    answer |= {"from": start, "to": end, "axis": axis, "basis": basis}
    answer["rows"] = [_movement_row(each) for each in found]
    if json:
        print_json(answer)
        return
    for each in found:
        _draw_movements(each, start, end, axis)


def _movement_row(report: totals.Movements) -> dict[str, Any]:
    currency = report.currency
    return {
        **report.group,
        "currency": currency,
        "opening": _figures(report.opening, currency),
        "movements": [
            {
                "reason": reason.value,
                **_figures(movement.figures, currency),
                "prior_period": _figures(movement.prior_period, currency),
            }
            for reason, movement in report.by_reason.items()
        ],
        "closing": _figures(report.closing, currency),
    }


def _draw_movements(report: totals.Movements, start: date, end: date, axis: str) -> None:
    group = " ".join([*report.group.values(), report.currency])
    title = f"Movements {start} to {end}, {axis}, {group}"
    rows: list[list[object]] = [["opening", *_cells(report.opening, report.currency)]]
    for reason, movement in report.by_reason.items():
        told = reason.value.replace("_", " ")
        rows.append([told, *_cells(movement.figures, report.currency)])
    rows.append(["closing", *_cells(report.closing, report.currency)])
    console.print(table(title, ["", *_FIGURES], rows))


def _answered(at: When, connection: Any, view: View, books: Books) -> dict[str, Any]:
    """What every report says of itself: the coordinate, the position, and what it leaves out."""
    position = position_of(connection, view)
    return {
        "known_at": at.known_at,
        "as_of": at.as_of,
        "position": position,
        "left_out": {"files": books.left_out(connection, view)},
    }


def _told(at: When) -> str:
    return f"known at {at.known_at:%Y-%m-%d %H:%M:%S}Z as of {at.as_of}"


def _one_of(kind: Any, text: str, option: str) -> Any:
    try:
        return kind(text.replace("-", "_"))
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise BadValue(option, f"one of {known}") from None
