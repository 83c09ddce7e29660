"""How the views stand: lag, what is left out, in files, in facts and in money."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers import standing
from consumers.positions import LIVE, Stopped, park
from consumers.projector import Projector
from consumers.standing import Parked, Status, Sums, status
from domain.claim.payments import PaymentIssued, PaymentVoided
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.money import Money
from domain.terms import RecoveryCategory, Trigger
from edge.postgres.connections import Role
from projections.view import views
from tests.edge.store.tampering import altered
from tests.postgres_fixtures import Database
from tests.projections.ledgers import LINE, Log, MemoryLog, Pen, claims, ledger, store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def stands(database: Database, *names: str) -> list[Status]:
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as reading:
        return status(reading, views(*names))


def test_the_status_says_what_a_view_leaves_out(
    database: Database, projecting: Connection[Any]
) -> None:
    log = ledger(facts=60)
    store(database, log)
    (audit,) = views("audit")
    until = log[30].position
    Projector(MemoryLog(log), projecting, page_facts=8).catch_up([audit], until=until)
    left, head = claims(log[31:]), log[-1].position
    oldest = [log[place].envelope.recorded_at for place in (31, 0)]
    assert stands(database, "audit", "reserves") == [
        Status("audit", audit.version, until, head, len(log) - 31, len(left), oldest[0]),
        Status("reserves", 0, 0, head, len(log), len(claims(log)), oldest[1]),
    ]
    Projector(MemoryLog(log), projecting).catch_up([audit])
    assert stands(database, "audit") == [Status("audit", audit.version, head, head, 0, 0)]


def test_a_lag_is_counted_no_further_than_is_worth_the_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(database, ledger(facts=60))
    monkeypatch.setattr(standing, "LAG_COUNTED_MAX", 40)
    assert {each.lag for each in stands(database)} == {40}


def money() -> Log:
    """One claim with money in and out, in a log with another."""
    pen = Pen()
    before, after = Money(0, "GBP"), Money(50_000, "GBP")
    pen.write("claim-other", EstimateSet(LINE, before, after, Trigger.PERIODIC_REVIEW), NOON)
    for fact in (
        EstimateSet(LINE, before, after, Trigger.PERIODIC_REVIEW),
        EstimateSet(LINE, after, Money(30_000, "GBP"), Trigger.PERIODIC_REVIEW),
        PaymentIssued("P-1", LINE, Money(700, "GBP")),
        PaymentIssued("P-2", LINE, Money(40, "GBP")),
        PaymentVoided("P-2", LINE, Money(40, "GBP"), "twice"),
        RecoveryReceived("R-1", LINE, next(iter(RecoveryCategory)), Money(9, "GBP")),
    ):
        pen.write("claim-A", fact, NOON)
    return pen.log


def test_parked_files_are_told_with_the_facts_that_wait_and_what_they_say_of_money(
    database: Database, projecting: Connection[Any]
) -> None:
    log = money()
    store(database, log)
    Projector(MemoryLog(log), projecting).catch_up(views("audit"), until=log[-2].position)
    stopped = Stopped("claim-A", 2, log[2].position, "E801", "odd")
    park(projecting, LIVE, "audit", stopped)
    altered(database, "UPDATE ledger.facts SET topic = 'odd.1' WHERE originator_version = 4")
    (found,) = stands(database, "audit")
    (file,) = found.parked
    assert file == Parked(*stopped, file.parked_at, waiting=4)  # the last is still to come
    assert found.unread == 1
    assert found.money == (("GBP", Sums(estimate=-20_000, paid=700 - 40)),)
