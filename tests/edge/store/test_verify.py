"""Whoever changes what is stored is found: each way of tampering, at its place."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from commands.door import read
from commands.ledger import Ledger
from domain.errors import ChainBroken
from domain.schema import chain_start
from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresLog, PostgresStore
from edge.store.verify import verify, verify_all
from tests.edge.store.facts import Writer, merged
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database

OPEN = b"""{"type": "notify-matter", "command_id": "open-%d", "claim": "%s",
  "actor": {"person": "ann", "role": "case_manager"}, "matter_type": "%s",
  "jurisdiction": "england_wales", "currency": "GBP",
  "event_date": "2026-01-01", "notified_on": "2026-01-02"}"""


@pytest.fixture
def log(database: Database) -> Iterator[PostgresLog]:
    with PostgresLog(database.conninfo(Role.READER)) as log:
        yield log


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """Three files: claim-1 of five facts by three commands, and a neighbour on either side."""
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        writer = Writer(store)
        writer.write("claim-0", 2, "before")
        writer.write("claim-1", 2, "first")
        writer.append(merged(writer.batch("claim-1", 1, "second"), writer.batch("claim-2", 1, "x")))
        writer.write("claim-1", 2, "third")
        yield writer


def at_version(statement: str) -> str:
    return f"{statement} WHERE originator_id = 'claim-1' AND originator_version = %s"


def broken_at(log: PostgresLog, stream: str = "claim-1") -> tuple[int, str]:
    """Where the file is broken, and why; found alone and among all, and no other file is."""
    with pytest.raises(ChainBroken) as caught:
        verify(log, stream)
    summary = verify_all(log)
    assert [(error.stream, str(error)) for error in summary.broken] == [(stream, str(caught.value))]
    assert caught.value.stream == stream
    return caught.value.version, caught.value.why


def test_an_untouched_ledger_is_whole(log: PostgresLog, writer: Writer) -> None:
    told: list[tuple[int, int]] = []
    summary = verify_all(log, lambda streams, facts: told.append((streams, facts)))
    assert (summary.streams, summary.facts, summary.broken) == (3, 8, ())
    assert told == [(3, 8)]
    verified = verify(log, "claim-1")
    assert (verified.facts, verified.digest) == (5, writer.heads["claim-1"][1])


def test_an_empty_ledger_is_whole(log: PostgresLog) -> None:
    assert verify_all(log) == type(verify_all(log))(0, 0, ())
    assert verify(log, "claim-9").digest == chain_start("claim-9")


def test_what_the_ledger_itself_writes_is_whole_refusals_included(
    database: Database, log: PostgresLog
) -> None:
    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        ledger = Ledger(store, lambda: datetime(2026, 3, 2, tzinfo=UTC))
        bodies = [OPEN % (n, b"c%d" % (n % 2), b"claim") for n in range(4)]
        receipts = [ledger.handle(read(body)) for body in [*bodies, b'{"command_id": "nothing"}']]
    outcomes = {receipt.data["outcome"] for receipt in receipts}
    assert outcomes == {"accepted", "refused"}
    assert verify_all(log).broken == ()
    refusals = [name for name in log.streams() if name.startswith("refusals-")]
    assert [verify(log, name).facts for name in refusals] != []
    altered(database, "DELETE FROM ledger.facts WHERE originator_id = %s", refusals[0])
    assert [error.stream for error in verify_all(log).broken] == [refusals[0]]
    with pytest.raises(ChainBroken):
        verify(log, refusals[0].removeprefix("refusals-"))


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_changed_byte_breaks_the_next_fact(
    log: PostgresLog, writer: Writer, database: Database, version: int
) -> None:
    change = "UPDATE ledger.facts SET state = replace(convert_from(state, 'UTF8'), %s, %s)::bytea"
    altered(database, at_version(change), f"objective {version}", f"objectivE {version}", version)
    assert broken_at(log) == (version + 1, "it does not carry the digest of the bytes before")


def test_a_changed_byte_of_the_last_fact_is_told_by_its_receipt(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    change = "UPDATE ledger.facts SET state = replace(convert_from(state, 'UTF8'), %s, %s)::bytea"
    altered(database, at_version(change), "objective 5", "objectivE 5", 5)
    assert broken_at(log) == (5, "a receipt told another digest of its bytes")


def test_bytes_that_are_no_longer_json_are_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(database, at_version("UPDATE ledger.facts SET state = substr(state, 1, 60)"), 3)
    assert broken_at(log) == (3, "its bytes cannot be read")


@pytest.mark.parametrize("version", [1, 3])
def test_a_deleted_fact_is_missed(
    log: PostgresLog, writer: Writer, database: Database, version: int
) -> None:
    altered(database, at_version("DELETE FROM ledger.facts"), version)
    assert broken_at(log) == (version, "it is missing")


def test_a_deleted_last_fact_is_missed(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(database, at_version("DELETE FROM ledger.facts"), 5)
    assert broken_at(log) == (5, "it is not where the receipt of third says")


def test_a_tail_cut_off_with_all_facts_of_its_command_is_missed(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(
        database,
        "DELETE FROM ledger.facts WHERE originator_id = 'claim-1' AND originator_version > 3",
    )
    assert broken_at(log) == (4, "it is not where the receipt of third says")


def test_a_file_deleted_whole_is_missed(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(database, "DELETE FROM ledger.facts WHERE originator_id = 'claim-1'")
    assert broken_at(log) == (1, "it is not where the receipt of first says")


def test_a_swapped_pair_is_found(log: PostgresLog, writer: Writer, database: Database) -> None:
    swap = (
        "UPDATE ledger.facts AS one SET state = other.state, topic = other.topic"
        " FROM ledger.facts AS other"
        " WHERE one.originator_id = 'claim-1' AND other.originator_id = 'claim-1'"
        " AND one.originator_version IN (2, 3)"
        " AND other.originator_version = 5 - one.originator_version"
    )
    altered(database, swap)
    assert broken_at(log) == (2, "its bytes say it is fact 3 of claim-1")


def test_a_pair_that_changed_places_in_the_log_is_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(
        database, at_version("UPDATE ledger.facts SET notification_id = notification_id + 100"), 2
    )
    assert broken_at(log) == (3, "its position is not after that of the one before")


def test_a_last_fact_moved_in_the_log_is_told_by_its_receipt(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(
        database, at_version("UPDATE ledger.facts SET notification_id = notification_id + 100"), 5
    )
    assert broken_at(log) == (5, "the receipt of third names another fact at its place")


def test_a_changed_name_is_found(log: PostgresLog, writer: Writer, database: Database) -> None:
    altered(database, at_version("UPDATE ledger.facts SET topic = 'claim-closed.1'"), 3)
    assert broken_at(log) == (3, "its bytes are not of a claim-closed.1")


def test_facts_moved_to_another_file_are_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    altered(
        database,
        "UPDATE ledger.facts SET originator_id = 'claim-3' WHERE originator_id = 'claim-1'",
    )
    summary = verify_all(log)
    assert [(error.stream, error.version) for error in summary.broken] == [
        ("claim-1", 1),
        ("claim-3", 1),
    ]


@pytest.mark.parametrize(
    ("old", "new", "version", "why"),
    [
        ('"version":4', '"version":3', 3, "the receipt of third names another fact at its place"),
        ('"digest":"', '"digest":"f', 5, "a receipt told another digest of its bytes"),
        ('"command_id":"third"', '"command_id":"thirD"', 0, "the receipt of third was altered"),
        ('"stream":"claim-1"', '"stream":"claim-2"', 0, "the receipt of third was altered"),
        ('"accepted"', '"refused"', 0, "the receipt of third was altered"),
        ('"accepted"', '"forgotten"', 0, "the receipt of third was altered"),
        ('"facts"', '"fakes"', 0, "the receipt of third was altered"),
        ("{", "", 0, "the receipt of third was altered"),
        ('"version":4', '"version":"4"', 0, "the receipt of third was altered"),
        ('"version":4', '"version":-4', 0, "the receipt of third was altered"),
        ('"version":5', '"version":99999999999999999999', 0, "the receipt of third was altered"),
        ('"strategy-set.1"', '"claim-closed.1"', 4, "the receipt of third names another fact"),
    ],
)
def test_a_changed_answer_is_found(
    log: PostgresLog,
    writer: Writer,
    database: Database,
    old: str,
    new: str,
    version: int,
    why: str,
) -> None:
    change = (
        "UPDATE ledger.answers SET receipt = convert_to("
        "regexp_replace(convert_from(receipt, 'UTF8'), %s, %s), 'UTF8') WHERE command_id = 'third'"
    )
    altered(database, change, old.replace("{", r"\{"), new)
    found, told = broken_at(log)
    assert (found, told[: len(why)]) == (version, why)


def test_a_deleted_answer_is_missed(log: PostgresLog, writer: Writer, database: Database) -> None:
    altered(database, "DELETE FROM ledger.answers WHERE command_id = 'second'")
    assert broken_at(log) == (3, "no receipt of its command second names it")


def test_a_fact_that_no_command_was_answered_for_is_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    forged = writer.batch("claim-1", 1, "forged").facts[0]
    altered(
        database,
        "INSERT INTO ledger.facts (originator_version, originator_id, topic, state)"
        " VALUES (%s, %s, %s, %s)",
        *(forged.version, forged.stream, forged.name, forged.state),
    )
    assert broken_at(log) == (6, "no receipt of its command forged names it")


def test_a_forged_fact_with_a_command_id_that_cannot_be_is_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    forged = writer.batch("claim-1", 1, "nul\0").facts[0]
    altered(
        database,
        "INSERT INTO ledger.facts (originator_version, originator_id, topic, state)"
        " VALUES (%s, %s, %s, %s)",
        *(forged.version, forged.stream, forged.name, forged.state),
    )
    assert broken_at(log)[0] == 6


def test_a_fact_slipped_in_under_an_answered_command_is_found(
    log: PostgresLog, writer: Writer, database: Database
) -> None:
    forged = writer.batch("claim-1", 1, "third").facts[0]
    altered(
        database,
        "INSERT INTO ledger.facts (originator_version, originator_id, topic, state)"
        " VALUES (%s, %s, %s, %s)",
        *(forged.version, forged.stream, forged.name, forged.state),
    )
    assert broken_at(log) == (6, "no receipt of its command third names it")


def test_a_moment_set_back_is_found(log: PostgresLog, writer: Writer, database: Database) -> None:
    """The bytes are made anew, chain, receipts and all, but a moment runs backwards."""
    batch = writer.batch("claim-1", 1, "late")
    fact = batch.facts[0]
    early = fact.state.replace(b"2026-03-02T12:00:06Z", b"2026-03-02T12:00:04.5Z")
    assert early != fact.state
    altered(
        database,
        "INSERT INTO ledger.facts (originator_version, originator_id, topic, state)"
        " VALUES (%s, %s, %s, %s)",
        *(fact.version, fact.stream, fact.name, early),
    )
    assert broken_at(log) == (6, "it says it was recorded before the one before")


def test_many_files_are_verified_with_many_looked_up_elsewhere(
    log: PostgresLog, writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.verify.ELSEWHERE_MAX", 2)
    monkeypatch.setattr("edge.store.snapshot.ROWS_A_FETCH", 3)
    altered(database, "DELETE FROM ledger.answers WHERE stream <> 'claim-1'")
    assert [error.stream for error in verify_all(log).broken] == ["claim-0", "claim-2"]
