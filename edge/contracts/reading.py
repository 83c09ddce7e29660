"""A contract read back from a file that anybody may have changed: as it was written, or refused."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert, field

from domain.errors import Refused
from edge.contracts.schemas import Schema

_REFERENCE = re.compile(r'"\$ref": "(?!#/\$defs/)|"\$ref": "#/\$defs/([^"]*)"')
_Form = TypeVar("_Form")
_Number = int | float | None


@dataclass(eq=False)
class NoContract(Refused):
    """There is no contract to be read in {path}: {why}."""

    code = "E751"
    remedy = "Name a folder that claims contracts export wrote."
    path: str
    why: str


class _Shape(Struct):
    """What of a JSON Schema is compared, in the forms that the contracts use."""

    type: str | list[str] = ""
    enum: list[Any] = []
    required: list[str] = []
    properties: dict[str, "_Shape"] = {}
    additional: "bool | _Shape" = field(default=True, name="additionalProperties")
    items: "bool | _Shape" = True
    places: list["_Shape"] = field(default_factory=list["_Shape"], name="prefixItems")
    any_of: list["_Shape"] = field(default_factory=list["_Shape"], name="anyOf")
    one_of: list["_Shape"] = field(default_factory=list["_Shape"], name="oneOf")
    reference: str = field(default="", name="$ref")
    minimum: _Number = None
    maximum: _Number = None
    length_min: _Number = field(default=None, name="minLength")
    length_max: _Number = field(default=None, name="maxLength")
    items_min: _Number = field(default=None, name="minItems")
    items_max: _Number = field(default=None, name="maxItems")


class _Entry(Struct):
    reference: str = field(name="$ref")


class _Document(Struct):
    id: str = field(name="$id")
    entries: list[_Entry] = field(name="oneOf")
    parts: dict[str, _Shape] = field(name="$defs")


class Channel(Struct):
    """What of an AsyncAPI channel is compared: its topic, and the names of its messages."""

    address: str
    messages: dict[str, Any]


class _Channels(Struct):
    channels: dict[str, Channel]


def read_contract(path: Path, identity: str) -> Schema:
    """The contract of this identity in a file. Raises `NoContract`."""
    told, document = _read(path, _Document)
    if document.id != identity:
        raise NoContract(str(path), f"it does not call itself {identity}")
    if not set(_REFERENCE.findall(json.dumps(told))) <= set(document.parts):
        raise NoContract(str(path), "it refers to a part that it has not")
    return told


def read_channels(path: Path) -> dict[str, Channel]:
    """The channels of an AsyncAPI document in a file, by name. Raises `NoContract`."""
    return _read(path, _Channels)[1].channels


def _read(path: Path, form: type[_Form]) -> tuple[Schema, _Form]:
    try:
        told: Schema = json.loads(path.read_bytes())
        return told, convert(told, form)
    except OSError as error:
        raise NoContract(str(path), error.strerror or "it cannot be read") from None
    except ValidationError as error:
        raise NoContract(str(path), str(error)) from None
    except (ValueError, RecursionError):
        raise NoContract(str(path), "it is not JSON") from None
