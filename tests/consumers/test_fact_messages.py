"""Facts leave as the bytes that are stored, and what their labels forbid never leaves."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.dead_letters import dead_letter, read_dead, write_dead
from consumers.fact_messages import Followed, read_fact, withheld_for, write_fact
from consumers.messages import Record
from consumers.refusals import NotAMessage
from domain.envelope import DataClass, Labels, Privilege, Recorded
from domain.errors import Refused
from domain.schema import NAMES, digest, from_stored, to_stored
from domain.value import replace
from tests.consumers.records import TRACE, asking, headed
from tests.domain.samples import SAMPLES, STORED, STREAM, VERSION

LEDGER = "urn:claims-ledger"
OPEN = Labels()
SECRETS = ("p-117", "settle", "125050", "bordereau", "dental-1", "0198c0de-7", "doc-1")


def stored(name: str, labels: Labels = OPEN, correlation: str = "") -> tuple[bytes, Recorded[Any]]:
    """A sample with these labels, as the log holds it and as a reader of the log has it."""
    sample = SAMPLES[name]
    envelope = replace(sample.envelope, labels=labels, correlation_id=correlation)
    _, state = to_stored(replace(sample, envelope=envelope))
    return state, from_stored(STREAM, VERSION, name, state, position=9)


def message(name: str = "estimate-set.1", labels: Labels = OPEN, trace: str = TRACE) -> Record:
    return write_fact(name, *stored(name, labels, trace), LEDGER)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_fact_that_may_leave_is_the_bytes_that_are_stored(name: str) -> None:
    state, record = stored(name)
    found = read_fact(write_fact(name, state, record, LEDGER))
    assert found == Followed(
        stream=STREAM,
        version=VERSION,
        name=name,
        position=9,
        recorded_at=record.envelope.recorded_at,
        effective_on=record.envelope.effective_on,
        digest=digest(state),
        withheld="",
        body=state,
        traceparent="",
    )
    assert from_stored(found.stream, found.version, found.name, found.body, 9) == record


@pytest.mark.parametrize("privilege", list(Privilege))
@pytest.mark.parametrize("data_class", list(DataClass))
@pytest.mark.parametrize("name", ["offer-made.1", "strategy-set.1", "claim-notified.1"])
def test_what_a_label_forbids_leaves_as_a_stub_that_says_nothing(
    name: str, data_class: DataClass, privilege: Privilege
) -> None:
    labels = Labels(data_class, privilege)
    record = message(name, labels)
    found = read_fact(record)
    may_leave = labels == Labels()
    assert (found.withheld == "") == may_leave
    if may_leave:
        return
    assert found.withheld in (data_class, privilege)
    assert set(found.data) == {"name", "envelope", "withheld"}
    assert set(found.data["envelope"]) == {
        *("stream", "version", "recorded_at", "effective_on", "previous"),
    }
    whole = b"".join([record.value or b"", *(value or b"" for _, value in record.headers)]).decode()
    assert [secret for secret in SECRETS if secret in whole] == []
    assert found.digest == stored(name, labels, TRACE)[1].digest


def test_a_privilege_is_named_before_a_data_class() -> None:
    assert withheld_for(Labels(DataClass.CLINICAL, Privilege.WPSATC)) == "wpsatc"
    assert withheld_for(Labels(DataClass.CLINICAL)) == "clinical"


def test_a_fact_is_the_same_message_every_time_and_sorts_by_its_position() -> None:
    assert message() == message()
    headers = dict(message().headers)
    assert headers["ce_sequence"] == b"00000000000000000009"
    assert headers["ce_id"] == f"{STREAM}/{VERSION}".encode()
    assert headers["ce_time"] == b"2026-03-03T16:05:09.120001Z"


def test_a_correlation_that_is_a_trace_goes_on_with_the_fact() -> None:
    assert read_fact(message(trace=TRACE)).traceparent == TRACE
    assert read_fact(message(trace="corr-1")).traceparent == ""


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ce_type", b"claims.receipt.1", "E703"),
        ("ce_type", b"claims.fact.estimate-set.2", "E705"),
        ("ce_id", b"claim-DC-2026-000042/8", "E705"),
        ("ce_id", b"claim-DC-2026-000042", "E701"),
        ("ce_id", b"claim-DC-2026-000042/\xd9\xa3", "E701"),
        ("ce_subject", b"claim-other", "E705"),
        ("ce_digest", b"00", "E705"),
        ("ce_withheld", b"wpsatc", "E705"),
        ("ce_sequence", b"9" * 21, "E701"),
        ("ce_effectiveon", b"some day", "E701"),
        ("ce_time", None, "E700"),
        ("ce_digest", None, "E700"),
    ],
)
def test_a_fact_that_its_envelope_does_not_fit_is_refused(
    name: str, value: bytes | None, code: str
) -> None:
    with pytest.raises(Refused) as caught:
        read_fact(headed(message(), **{name: value}))
    assert caught.value.code == code


def test_a_changed_byte_is_found_by_the_digest() -> None:
    record = message()
    with pytest.raises(Refused) as caught:
        read_fact(record._replace(value=(record.value or b"") + b" "))
    assert (caught.value.code, caught.value.field) == ("E705", "ce_digest")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"envelope":1}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_fact_is_refused(body: bytes) -> None:
    with pytest.raises(NotAMessage):
        read_fact(headed(message(), ce_digest=digest(body).encode())._replace(value=body))


BYTES = (
    st.none()
    | st.binary(max_size=30)
    | st.text(max_size=20).map(lambda t: t.encode(errors="replace"))
)


@given(
    name=st.sampled_from([*(name for name, _ in message().headers), "key", "value"]), value=BYTES
)
def test_any_bytes_in_one_place_are_a_fact_or_a_refusal_by_name(
    name: str, value: bytes | None
) -> None:
    record = message()
    if name == "key":
        record = record._replace(key=value)
    elif name == "value":
        record = record._replace(value=value)
    else:
        record = headed(record, **{name: None})
        record = record._replace(headers=(*record.headers, (name, value)))
    with suppress(Refused):
        assert read_fact(record).stream == STREAM


def test_every_sample_on_disk_leaves_and_comes_in_again() -> None:
    for path in STORED.iterdir():
        name, state = path.stem, path.read_bytes()
        found = read_fact(
            write_fact(name, state, from_stored(STREAM, VERSION, name, state, 9), LEDGER)
        )
        assert (found.name, found.digest) == (name, digest(state))
        assert found.withheld == "wpsatc"  # the label that every sample carries


# --- dead letters --------------------------------------------------------------------------------

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHY = NotAMessage("it is not JSON {x} \u00e4" + "x" * 5_000 + "\ud800")


@given(
    key=BYTES,
    value=BYTES,
    headers=st.lists(st.tuples(st.text(max_size=9) | st.just("dead_code"), BYTES), max_size=9),
)
def test_a_dead_letter_gives_the_message_back_as_it_came(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    came = Record(key, value, tuple(headers))
    letter = dead_letter(came, "claims.commands.crm", 3, 2**40, WHY.code, str(WHY), AT)
    record = write_dead(letter)
    assert (record.key, record.value) == (key, value)
    assert record.headers[: len(headers)] == tuple(headers)
    assert read_dead(record) == letter
    assert (letter.code, letter.partition, letter.offset) == ("E708", 3, 2**40)


def test_a_letter_that_died_twice_says_where_it_died_last_and_keeps_where_it_died_first() -> None:
    once = write_dead(dead_letter(asking(), "claims.commands.crm", 0, 1, WHY.code, str(WHY), AT))
    twice = read_dead(
        write_dead(dead_letter(once, "claims.commands.bank", 2, 3, WHY.code, str(WHY), AT))
    )
    assert (twice.topic, read_dead(twice.record).topic) == (
        "claims.commands.bank",
        "claims.commands.crm",
    )
    assert read_dead(twice.record).record == asking()


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (1, b"x", "E701"),
        (2, b"\xff", "E701"),
        (3, None, "E700"),
        (4, b"x", "E701"),
        (5, b"1.5", "E701"),
        (6, None, "E700"),
    ],
)
def test_what_is_no_dead_letter_is_refused_by_name(
    place: int, value: bytes | None, code: str
) -> None:
    headers = list(
        write_dead(
            dead_letter(asking(), "claims.commands.crm", 0, 1, WHY.code, str(WHY), AT)
        ).headers
    )
    headers[-place] = (headers[-place][0], value)
    with pytest.raises(Refused) as caught:
        read_dead(asking()._replace(headers=headers))
    assert caught.value.code == code


@pytest.mark.parametrize("kept", range(6))
def test_a_message_without_the_last_headers_is_no_dead_letter(kept: int) -> None:
    whole = write_dead(
        dead_letter(Record(None, None, ()), "claims.commands.crm", 0, 1, WHY.code, str(WHY), AT)
    )
    with pytest.raises(Refused) as caught:
        read_dead(whole._replace(headers=whole.headers[:kept]))
    assert caught.value.code == "E700"


def test_the_body_of_a_stub_is_json() -> None:
    body = message("offer-made.1", Labels(privilege=Privilege.WPSATC)).value
    assert json.loads(body or b"")["withheld"] == "wpsatc"
