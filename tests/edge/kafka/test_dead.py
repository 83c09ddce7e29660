"""`claims dead`: what was put aside is named, shown whole, and tried again by the same way."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from commands.sources import Source
from consumers.answering import Leaving
from consumers.dead_letters import dead_letter, write_dead
from consumers.messages import Record
from consumers.refusals import NotAMessage
from consumers.topics import DEAD, commands_topic
from domain.errors import Refused
from edge.kafka.outgoing import KafkaOutgoing
from edge.kafka.verbatim import HeaderName
from edge.wiring import system_clock
from tests.brokers.broker import Broker
from tests.consumers.test_commanding_machine import carrying
from tests.edge.cli.conftest import line_of
from tests.edge.cli.invoking import Line
from tests.edge.kafka.following import of_its_own
from tests.edge.kafka.speaking import notify, opening, receipts
from tests.postgres_fixtures import Database

CRM = commands_topic(Source.CRM)
WHY = NotAMessage("as it was read then")
ODD = Record(None, b"\x00\xff", ((HeaderName("x-\udcff"), None), ("plain", b"\xfe")))
WRONG = carrying({**notify("l-3", "L3"), "type": "approve-payment", "payment_id": "P"})


@pytest.fixture(scope="module")
def broker(run_folder: Path) -> Iterator[Broker]:
    """One for this file, whose dead letters the first of its tests finds there."""
    with of_its_own(run_folder, "dead-kafka") as broker:
        with closing(KafkaOutgoing(broker.settings("ledger"))) as outgoing:
            outgoing.send([aside(ODD, WHY), aside(opening("l-1", "L1"), WHY), aside(WRONG, WHY)])
            outgoing.send([Leaving(DEAD, opening("l-4", "L4"))])
        yield broker


def aside(record: Record, error: Refused) -> Leaving:
    return Leaving(
        DEAD, write_dead(dead_letter(record, CRM, 0, 7, error.code, str(error), system_clock()))
    )


@pytest.fixture
def claims(broker: Broker, database: Database) -> Line:
    return line_of(database).with_settings(CLAIMS_KAFKA_BOOTSTRAP=broker.plain)


def test_dead_letters_are_listed_by_place_with_why_and_from_where(claims: Line) -> None:
    told = claims.apart("dead", "list", "--json").data["dead"]
    assert [each["place"] for each in told] == ["0:0", "0:1", "0:2", "0:3"]
    assert told[0] == {
        **told[0],
        "source": "crm",
        "topic": CRM,
        "partition": 0,
        "offset": 7,
        "code": "E708",
        "why": str(WHY),
    }
    assert told[3]["code"] == "E700"  # what is no dead letter is named all the same
    drawn = claims.apart("dead", "list")
    assert drawn.code == 0
    assert "0:2" in drawn.out


def test_a_list_holds_what_is_asked_for_only(claims: Line) -> None:
    assert len(claims.apart("dead", "list", "--code", "E708", "--json").data["dead"]) == 3
    assert len(claims.apart("dead", "list", "--source", "crm", "--json").data["dead"]) == 3
    assert claims.apart("dead", "list", "--source", "bank", "--json").data["dead"] == []


def test_one_is_shown_whole_whatever_its_bytes_are(claims: Line) -> None:
    shown = claims.apart("dead", "show", "0:0")
    assert shown.code == 0
    assert shown.stdout.endswith(b"\n\x00\xff\n")
    assert "x-\\xff: -" in shown.stdout.decode(errors="replace")
    told = claims.apart("dead", "show", "0:0", "--json").data
    assert told["value"] == {"base64": "AP8="}
    assert told["headers"][:2] == [
        {"name": "x-\\xff", "text": None},
        {"name": "plain", "base64": "/g=="},
    ]
    assert claims.apart("dead", "show", "0:1", "--json").data["key"] == {"text": "claim-L1"}


def test_an_application_that_there_is_not_is_refused_by_name(claims: Line) -> None:
    claims("dead", "list", "--source", "nobody", "--json").refused("E102", 2)


@pytest.mark.parametrize("place", ["0:99", "7:0"])
def test_a_place_without_a_dead_letter_is_refused_by_name(claims: Line, place: str) -> None:
    claims.apart("dead", "show", place, "--json").refused("E785", 1)


@pytest.mark.parametrize("place", ["", "0", "0:-1", "a:b"])
def test_what_is_no_place_is_wrong_usage(claims: Line, place: str) -> None:
    claims("dead", "show", place, "--json").refused("E102", 2)


def test_what_can_be_read_now_is_answered_and_the_rest_stays(claims: Line, broker: Broker) -> None:
    answer = claims.apart("dead", "retry", "0:1", "0:2", "0:0", "--json")
    told = {each["place"]: each for each in answer.data["retried"]}
    assert answer.code == 1
    assert {place: (each["outcome"], each["code"]) for place, each in told.items()} == {
        "0:1": ("accepted", ""),
        "0:2": ("still dead", "E106"),
        "0:0": ("still dead", "E700"),
    }
    (receipt,) = receipts(broker.settings(), ["l-1"])["l-1"]
    assert json.loads(receipt.value or b"") == told["0:1"]["receipt"]
    again = claims.apart("dead", "retry", "0:1", "--json")
    assert (again.code, again.data["retried"][0]["receipt"]) == (0, told["0:1"]["receipt"])
    assert len(claims.apart("dead", "list", "--json").data["dead"]) == 4
    assert "still dead" in claims.apart("dead", "retry", "0:2").out


def test_what_is_no_dead_letter_cannot_be_tried_again(claims: Line) -> None:
    claims.apart("dead", "retry", "0:3", "--json").refused("E700", 1)


def test_with_the_database_away_nothing_is_said_to_anybody(claims: Line) -> None:
    away = claims.with_settings(CLAIMS_DSN=claims.environment["CLAIMS_DSN"] + " port=1")
    away.apart("dead", "retry", "0:1", "--json").refused("E617", 5)
