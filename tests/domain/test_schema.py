"""Names on disk are promises: every sample ever released reads, and what cannot be read says so."""

import json
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest

from domain import schema
from domain.claim.reserves import EstimateSet
from domain.envelope import Recorded
from domain.errors import DamagedFact, NameTooNew, UnknownName
from domain.money import Money
from domain.schema import (
    NAME_OF,
    NAMES,
    UPCASTS,
    chain_start,
    digest,
    from_stored,
    plain,
    to_stored,
)
from domain.terms import EstimateBasis, Trigger
from domain.value import replace
from tests.domain.samples import FACTS, SAMPLES, STORED, STREAM, VERSION

RELEASED = sorted(path.name.removesuffix(".json") for path in STORED.iterdir())


def sample(name: str) -> bytes:
    return (STORED / f"{name}.json").read_bytes()


def read(name: str, stored: bytes) -> Recorded[Any]:
    return from_stored(STREAM, VERSION, name, stored, position=9)


def test_every_name_has_a_sample_and_every_sample_a_name() -> None:
    assert set(RELEASED) == set(NAMES) | set(UPCASTS)
    assert len(FACTS) == len(SAMPLES) == len(NAMES)


@pytest.mark.parametrize("name", RELEASED)
def test_a_sample_reads_to_the_fact_that_was_stored(name: str) -> None:
    record = read(name, sample(name))
    expected = SAMPLES[NAME_OF[type(record.fact)]]
    stored = sample(name)
    assert record == replace(expected, stored=stored, position=9)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_sample_is_stored_again_in_the_same_bytes(name: str) -> None:
    assert to_stored(read(name, sample(name))) == (name, sample(name))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_sample_fills_every_field(name: str) -> None:
    """A default that a sample leaves alone would hide a change of that default."""
    record = SAMPLES[name]
    told = json.loads(sample(name))
    assert set(told["fact"]) == set(record.fact.__struct_fields__)
    assert set(told["envelope"]) == set(record.envelope.__struct_fields__)


def test_names_have_a_version_and_one_kind_each() -> None:
    assert len(NAME_OF) == len(NAMES)
    for name in NAMES:
        known, _, number = name.rpartition(".")
        assert known.replace("-", "").isalpha()
        assert int(number) >= 1


# --- what cannot be read -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", ".", "offer", "offer-made", "offer-made.0", "offer-made.x", "offer-made.-1"]
)
def test_a_name_that_was_never_known_stops_the_reader_and_says_where(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        read(name, sample("offer-made.1"))
    assert caught.value.evidence() == {"stream": STREAM, "version": str(VERSION), "name": name}


@pytest.mark.parametrize("number", ["2", "17", "9" * 5_000])
def test_a_newer_name_asks_for_a_newer_program(number: str) -> None:
    with pytest.raises(NameTooNew) as caught:
        read(f"offer-made.{number}", sample("offer-made.1"))
    assert caught.value.known == 1
    assert "knows it up to version 1" in str(caught.value)


@pytest.mark.parametrize("number", ["\u00b2", "\u0663", "\u2460"])
def test_a_number_in_other_digits_is_no_crash(number: str) -> None:
    with pytest.raises((UnknownName, NameTooNew)):
        read(f"offer-made.{number}", sample("offer-made.1"))


def damaged(name: str, stored: bytes) -> DamagedFact:
    with pytest.raises(DamagedFact) as caught:
        read(name, stored)
    assert (caught.value.stream, caught.value.version) == (STREAM, VERSION)
    return caught.value


Damage = Callable[[dict[str, Any]], object]


def put(path: str, value: object) -> Damage:
    """A change of one place of the stored data."""

    def change(told: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            told = told[parent]
        told[last] = value

    return change


def drop(path: str) -> Damage:
    def change(told: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            told = told[parent]
        del told[last]

    return change


DAMAGES: list[Damage] = [
    put("extra", 1),
    put("fact.extra", 1),
    put("fact.line.extra", 1),
    put("fact.amount.extra", 1),
    put("envelope.extra", 1),
    put("envelope.actor.extra", 1),
    put("envelope.judgement.extra", 1),
    put("envelope.labels.extra", 1),
    put("fact.amount.minor", 1.0),
    put("fact.amount.minor", 1.5),
    put("fact.amount.minor", True),
    put("fact.amount.minor", "1"),
    put("fact.amount.minor", 10**15),
    put("fact.amount.minor", 10**40),
    put("fact.amount.minor", None),
    put("fact.amount.currency", "XXX"),
    put("fact.amount.currency", 5),
    put("fact.probability_bp", 1.0),
    put("fact.probability_bp", "5000"),
    put("fact.trigger", "whim"),
    put("fact.line", None),
    put("fact", None),
    put("fact", []),
    put("envelope.recorded_at", "2026-03-03T16:05:09.120001"),
    put("envelope.recorded_at", "2026-03-03T16:05:09.120001+01:00"),
    put("envelope.recorded_at", "yesterday"),
    put("envelope.recorded_at", 1_772_553_909),
    put("envelope.effective_on", 20_000),
    put("envelope.effective_on", "2026-02-30"),
    put("envelope.version", "7"),
    put("envelope.version", 8),
    put("envelope.stream", "claim-DC-2026-000043"),
    put("envelope.corrects", 1.0),
    put("envelope.command_id", 5),
    put("name", "estimate-set.2"),
    put("name", "offer-made.1"),
    drop("fact"),
    drop("envelope"),
    drop("name"),
    drop("fact.line"),
    drop("fact.amount.currency"),
    drop("envelope.actor"),
    drop("envelope.recorded_at"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_fact_that_is_not_as_it_was_stored_is_not_read_by_guessing(damage: Damage) -> None:
    told = json.loads(sample("estimate-set.1"))
    damage(told)
    assert damaged("estimate-set.1", json.dumps(told).encode()).name == "estimate-set.1"


@pytest.mark.parametrize(
    "stored",
    [b"", b"null", b"{}", b"[]", b"\xff\xfe", b"\x00", b'{"name":', b"NaN", b"[" * 5_000],
)
def test_bytes_that_are_no_fact_are_not_read_by_guessing(stored: bytes) -> None:
    damaged("estimate-set.1", stored)


def test_half_a_fact_is_not_read_by_guessing() -> None:
    whole = sample("apportionment-proposed.1")
    for length in range(0, len(whole), 97):
        damaged("apportionment-proposed.1", whole[:length])


def test_a_fact_of_another_stream_or_version_is_not_read() -> None:
    for stream, version in ((STREAM, VERSION + 1), ("claim-other", VERSION)):
        with pytest.raises(DamagedFact, match="its bytes say it is"):
            from_stored(stream, version, "estimate-set.1", sample("estimate-set.1"))


@pytest.mark.parametrize(
    "share", ["1/0", "a half", "0.1e", "0.5", "1e30000000", "٣/4", "1" * 41, None, True]
)
def test_a_share_is_an_exact_fraction(share: object) -> None:
    told = json.loads(sample("apportionment-proposed.1"))
    told["fact"]["parties"][0]["share"] = share
    damaged("apportionment-proposed.1", json.dumps(told).encode())


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("claim-notified.1", "fact.allegations", {"secret": "a patient"}),
        ("claim-notified.1", "fact.jurisdiction", "a patient at `$.fact.jurisdiction`"),
        ("claim-notified.1", "fact.event_date", "a patient"),
        ("estimate-set.1", "fact.amount.currency", "a patient"),
        ("estimate-set.1", "envelope.version", "a patient"),
    ],
)
def test_what_is_wrong_is_said_without_the_content(name: str, path: str, value: object) -> None:
    told = json.loads(sample(name))
    put(path, value)(told)
    error = damaged(name, json.dumps(told).encode())
    assert "patient" not in str(error)
    assert path.rpartition(".")[2] in error.why or error.why == "BadMoney"


def test_a_share_that_is_wrong_is_not_repeated() -> None:
    told = json.loads(sample("apportionment-proposed.1"))
    told["fact"]["parties"][0]["share"] = "a patient"
    error = damaged("apportionment-proposed.1", json.dumps(told).encode())
    assert error.why.startswith("it is no fraction")
    assert "patient" not in str(error)


# --- older versions ------------------------------------------------------------------------------


def as_it_was_once(told: dict[str, Any]) -> dict[str, Any]:
    """An imagined version 0 of an estimate: its amount in pounds, and no basis."""
    older = deepcopy(told)
    payload = older["fact"]
    payload["pounds"] = payload.pop("amount")["minor"] // 100
    for name in ("basis", "full_quantum", "probability_bp"):
        del payload[name]
    return {**older, "name": "estimate-set.0"}


def upcast(payload: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in payload.items() if name != "pounds"}
    currency = payload["line"]["currency"]
    return {**rest, "amount": {"minor": payload["pounds"] * 100, "currency": currency}}


def test_an_older_version_is_brought_up_to_date_as_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(UPCASTS, "estimate-set.0", ("estimate-set.1", upcast))
    older = json.dumps(as_it_was_once(json.loads(sample("estimate-set.1")))).encode()
    record = read("estimate-set.0", older)
    assert isinstance(record.fact, EstimateSet)
    assert record.fact.amount == Money(125_000, "GBP")
    assert record.fact.basis is EstimateBasis.MOST_LIKELY
    assert record.fact.trigger is Trigger.EXPERT
    assert record.envelope == SAMPLES["estimate-set.1"].envelope
    assert record.digest == digest(older), "the chain covers what was stored, not what was read"
    assert to_stored(record)[0] == "estimate-set.1"


def test_versions_are_brought_up_to_date_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_pence(payload: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in payload.items() if name != "pence"}
        return {**rest, "pounds": payload["pence"] // 100}

    monkeypatch.setitem(UPCASTS, "estimate-set.0", ("estimate-set.1", upcast))
    monkeypatch.setitem(UPCASTS, "estimate-put.1", ("estimate-set.0", from_pence))
    told = as_it_was_once(json.loads(sample("estimate-set.1")))
    told["fact"]["pence"] = told["fact"].pop("pounds") * 100
    oldest = json.dumps({**told, "name": "estimate-put.1"}).encode()
    assert read("estimate-put.1", oldest).fact.amount == Money(125_000, "GBP")


def test_an_older_version_that_cannot_be_brought_up_to_date_is_damaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(UPCASTS, "estimate-set.0", ("estimate-set.1", upcast))
    for stored in (b"{}", b"[]", b"nonsense", sample("offer-lapsed.1")):
        damaged("estimate-set.0", stored)


def test_every_upcast_leads_to_a_name_that_is_known() -> None:
    for name, (newer, _) in schema.UPCASTS.items():
        assert newer in NAMES or newer in UPCASTS
        assert name not in NAMES


# --- digests and plain data ----------------------------------------------------------------------


def test_a_chain_starts_with_the_name_of_its_stream() -> None:
    assert chain_start("claim-1") == digest(b"claim-1")
    assert chain_start("claim-1") != chain_start("claim-2")


def test_a_fact_is_told_to_people_as_plain_data() -> None:
    proposed = SAMPLES["apportionment-proposed.1"].fact
    assert plain(proposed)["parties"][0] == {"party": "us", "share": str(Fraction(1, 3))}
    assert plain(SAMPLES["estimate-set.1"].envelope)["effective_on"] == "2026-03-02"
