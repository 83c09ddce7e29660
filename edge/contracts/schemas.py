"""JSON Schemas of commands, facts and receipts, made from what reads and writes them."""

import inspect
import json
from fractions import Fraction
from typing import Any

from msgspec.json import schema_components
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from commands.door import command_types
from commands.fields import CommandId
from consumers.command_messages import COMMAND_VERSION
from domain.envelope import DataClass, Envelope, Privilege
from domain.schema import NAMES

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_DAY: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def closed(properties: Schema, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object of these properties, all of them required but the optional ones, and no other."""
    return {
        **more,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _contract(title: str, entries: Schema, parts: Schema) -> Schema:
    """A document of entries, each a body under the name that its message's type ends in."""
    told = {
        "$schema": DIALECT,
        "$id": f"urn:claims-ledger:contracts:{title.lower()}",
        "title": title,
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in sorted(entries)],
        "$defs": {**dict(sorted(entries.items())), **dict(sorted(parts.items()))},
    }
    plain: Schema = json.loads(json.dumps(told))  # a tuple, of a default, is a list there
    return plain


def commands() -> Schema:
    """What may be asked: every command by its type and version."""
    kinds = command_types()
    _, made = models_json_schema([(kind, "validation") for kind in kinds.values()])
    parts: Schema = made["$defs"]
    entries: Schema = {}
    for name, kind in kinds.items():
        schema = parts.pop(kind.__name__)
        # A model knows its own type; a body that leaves it out is no command.
        schema["required"] = ["type", *schema["required"]]
        del schema["properties"]["type"]["default"]
        entries[f"{name}.{COMMAND_VERSION}"] = schema
    return _contract("Commands", entries, parts)


def facts() -> Schema:
    """What is stored and told: every fact by its name on disk, and the stub of one withheld."""
    _, parts = schema_components(
        [Envelope, *NAMES.values()], schema_hook=_as_stored, ref_template="#/$defs/{name}"
    )
    for part in parts.values():
        if "description" in part:  # as a docstring stands in its file, which differs by Python
            part["description"] = inspect.cleandoc(part["description"])
    parts["Envelope"]["properties"]["recorded_at"] = _MOMENT
    entries = {
        name: closed(
            {
                "name": {"const": name},
                "envelope": {"$ref": "#/$defs/Envelope"},
                "fact": {"$ref": f"#/$defs/{kind.__name__}"},
            },
            title=name,
        )
        for name, kind in NAMES.items()
    }
    return _contract("Facts", {**entries, "withheld": _stub()}, parts)


def _as_stored(kind: type) -> Schema:
    """The form of what JSON has no form for, as `domain.schema` writes it."""
    if kind is Fraction:
        return {"type": "string", "pattern": "^-?[0-9]+(/[0-9]+)?$"}
    raise NotImplementedError  # msgspec's way to be told that a hook does not know a type


def _stub() -> Schema:
    envelope = closed(
        {
            "stream": _TEXT,
            "version": _COUNT,
            "recorded_at": _MOMENT,
            "effective_on": _DAY,
            "previous": _DIGEST,
        }
    )
    labels = [each.value for each in (*DataClass, *Privilege)]
    open_ones = (DataClass.ORDINARY.value, Privilege.NONE.value)
    return closed(
        {
            "name": _TEXT,
            "envelope": envelope,
            "withheld": {"enum": sorted(each for each in labels if each not in open_ones)},
        },
        title="withheld",
        description="A fact that may not leave, for the label that `withheld` names.",
    )


def receipts() -> Schema:
    """How commands are answered, as `commands.receipt` writes it."""
    asked: Schema = {"command_id": TypeAdapter(CommandId).json_schema(), "stream": _TEXT}
    fact = closed({"name": _TEXT, "version": _COUNT, "position": _COUNT})
    accepted = closed(
        {
            "outcome": {"const": "accepted"},
            **asked,
            "version": _COUNT,
            "digest": {"type": "string", "pattern": "^([0-9a-f]{64})?$"},
            "position": _COUNT,
            "recorded_at": _MOMENT,
            "facts": {"type": "array", "items": fact},
        },
        title="accepted",
        description="It was done; `position` is that of its last fact, 0 if it added none.",
    )
    refused = closed(
        {
            "outcome": {"const": "refused"},
            **asked,
            **dict.fromkeys(("code", "name", "field", "message", "remedy"), _TEXT),
            "evidence": {"type": "object", "additionalProperties": _TEXT},
            "near_miss": {"type": "boolean"},
            "kept_in": _TEXT,
            "kept_version": _COUNT,
            "digest": {"type": "string", "pattern": "^([0-9a-f]{64})?$"},
            "position": _COUNT,
        },
        title="refused",
        description="It was not done; `kept_in` is where the refusal is kept, empty if nowhere.",
    )
    return _contract("Receipts", {"accepted": accepted, "refused": refused}, {})
