"""Contracts are written whole, never over some that they would break, and read with care."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge.contracts.documents import PUBLISHED, ContractBroken, broken, documents, export
from edge.contracts.reading import NoContract

ITSELF = "urn:claims-ledger:contracts:receipts"


def change(folder: Path, name: str, **entries: Any) -> None:
    """Give a contract in a folder other parts, as if an older program had written it."""
    told = json.loads((folder / name).read_text("utf-8"))
    told["$defs"] |= entries
    told["oneOf"] += [{"$ref": f"#/$defs/{entry}"} for entry in entries if "." in entry]
    (folder / name).write_text(json.dumps(told), "utf-8")


def test_what_is_exported_is_what_is_published(tmp_path: Path) -> None:
    written = export(tmp_path / "new" / "folder")
    assert {path.name for path in written} == set(documents())
    for path in written:
        assert path.read_bytes() == (PUBLISHED / path.name).read_bytes()
    assert export(tmp_path / "new" / "folder") == written


def test_contracts_that_would_break_are_left_as_they_are(tmp_path: Path) -> None:
    export(tmp_path)
    change(tmp_path, "commands.json", **{"set-fire.1": {"type": "object"}})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ContractBroken) as caught:
        export(tmp_path)
    assert caught.value.number == 1
    assert caught.value.place == "commands.json: set-fire.1"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "commands.json").unlink()
    export(tmp_path)


def test_an_older_contract_that_took_less_is_written_over(tmp_path: Path) -> None:
    export(tmp_path)
    change(tmp_path, "commands.json", CostType={"enum": ["damages"]})
    assert broken(tmp_path) == []
    export(tmp_path)
    assert (tmp_path / "commands.json").read_bytes() == (PUBLISHED / "commands.json").read_bytes()


@pytest.mark.parametrize("told_to_readers", ["not at all", "as always there"])
def test_a_fact_may_not_have_a_field_otherwise_than_its_readers_were_told(
    tmp_path: Path, told_to_readers: str
) -> None:
    export(tmp_path)
    told = json.loads((tmp_path / "facts.json").read_text("utf-8"))["$defs"]["Envelope"]
    field = next(each for each in told["properties"] if each not in told["required"])
    if told_to_readers == "not at all":
        del told["properties"][field]
    else:
        told["required"].append(field)
    change(tmp_path, "facts.json", Envelope=told)
    assert f"facts.json: Envelope.{field}" in [each.where for each in broken(tmp_path)]


def test_a_receipt_may_not_have_a_value_that_its_readers_would_refuse(tmp_path: Path) -> None:
    export(tmp_path)
    told = json.loads((tmp_path / "receipts.json").read_text("utf-8"))["$defs"]["refused"]
    told["properties"]["message"]["maxLength"] = 80
    change(tmp_path, "receipts.json", refused=told)
    assert [each.where for each in broken(tmp_path)] == ["receipts.json: refused.message"]


def test_a_value_more_of_a_fact_is_refused_by_who_reads_it(tmp_path: Path) -> None:
    export(tmp_path)
    change(tmp_path, "facts.json", CostType={"enum": ["damages"]})
    [first, *_] = broken(tmp_path)
    assert first.where == "facts.json: CostType"
    assert "whoever reads by the older contract" in first.why


def test_a_kind_of_fact_that_is_new_breaks_nothing(tmp_path: Path) -> None:
    export(tmp_path)
    told = json.loads((tmp_path / "facts.json").read_text("utf-8"))
    told["oneOf"].remove({"$ref": "#/$defs/estimate-set.1"})
    (tmp_path / "facts.json").write_text(json.dumps(told), "utf-8")
    assert broken(tmp_path) == []


def test_a_topic_or_a_message_that_was_there_is_missed(tmp_path: Path) -> None:
    export(tmp_path)
    told = json.loads((tmp_path / "asyncapi.json").read_text("utf-8"))
    channels = told["channels"]
    channels["old"] = {"address": "claims.old", "messages": {}}
    channels["events"]["messages"]["told.1"] = {}
    channels["dead"]["address"] = "claims.died"
    (tmp_path / "asyncapi.json").write_text(json.dumps(told), "utf-8")
    assert {(each.where, each.why) for each in broken(tmp_path)} == {
        ("asyncapi.json: old", "the channel was taken out"),
        ("asyncapi.json: events told.1", "the message was taken out"),
        ("asyncapi.json: dead", "its topic was claims.died and is claims.commands.dead"),
    }
    with pytest.raises(ContractBroken):
        export(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}", "utf-8")
    with pytest.raises(NoContract):
        broken(tmp_path)


def made(entry: str, part: object) -> bytes:
    told = {"$id": ITSELF, "oneOf": [{"$ref": entry}], "$defs": {"accepted": part}}
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"$id": "urn:other", "oneOf": [], "$defs": {}}',
        made("#/$defs/refused", {}),
        made("accepted", {}),
        made("#/$defs/accepted", {"items": {"$ref": "#/$defs/none"}}),
        made("#/$defs/accepted", {"properties": []}),
        made("#/$defs/accepted", {"minItems": "1"}),
        made("#/$defs/accepted", {"type": 7}),
        made("#/$defs/accepted", {"anyOf": [None]}),
        made("#/$defs/accepted", []),
    ],
)
def test_what_is_no_contract_is_refused_by_name(tmp_path: Path, text: bytes) -> None:
    export(tmp_path)
    (tmp_path / "receipts.json").write_bytes(text)
    for ask in (broken, export):
        with pytest.raises(NoContract) as caught:
            ask(tmp_path)
        assert caught.value.path == str(tmp_path / "receipts.json")
    (tmp_path / "receipts.json").unlink()
    with pytest.raises(NoContract):
        broken(tmp_path)


def test_a_contract_that_another_program_wrote_is_compared_as_it_is(tmp_path: Path) -> None:
    export(tmp_path)
    (tmp_path / "receipts.json").write_bytes(made("#/$defs/accepted", {"type": "string"}))
    assert [each.where for each in broken(tmp_path)] == ["receipts.json: accepted"]
