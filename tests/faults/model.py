"""Money by the harness's own arithmetic: from what was asked and how it was answered only."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection

from tests.commands.bodies import Body
from tests.faults.checks import Evidence, Finding, Kind

_RESERVES = """
SELECT claim, cost_type, head, currency,
       sum(estimate)::bigint, sum(paid)::bigint, sum(recovered)::bigint
FROM views.reserves GROUP BY claim, cost_type, head, currency
"""
_CASELOAD = """
SELECT claim, incurred, paid FROM views.caseload
WHERE recorded_to = 'infinity' AND effective_to = 'infinity'
"""


class Line(NamedTuple):
    """A reserve line of a file."""

    claim: str
    cost_type: str
    head: str
    currency: str


class Held(NamedTuple):
    """Pence on a line."""

    estimate: int = 0
    paid: int = 0
    recovered: int = 0


def expected(evidence: Evidence) -> dict[Line, Held]:
    """What each line holds after the accepted commands, in the order of their receipts."""
    held: defaultdict[Line, Held] = defaultdict(Held)
    asked: dict[tuple[str, str], tuple[Line, int]] = {}  # payments, by file and id
    for stream, body in _accepted(evidence):
        match body["type"]:
            case "set-estimate":
                for each in body["estimates"]:
                    line = _line(stream, each["line"])
                    held[line] = held[line]._replace(estimate=pence(each["amount"]))
            case "request-payment":
                payment = (_line(stream, body["line"]), pence(body["amount"]))
                asked[stream, body["payment_id"]] = payment
            case "issue-payment":
                line, amount = asked[stream, body["payment_id"]]
                held[line] = held[line]._replace(paid=held[line].paid + amount)
            case "void-payment":
                line, amount = asked[stream, body["payment_id"]]
                held[line] = held[line]._replace(paid=held[line].paid - amount)
            case "receive-recovery":
                line = _line(stream, body["line"])
                recovered = held[line].recovered + pence(body["amount"])
                held[line] = held[line]._replace(recovered=recovered)
            case _:
                pass
    return {line: each for line, each in held.items() if any(each)}


def of_money(evidence: Evidence, connection: Connection[Any]) -> Iterator[Finding]:
    """The views hold what the model holds: line by line, and file by file."""
    model = expected(evidence)
    told = {Line(*row[:4]): Held(*row[4:]) for row in connection.execute(_RESERVES)}
    told = {line: held for line, held in told.items() if any(held)}
    for line in sorted(model.keys() | told.keys()):
        if model.get(line) != told.get(line):
            yield Finding(Kind.MONEY, f"{line}: {told.get(line)}, expected {model.get(line)}")
    files: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line, held in model.items():
        files[line.claim][0] += held.estimate
        files[line.claim][1] += held.paid
    caseload = {claim: [incurred, paid] for claim, incurred, paid in connection.execute(_CASELOAD)}
    for claim in sorted(files.keys() | caseload.keys()):
        found, wanted = caseload.get(claim), files.get(claim, [0, 0])
        if found != wanted:
            yield Finding(Kind.MONEY, f"{claim}: {found}, expected {wanted}")


def _accepted(evidence: Evidence) -> Iterator[tuple[str, Body]]:
    """The accepted commands that did something, in the order of the log, each with its stream."""
    receipts = [json.loads(text) for text in evidence.answers.values()]
    done = [each for each in receipts if each["outcome"] == "accepted" and each["facts"]]
    for receipt in sorted(done, key=_position):
        # Of several bodies under one id only the first could be accepted: it is the file's own.
        bodies = evidence.told.sent.get(receipt["command_id"], ())
        for body in bodies:
            if f"claim-{body.get('claim')}" == receipt["stream"]:
                yield receipt["stream"], body
                break


def _position(receipt: Mapping[str, Any]) -> int:
    return int(receipt["position"])


def _line(stream: str, line: Mapping[str, str]) -> Line:
    return Line(stream, line["cost_type"], line.get("head", ""), line["currency"])


def pence(amount: Mapping[str, str]) -> int:
    return int(Decimal(amount["amount"]) * 100)
