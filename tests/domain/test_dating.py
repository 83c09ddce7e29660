"""Dates, as stories: never in the future, and back only as far as the kind of fact allows."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from domain.dating import days_back, require_not_future, require_within_window
from domain.envelope import recorded_day
from domain.refusals.dates import BackdatingWindowExceeded, FutureEffective
from domain.schema import NAMES
from tests.facts import (
    DAY,
    accepted,
    after,
    allocated,
    asked,
    closed,
    estimated,
    issued,
    notified,
    offered,
    part36,
    received,
    recovered,
    requested,
    settled,
    shares_agreed,
    strategy_set,
    voided,
)

WINDOWS: list[tuple[object, int]] = [
    (notified(), 90),
    (allocated(), 10),
    (offered(part36()), 2),
    (received(part36()), 30),
    (accepted(), 30),
    (settled(), 10),
    (shares_agreed(), 30),
    (issued(5), 10),
    (voided(5), 10),
    (recovered(5), 10),
    (estimated(5), 0),
    (requested(5), 0),
    (strategy_set(), 0),
    (asked(), 0),
    (closed(), 0),
]


def test_nothing_is_true_before_it_has_happened() -> None:
    require_not_future(DAY, DAY)
    with pytest.raises(FutureEffective) as caught:
        require_not_future(after(1), DAY)
    assert (caught.value.effective_on, caught.value.today) == (after(1), DAY)
    assert caught.value.field == "effective_on"


@pytest.mark.parametrize(("fact", "window"), WINDOWS, ids=lambda each: type(each).__name__)
def test_a_fact_is_dated_back_as_far_as_its_window_and_no_further(
    fact: object, window: int
) -> None:
    require_within_window(fact, DAY, DAY)
    require_within_window(fact, after(-window), DAY)
    with pytest.raises(BackdatingWindowExceeded) as caught:
        require_within_window(fact, after(-window - 1), DAY)
    assert (caught.value.days, caught.value.window) == (window + 1, window)
    assert caught.value.name == type(fact).__name__


def test_what_no_window_names_is_decided_on_the_day() -> None:
    assert days_back(object()) == 0
    assert {kind.__name__ for kind in NAMES.values()} >= {
        type(fact).__name__ for fact, window in WINDOWS if window
    }


def test_the_day_of_recording_is_a_day_in_utc() -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert recorded_day(late) == date(2026, 3, 3)
    assert recorded_day(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)) == DAY
