"""The health of the loop of commands: well as long as it polls and does not wait for too long."""

from datetime import UTC, datetime

import pytest

from consumers.answering import Partition
from consumers.commanding import Need, Pulse, Waiting
from consumers.pace import STUCK_S_MAX
from edge.consumer_health import SILENT_S_MAX, WAITS_S_MAX, WELL, State, as_data, before, during
from edge.kafka.lag import Holding, Lag
from edge.starting import Absent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW_S = 500.0  # the timer says so at noon
THEN = NOON.timestamp()
CRM, BANK = Partition("claims.commands.crm", 0), Partition("claims.commands.bank", 3)
HOLDING = Holding(NOW_S - 5, (Lag(BANK, 0, None), Lag(CRM, 7, THEN - 60)), 2)
AWAY = Waiting(Need.DATABASE, code="E603", why="gone", held=7)
NO_TOPICS = Waiting(Need.TOPICS, code="E711", why="no answer", held=7)
BUSY = Waiting(Need.FILE, code="E604", why="changed by others", held=7)


def test_one_that_polls_is_well_however_far_behind_it_is() -> None:
    health = during(NOON, NOW_S, Pulse(NOW_S), HOLDING)
    assert health.state is State.CONSUMING
    told = as_data(health, "ledger.consume")
    assert told == {
        "state": "consuming",
        "at": "2026-03-02T12:00:00+00:00",
        "group": "ledger.consume",
        "waiting": None,
        "held": 0,
        "lag": {"messages": 7, "seconds": 60.0},
        "partitions": [
            {"topic": BANK.topic, "partition": 3, "lag": {"messages": 0, "seconds": 0.0}},
            {"topic": CRM.topic, "partition": 0, "lag": {"messages": 7, "seconds": 60.0}},
        ],
        "loop": {"alive": True},
    }


@pytest.mark.parametrize(
    ("waiting", "what"), [(AWAY, "database"), (NO_TOPICS, "topics"), (BUSY, "file")], ids=list(Need)
)
def test_one_that_waits_says_for_what_and_is_lost_past_its_limit(
    waiting: Waiting, what: str
) -> None:
    health = during(NOON, NOW_S, Pulse(NOW_S, 7, waiting, NOW_S - WAITS_S_MAX), HOLDING)
    assert health.state is State.WAITING
    told = as_data(health, "g")
    assert told["waiting"] == {
        "for": what,
        "code": waiting.code,
        "why": waiting.why,
        "since": "2026-03-02T11:59:30+00:00",
    }
    assert told["held"] == 7
    late = during(NOON, NOW_S, Pulse(NOW_S, 7, waiting, NOW_S - WAITS_S_MAX - 1), HOLDING)
    assert late.state is State.LOST


def test_a_broker_that_says_nothing_is_lost_though_nothing_is_there_to_do() -> None:
    silent = Holding(NOW_S - WAITS_S_MAX - 1, HOLDING.lags)
    health = during(NOON, NOW_S, Pulse(NOW_S), silent)
    just = Holding(NOW_S - SILENT_S_MAX, HOLDING.lags)
    assert during(NOON, NOW_S, Pulse(NOW_S), just).state is State.CONSUMING
    not_long = Holding(NOW_S - WAITS_S_MAX, HOLDING.lags)
    assert during(NOON, NOW_S, Pulse(NOW_S), not_long).state is State.WAITING
    assert health.state is State.LOST
    assert as_data(health, "g")["waiting"]["for"] == "broker"
    assert as_data(health, "g")["waiting"]["code"] == "E771"


def test_one_that_ends_no_turn_is_stuck_whatever_it_waits_for() -> None:
    health = during(NOON, NOW_S, Pulse(NOW_S - STUCK_S_MAX - 1, 7, AWAY, NOW_S), HOLDING)
    assert health.state is State.STUCK
    assert as_data(health, "g")["loop"] == {"alive": False}


def test_a_message_from_a_clock_that_is_ahead_has_no_negative_age() -> None:
    ahead = Holding(NOW_S, (Lag(CRM, 1, THEN + 3_600),))
    assert as_data(during(NOON, NOW_S, Pulse(NOW_S), ahead), "g")["lag"]["seconds"] == 0.0


def test_one_that_has_not_begun_is_not_well_and_says_for_whom_it_waits() -> None:
    assert before(NOON, None, 0.0).state is State.STARTING
    health = before(NOON, Absent(False, "E771", "refused"), 90.0)
    assert health.state is State.STARTING
    told = as_data(health, "g")
    assert (told["waiting"]["for"], told["waiting"]["since"]) == (
        "broker",
        "2026-03-02T11:58:30+00:00",
    )
    assert (told["partitions"], told["loop"]) == ([], None)


def test_only_a_loop_that_polls_is_well() -> None:
    assert {State.CONSUMING, State.WAITING} == WELL
