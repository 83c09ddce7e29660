"""`claims caseload`, `reserves` and `movements`: what reporting jobs read, at any coordinate."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from domain.claim.lifecycle import Status
from domain.errors import BadValue
from domain.terms import Basis as Share
from edge.cli.asking import (
    AsOf,
    AtLeast,
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
from edge.cli.leaving_out import left_out, said_of
from edge.cli.output import amount, console, pounds, print_json, table, told_moment
from edge.cli.telling import line_in_words
from edge.wiring import Books
from projections import caseload as cases
from projections import reserves as totals
from projections.view import View, position_of

Figures = totals.Figures
K = TypeVar("K", bound=StrEnum)


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
    at_least: AtLeast = None,
    json: Json = False,
) -> None:
    """The files, or how many and how much in each group.

    Groups are by handler, team, pathway, jurisdiction, status or stage.
    """
    caller: Caller = context.obj
    keys = _keys(cases.By, by)
    statuses = [_one_of(Status, each, "--status") for each in status or ()] or cases.LIVE
    with caller.books() as books, books.reading(cases.VIEW, at_least) as connection:
        at = when(books, known_at, as_of)
        where = {} if handler is None else {cases.By.HANDLER: handler}
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
    if keys:
        columns = {
            **{key: key for key in keys},
            "files>": "files",
            "escalated>": "open_escalations",
        }
    else:
        columns = {"claim": "claim", "handler": "handler", "status": "status"}
        columns |= {"age>": "age_days", "idle>": "idle_days"}
    figures = {"incurred>": "incurred", "outstanding>": "outstanding"}
    rows = [
        [
            *(row[name] for name in columns.values()),
            row["currency"],
            *(f"{Decimal(row[name]):,}" for name in figures.values()),
        ]
        for row in answer["rows"]
    ]
    console.print(table(f"Caseload {_told(at)}", [*columns, "", *figures], rows))
    _say_left_out(answer)


@answering
def reserves(
    context: typer.Context,
    by: By = None,
    basis: Basis = "gross",
    known_at: KnownAt = None,
    as_of: AsOf = None,
    at_least: AtLeast = None,
    json: Json = False,
) -> None:
    """Reserve totals, currency by currency.

    Groups are by line, cost_type, head, currency, pathway, handler or claim.
    """
    caller: Caller = context.obj
    keys = _keys(totals.By, by)
    share = _one_of(Share, basis, "--basis")
    with caller.books() as books, books.reading(totals.VIEW, at_least) as connection:
        at = when(books, known_at, as_of)
        found = totals.totals(connection, keys, known_at=at.known_at, as_of=at.as_of, basis=share)
        answer = _answered(at, connection, totals.VIEW, books)
    answer["basis"] = share.value
    answer["totals"] = [_total_row(each) for each in found.in_all]
    answer["rows"] = [_total_row(each) for each in found.groups] if keys else []
    if json:
        print_json(answer)
        return
    title = f"Reserve totals, {share.value.replace('_', ' ')}, {_told(at)}"
    shown = [key.value for key in keys if key is not totals.By.CURRENCY]
    columns = [*shown, "", "claims>", *_FIGURES]
    drawn = found.groups if keys else found.in_all
    console.print(table(title, columns, [_total_cells(each, shown) for each in drawn]))
    if keys:
        rows = [_total_cells(each, []) for each in found.in_all]
        console.print(Text(), table("In all", columns[len(shown) :], rows))
    _say_left_out(answer)


_FIGURES = ("estimate>", "paid>", "outstanding>", "recovered>")


def _figures(figures: Figures, currency: str) -> dict[str, str]:
    return {
        "estimate": amount(figures.estimate, currency),
        "paid": amount(figures.paid, currency),
        "outstanding": amount(figures.outstanding, currency),
        "recovered": amount(figures.recovered, currency),
    }


def _group(group: Mapping[str, str]) -> dict[str, str]:
    """A group by its keys; a claim by its reference, not by its stream."""
    return {
        key: value.removeprefix("claim-") if key == totals.By.CLAIM else value
        for key, value in group.items()
    }


def _total_row(total: totals.Total) -> dict[str, Any]:
    figures = _figures(total.figures, total.currency)
    return {
        **_group(total.group),
        "currency": total.currency,
        "claims": total.claims,
        **figures,
    }


def _total_cells(total: totals.Total, shown: Sequence[str]) -> list[object]:
    group = _group(total.group)
    if totals.By.LINE in group:
        group[totals.By.LINE] = line_in_words(group[totals.By.LINE], total.currency)
    return [
        *(group[key] for key in shown),
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
    at_least: AtLeast = None,
    json: Json = False,
) -> None:
    """What moved in a period, by reason.

    Opening + movements = closing, to the penny. Groups as in `claims reserves`.
    """
    caller: Caller = context.obj
    keys = _keys(totals.By, by)
    by_axis, share = _one_of(totals.Axis, axis, "--axis"), _one_of(Share, basis, "--basis")
    start, end = day_of(first, "--from"), day_of(last, "--to")
    if end < start:
        raise BadValue("--to", "the period ends before it begins")
    with caller.books() as books, books.reading(totals.VIEW, at_least) as connection:
        at = when(books, known_at, as_of)
        found = totals.movements(
            connection,
            start,
            end,
            keys,
            axis=by_axis,
            known_at=at.known_at,
            as_of=at.as_of,
            basis=share,
        )
        answer = _answered(at, connection, totals.VIEW, books)
    if json:
        answer |= {"from": start, "to": end, "axis": by_axis.value, "basis": share.value}
        print_json(answer | {"rows": [_movement_row(each) for each in found]})
        return
    axes = f"{by_axis.value}, {share.value.replace('_', ' ')}"
    period = f"Movements {start} to {end}, {axes}, {_told(at)}"
    if not found:
        console.print(Text(f"{period}: none, and nothing was held"))
    for each in found:
        group = " ".join([*_group(each.group).values(), each.currency])
        console.print(_movements_table(f"{period}, {group}", each), Text())
    _say_left_out(answer)


def _movement_row(report: totals.Movements) -> dict[str, Any]:
    currency = report.currency
    return {
        **_group(report.group),
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


def _movements_table(title: str, report: totals.Movements) -> Table:
    rows: list[list[object]] = [["opening", *_cells(report.opening, report.currency)]]
    for reason, movement in report.by_reason.items():
        told = reason.value.replace("_", " ")
        rows.append([told, *_cells(movement.figures, report.currency)])
    rows.append(["closing", *_cells(report.closing, report.currency)])
    return table(title, ["", *_FIGURES], rows)


def _answered(at: When, connection: Any, view: View, books: Books) -> dict[str, Any]:
    """What every report says of itself: the coordinate, the position, and what it leaves out."""
    position = position_of(connection, view)
    return {
        "known_at": at.known_at,
        "as_of": at.as_of,
        "position": position,
        "left_out": left_out(books.left_out(connection, view)),
    }


def _say_left_out(answer: dict[str, Any]) -> None:
    for told in said_of(answer["left_out"], answer["position"]):
        console.print(Text(f"Left out: {told}"))


def _told(at: When) -> str:
    return f"known at {told_moment(at.known_at)} as of {at.as_of}"


def _keys(kind: type[K], asked: Sequence[str] | None) -> list[K]:
    """The keys to group by, each once."""
    return list(dict.fromkeys(_one_of(kind, each, "--by") for each in asked or ()))


def _one_of(kind: type[K], text: str, option: str) -> K:
    try:
        return kind(text.replace("-", "_"))
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise BadValue(option, f"one of {known}") from None
