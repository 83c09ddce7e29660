"""The messages that the documentation shows are those that the code makes, and they fit."""

import json
import re
from pathlib import Path

import pytest

from commands.sources import MAY_SEND, Source
from consumers.command_messages import Arrived, read_command, read_receipt
from consumers.dead_letters import read_dead
from consumers.fact_messages import read_fact
from consumers.topics import commands_topic
from tests.consumers.examples import examples, shown
from tests.consumers.records import refused
from tests.edge.contracts.validating import wrong, wrong_headers

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "messages.md").read_text("utf-8")


def test_the_page_shows_the_messages_that_the_code_makes() -> None:
    blocks = re.findall(r"^```json\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks == [shown(record) for record in examples().values()], (
        "python -m tests.consumers.examples prints what the page should show"
    )


def test_every_message_of_the_page_is_read_as_what_it_is() -> None:
    made = examples()
    assert isinstance(read_command(made["command"], Source.CRM), Arrived)
    assert read_receipt(made["receipt"]).receipt.accepted
    assert read_fact(made["fact"]).name == "claim-notified.1"
    assert read_fact(made["withheld"]).withheld == "litigation"
    refused(read_dead(made["dead letter"]).record, "E706", Source.TELEPHONY)
    assert read_receipt(made["its receipt"]).receipt.code == "E706"


@pytest.mark.parametrize(
    ("name", "message", "file"),
    [
        ("command", "notify-matter.1", "commands.json"),
        ("receipt", "receipt", "receipts.json"),
        ("fact", "claim-notified.1", "facts.json"),
        ("withheld", "strategy-set.1", "facts.json"),
        ("its receipt", "receipt", "receipts.json"),
    ],
)
def test_every_message_of_the_page_fits_its_contract(name: str, message: str, file: str) -> None:
    record = examples()[name]
    assert wrong_headers(message, record) == []
    assert wrong(file, json.loads(record.value or b"")) == []


@pytest.mark.parametrize("source", [each for each in Source if each is not Source.DESK])
def test_the_page_says_what_each_application_may_send(source: Source) -> None:
    (row,) = re.findall(rf"^\| `{commands_topic(source)}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert set(row.split(", ")) == {f"`{kind}`" for kind in MAY_SEND[source]}
