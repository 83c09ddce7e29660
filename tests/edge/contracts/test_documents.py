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
    change(tmp_path, "facts.json", CostType={"enum": ["damages"]})
    assert broken(tmp_path) == []
    export(tmp_path)
    assert (tmp_path / "facts.json").read_bytes() == (PUBLISHED / "facts.json").read_bytes()


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
