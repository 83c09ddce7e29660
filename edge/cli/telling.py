"""A file told: as data for programs, and drawn for people."""

from collections.abc import Callable
from datetime import date
from operator import itemgetter
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from domain.claim import Claim
from domain.claim.exposure import cells
from domain.schema import plain
from edge.cli.output import amount, money, pounds, spoken, table

Row = dict[str, Any]


def file_data(claim: Claim, as_of: date) -> dict[str, Any]:
    """The state of a file as data; amounts as decimal strings with their currency."""
    life = claim.lifecycle
    return {
        "status": life.status.value,
        "stage": life.stage.value,
        "pathway": life.pathway.value if life.pathway else "",
        "team": life.team,
        "handler": life.handler,
        "currency": claim.currency,
        "notified": plain(life.notified),
        "strategy": plain(life.strategy),
        "closure": life.closure.value if life.closure else "",
        "closed_on": life.closed_on,
        "lines": _lines(claim),
        "offers": _offers(claim, as_of),
        "settlement": _settlement(claim),
        "payments": _payments(claim),
        "apportionments": _apportionments(claim),
        "escalations": _escalations(claim),
    }


def _lines(claim: Claim) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for cell, figures in cells(claim).items():
        line, state = cell.line, claim.reserves.lines[cell.line]
        told.append(
            {
                "line": str(line),
                "cost_type": line.cost_type.value,
                "head": line.head.value if line.head else "",
                "basis": line.basis.value,
                "currency": line.currency,
                "estimate": amount(state.estimate, line.currency),
                "paid": amount(state.paid, line.currency),
                "outstanding": amount(state.outstanding, line.currency),
                "incurred": amount(state.incurred, line.currency),
                "recovered": amount(state.recovered, line.currency),
                "our_estimate": amount(figures.our_estimate, line.currency),
            }
        )
    return told


def _offers(claim: Claim, as_of: date) -> list[dict[str, Any]]:
    return [
        {
            "offer_id": offer_id,
            "ours": offer.ours,
            "type": offer.terms.type.value,
            "gross": money(offer.terms.damages.gross),
            "net": money(offer.terms.damages.net),
            "served_on": offer.terms.served_on,
            "status": offer.status_on(as_of).value,
            "rejected": offer.rejected,
        }
        for offer_id, offer in claim.offers.by_id.items()
    ]


def _settlement(claim: Claim) -> dict[str, Any] | None:
    agreed = claim.settlement.agreed
    if agreed is None:
        return None
    return {
        "gross": money(agreed.damages.gross),
        "net": money(agreed.damages.net),
        "costs_terms": agreed.costs_terms.value,
        "offer_id": agreed.offer_id,
    }


def _payments(claim: Claim) -> list[dict[str, Any]]:
    return [
        {
            "payment_id": payment_id,
            "line": str(payment.line),
            **money(payment.amount),
            "status": payment.status.value,
            "requested_by": payment.requested_by,
        }
        for payment_id, payment in claim.payments.by_id.items()
    ]


def _apportionments(claim: Claim) -> list[dict[str, Any]]:
    return [
        {
            "apportionment_id": key,
            "covers": each.proposed.covers.value,
            "status": each.status.value,
            "parties": {party.party: str(party.share) for party in each.proposed.parties},
            "ours": each.proposed.ours,
        }
        for key, each in claim.apportionments.by_id.items()
    ]


def _escalations(claim: Claim) -> list[dict[str, Any]]:
    return [
        {
            "escalation_id": key,
            "kind": each.asked.kind.value,
            "question": each.asked.question,
            "asked_by": each.asked.asked_by,
            "seen_version": each.asked.seen_version,
            "maximum": money(each.asked.approval.maximum) if each.asked.approval else None,
            "state": each.state,
            "decided_by": each.decided.decided_by if each.decided else "",
        }
        for key, each in claim.escalations.by_id.items()
    ]


def draw_file(title: str, claim: Claim, as_of: date) -> Group:
    """A file on one screen."""
    told = file_data(claim, as_of)
    head = Text()
    for name in ("status", "stage", "pathway", "team", "handler", "closed_on"):
        if told[name]:
            head.append(f"{name.replace('_', ' ')} ", style="dim").append(f"{told[name]}   ")
    parts: list[Text | Table] = [Text(title, style="bold"), head, Text(), _draw_lines(claim)]
    for name, columns in _TABLES.items():
        rows = [[shown(row) for shown in columns.values()] for row in told[name]]
        if rows:
            parts += [Text(), table(name.capitalize(), list(columns), rows)]
    agreed = claim.settlement.agreed
    if agreed is not None:
        parts += [Text(), Text(f"Settled at {spoken(str(agreed.damages.gross))} gross")]
    return Group(*parts)


def _draw_lines(claim: Claim) -> Table:
    """The reserve lines; our share only where it is not the whole."""
    shown = cells(claim)
    shared = any(each.our_estimate != each.estimate for each in shown.values())
    columns = ["line", "estimate>", "paid>", "outstanding>", "recovered>"]
    rows: list[list[str]] = []
    for cell, figures in shown.items():
        state, currency = claim.reserves.lines[cell.line], cell.line.currency
        minors = [state.estimate, state.paid, state.outstanding, state.recovered]
        minors += [figures.our_estimate] if shared else []
        rows.append([str(cell.line), *(pounds(each, currency) for each in minors)])
    currencies = {cell.line.currency for cell in shown}
    for row in rows:
        row[0] = line_in_words(row[0], *(currencies if len(currencies) == 1 else ()))
    title = f"Lines, {', '.join(sorted(currencies))}" if currencies else "No lines yet"
    return table(title, [*columns, *(["our share>"] if shared else [])], rows)


def line_in_words(line: str, currency: str = "") -> str:
    """A reserve line as a person writes it, without the currency that stands elsewhere."""
    return line.replace(f" {currency}", "" if currency else " ", 1).replace("_", " ")


def _words(name: str) -> Callable[[Row], str]:
    """A term of the field, as a person writes it; references stay as they are."""
    return lambda row: str(row[name]).replace("_", " ")


def _sum(amount: Row) -> str:
    return spoken(f"{amount['currency']} {amount['amount']}")


def _parties(row: Row) -> str:
    return ", ".join(f"{party} {share}" for party, share in row["parties"].items())


# The columns of each table, and what of the data each shows.
_TABLES: dict[str, dict[str, Callable[[Row], object]]] = {
    "offers": {
        "offer": itemgetter("offer_id"),
        "whose": lambda row: "ours" if row["ours"] else "theirs",
        "type": _words("type"),
        "gross>": lambda row: _sum(row["gross"]),
        "served on": itemgetter("served_on"),
        "status": _words("status"),
    },
    "payments": {
        "payment": itemgetter("payment_id"),
        "line": _words("line"),
        "amount>": _sum,
        "status": _words("status"),
    },
    "apportionments": {
        "apportionment": itemgetter("apportionment_id"),
        "covers": _words("covers"),
        "status": _words("status"),
        "parties": _parties,
    },
    "escalations": {
        "escalation": itemgetter("escalation_id"),
        "kind": _words("kind"),
        "asked by": itemgetter("asked_by"),
        "state": _words("state"),
        "decided by": itemgetter("decided_by"),
    },
}
