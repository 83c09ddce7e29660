"""What is sent over Kafka is what its senders take it for, and every fault is in the plan."""

import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.sources import Source
from consumers.command_messages import Arrived, Dead, read_command
from consumers.topics import source_of
from tests.faults.journal import Journal
from tests.faults.over_kafka.asks import Ask, asked, note_asked, note_stored
from tests.faults.over_kafka.poison import NAMES, poison
from tests.faults.over_kafka.sending import COPIES, Asks, unfinished
from tests.faults.over_kafka.storm import Hurt, plan

DAY = date(2026, 3, 2)


def some(seed: int) -> list[Ask]:
    asks = Asks("sender-0.0.0", 0, random.Random(seed), DAY, began=0.0)
    return [ask for _ in range(60) for ask in asks.some()]


def found(ask: Ask) -> Arrived | Dead:
    return read_command(ask.record, source_of(ask.topic))


@pytest.mark.parametrize("name", NAMES)
def test_poison_of_every_kind_is_read_as_such(name: str) -> None:
    ask = poison(name, "p-1", DAY, Source.CRM)
    dead = found(ask)
    assert isinstance(dead, Dead)
    assert (dead.error.code, dead.command_id) == (ask.code, "p-1" if ask.told else "")


@given(seed=st.integers())
def test_what_is_sent_is_a_command_or_poison_as_the_sender_says(seed: int) -> None:
    for ask in some(seed):
        read = found(ask)
        assert (read.error.code if isinstance(read, Dead) else "") == ask.code


def test_twenty_writers_send_every_kind_of_poison_at_once() -> None:
    first = [Asks("w", number, random.Random(1), DAY, began=0.0).some() for number in range(20)]
    assert {ask.kind for some in first for ask in some} == {"", *NAMES}


@given(seed=st.integers())
def test_every_fault_is_planned_once_and_the_same_seed_plans_the_same(seed: int) -> None:
    assert plan(str(seed), more=0) == plan(str(seed), more=0)
    assert sorted(hurt for row in plan(str(seed), more=0) for hurt in row) == sorted(Hurt)
    assert {hurt for row in plan(str(seed), more=5) for hurt in row} == set(Hurt)


def test_a_sender_that_was_killed_goes_on_with_what_it_had_begun(tmp_path: Path) -> None:
    path = tmp_path / "sender-0.jsonl"
    journal = Journal(path)
    asks = list({ask.key: ask for ask in some(1)}.values())
    for ask in asks:
        note_asked(journal, ask)
    for number in range(COPIES):
        note_stored(journal, asks[0].key, 0, number)
    note_stored(journal, asks[1].key, 0, COPIES)
    assert list(asked(path)) == asks
    left = unfinished(path)
    assert asks[0].key not in left
    assert left[asks[1].key] == (asks[1], COPIES - 1)
    assert left[asks[2].key] == (asks[2], COPIES)
