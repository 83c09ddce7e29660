"""The contracts are what the code says, valid by their specifications, and fit what is sent."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from commands.door import Unread, command_types, read
from commands.receipt import not_kept
from commands.sources import MAY_SEND, Source
from consumers.command_messages import write_receipt
from consumers.fact_messages import write_fact
from consumers.topics import DEAD, EVENTS, RECEIPTS, commands_topic
from domain.envelope import Labels, Privilege
from domain.errors import BadValue
from domain.schema import NAMES, from_stored
from edge.contracts.documents import PUBLISHED, documents
from tests.commands.bodies import Desk
from tests.commands.requests import a_request
from tests.consumers.records import BODY, TRACE, asking
from tests.consumers.test_fact_messages import message
from tests.domain.samples import STORED, STREAM, VERSION
from tests.edge.contracts.validating import published, validator, wrong, wrong_headers

EXPORT = (
    "the contracts are not what the code says: claims contracts export edge/contracts/published"
)
ASYNCAPI: dict[str, Any] = json.loads(
    (Path(__file__).parent / "asyncapi" / "3.0.0.json").read_bytes()
)
SCHEMAS = ("commands.json", "facts.json", "receipts.json")
LEDGER = "urn:claims-ledger"


def test_what_is_published_is_what_the_code_says() -> None:
    there = {path.name: path.read_text("utf-8") for path in PUBLISHED.iterdir()}
    assert there == documents(), EXPORT


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_by_its_dialect(name: str) -> None:
    Draft202012Validator.check_schema(published(name))


def test_the_asyncapi_document_is_valid_by_the_official_schema() -> None:
    official: Any = Draft7Validator(ASYNCAPI)
    document = deepcopy(published("asyncapi.json"))
    assert [each.message for each in official.iter_errors(document)] == []
    document["channels"]["events"]["adress"] = EVENTS
    assert not official.is_valid(document)


def references(text: str) -> list[str]:
    return re.findall(r'"\$ref": "([^"]+)"', text)


@pytest.mark.parametrize("name", [*SCHEMAS, "asyncapi.json"])
def test_every_reference_leads_somewhere(name: str) -> None:
    found = references((PUBLISHED / name).read_text())
    assert found
    for reference in found:
        file, _, pointer = reference.partition("#")
        place: Any = published(file or name)
        for step in pointer.removeprefix("/").split("/") if pointer else ():
            place = place[step]
        assert place


def test_the_document_has_every_topic_and_what_each_may_hold() -> None:
    channels = published("asyncapi.json")["channels"]
    held = {each["address"]: set(each["messages"]) for each in channels.values()}
    assert held == {
        **{commands_topic(each): {f"{kind}.1" for kind in MAY_SEND[each]} for each in Source},
        RECEIPTS: {"receipt"},
        EVENTS: set(NAMES),
        DEAD: {"dead"},
    }


# --- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(STORED.iterdir()), ids=lambda path: path.stem)
def test_every_fact_ever_released_fits_its_schema_and_its_envelope(path: Path) -> None:
    name, state = path.stem, path.read_bytes()
    whole = json.loads(state)
    assert wrong("facts.json", whole) == []
    assert wrong("facts.json", whole, name) == []
    assert wrong("facts.json", {**whole, "fact": {**whole["fact"], "unheard": 1}}, name) != []
    assert wrong("facts.json", {**whole, "name": "other.1"}, name) != []
    record = write_fact(name, state, from_stored(STREAM, VERSION, name, state, 9), LEDGER)
    assert wrong_headers(name, record) == []
    assert wrong("facts.json", json.loads(record.value or b""), "withheld") == []


def test_a_fact_that_may_leave_fits_as_it_leaves() -> None:
    record = message()
    assert wrong_headers("estimate-set.1", record) == []
    assert wrong("facts.json", json.loads(record.value or b""), "estimate-set.1") == []
    assert wrong_headers("offer-made.1", record) != []


@pytest.mark.parametrize("privilege", [each for each in Privilege if each is not Privilege.NONE])
def test_a_stub_fits_its_schema_and_no_other(privilege: Privilege) -> None:
    stub = json.loads(message("offer-made.1", Labels(privilege=privilege)).value or b"")
    assert wrong("facts.json", stub) == []
    assert wrong("facts.json", stub, "offer-made.1") != []


def test_what_a_desk_stores_fits() -> None:
    desk = Desk()
    desk.employ("ann", 1_000)
    desk.opened()
    desk.told("set-estimate", estimates=BODY["estimates"])
    desk.ask("close-claim", closure="settled", outcome="x")
    events = desk.store.recorder.select_notifications(start=None, limit=1_000)
    assert len(events) > 8
    for event in events:
        assert wrong("facts.json", json.loads(event.state), event.topic) == []


# --- commands and receipts -----------------------------------------------------------------------


@given(st.data())
def test_a_command_that_the_door_takes_fits_its_schema(data: st.DataObject) -> None:
    desk = Desk()
    desk.opened()
    body = a_request(data.draw, desk, {})
    if isinstance(read(json.dumps(body).encode()), Unread):
        return
    assert wrong("commands.json", body, f"{body['type']}.1") == []


@pytest.mark.parametrize("missing", ["type", "command_id", "actor", "claim"])
def test_a_command_without_a_field_that_it_needs_does_not_fit(missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    assert isinstance(read(json.dumps(body).encode()), Unread)
    assert not validator("commands.json").is_valid(body)
    assert validator("commands.json").is_valid(BODY)


def test_every_command_has_a_schema_and_a_message() -> None:
    names = {f"{kind}.1" for kind in command_types()}
    assert names <= set(published("commands.json")["$defs"])
    assert names <= set(published("asyncapi.json")["components"]["messages"])
    assert wrong_headers("set-estimate.1", asking()) == []
    assert wrong_headers("make-offer.1", asking()) != []


def test_every_kind_of_receipt_fits() -> None:
    desk = Desk()
    desk.opened()
    desk.employ("ann", 1_000)
    told = desk.body("set-estimate", claim="C1", estimates=BODY["estimates"])
    answers = [
        *desk.send(told, {**told, "command_id": "n-1"}, {**told, "rationale": "other"}),
        desk.ask("close-claim", closure="settled", outcome="x"),
        not_kept("q-8", "", BadValue("x", "y")),
    ]
    assert {each.data["outcome"] for each in answers} == {"accepted", "refused"}
    assert answers[1].data["facts"] == []
    for each in answers:
        assert wrong("receipts.json", each.data) == []
        assert wrong_headers("receipt", write_receipt(each, LEDGER, TRACE)) == []
        assert not validator("receipts.json").is_valid({**each.data, "outcome": "other"})
