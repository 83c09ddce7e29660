"""Whatever comes in at a door gets a stable code that names field, rule and remedy, or a receipt.

Nothing is written but the refusal, and the same bad command gets the same answer again.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door import COMMAND_BYTES_MAX, NESTING_MAX, Unread, command_types, read
from commands.receipt import Receipt
from domain.errors import ActorMismatch
from tests.commands.bodies import (
    DAMAGES,
    DEFENCE,
    Body,
    Desk,
    damages,
    estimate,
    gbp,
    matter,
    part36,
)
from tests.strategies import some

Change = Callable[[Body], object]


@pytest.fixture
def desk() -> Desk:
    """A file with an estimate of 500 pounds, nothing paid, and a closed one."""
    made = Desk()
    made.employ("ann", 10_000)
    made.opened()
    made.told("set-estimate", estimates=[estimate(500)])
    made.opened("CLOSED")
    made.told("close-claim", "ann", "CLOSED", closure="duplicate", outcome="of C1")
    return made


def refused(desk: Desk, body: Body | bytes, code: str, field: str | None = None) -> Receipt:
    """The body is refused by this code, twice alike, and nothing but the refusal is written."""
    before = desk.lengths()
    receipt = desk.send(body)[0]
    told = receipt.data
    assert told["outcome"] == "refused", told
    assert told["code"] == code, told
    if field is not None:
        assert told["field"] == field, told
    assert told["message"]
    assert told["remedy"]
    kept = {told["kept_in"]: before.get(told["kept_in"], 0) + 1} if told["kept_in"] else {}
    assert {**desk.lengths()} == {**before, **kept}
    assert desk.send(body)[0] == receipt
    assert {**desk.lengths()} == {**before, **kept}
    return receipt


def asking(desk: Desk, kind: str, /, **fields: Any) -> Body:
    return desk.body(kind, claim="C1", **fields)


def pay(desk: Desk, /, **fields: Any) -> Body:
    asked = {"payment_id": "P1", "line": DAMAGES, "amount": gbp(5), "kind": "final", "payee": "p"}
    return asking(desk, "request-payment", **{**asked, **fields})


# --- fields --------------------------------------------------------------------------------------


def test_every_field_that_is_missing_is_named(desk: Desk) -> None:
    for field in ("payment_id", "line", "amount", "kind", "payee", "claim", "actor"):
        body = pay(desk)
        del body[field]
        refused(desk, body, "E101", field)
    nested = pay(desk, line={"currency": "GBP"})
    refused(desk, nested, "E101", "line.cost_type")


def test_a_field_that_is_not_known_is_named_wherever_it_is(desk: Desk) -> None:
    refused(desk, pay(desk, note="x"), "E106", "note")
    refused(desk, pay(desk, line={**DAMAGES, "note": "x"}), "E106", "line.note")
    body = pay(desk)
    body["actor"]["name"] = "Ann"
    refused(desk, body, "E106", "actor.name")


def test_a_command_that_nobody_knows_is_named(desk: Desk) -> None:
    refused(desk, asking(desk, "pay-now"), "E107", "type")
    body = pay(desk)
    del body["type"]
    refused(desk, body, "E101", "type")
    for kind in (5, None, ["request-payment"], {"a": 1}, "x" * 500, ""):
        refused(desk, {**pay(desk), "type": kind}, "E101" if kind is None else "E107", "type")


@pytest.mark.parametrize(
    "amount",
    [
        *("", "-", "1.2.3", "NaN", "Infinity", "1e3", "1,000", " 5", "5 ", "+5", "0x5", "\u0665"),
        *("5.001", "10" * 15, str(10**30), "1" * 200, None, True, 5, [], {}),
    ],
)
def test_what_is_no_amount_is_refused_by_its_field(desk: Desk, amount: object) -> None:
    money = {"amount": amount, "currency": "GBP"}
    refused(desk, pay(desk, amount=money), "E103", "amount")
    refused(
        desk,
        asking(desk, "set-estimate", estimates=[{**estimate(1), "amount": money}]),
        "E103",
        "estimates.0.amount",
    )


@pytest.mark.parametrize(
    "money", [5, "5.00", None, [5], {"amount": "5"}, {"currency": "GBP"}, {**gbp(5), "x": 1}]
)
def test_money_is_an_amount_and_its_currency_and_nothing_else(desk: Desk, money: object) -> None:
    refused(desk, pay(desk, amount=money), "E103", "amount")


@pytest.mark.parametrize("currency", ["", "gbp", "XXX", "GB", "POUND", None, 5])
def test_a_currency_is_one_of_iso_4217(desk: Desk, currency: object) -> None:
    money = {"amount": "5", "currency": currency}
    refused(desk, pay(desk, amount=money), "E103", "amount")


@pytest.mark.parametrize("currency", ["", "gbp", "XXX", "GB"])
def test_a_file_has_a_currency_of_iso_4217(desk: Desk, currency: str) -> None:
    body = desk.body("notify-matter", claim="C9", **matter(currency=currency))
    told = refused(desk, body, "E103" if currency == "XXX" else "E102").data
    assert "currency" in told["field"]


def test_an_amount_in_another_currency_is_refused(desk: Desk) -> None:
    rand = {"amount": "5", "currency": "ZAR"}
    refused(desk, pay(desk, amount=rand), "E104", "currency")
    line = {**DAMAGES, "currency": "ZAR"}
    refused(desk, asking(desk, "set-estimate", estimates=[estimate(5, line)]), "E104", "currency")
    settled = {"gross": rand, "net": rand}
    refused(desk, asking(desk, "agree-settlement", damages=settled, costs_terms="none"), "E104")


@pytest.mark.parametrize("amount", ["0", "-5", "-0.01"])
def test_a_payment_is_above_nil(desk: Desk, amount: str) -> None:
    refused(desk, pay(desk, amount=gbp(amount)), "E213", "amount")


def test_a_negative_estimate_and_negative_damages_are_refused(desk: Desk) -> None:
    refused(desk, asking(desk, "set-estimate", estimates=[estimate(-1)]), "E214", "amount")
    refused(desk, asking(desk, "make-offer", offer_id="O1", terms=part36(-5)), "E214", "amount")
    refused(desk, asking(desk, "make-offer", offer_id="O1", terms=part36(0)), "E213", "amount")


def test_more_than_is_outstanding_and_less_than_is_paid_are_refused(desk: Desk) -> None:
    refused(desk, pay(desk, amount=gbp(501)), "E204", "amount")
    assert desk.send(pay(desk))[0].accepted
    refused(desk, asking(desk, "set-estimate", estimates=[estimate(4)]), "E203", "amount")


def test_a_line_that_the_file_does_not_have_is_refused(desk: Desk) -> None:
    refused(desk, pay(desk, line=DEFENCE), "E204")
    back = {"recovery_id": "R1", "line": DEFENCE, "category": "excess", "amount": gbp(5)}
    refused(desk, asking(desk, "receive-recovery", **back), "E412", "reference")


@pytest.mark.parametrize(
    "line",
    [
        {**DAMAGES, "cost_type": "whim"},
        {**DAMAGES, "head": "whim"},
        {**DEFENCE, "head": "psla"},
        {**DAMAGES, "basis": "net"},
        {**DAMAGES, "currency": 5},
        "damages",
        None,
    ],
)
def test_a_line_that_makes_no_sense_is_refused(desk: Desk, line: object) -> None:
    told = refused(desk, pay(desk, line=line), "E102").data
    assert told["field"].startswith("line")


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "day",
    [
        *("", "2026-02-30", "02/03/2026", "yesterday", "20260302", "0000-00-00", "2026-3-2"),
        *("1899-12-31", "2200-01-02", "99999-01-01", 20_000, True, [], {}),
    ],
)
def test_what_is_no_day_is_refused(desk: Desk, day: object) -> None:
    refused(desk, pay(desk, effective_on=day), "E102", "effective_on")


def test_the_future_is_refused(desk: Desk) -> None:
    tomorrow = (desk.today + timedelta(days=1)).isoformat()
    refused(desk, pay(desk, effective_on=tomorrow), "E501", "effective_on")
    late = desk.body("notify-matter", claim="C9", **matter(desk.today + timedelta(days=1)))
    refused(desk, late, "E501", "effective_on")


def test_what_is_dated_before_the_matter_or_too_far_back_is_refused(desk: Desk) -> None:
    before = (desk.today - timedelta(days=1)).isoformat()
    handover = {"handler": "bob", "effective_on": before}
    refused(desk, asking(desk, "change-handler", **handover), "E502", "effective_on")
    desk.wait(days=11)
    refused(desk, pay(desk, effective_on=before), "E502", "effective_on")
    started = (desk.today - timedelta(days=11)).isoformat()
    refused(desk, asking(desk, "change-handler", handler="bob", effective_on=started), "E503")


def test_a_matter_is_not_notified_before_it_happened(desk: Desk) -> None:
    wrong = matter(desk.today, event_date=(desk.today + timedelta(days=1)).isoformat())
    refused(desk, desk.body("notify-matter", claim="C9", **wrong), "E105", "notified_on")


# --- references and states -----------------------------------------------------------------------


def test_a_claim_that_is_unknown_or_known_already_is_named(desk: Desk) -> None:
    refused(desk, {**pay(desk), "claim": "C9"}, "E410", "claim")
    refused(desk, desk.body("notify-matter", claim="C1", **matter()), "E411", "claim")


def test_a_closed_file_is_named(desk: Desk) -> None:
    told = refused(desk, {**pay(desk), "claim": "CLOSED"}, "E402", "claim").data
    assert told["evidence"] == {"closed_on": desk.today.isoformat()}


def test_a_version_that_the_file_has_left_behind_is_a_conflict(desk: Desk) -> None:
    for version in (0, 3, 5, 10**6):
        refused(desk, pay(desk, expected_version=version), "E601", "expected_version")
    assert desk.send(pay(desk, expected_version=4))[0].accepted


@pytest.mark.parametrize("version", [-1, "4", 4.0, True, 10**30])
def test_a_version_is_a_whole_number(desk: Desk, version: object) -> None:
    body = json.dumps(pay(desk, expected_version=version)).encode()
    told = desk.send(body)[0].data
    assert told["code"] in {"E102", "E601"}
    assert told["remedy"]


@pytest.mark.parametrize(
    "reference", ["", " ", " C1", "C1 ", "C\n1", "C\t1", "C\x001", "C\x7f", "x" * 65, "\u200b", 5]
)
def test_a_reference_is_short_and_printable(desk: Desk, reference: object) -> None:
    refused(desk, {**pay(desk), "claim": reference}, "E102", "claim")
    refused(desk, pay(desk, payee=reference), "E102", "payee")


@pytest.mark.parametrize("command_id", ["", " ", "a b", "-1", "x" * 129, "é", "a\n", 5, None, []])
def test_a_command_without_a_usable_id_is_answered_and_not_kept(
    desk: Desk, command_id: object
) -> None:
    told = refused(desk, {**pay(desk), "command_id": command_id}, "E102", "command_id").data
    assert told["kept_in"] == ""
    assert told["command_id"] == ""


# --- text and JSON -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["NUL \x00", "bell \x07", "escape \x1b[31m", "\ufffe", "x" * 4_001]
)
def test_text_that_no_document_holds_is_refused(desk: Desk, text: str) -> None:
    refused(desk, pay(desk, rationale=text), "E102", "rationale")


def test_text_in_any_script_is_kept_as_it_is(desk: Desk) -> None:
    said = "na\u00efve \u2013 \u6b6f \U0001f9b7 \n\t \u202e\u05e9"
    receipt = desk.send(pay(desk, rationale=said))[0]
    assert receipt.accepted, receipt.data
    assert desk.history("claim-C1")[-1].envelope.rationale == said


def test_half_a_character_is_refused(desk: Desk) -> None:
    for raw in (b'"\\ud800"', b'"x\\udfff"'):
        body = json.dumps(pay(desk, rationale="HERE")).encode().replace(b'"HERE"', raw)
        refused(desk, body, "E102", "rationale")
        key = json.dumps(pay(desk, HERE=1)).encode().replace(b'"HERE"', raw)
        refused(desk, key, "E102")


def test_a_body_of_a_megabyte_is_refused(desk: Desk) -> None:
    refused(desk, pay(desk, rationale="x" * COMMAND_BYTES_MAX), "E108")
    refused(desk, pay(desk, rationale="x" * (COMMAND_BYTES_MAX - 2_000)), "E102", "rationale")


@pytest.mark.parametrize("depth", [NESTING_MAX + 1, 2_000, 400_000])
def test_deep_nesting_is_refused(desk: Desk, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    body = json.dumps(pay(desk, rationale="HERE")).encode().replace(b'"HERE"', deep)
    refused(desk, body, "E108")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"5",
        b"{",
        b"{}}",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b'{"a": 1, "a": 2}',
        b"1" * 5_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_not_one_json_object_is_refused(desk: Desk, raw: bytes) -> None:
    refused(desk, raw, "E108")


@pytest.mark.parametrize("raw", [b"5.0", b"NaN", b"Infinity", b"-Infinity", b"1e2", b"1e999"])
def test_a_number_that_is_not_exact_is_refused_wherever_it_stands(desk: Desk, raw: bytes) -> None:
    for field in ("amount", "expected_version", "rationale", "type", "nonsense"):
        body = json.dumps(pay(desk, **{field: "HERE"})).encode().replace(b'"HERE"', raw)
        refused(desk, body, "E102", field)
    deep = {"amount": "HERE", "currency": "GBP"}
    body = json.dumps(pay(desk, amount=deep)).encode().replace(b'"HERE"', raw)
    refused(desk, body, "E102", "amount.amount")


def test_a_key_that_appears_twice_is_refused_wherever_it_stands(desk: Desk) -> None:
    body = json.dumps(pay(desk)).encode()
    refused(desk, body.replace(b'"payee": "p"', b'"payee": "p", "payee": "q"'), "E108")
    again = json.dumps(pay(desk)).encode()
    twice = again.replace(b'"amount": "5"', b'"amount": "5", "amount": "50"')
    assert twice != again
    refused(desk, twice, "E108")


# --- whose name ----------------------------------------------------------------------------------


def test_nobody_sends_a_command_in_the_name_of_another(desk: Desk) -> None:
    unread = read(json.dumps(pay(desk)).encode(), sender={"person": "bob", "role": "case_manager"})
    assert isinstance(unread, Unread)
    assert isinstance(unread.error, ActorMismatch)
    told = desk.ledger.handle(unread).data
    assert (told["code"], told["field"]) == ("E109", "actor")


@pytest.mark.parametrize("actor", [None, "ann", 5, [], {}, {"person": "ann"}, {"role": "finance"}])
def test_a_command_says_who_asks_and_in_which_role(desk: Desk, actor: object) -> None:
    told = desk.send({**pay(desk), "actor": actor})[0].data
    assert told["code"] in {"E101", "E102"}
    assert told["field"].startswith("actor")


# --- whatever it is ------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(st.binary(max_size=200) | JSON.map(lambda data: json.dumps(data).encode()))
def test_no_bytes_make_the_door_fall_over(raw: bytes) -> None:
    desk = Desk()
    assert desk.send(raw)[0].code in {"E101", "E102", "E107", "E108"}


@some
@given(st.data())
def test_no_value_in_any_field_makes_the_ledger_fall_over(data: st.DataObject) -> None:
    desk = Desk()
    kind = data.draw(st.sampled_from(sorted(command_types())))
    model = command_types()[kind]
    body: Body = desk.body(kind, claim="C1")
    for field in data.draw(st.sets(st.sampled_from(sorted(model.model_fields)))):
        if field not in ("type", "command_id"):
            body[field] = data.draw(JSON)
    receipt = desk.send(body)[0]
    assert not receipt.accepted
    assert receipt.data["remedy"]
    assert desk.send(deepcopy(body))[0] == receipt


def test_a_settlement_of_too_much_is_refused_for_want_of_authority(desk: Desk) -> None:
    body = asking(desk, "agree-settlement", damages=damages(10_001), costs_terms="none")
    told = refused(desk, body, "E301").data
    assert told["near_miss"]
