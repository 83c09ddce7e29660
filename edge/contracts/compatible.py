"""Whether what was valid stays valid: two versions of a contract, and every break between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from domain.schema import UPCASTS
from edge.contracts.schemas import Schema

_LEAST = ("minimum", "minLength", "minItems")
_MOST = ("maximum", "maxLength", "maxItems")
_FORMS = ("pattern", "format")
_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True)
class Break:
    """What was valid and is not, or no longer means the same: where, and why."""

    where: str
    why: str


def breaks(old: Schema, new: Schema) -> list[Break]:
    """Every way in which a body of the old contract is refused, or read otherwise, by the new."""
    comparison, known, found = _Comparison(old, new), _entries(new), list[Break]()
    for name in _entries(old):
        if name in known:
            ref = {"$ref": f"#/$defs/{name}"}
            found += comparison.of(name, ref, ref)
        elif name not in UPCASTS:
            found.append(Break(name, "it was taken out"))
    return list(dict.fromkeys(found))  # a part of many bodies breaks once


def unforeseen(old: Schema, new: Schema) -> list[Break]:
    """Every way in which a body of the new contract is refused by who reads it by the old.

    Bodies of a kind that the old does not name are no concern of such a reader.
    """
    shared = [entry for entry in new["oneOf"] if entry in old["oneOf"]]
    return [
        Break(each.where, f"whoever reads by the older contract refuses it: new to old, {each.why}")
        for each in breaks({**new, "oneOf": shared}, old)
    ]


def _entries(contract: Schema) -> list[str]:
    return [entry["$ref"].removeprefix("#/$defs/") for entry in contract["oneOf"]]


class _Comparison:
    """Two documents under comparison, so that their references can be followed."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old["$defs"], new["$defs"]
        self._parts: dict[str, list[Break]] = {}

    def of(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        """What breaks between two schemas: each choice of the old has to fit one of the new."""
        if old.get("default", new.get("default")) != new.get("default"):
            yield Break(where, "what is left out means something else: its default changed")
        choices = _choices(new, self._new)
        for each in _choices(old, self._old):
            types = _types(_followed(each, self._old))
            alike = [one for one in choices if types <= _types(_followed(one, self._new))]
            yield from min((self._pair(where, each, one) for one in alike or choices), key=len)

    def _pair(self, where: str, old: Schema, new: Schema) -> list[Break]:
        """What breaks between two choices; a part that both name alike is a place of its own."""
        was, now = _followed(old, self._old), _followed(new, self._new)
        name = old.get("$ref", "").removeprefix("#/$defs/")
        if not name or old["$ref"] != new.get("$ref"):
            return list(self._single(where, was, now))
        if name not in self._parts:
            self._parts[name] = []  # for a part within itself
            self._parts[name] = list(self._single(name, was, now))
        return self._parts[name]

    def _single(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        """What breaks between two schemas that offer no choice."""
        if not _types(old) <= _types(new):
            told = " or ".join(sorted(_types(old))), " or ".join(sorted(_types(new)))
            yield Break(where, f"its type was {told[0]} and is {told[1]}")
            return
        yield from _values(where, old, new)
        yield from _bounds(where, old, new)
        yield from self._object(where, old, new)
        yield from self._array(where, old, new)

    def _object(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        had, has = old.get("properties", {}), new.get("properties", {})
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield Break(f"{where}.{name}", "it is required and was not")
        rest = new.get("additionalProperties", True)
        for name in had:
            if name in has:
                yield from self.of(f"{where}.{name}", had[name], has[name])
            elif rest is False:
                yield Break(f"{where}.{name}", "the field was taken out")
        others = old.get("additionalProperties", True)
        if others is not False and rest is False and "properties" in new:
            yield Break(where, "it takes no other fields any more")
        elif isinstance(others, dict) and isinstance(rest, dict):
            yield from self.of(f"{where}.*", cast("Schema", others), cast("Schema", rest))

    def _array(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        first, then = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(first) != len(then):
            yield Break(where, f"it had {len(first)} places and has {len(then)}")
            return
        for place, (was, now) in enumerate(zip(first, then, strict=True)):
            yield from self.of(f"{where}[{place}]", was, now)
        items, each = old.get("items"), new.get("items")
        if isinstance(items, dict) and isinstance(each, dict):
            yield from self.of(f"{where}[]", cast("Schema", items), cast("Schema", each))


def _followed(schema: Schema, parts: dict[str, Any]) -> Schema:
    """The schema itself, or the one that it refers to."""
    while "$ref" in schema:
        schema = parts[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _choices(schema: Schema, parts: dict[str, Any]) -> list[Schema]:
    """What a schema lets one choose from, itself if it is one thing."""
    followed = _followed(schema, parts)
    return cast("list[Schema]", followed.get("anyOf") or followed.get("oneOf") or [schema])


def _types(schema: Schema) -> frozenset[str]:
    """The JSON types that a schema takes; a whole number is a number, too."""
    told = schema.get("type")
    if told is None:
        allowed = _allowed(schema)
        return _ANY if allowed is None else frozenset(_JSON_TYPE[type(each)] for each in allowed)
    types = frozenset([told] if isinstance(told, str) else told)
    return types | _NUMBERS if "number" in types else types


_JSON_TYPE: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}
_ANY = frozenset(_JSON_TYPE.values())


def _allowed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _values(where: str, old: Schema, new: Schema) -> Iterator[Break]:
    """Values of a closed list that are no longer in it."""
    had, has = _allowed(old), _allowed(new)
    if has is None:
        return
    if had is None:
        yield Break(where, f"it takes only {', '.join(map(str, has))}, and took anything")
        return
    for value in had:
        if value not in has:
            yield Break(where, f"the value {value} was taken out")


def _bounds(where: str, old: Schema, new: Schema) -> Iterator[Break]:
    """Rules of a value that are narrower, or of another form."""
    for rules, narrower in ((_LEAST, 1), (_MOST, -1)):
        for rule in rules:
            had, has = old.get(rule), new.get(rule)
            if has is not None and (had is None or (has - had) * narrower > 0):
                yield Break(where, f"{rule} was {'not there' if had is None else had} and is {has}")
    for form in _FORMS:
        if new.get(form) not in (None, old.get(form)):
            yield Break(where, f"its {form} is another: {new[form]}")
