"""The synthetic portfolio: lawful when it is played, the same for the same seed, and plausible."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.claim import Claim, Fact
from domain.claim.escalation import ApprovalConsumed
from domain.claim.lifecycle import Status
from domain.envelope import Recorded
from domain.history import Coordinate
from domain.terms import CostType, Head, Line
from edge.store.memory_store import MemoryStore
from replay.difference import difference
from replay.file import file_at
from replay.portfolio import START, YEARS, Ask, portfolio, told
from replay.portfolio_chance import Chance
from replay.portfolio_plan import BOOKS, Book, plan

ROOT = Path(__file__).resolve().parents[2]
FILES = 60
SMALL = {  # share of damages up to an amount, from the figures the books are calibrated to
    "dental": (25_000, 0.89),
    "medical": (25_000, 0.52),
    "south africa": (1_000_000, 0.79),
}
PRINT = """
from tests.replay.test_portfolio import fingerprint
print(fingerprint(7, 25))
"""


@dataclass
class Played:
    """A portfolio as the ledger answered it."""

    store: MemoryStore
    answers: list[tuple[Ask, Receipt]] = field(default_factory=list[tuple[Ask, Receipt]])

    def history(self, reference: str) -> list[Recorded[Fact]]:
        stream = f"claim-{reference}"
        return list(self.store.load([stream])[stream])


@pytest.fixture(scope="module")
def played() -> Played:
    played, moments = Played(MemoryStore()), list[datetime]()
    ledger = Ledger(played.store, lambda: moments[-1])
    for ask in portfolio(1, FILES):
        moments.append(ask.at)
        played.answers.append((ask, ledger.handle(ask.command)))
    return played


def fingerprint(seed: int, files: int) -> str:
    """The SHA-256 (hex) of every command with its moment, byte for byte."""
    whole = hashlib.sha256()
    for ask in portfolio(seed, files):
        said = f"{ask.at.isoformat()} {ask.command.model_dump_json()} {ask.intended}\n"
        whole.update(said.encode())
    return whole.hexdigest()


def test_every_command_is_answered_as_intended(played: Played) -> None:
    wrong = [
        (ask.command.command_id, ask.intended, receipt.data.get("code"), receipt.data)
        for ask, receipt in played.answers
        if receipt.code != ask.intended
    ]
    assert wrong == []


def test_every_accepted_command_records_something(played: Played) -> None:
    idle = [
        ask for ask, receipt in played.answers if receipt.accepted and not receipt.data["facts"]
    ]
    assert idle == []


def test_all_that_is_meant_to_happen_happens(played: Played) -> None:
    names = {
        fact["name"]
        for _, receipt in played.answers
        if receipt.accepted
        for fact in receipt.data["facts"]
    }
    assert names >= {
        *("claim-notified.1", "claim-allocated.1", "claim-closed.1", "handler-changed.1"),
        *("strategy-set.1", "stage-reached.1", "estimate-set.1", "recovery-received.1"),
        *("payment-requested.1", "payment-approved.1", "payment-issued.1", "payment-rejected.1"),
        *("offer-made.1", "offer-received.1", "offer-accepted.1", "offer-rejected.1"),
        *("offer-superseded.1", "settlement-agreed.1", "apportionment-proposed.1"),
        *("apportionment-agreed.1", "escalated.1", "escalation-decided.1"),
        *("approval-consumed.1", "mandate-granted.1", "mandate-attested.1"),
    }
    currencies = {line.currency for claim in _claims(played) for line in claim.reserves.lines}
    assert currencies == {"GBP", "ZAR"}


def test_offers_above_authority_are_near_misses_and_then_made_by_approval(played: Played) -> None:
    missed = [ask.command.stream for ask, _ in played.answers if ask.intended == "E301"]
    assert missed
    used = [
        ask.command.stream
        for ask, receipt in played.answers
        if any(fact["name"] == "approval-consumed.1" for fact in receipt.data.get("facts", []))
    ]
    assert set(used) & set(missed)


def test_moments_are_in_order_in_working_hours_and_within_the_years(played: Played) -> None:
    moments = [ask.at for ask, _ in played.answers]
    assert moments == sorted(moments)
    assert all(moment.utcoffset() == timedelta(0) for moment in moments)
    assert moments[0].date() == START
    assert moments[-1].date() < START + timedelta(days=round(365.25 * YEARS))
    at_files = [ask.at for ask, _ in played.answers if ask.command.stream.startswith("claim-")]
    assert all(moment.weekday() < 5 and 9 <= moment.hour < 18 for moment in at_files)
    for asked in _by_stream(played).values():
        assert all(earlier < later for earlier, later in pairwise(asked))


def test_as_many_files_as_asked_for_and_some_still_open(played: Played) -> None:
    claims = list(_claims(played))
    assert len(claims) == FILES
    assert {claim.lifecycle.status for claim in claims} >= {Status.OPEN, Status.CLOSED}
    ids = [ask.command.command_id for ask, _ in played.answers]
    assert len(set(ids)) == len(ids)


def test_the_same_seed_is_the_same_bytes_in_another_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        env={**os.environ, "PYTHONHASHSEED": "99", "TZ": "Asia/Kathmandu"},
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.strip() == fingerprint(7, 25)


def test_another_seed_is_another_portfolio_with_the_same_told_file() -> None:
    assert fingerprint(7, 25) != fingerprint(8, 25)
    stories = [
        [(ask.at, ask.command) for ask in portfolio(seed, 3) if told() in ask.command.stream]
        for seed in (7, 8)
    ]
    assert stories[0] == stories[1] != []


def test_a_portfolio_may_be_one_file_or_one_year() -> None:
    assert {ask.command.stream for ask in portfolio(1, 1)} >= {f"claim-{told()}"}
    start = date(2030, 6, 1)
    assert max(ask.at for ask in portfolio(1, 5, start, 1)).date() < date(2031, 6, 2)
    assert told(start) == "DC-2031-000042"


# --- the told file --------------------------------------------------------------------------------


def test_the_told_file_has_a_whole_life(played: Played) -> None:
    assert told() == "DC-2023-000042"
    history = played.history(told())
    claim = file_at(history).claim
    assert claim.lifecycle.status is Status.CLOSED
    assert claim.settlement.agreed is not None
    assert len(claim.offers.by_id) == 5
    assert len(claim.reserves.recoveries) == 2
    assert any(isinstance(record.fact, ApprovalConsumed) for record in history)
    refused = [ask.intended for ask, _ in played.answers if _of(ask, told()) and ask.intended]
    assert refused == ["E301"]


def test_the_told_file_as_it_was_known_before_its_correction(played: Played) -> None:
    history = played.history(told())
    correction = next(record for record in history if record.envelope.corrects)
    before = correction.envelope.recorded_at - timedelta(days=20)
    found = difference(
        history, Coordinate(known_at=before), Coordinate(position=correction.position)
    )
    line = Line(CostType.DAMAGES, "GBP", Head.FUTURE_TREATMENT)
    (change,) = found.changes
    assert change.path == f"reserves.lines.{line}.estimate"
    assert (change.before, change.after) == ("GBP 2850.00", "GBP 28500.00")
    assert [fact.version for fact in change.facts] == [correction.envelope.version]
    assert found.hindsight == change.facts  # the estimate was wrong from its own day on


# --- is it plausible? -----------------------------------------------------------------------------


@pytest.mark.parametrize("book", BOOKS, ids=[book.name for book in BOOKS])
def test_shares_of_nil_claims_and_sizes_are_those_of_the_field(book: Book) -> None:
    plans = [plan(Chance.of(3, n), f"X-{n}", book, date(2022, 5, 2), 0) for n in range(3_000)]
    assert sum(each.nil for each in plans) / len(plans) == pytest.approx(book.nil, abs=0.03)
    assert sum(each.served for each in plans) / len(plans) == pytest.approx(book.served, abs=0.03)
    sizes = [each.size for each in plans]
    limit, share = SMALL[book.name]
    small = sum(size <= limit for size in sizes) / len(sizes)
    assert small == pytest.approx(share, abs=0.04)
    months = sum(each.days for each in plans if not each.nil and not each.served) / 30.4
    unserved = sum(not each.nil and not each.served for each in plans)
    assert 0.7 * book.months < months / unserved < 1.5 * book.months
    assert all(each.event_date <= each.notified_on for each in plans)


def test_estimates_begin_low_and_corrections_are_rare(played: Played) -> None:
    facts = sum(len(receipt.data.get("facts", [])) for _, receipt in played.answers)
    kinds = Counter(type(ask.command).__name__ for ask, _ in played.answers)
    assert 0.005 < kinds["CorrectFact"] / facts < 0.04
    late = [
        (ask.at.date() - ask.command.effective_on).days
        for ask, _ in played.answers
        if type(ask.command).__name__ == "IssuePayment" and ask.command.effective_on
    ]
    assert 0.02 < len(late) / kinds["IssuePayment"] < 0.12
    assert 1 <= median(late) <= 6


def _claims(played: Played) -> Iterator[Claim]:
    for stream in _by_stream(played):
        if stream.startswith("claim-"):
            yield file_at(played.history(stream.removeprefix("claim-"))).claim


def _by_stream(played: Played) -> dict[str, list[datetime]]:
    asked: dict[str, list[datetime]] = defaultdict(list)
    for ask, _ in played.answers:
        asked[ask.command.stream].append(ask.at)
    return asked


def _of(ask: Ask, reference: str) -> bool:
    return ask.command.stream == f"claim-{reference}"
