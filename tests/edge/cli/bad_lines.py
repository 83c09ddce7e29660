"""Lines that no ledger should take: each with the refusal it deserves, by code and field."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from commands.door import COMMAND_BYTES_MAX
from tests.edge.cli.story import DEFENCE, NAMES, Body, damages, money

TODAY = datetime.now(UTC).date()
TREATMENT = damages("future_treatment")


@dataclass(frozen=True)
class Bad:
    """A line, and how it is refused; `kept` where its command_id could be read."""

    name: str
    line: bytes
    code: str
    field: str = ""
    kept: bool = True


def estimate(name: str, amount: object = "18000.00", **fields: Any) -> Body:
    """An estimate on A-1 that is sound unless told otherwise."""
    return {
        "command_id": f"bad-{name}",
        "type": "set-estimate",
        "actor": NAMES,
        "claim": "A-1",
        "estimates": [
            {"line": TREATMENT, "amount": {"amount": amount, "currency": "GBP"}},
        ],
    } | fields


def payment(name: str, amount: str, **fields: Any) -> Body:
    return {
        "command_id": f"bad-{name}",
        "type": "request-payment",
        "actor": NAMES,
        "claim": "A-1",
        "payment_id": f"P-{name}",
        "line": DEFENCE,
        "amount": money(amount),
        "kind": "invoice",
        "payee": "solicitor-7",
    } | fields


def shares(name: str, *parts: object) -> Body:
    parties = [{"party": f"fund-{number}", "share": part} for number, part in enumerate(parts)]
    return {
        "command_id": f"bad-{name}",
        "type": "propose-apportionment",
        "actor": NAMES,
        "claim": "A-1",
        "apportionment_id": "AP-1",
        "covers": "damages",
        "basis": "equal",
        "parties": parties,
        "ours": "fund-0",
    }


def bad(name: str, code: str, field: str, **fields: Any) -> Bad:
    """An estimate with these fields in the place of its own."""
    return Bad(name, json.dumps(estimate(name, **fields)).encode(), code, field)


def but(body: Body, code: str, field: str, without: str = "") -> Bad:
    """This body, without one of its fields."""
    name = str(body["command_id"]).removeprefix("bad-")
    left = {key: value for key, value in body.items() if key != without}
    return Bad(name, json.dumps(left).encode(), code, field)


def unnamed(name: str, code: str, *command_id: object) -> Bad:
    """An estimate with this in the place of its id, or with none."""
    body = estimate(name) | {"command_id": command_id[0] if command_id else None}
    line = {key: value for key, value in body.items() if value is not None}
    return Bad(name, json.dumps(line).encode(), code, "command_id", kept=False)


def raw(name: str, old: str, new: bytes, code: str, field: str = "", kept: bool = False) -> Bad:
    """A sound line in whose bytes something is put in the place of something else."""
    line = json.dumps(estimate(name)).encode()
    assert old.encode() in line
    return Bad(name, line.replace(old.encode(), new, 1), code, field, kept)


AMOUNT = "estimates.0.amount"
FIELDS = (
    bad("unknown-field", "E106", "colour", colour="red"),
    bad("unknown-claim", "E410", "claim", claim="Z-404"),
    bad("closed-file", "E402", "claim", claim="C-1"),
    bad("long-reference", "E102", "claim", claim="A" * 65),
    bad("spaced-reference", "E102", "claim", claim=" A-1"),
    bad("empty-reference", "E102", "claim", claim=""),
    bad("number-for-text", "E102", "claim", claim=7),
    bad("stale-version", "E601", "expected_version", expected_version=3),
    bad("huge-version", "E102", "expected_version", expected_version=10**30),
    bad("negative-version", "E102", "expected_version", expected_version=-1),
    bad("true-version", "E102", "expected_version", expected_version=True),
    bad("unknown-type", "E107", "type", type="burn-file"),
    bad("type-of-another-kind", "E107", "type", type=["set-estimate"]),
    bad("nobody", "E102", "actor", actor=None),
    bad("unknown-role", "E102", "actor.role", actor={"person": "n.ames", "role": "wizard"}),
    bad("role-missing", "E101", "actor.role", actor={"person": "n.ames"}),
    bad("actor-of-another-kind", "E102", "actor", actor="n.ames"),
    bad("no-estimates", "E102", "estimates", estimates=[]),
    bad("estimates-of-another-kind", "E102", "estimates", estimates={}),
    bad("many-estimates", "E102", "estimates", estimates=estimate("x")["estimates"] * 101),
    but(estimate("claim-missing"), "E101", "claim", "claim"),
    but(estimate("estimates-missing"), "E101", "estimates", "estimates"),
    but(estimate("type-missing"), "E101", "type", "type"),
    but(estimate("actor-missing"), "E101", "actor", "actor"),
    unnamed("id-missing", "E101"),
    unnamed("id-with-spaces", "E102", "not an id"),
    unnamed("long-id", "E102", "x" * 129),
    unnamed("id-of-another-kind", "E102", 7),
)
MONEY = (
    bad(
        "wrong-currency",
        "E104",
        "currency",
        estimates=[{"line": TREATMENT, "amount": money("1", "ZAR")}],
    ),
    bad(
        "no-currency", "E103", AMOUNT, estimates=[{"line": TREATMENT, "amount": {"amount": "1.00"}}]
    ),
    bad(
        "unknown-currency",
        "E103",
        AMOUNT,
        estimates=[{"line": TREATMENT, "amount": money("1", "XXX")}],
    ),
    bad(
        "unknown-line",
        "E102",
        "estimates.0.line.cost_type",
        estimates=[{"line": {"cost_type": "gold", "currency": "GBP"}, "amount": money("1.00")}],
    ),
    bad("float", "E102", f"{AMOUNT}.amount", amount=18000.5),
    bad("not-a-number", "E102", f"{AMOUNT}.amount", amount=float("nan")),
    bad("infinite", "E102", f"{AMOUNT}.amount", amount=float("-inf")),
    bad("integer", "E103", AMOUNT, amount=18000),
    bad("exponent", "E103", AMOUNT, amount="1e30"),
    bad("ten-to-the-thirty", "E103", AMOUNT, amount="1" + "0" * 30),
    bad("ten-to-the-sixteen", "E103", AMOUNT, amount="1" + "0" * 16),
    bad("three-decimals", "E103", AMOUNT, amount="18000.005"),
    bad("thousands", "E103", AMOUNT, amount="18,000.00"),
    bad("other-digits", "E103", AMOUNT, amount="१८०००"),
    bad("no-amount", "E103", AMOUNT, amount=""),
    bad("negative", "E214", "amount", amount="-1.00"),
    but(payment("negative-payment", "-1.00"), "E213", "amount"),
    but(payment("nil-payment", "0.00"), "E213", "amount"),
    but(payment("too-much", "1800.01"), "E204", "amount"),
    but(payment("line-never-estimated", "1.00", line=damages("travel_misc")), "E204", "amount"),
    but(shares("float-share", 0.5, 0.5), "E102", "parties.0.share"),
    but(shares("share-of-nothing", "1/0", "1/1"), "E102", "parties.0.share"),
    but(shares("shares-short", "1/3", "1/3"), "E205", "parties"),
)
DATES = (
    bad("future", "E501", "effective_on", effective_on=(TODAY + timedelta(days=1)).isoformat()),
    bad("far-future", "E102", "effective_on", effective_on="9999-12-31"),
    bad("before-the-incident", "E502", "effective_on", effective_on="2024-05-13"),
    bad("back-dated", "E503", "effective_on", effective_on="2025-05-13"),
    bad("long-ago", "E102", "effective_on", effective_on="1066-10-14"),
    bad("no-such-day", "E102", "effective_on", effective_on="2026-02-30"),
    bad("moment", "E102", "effective_on", effective_on="2026-02-03T10:00:00Z"),
    bad("timestamp", "E102", "effective_on", effective_on=1_700_000_000),
)
TEXT = (
    bad("long-text", "E102", "rationale", rationale="x" * 4_001),
    bad("very-long-text", "E102", "rationale", rationale="x" * 900_000),
    bad("nul", "E102", "rationale", rationale="a\0b"),
    bad("escape", "E102", "rationale", rationale="\x1b[31mred"),
    bad("lone-surrogate", "E102", "rationale", rationale="half \ud83d"),
    bad("nul-in-a-reference", "E102", "claim", claim="A\0"),
    bad("nul-in-the-type", "E107", "type", type="set\0estimate"),
    bad("nul-in-the-actor", "E102", "actor.person", actor={"person": "n\0", "role": "negotiator"}),
    bad("nul-in-a-name", "E106", "a?", **{"a\0": 1}),
    bad("lone-surrogate-in-a-name", "E102", "?", **{"\udc00": 1}),
    raw("megabyte", "A-1", b"x" * 1_000_000, "E108"),
    raw("five-megabytes", "A-1", b"x" * 5_000_000, "E108"),
    raw("just-too-long", "A-1", b"x" * COMMAND_BYTES_MAX, "E108"),
    raw("raw-nul", "A-1", b"A\0", "E108"),
    raw("invalid-utf8", "A-1", b"\xff\xfe", "E108"),
    raw("overlong-utf8", "A-1", b"\xc0\xaf", "E108"),
    raw("byte-order-mark", "{", b"\xef\xbb\xbf{", "E108"),
    raw("truncated", '"amount": {"amount"', b'"amount": {"am', "E108"),
    raw("duplicate-key", '"claim"', b'"claim": "B-1", "claim"', "E108"),
    raw("deep", '"A-1"', b"[" * 40 + b"]" * 40, "E108", kept=True),
    raw("abysmal", '"A-1"', b"[" * 200_000 + b"]" * 200_000, "E108"),
    raw("endless-integer", '"A-1"', b"9" * 5_000, "E108"),
    Bad("array", b"[1, 2]", "E108", kept=False),
    Bad("null", b"null", "E108", kept=False),
    Bad("text", b'"set-estimate"', "E108", kept=False),
    Bad("prose", b"please raise the estimate", "E108", kept=False),
    Bad("csv", b"claim_ref,effective_on,kind", "E108", kept=False),
    Bad("rubbish", bytes(set(range(256)) - {10}), "E108", kept=False),
)
BAD = (*FIELDS, *MONEY, *DATES, *TEXT)
