"""`claims consume` on a real Kafka and a real PostgreSQL: every message is answered."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.door import COMMAND_BYTES_MAX
from commands.sources import Source
from consumers.command_messages import read_receipt
from consumers.messages import Record
from consumers.topics import RECEIPTS, commands_topic
from edge.kafka.clients import consumer
from edge.kafka.library import TopicPartition
from edge.kafka.verbatim import HeaderName
from edge.postgres.connections import Role
from edge.postgres.server import reach, ready
from tests.brokers.broker import Broker, password_of
from tests.brokers.console import consume, produce
from tests.consumers.records import headed
from tests.consumers.test_commanding_machine import carrying
from tests.edge.cli.invoking import PROCESS_S_MAX, Line
from tests.edge.cli.loops import Running
from tests.edge.cli.test_running import postmaster
from tests.edge.kafka.following import of_its_own
from tests.edge.kafka.speaking import letters, notify, opening, receipts, say
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database
from tests.test_docs import ROOT, blocks

CHANGE = """
UPDATE ledger.facts SET state = %s || substr(state, 2)
WHERE substr(state, 1, 1) <> %s AND originator_id = %s
"""
CRM, TELEPHONY = commands_topic(Source.CRM), commands_topic(Source.TELEPHONY)


@pytest.fixture(scope="module")
def broker(run_folder: Path) -> Iterator[Broker]:
    """One for this file: its group goes on from test to test where the last one ended."""
    with of_its_own(run_folder, "consume-kafka") as broker:
        yield broker


def as_ledger(broker: Broker, conninfo: str) -> Line:
    return Line(
        {
            "CLAIMS_DSN": conninfo,
            "CLAIMS_KAFKA_BOOTSTRAP": broker.sasl,
            "CLAIMS_KAFKA_SECURITY": "sasl_plaintext",
            "CLAIMS_KAFKA_USER": "ledger",
            "CLAIMS_KAFKA_PASSWORD": password_of("ledger"),
        }
    )


@pytest.fixture
def claims(broker: Broker, database: Database) -> Line:
    """The ledger's own user, on a database of the test's own."""
    return as_ledger(broker, database.conninfo(Role.OWNER))


def consuming(line: Line, *options: str) -> Running:
    return Running(line, *options, command="consume")


def codes(found: dict[str, list[Record]]) -> dict[str, list[str]]:
    return {
        name: [read_receipt(each).receipt.code for each in some] for name, some in found.items()
    }


def test_a_command_is_accepted_refused_or_put_aside_and_always_answered(
    claims: Line, broker: Broker
) -> None:
    crm, telephony = broker.settings("crm"), broker.settings("telephony")
    say(crm, CRM, [opening("a-1", "A1"), opening("a-2", "A1"), opening("a-1", "A1")])
    wrong = carrying({**notify("a-3", "A1"), "type": "approve-payment"})
    places = say(telephony, TELEPHONY, [wrong])
    with consuming(claims) as running:
        found = receipts(crm, ["a-1"], each=2) | receipts(crm, ["a-2", "a-3"])
        (letter,) = letters(broker.settings("ledger"), TELEPHONY, places)
        assert running.stop() == 0
    assert codes(found)["a-1"] == ["", ""]
    assert found["a-1"][0] == found["a-1"][1]
    assert codes(found)["a-2"][0].startswith("E4")
    assert (letter.record, letter.code) == (wrong, codes(found)["a-3"][0])
    # On a busy machine the library may say that it lost sight of the group's coordinator.
    assert all("library message" in line for line in running.err.splitlines())
    assert running.events[0] == "started"
    assert running.events[-1] == "ended"


def poison() -> list[tuple[Record, str]]:
    body = notify("p-1", "P1")
    whole = opening("p-1", "P1")

    def saying(text: str) -> Record:
        return whole._replace(value=json.dumps(body).replace('"P1"', text).encode())

    return [
        (whole._replace(value=b"\x00\xff not JSON"), "E108"),
        (whole._replace(value=b"[" * 100_000), "E108"),
        (saying("NaN"), "E102"),
        (saying("1e400"), "E102"),
        (saying(r'"\ud800"'), "E102"),
        (saying(r'"\u0000"'), "E102"),
        (saying('"P1", "claim": "P1"'), "E108"),
        (whole._replace(value=b" " * (COMMAND_BYTES_MAX + 100_000)), "E108"),
        (headed(whole, ce_type=b"claims.command.unheard.1"), "E705"),
        (carrying({**body, "type": "unheard"}), "E107"),
        (headed(whole, ce_type=b"claims.command.notify-matter.2"), "E704"),
        (whole._replace(key=b"claim-P2"), "E705"),
        (whole._replace(key=None), "E705"),
        (whole._replace(value=None), "E108"),
        (Record(None, None, ()), "E700"),
        (Record(None, None, (("ce_id", None), ("ce_id", b"\xff"))), "E701"),
        (headed(whole, ce_type=None)._replace(value=b""), "E700"),
        (whole._replace(headers=((HeaderName("ce_\udcff"), b"x"), *whole.headers)), "E701"),
    ]


def test_poison_of_every_kind_goes_aside_with_its_bytes_and_the_rest_goes_on(
    claims: Line, broker: Broker
) -> None:
    crm, sent = broker.settings("crm"), poison()
    places = say(crm, CRM, [record for record, _ in sent])
    say(crm, CRM, [opening("p-2", "P3")])
    with consuming(claims) as running:
        aside = letters(broker.settings("ledger"), CRM, places)
        assert codes(receipts(crm, ["p-2"])) == {"p-2": [""]}
        assert running.stop() == 0
    assert [(each.record, each.code) for each in aside] == sent


def test_a_header_with_a_name_that_is_no_text_harms_nobody(claims: Line, broker: Broker) -> None:
    crm, whole = broker.settings("crm"), opening("h-1", "H1")
    odd = (HeaderName("x-\udcff\udcfe"), None)
    say(crm, CRM, [whole._replace(headers=(odd, *whole.headers)), opening("h-2", "H2")])
    with consuming(claims) as running:
        assert codes(receipts(crm, ["h-1", "h-2"])) == {"h-1": [""], "h-2": [""]}
        assert running.stop() == 0


def test_kafkas_own_programs_send_a_command_and_read_its_receipt(
    claims: Line, broker: Broker, run_folder: Path
) -> None:
    settings = broker.settings("crm")
    record = opening("k-1", "K1")
    headers = ",".join(f"{name}:{(value or b'').decode()}" for name, value in record.headers)
    line = f"{headers}\tclaim-K1\t{(record.value or b'').decode()}"
    produce(run_folder, settings, CRM, [line])
    with consuming(claims) as running:
        receipts(settings, ["k-1"])
        assert running.stop() == 0
    everything = consume(run_folder, settings, RECEIPTS, size(broker, RECEIPTS), "crm.console")
    (told,) = [each for each in everything if "ce_id:k-1" in each[0]]
    assert told[1] == "claim-K1"
    assert json.loads(told[2])["outcome"] == "accepted"


def test_stopped_it_has_committed_what_it_answered_and_left_nothing_half_done(
    claims: Line, broker: Broker
) -> None:
    crm = broker.settings("crm")
    ids = [f"s-{number}" for number in range(50)]
    with consuming(claims) as running:
        say(crm, CRM, [opening(each, f"S{each}") for each in ids])
        assert set(codes(receipts(crm, ids))) == set(ids)
        assert running.stop(signal.SIGINT) == 0
    assert running.lines[-1] == {**running.lines[-1], "event": "ended", "held": 0}
    assert lag(broker, CRM) == 0
    with consuming(claims) as again:
        say(crm, CRM, [opening("s-last", "Slast")])
        receipts(crm, ["s-last"])
        assert again.stop() == 0
    answered = [line for line in again.lines if line["event"] == "answered"]
    assert sum(each["accepted"] for each in answered) == 1


def size(broker: Broker, topic: str) -> int:
    """Messages of a topic."""
    return sum(end for end, _ in ends(broker, topic))


def lag(broker: Broker, topic: str) -> int:
    """Messages of a topic that the ledger's group has not committed."""
    return sum(end - committed for end, committed in ends(broker, topic))


def ends(broker: Broker, topic: str) -> list[tuple[int, int]]:
    """Where each partition ends, and how far the ledger's group has come."""
    client = consumer(broker.settings(), "ledger.consume")
    try:
        places = [TopicPartition(topic, each) for each in client.partitions_for_topic(topic)]
        found = client.end_offsets(places)
        return [(found[place], client.committed(place) or 0) for place in places]
    finally:
        client.close()


def test_a_source_that_is_none_and_a_group_of_another_s_are_refused_by_name(claims: Line) -> None:
    claims("consume", "--source", "nobody", "--json").refused("E102", 2)
    answer = claims.apart("consume", "--group", "bank.consume", "--json")
    assert (answer.code, answer.receipts[-1]["code"]) == (5, "E773")


def test_a_command_on_a_damaged_file_goes_aside_and_is_answered_once_it_is_mended(
    claims: Line, broker: Broker, database: Database
) -> None:
    crm = broker.settings("crm")
    with consuming(claims) as running:
        say(crm, CRM, [opening("m-1", "M1")])
        receipts(crm, ["m-1"])
        assert running.stop() == 0
    altered(database, CHANGE, b"[", b"[", "claim-M1")
    again = opening("m-2", "M1")
    with consuming(claims) as running:
        places = say(crm, CRM, [again, opening("m-3", "M3")])
        found = receipts(crm, ["m-2", "m-3"])
        (letter,) = letters(broker.settings("ledger"), CRM, places[:1])
        assert running.stop() == 0
    assert codes(found) == {"m-2": ["E803"], "m-3": [""]}
    assert (letter.record, letter.code) == (again, "E803")
    dead = claims.apart("dead", "list", "--code", "E803", "--json").data["dead"]
    place = dead[-1]["place"]
    still = claims.apart("dead", "retry", place, "--json").data["retried"][0]
    assert (still["outcome"], still["code"]) == ("still dead", "E803")
    altered(database, CHANGE, b"{", b"{", "claim-M1")
    now = claims.apart("dead", "retry", place, "--json").data["retried"][0]
    assert (now["outcome"], now["code"]) == ("refused", codes(receipts(crm, ["m-2"], 2))["m-2"][1])


# --- a database that goes and comes back ----------------------------------------------------------


def test_with_the_database_away_it_waits_and_answers_when_it_is_back(
    broker: Broker, server_home: Path
) -> None:
    claims = as_ledger(broker, ready(None, server_home).conninfo)
    crm = broker.settings("crm")
    with consuming(claims) as running:
        say(crm, CRM, [opening("d-1", "D1")])
        receipts(crm, ["d-1"])
        moves = running.events.count("revoked")
        with consuming(claims, "--source", "crm") as second:
            second.said("started")
            running.said("revoked", moves + 1)  # they share the partitions
            os.kill(postmaster(server_home), signal.SIGQUIT)
            say(crm, CRM, [opening("d-1", "D1")])
            say(crm, CRM, [opening(f"d-{number}", f"D{number}") for number in range(2, 9)])
            running.said("waiting")
            # What the other one held comes to this one, which holds some already.
            moves = running.events.count("revoked")
            assert second.stop() == 0
        running.said("revoked", moves + 1)
        reach(None, server_home)
        found = receipts(crm, ["d-1"], each=2) | receipts(crm, [f"d-{n}" for n in range(2, 9)])
        running.said("reading-on")
        assert running.stop() == 0
    assert {code for some in codes(found).values() for code in some} == {""}
    assert found["d-1"][0] == found["d-1"][1]
    assert lag(broker, CRM) == 0


def test_a_stop_is_heard_while_the_database_is_away(broker: Broker, server_home: Path) -> None:
    claims = as_ledger(broker, ready(None, server_home).conninfo)
    crm = broker.settings("crm")
    with consuming(claims) as running:
        say(crm, CRM, [opening("w-1", "W1")])
        receipts(crm, ["w-1"])
        os.kill(postmaster(server_home), signal.SIGQUIT)
        say(crm, CRM, [opening("w-2", "W2")])
        running.said("waiting")
        assert running.stop() == 0
    assert lag(broker, CRM) == 1
    reach(None, server_home)
    with consuming(claims) as running:
        receipts(crm, ["w-2"])
        assert running.stop() == 0


# --- a broker that goes and comes back, and other programs ----------------------------------------


def test_with_the_broker_killed_it_goes_on_when_it_is_back(claims: Line, broker: Broker) -> None:
    crm = broker.settings("crm")
    with consuming(claims) as running:
        say(crm, CRM, [opening("b-1", "B1")])
        receipts(crm, ["b-1"])
        broker.kill()
        broker.start()
        say(crm, CRM, [opening("b-1", "B1"), opening("b-2", "B2")])
        found = receipts(crm, ["b-1"], each=2) | receipts(crm, ["b-2"])
        assert running.stop() == 0
    assert codes(found) == {"b-1": ["", ""], "b-2": [""]}
    assert found["b-1"][0] == found["b-1"][1]


def test_the_program_of_the_page_gets_its_receipt(
    claims: Line, broker: Broker, tmp_path: Path
) -> None:
    page = ROOT / "docs" / "how-to" / "send-commands-over-kafka.md"
    today = notify("crm-81", "MY-1")
    program = next(
        block.replace("kafka:9092", broker.sasl)
        .replace("SASL_SSL", "SASL_PLAINTEXT")
        .replace('"..."', f'"{password_of("crm")}"')
        .replace("2026-08-15", today["event_date"])
        .replace("2026-11-23", today["notified_on"])
        for block in blocks(page, "text")
    )
    (tmp_path / "program.py").write_text(program)
    with consuming(claims) as running:
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py")],
            capture_output=True,
            text=True,
            timeout=PROCESS_S_MAX,
            check=False,
        )
        assert running.stop() == 0
    assert (done.stdout, done.returncode) == ("accepted\n", 0), done.stderr
