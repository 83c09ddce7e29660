"""A contract may grow; what makes something valid wrong, or mean otherwise, is a named break."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from domain.schema import UPCASTS
from edge.contracts.compatible import breaks
from edge.contracts.schemas import Schema, commands, facts, receipts

Change = Callable[[dict[str, Any]], object]
OLD: dict[str, Any] = {
    "oneOf": [{"$ref": "#/$defs/a.1"}, {"$ref": "#/$defs/b.1"}],
    "$defs": {
        "a.1": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "maxLength": 9, "pattern": "^x"},
                "kind": {"$ref": "#/$defs/Kind", "default": "new"},
                "count": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "maxItems": 3},
                "pair": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
                "notes": {"type": "object", "additionalProperties": {"type": "string"}},
                "again": {"oneOf": [{"$ref": "#/$defs/Part"}, {"$ref": "#/$defs/Other"}]},
            },
            "required": ["id"],
            "additionalProperties": False,
        },
        "b.1": {"type": "object", "properties": {}, "additionalProperties": False},
        "Kind": {"enum": ["new", "old"]},
        "Part": {
            "type": "object",
            "properties": {"is": {"const": "part"}, "in": {"$ref": "#/$defs/Part"}},
            "required": ["is"],
            "additionalProperties": False,
        },
        "Other": {
            "type": "object",
            "properties": {"is": {"const": "other"}, "n": {"type": "integer"}},
            "required": ["is"],
            "additionalProperties": False,
        },
    },
}


def put(path: str, value: object) -> Change:
    def change(contract: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        for parent in parents:
            contract = contract[parent]
        contract[last] = value

    return change


def drop(path: str) -> Change:
    def change(contract: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        for parent in parents:
            contract = contract[parent]
        del contract[last]

    return change


def found(change: Change) -> list[tuple[str, str]]:
    new = deepcopy({**OLD["$defs"]})
    changed = {"oneOf": deepcopy(OLD["oneOf"]), "$defs": new}
    new["a"] = new["a.1"]["properties"]
    change({**new, "contract": changed})
    del new["a"]
    return [(each.where, each.why) for each in breaks(OLD, changed)]


@pytest.mark.parametrize(
    "change",
    [
        put("b.1", {}),
        put("a/more", {"type": "string"}),
        put("Kind/enum", ["newest", "old", "new"]),
        put("Kind", {"type": "string"}),
        put("a/id", {"type": "string"}),
        put("a/id/maxLength", 10),
        put("a/id", {"anyOf": [OLD["$defs"]["a.1"]["properties"]["id"], {"type": "null"}]}),
        put("a/count", {"type": ["number", "null"]}),
        put("a/count/anyOf", [{"type": "null"}, {"type": "number", "minimum": 0}]),
        put(
            "a/again/oneOf", [{"$ref": "#/$defs/Other"}, {"type": "null"}, {"$ref": "#/$defs/Part"}]
        ),
        put("a.1/required", []),
        put("a.1/additionalProperties", True),
        put("a.1/title", "Another"),
        put("b.1/properties", {"new": {"type": "string"}}),
        put("contract/oneOf", [*OLD["oneOf"], {"$ref": "#/$defs/Part"}]),
    ],
)
def test_what_only_takes_more_breaks_nothing(change: Change) -> None:
    assert found(change) == []


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        (drop("a/id"), "a.1.id", "taken out"),
        (put("contract/oneOf", OLD["oneOf"][:1]), "b.1", "taken out"),
        (put("a.1/required", ["id", "kind"]), "a.1.kind", "required"),
        (
            put("contract/$defs/b.1", {"properties": {"n": {}}, "required": ["n"]}),
            "b.1.n",
            "required",
        ),
        (put("Kind/enum", ["new"]), "Kind", "the value old"),
        (put("a/id/enum", ["x"]), "a.1.id", "only x"),
        (put("a/id", {"type": "integer"}), "a.1.id", "was string and is integer"),
        (put("a/id/maxLength", 8), "a.1.id", "maxLength was 9 and is 8"),
        (put("a/id/minLength", 1), "a.1.id", "minLength was not there and is 1"),
        (put("a/id/pattern", "^y"), "a.1.id", "pattern"),
        (put("a/id/format", "date"), "a.1.id", "format"),
        (put("a/count", {"type": "integer", "minimum": 1}), "a.1.count", "was null"),
        (
            put("a/count/anyOf", [{"type": "null"}, {"type": "integer", "minimum": 2}]),
            "a.1.count",
            "minimum",
        ),
        (put("a/kind/default", "old"), "a.1.kind", "default"),
        (drop("a/kind/default"), "a.1.kind", "default"),
        (put("a/parts/maxItems", 2), "a.1.parts", "maxItems"),
        (put("a/parts/items", {"type": "string"}), "a.1.parts[]", "type"),
        (put("a/pair/prefixItems", []), "a.1.pair", "1 places and has 0"),
        (put("a/pair/prefixItems", [{"type": "null"}]), "a.1.pair[0]", "type"),
        (put("a/notes/additionalProperties", {"type": "null"}), "a.1.notes.*", "type"),
        (put("a/again/oneOf", [{"$ref": "#/$defs/Other"}]), "a.1.again.is", "part"),
        (put("Part/properties/is", {"const": "whole"}), "Part.is", "part"),
        (put("Part/properties/in", {"type": "string"}), "Part.in", "type"),
        (put("Other/properties/n", {"type": "string"}), "Other.n", "type"),
    ],
)
def test_a_break_is_named_by_its_place_and_its_reason(change: Change, where: str, why: str) -> None:
    told = found(change)
    assert told
    assert any(place.startswith(where) and why in reason for place, reason in told), told


def test_an_object_that_was_open_and_is_closed_is_a_break() -> None:
    one: Schema = {"type": "object", "properties": {"a": {}}}
    old: Schema = {"oneOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": one}}
    new: Schema = {"oneOf": old["oneOf"], "$defs": {"x": {**one, "additionalProperties": False}}}
    assert [each.where for each in breaks(old, new)] == ["x"]
    assert breaks(new, old) == []


def test_a_part_of_many_bodies_breaks_once() -> None:
    new = facts()
    new["$defs"]["CostType"]["enum"].remove("damages")
    told = breaks(facts(), new)
    assert [(each.where, each.why) for each in told] == [
        ("CostType", "the value damages was taken out")
    ]


@pytest.mark.parametrize("made", [commands, facts, receipts])
def test_nothing_breaks_itself(made: Callable[[], dict[str, Any]]) -> None:
    assert breaks(made(), made()) == []


@pytest.mark.parametrize("made", [commands, facts, receipts])
def test_every_entry_that_is_taken_out_is_missed(made: Callable[[], dict[str, Any]]) -> None:
    whole = made()
    for entry in whole["oneOf"]:
        new = {**whole, "oneOf": [each for each in whole["oneOf"] if each != entry]}
        assert [f"#/$defs/{each.where}" for each in breaks(whole, new)] == [entry["$ref"]]


def test_a_name_that_is_still_read_by_an_upcast_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = {**OLD, "oneOf": OLD["oneOf"][:1]}
    assert len(breaks(OLD, new)) == 1
    monkeypatch.setitem(UPCASTS, "b.1", ("a.1", dict))
    assert breaks(OLD, new) == []


def test_a_field_that_is_taken_out_of_any_object_is_missed() -> None:
    whole, new = facts(), facts()
    for name, part in whole["$defs"].items():
        for field in part.get("properties", {}):
            taken = new["$defs"][name]["properties"].pop(field)
            assert f"{name}.{field}" in [each.where for each in breaks(whole, new)]
            new["$defs"][name]["properties"][field] = taken
