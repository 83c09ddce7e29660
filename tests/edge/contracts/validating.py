"""The contracts as another program would use them: bodies and headers held to the schemas."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from consumers.messages import Record
from edge.contracts.documents import PUBLISHED


@cache
def published(name: str) -> dict[str, Any]:
    """A file of the contracts."""
    told: dict[str, Any] = json.loads((PUBLISHED / name).read_bytes())
    return told


@cache
def validator(file: str, entry: str = "") -> Any:
    """What tells whether a body is one of a file's, or that of one entry."""
    contract = published(file)
    schema = {**contract, "oneOf": [{"$ref": f"#/$defs/{entry}"}]} if entry else contract
    return Draft202012Validator(schema)


def wrong(file: str, body: object, entry: str = "") -> list[str]:
    """Everything that the contract has against a body."""
    return [each.message for each in validator(file, entry).iter_errors(body)]


def wrong_headers(message: str, record: Record) -> list[str]:
    """Everything that the AsyncAPI document has against the headers of a message."""
    components = published("asyncapi.json")["components"]
    own = components["messages"][message]
    (trait,) = own["traits"]
    common = components["messageTraits"][trait["$ref"].rpartition("/")[2]]["headers"]
    schema = {
        **common,
        "properties": {**common["properties"], **own["headers"]["properties"]},
        "additionalProperties": False,
    }
    told = {name: (value or b"").decode() for name, value in record.headers}
    judge: Any = Draft202012Validator(schema)
    return [each.message for each in judge.iter_errors(told)]
