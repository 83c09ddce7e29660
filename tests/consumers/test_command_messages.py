"""A command message is read whole or refused by name, and its receipt says the same every time."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door import COMMAND_BYTES_MAX, Unread, body_sha256, read
from commands.receipt import Receipt, not_kept
from commands.sources import MAY_SEND, Source, UnknownSource
from consumers.command_messages import (
    Arrived,
    Dead,
    read_command,
    read_receipt,
    write_command,
    write_receipt,
)
from consumers.messages import HEADER_BYTES_MAX, Record
from consumers.refusals import MissingHeader
from consumers.topics import RECEIPTS, commands_topic, source_of
from domain.errors import BadValue, Refused
from tests.commands.bodies import Desk, matter
from tests.commands.requests import a_request
from tests.consumers.records import BODY, TRACE, asking, headed, refused

LEDGER = "urn:claims-ledger"


def arrived(record: Record, source: Source = Source.DESK) -> Arrived:
    found = read_command(record, source)
    assert isinstance(found, Arrived), str(found.error)
    return found


# --- commands that are read ----------------------------------------------------------------------


def test_a_command_message_reads_to_the_command_of_its_body() -> None:
    found = arrived(asking())
    command = read(json.dumps(BODY).encode())
    assert not isinstance(command, Unread)
    assert found.command == command.carried("desk", TRACE)
    assert found.traceparent == TRACE


def test_the_topic_says_who_speaks_and_the_trace_becomes_the_correlation() -> None:
    command = arrived(asking()).command
    assert (command.source_system, command.correlation_id) == ("desk", TRACE)
    own = arrived(asking(correlation_id="k-1", source_system="desk")).command
    assert (own.source_system, own.correlation_id) == ("desk", "k-1")


def test_the_same_body_on_another_trace_is_a_repeat() -> None:
    again = TRACE.replace("00f0", "11f1")
    first, second = arrived(asking()).command, arrived(asking(trace=again)).command
    assert first.correlation_id != second.correlation_id
    assert body_sha256(first) == body_sha256(second)
    desk = Desk()
    desk.opened()
    answers = desk.ledger.handle_many([first]) + desk.ledger.handle_many([second])
    assert answers[0].body == answers[1].body
    assert answers[1].repeated


def test_who_asked_and_on_which_trace_is_kept_with_the_facts() -> None:
    desk = Desk()
    body = {**desk.body("notify-matter", "bob", claim="C1"), **matter()}
    command = read(json.dumps(body).encode())
    assert not isinstance(command, Unread)
    record = write_command(command, json.dumps(body).encode(), "urn:crm", TRACE)
    (receipt,) = desk.ledger.handle_many([arrived(record, Source.CRM).command])
    assert receipt.accepted
    envelope = desk.history("claim-C1")[0].envelope
    assert (envelope.source_system, envelope.correlation_id) == ("crm", TRACE)


@given(st.data())
def test_whatever_a_desk_may_ask_reads_back(data: st.DataObject) -> None:
    desk = Desk()
    desk.opened()
    body = json.dumps(a_request(data.draw, desk, {})).encode()
    command = read(body)
    if isinstance(command, Unread):
        return
    record = write_command(command, body, "urn:desk", TRACE)
    assert record.value == body
    assert arrived(record).command == command.carried("desk", TRACE)


def test_headers_of_others_and_letters_of_another_size_do_not_matter() -> None:
    record = asking()
    louder = [(name.upper(), value) for name, value in record.headers]
    alien = [("b3", b"\xff\x00"), ("b3", None), ("tracestate", b"a=1")]
    assert arrived(record._replace(headers=(*louder, *alien))) == arrived(record)


@pytest.mark.parametrize("trace", [b"", b"x", TRACE.encode() + b"-", b"00-" + b"0" * 32, b"f" * 55])
def test_a_trace_that_is_none_costs_the_trace_and_not_the_command(trace: bytes) -> None:
    record = headed(asking(), ce_traceparent=trace or None)
    assert arrived(record).traceparent == ""


@pytest.mark.parametrize(
    "media", [None, b"application/json", b"application/json; charset=UTF-8", b"Application/JSON"]
)
def test_json_is_json_however_its_type_is_written(media: bytes | None) -> None:
    arrived(headed(asking(), **{"content-type": media}))


# --- messages that are refused -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject"])
def test_a_header_that_every_command_has_is_missed_by_name(name: str) -> None:
    dead = refused(headed(asking(), **{name: None}), "E700")
    assert dead.error.field == name
    assert dead.command_id == "q-1"
    assert dead.traceparent == TRACE
    without_value = (*headed(asking(), **{name: None}).headers, (name, None))
    refused(asking()._replace(headers=without_value), "E700")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b"1.1"),
        ("ce_id", b"\xff"),
        ("ce_id", b""),
        ("ce_source", b"a\x00b"),
        ("ce_source", b"x" * (HEADER_BYTES_MAX + 1)),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-02T09:00:00"),
        ("ce_time", b"99999-03-02T09:00:00Z"),
        ("ce_data", b"x"),
        ("ce_UPPER-CASE", b"x"),
        ("ce_", b"x"),
        ("content-type", b"application/cloudevents+json"),
        ("content-type", b"text/plain"),
    ],
)
def test_a_header_that_cannot_be_what_it_says_is_refused_by_name(name: str, value: bytes) -> None:
    dead = refused(headed(asking(), **{name: value}), "E701")
    assert dead.error.field == name.lower()


def test_a_header_that_is_there_twice_is_refused() -> None:
    record = asking()
    twice = record._replace(headers=(*record.headers, ("CE_ID", b"q-2")))
    assert refused(twice, "E701").error.field == "ce_id"


@pytest.mark.parametrize(
    "told", ["set-estimate", "claims.command.", "claims.command.1", "claims.receipt.1"]
)
def test_a_type_that_is_no_commands_is_refused(told: str) -> None:
    refused(headed(asking(), ce_type=told.encode()), "E703")


@pytest.mark.parametrize("version", ["2", "17", "0", "01", "9" * 500])
def test_another_version_than_the_known_one_asks_for_another_program(version: str) -> None:
    dead = refused(
        headed(asking(), ce_type=f"claims.command.set-estimate.{version}".encode()), "E704"
    )
    assert dead.command_id == "q-1"


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("ce_id", headed(asking(), ce_id=b"q-2")),
        ("ce_type", headed(asking(), ce_type=b"claims.command.make-offer.1")),
        ("ce_subject", headed(asking(), ce_subject=b"claim-C2")),
        ("key", asking()._replace(key=b"claim-C2")),
        ("key", asking()._replace(key=None)),
        ("key", asking()._replace(key=b"\xff")),
    ],
)
def test_what_stands_around_a_command_is_what_its_body_says(path: str, changed: Record) -> None:
    dead = refused(changed, "E705")
    assert dead.error.field == path
    assert dead.command_id == ("q-2" if path == "ce_id" else "q-1")
    assert dead.stream == "claim-C1"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "E108"),
        (b"", "E108"),
        (b"\x00\x01", "E108"),
        (b"[" * 100_000, "E108"),
        (b'{"type":"set-estimate","type":"set-estimate"}', "E108"),
        (b" " * (COMMAND_BYTES_MAX + 1), "E108"),
        (b'{"type":"set-estimate","n":NaN}', "E102"),
        (b'{"type":"set-estimate","n":1e400}', "E102"),
        (b'{"type":"set-estimate","n":"\\ud800"}', "E102"),
        (b'{"type":"set-estimates"}', "E107"),
        (json.dumps({**BODY, "rationale": "\0"}).encode(), "E102"),
        (json.dumps({**BODY, "more": 1}).encode(), "E106"),
    ],
)
def test_a_body_that_the_door_refuses_is_refused_here_in_its_words(
    value: bytes | None, code: str
) -> None:
    assert refused(asking()._replace(value=value), code).command_id == "q-1"


def test_without_an_id_in_the_envelope_it_is_the_bodys() -> None:
    assert refused(headed(asking(), ce_id=b"\xff"), "E701").command_id == "q-1"
    nowhere = headed(asking(), ce_id=None)._replace(value=b"{}")
    assert refused(nowhere, "E700").command_id == ""


def test_an_application_sends_what_is_its_business() -> None:
    dead = refused(asking(), "E706", Source.BANK)
    assert dead.error.evidence() == {"source": "bank", "command": "set-estimate"}
    assert refused(asking(source_system="crm"), "E707").error.field == "source_system"


# --- who may send what ---------------------------------------------------------------------------


def test_every_application_has_commands_that_there_are_and_the_desk_has_all() -> None:
    assert set(MAY_SEND) == set(Source)
    for allowed in MAY_SEND.values():
        assert allowed
        assert allowed <= MAY_SEND[Source.DESK]


def test_a_topic_names_its_application_and_no_other() -> None:
    for source in Source:
        assert source_of(commands_topic(source)) is source
    for topic in (RECEIPTS, "claims.commands.dead", "claims.commands.", ""):
        with pytest.raises(UnknownSource):
            source_of(topic)


# --- receipts ------------------------------------------------------------------------------------


def receipts() -> list[Receipt]:
    desk = Desk()
    desk.opened()
    return [
        desk.ask("set-estimate", "ann", estimates=BODY["estimates"]),
        desk.ask("close-claim", "ann", closure="settled", outcome="x", command_id="a/1"),
        desk.ask("set-estimate", "ann", "C9", estimates=BODY["estimates"]),
        not_kept("c-8", "", BadValue("x", "y")),
    ]


@pytest.mark.parametrize("receipt", receipts(), ids=lambda each: each.data["outcome"])
def test_a_receipt_reads_back_and_is_the_same_bytes_every_time(receipt: Receipt) -> None:
    record = write_receipt(receipt, LEDGER, TRACE)
    again = write_receipt(replace(receipt, repeated=True), LEDGER, TRACE)
    assert record == again
    assert record.value == receipt.body
    found = read_receipt(record)
    assert (found.receipt, found.traceparent) == (receipt, TRACE)
    assert found.command_id == receipt.data["command_id"]
    assert found.position == receipt.data["position"]
    assert record.key == (receipt.data["stream"] or receipt.data["command_id"]).encode()
    assert "ce_time" not in dict(record.headers)


def test_an_answer_that_nobody_can_wait_for_is_no_message() -> None:
    with pytest.raises(MissingHeader):
        write_receipt(not_kept("", "claim-C1", BadValue("x", "y")), LEDGER)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ce_type": b"claims.receipt.2"}, "E703"),
        ({"ce_id": b"other"}, "E705"),
        ({"ce_subject": b"other"}, "E705"),
        ({"ce_sequence": b"7777"}, "E705"),
        ({"ce_sequence": b"-1"}, "E701"),
        ({"ce_sequence": None}, "E700"),
    ],
)
def test_a_receipt_whose_envelope_is_not_its_own_is_refused(
    changed: dict[str, bytes | None], code: str
) -> None:
    with pytest.raises(Refused) as caught:
        read_receipt(headed(write_receipt(receipts()[0], LEDGER), **changed))
    assert caught.value.code == code


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{}", b"[" * 100_000])
def test_what_is_no_receipt_is_refused(body: bytes | None) -> None:
    with pytest.raises(Refused) as caught:
        read_receipt(write_receipt(receipts()[0], LEDGER)._replace(value=body))
    assert caught.value.code == "E708"


# --- whatever comes in ---------------------------------------------------------------------------

NAMES = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_sequence"]
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.binary(max_size=40)
    | st.text(max_size=40).map(lambda text: text.encode(errors="replace"))
    | st.from_regex(
        r"[0-9]{1,6}-?[0-9]{0,2}-?[0-9]{0,2}[TWZ: ]?[0-9:.,+-]{0,20}Z?", fullmatch=True
    ).map(str.encode)
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, "content-type", "ce_traceparent"]) | st.text(max_size=8), VALUES
    ),
    max_size=6,
)


@given(key=VALUES, value=VALUES | st.just(asking().value), headers=HEADERS, kept=st.booleans())
def test_any_bytes_are_a_command_or_a_refusal_by_name(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]], *, kept: bool
) -> None:
    whole = headed(asking(), **dict.fromkeys([name for name, _ in headers])).headers if kept else ()
    record = Record(key, value, (*whole, *headers))
    for found in (read_command(record, Source.DESK), read_command(record, Source.BANK)):
        if isinstance(found, Dead):
            assert found.error.code
            assert str(found.error).encode()
    with pytest.raises(Refused):
        read_receipt(record)


@given(
    name=st.sampled_from([*NAMES, "content-type", "ce_traceparent", "key", "value"]), value=VALUES
)
def test_any_bytes_in_one_place_are_a_command_or_a_refusal_by_name(
    name: str, value: bytes | None
) -> None:
    if name in ("key", "value"):
        record = asking()._replace(key=value) if name == "key" else asking()._replace(value=value)
    else:
        record = headed(asking(), **{name: None})
        record = record._replace(headers=(*record.headers, (name, value)))
    found = read_command(record, Source.DESK)
    assert found.command.command_id == "q-1" if isinstance(found, Arrived) else found.error.code
