"""Random but lawful histories, for every property that has to hold whatever happens to a file.

A history is written by the real decisions with random choices, as the ledger would record them:
corrections, voids and back-dated facts included, several facts at the same moment, hashes chained.
The same data give the same history. Random values are in `tests.values`.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from domain.claim import Fact, lifecycle
from domain.claim.lifecycle import ClaimNotified
from domain.envelope import Recorded
from domain.errors import Refused
from domain.terms import Jurisdiction, MatterType
from tests.acts import life, money, offers
from tests.scribe import START, Clock, Scribe
from tests.values import pick

some = settings(max_examples=settings().max_examples * 4 // 10)  # a history costs about 6 ms

Act = Callable[[DrawFn, Scribe], None]

WAITS = [timedelta(0), timedelta(0), timedelta(minutes=7), timedelta(days=1), timedelta(days=12)]
ACTS: list[Act] = [
    *(life.allocate, life.change_handler, life.strategy, life.stage),
    *(life.tidy, life.close, life.reopen, life.correct, life.correct, life.void),
    *(money.estimate, money.estimate, money.request_payment, money.approve_payment),
    *(money.reject_payment, money.issue_payment, money.pay, money.pay, money.pay_at_source),
    *(money.void_payment, money.recover),
    *(offers.offer, offers.offer, offers.accept_offer, offers.reject_offer),
    *(offers.withdraw_offer, offers.lapse_offer, offers.settle, offers.propose, offers.agree),
    *(offers.refuse_shares, offers.escalate, offers.decide, offers.take_question_back),
    offers.offer_by_approval,
]
BEGINNINGS: list[tuple[Act, ...]] = [
    (),
    (life.allocate, money.estimate, money.pay, money.recover, offers.propose, offers.agree),
    (life.allocate, life.strategy, money.estimate, money.estimate, offers.offer, offers.offer),
]


@st.composite
def histories(
    draw: DrawFn, stream: str = "DC-2026-000001", steps_max: int = 30
) -> list[Recorded[Fact]]:
    """A random but lawful history of one file, with its envelopes, digests and positions."""
    scribe = Scribe(stream, Clock())
    _begin(draw, scribe)
    for act in _acts(draw, steps_max):
        _live(draw, scribe, act)
    return scribe.records


@st.composite
def logs(draw: DrawFn, files_max: int = 3, steps_max: int = 30) -> list[Recorded[Fact]]:
    """Random but lawful histories of several files, interleaved in one log, by position."""
    clock = Clock()
    scribes = [Scribe(f"DC-2026-{number:06}", clock) for number in range(1, files_max + 1)]
    for scribe in scribes:
        _begin(draw, scribe)
    for act in _acts(draw, steps_max):
        _live(draw, pick(draw, scribes), act)
    records = [record for scribe in scribes for record in scribe.records]
    return sorted(records, key=lambda record: record.position)


def _acts(draw: DrawFn, steps_max: int) -> list[Act]:
    steps = draw(st.integers(0, steps_max))  # a list alone would nearly always be a short one
    return draw(st.lists(st.sampled_from(ACTS), min_size=steps, max_size=steps))


def _begin(draw: DrawFn, scribe: Scribe) -> None:
    """Notify the file, some days back; most are then allocated and reserved."""
    on = scribe.today - timedelta(days=pick(draw, [0, 3, 40]))
    matter = ClaimNotified(
        matter_type=pick(draw, list(MatterType)),
        jurisdiction=Jurisdiction.ENGLAND_WALES,
        currency=pick(draw, ["GBP", "GBP", "ZAR", "JPY"]),
        event_date=on - timedelta(days=100),
        notified_on=on,
        member="party-1",
    )
    scribe.write(lambda claim: lifecycle.notify(claim.lifecycle, matter, scribe.stream), on)
    for act in pick(draw, BEGINNINGS):
        _live(draw, scribe, act)


def _live(draw: DrawFn, scribe: Scribe, act: Act) -> None:
    """Let some time pass, or none, and try an act."""
    scribe.clock.now += pick(draw, WAITS)
    if scribe.claim.lifecycle.closed_on is not None and pick(draw, [True, False]):
        act = life.reopen  # nearly all else is refused on a closed file
    with suppress(Refused):
        act(draw, scribe)


@st.composite
def moments(draw: DrawFn, history: list[Recorded[Fact]]) -> datetime:
    """A moment at, just before or just after one at which something was recorded."""
    recorded = {record.envelope.recorded_at for record in history} | {START}
    nearby = [timedelta(), timedelta(microseconds=-1), timedelta(microseconds=1)]
    return pick(draw, sorted(recorded)) + pick(draw, nearby)


@st.composite
def days(draw: DrawFn, history: list[Recorded[Fact]]) -> date:
    """A day on, just before or just after one on which something was true."""
    effective = {record.envelope.effective_on for record in history} | {START.date()}
    nearby = [timedelta(), timedelta(days=-1), timedelta(days=1)]
    return pick(draw, sorted(effective)) + pick(draw, nearby)
