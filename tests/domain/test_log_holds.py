"""What must hold for a history as stored: chained, pure, and stable in its past."""

import json
import os
import subprocess
import sys
from decimal import localcontext
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from domain.claim import Claim, Fact, evolve
from domain.claim.exposure import timeline
from domain.envelope import Recorded
from domain.history import Coordinate, fold, in_order, latest_day, standing
from domain.money import Money
from domain.schema import chain_start, digest, from_stored, plain, to_stored
from tests.strategies import days, histories, logs, moments, some

History = list[Recorded[Fact]]

SAMPLES = 25
ROOT = Path(__file__).resolve().parents[2]
FOREIGN = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}


def stored_again(record: Recorded[Fact]) -> Recorded[Fact]:
    name, stored = to_stored(record)
    envelope = record.envelope
    return from_stored(envelope.stream, envelope.version, name, stored, record.position)


def told(history: History) -> str:
    """Everything that can be said of a history, as text that has to be the same everywhere."""
    claim = fold(history, evolve, Claim())
    lines = [
        (str(cell), day.isoformat(), *moved) for (day, cell), moved in timeline(history).items()
    ]
    stored = [to_stored(record)[1].decode() for record in history]
    return json.dumps([repr(claim), lines, stored])


@some
@given(logs())
def test_versions_have_no_gap_and_the_clock_of_a_stream_never_runs_back(log: History) -> None:
    """I36."""
    for stream in {record.envelope.stream for record in log}:
        file = [record for record in log if record.envelope.stream == stream]
        assert [record.envelope.version for record in file] == list(range(1, len(file) + 1))
        for before, after in pairwise(file):
            assert before.envelope.recorded_at <= after.envelope.recorded_at
            assert before.position < after.position


@some
@given(histories())
def test_what_is_stored_reads_back_as_it_was_and_is_stored_again_in_the_same_bytes(
    history: History,
) -> None:
    for record in history:
        again = stored_again(record)
        assert again == record
        assert to_stored(again) == to_stored(record)


@some
@given(histories(), st.data())
def test_each_fact_carries_the_digest_of_the_one_before_it(
    history: History, data: DataObject
) -> None:
    """I37: and a changed byte anywhere breaks the chain."""
    previous = chain_start(history[0].envelope.stream)
    for record in history:
        assert record.envelope.previous == previous
        previous = digest(to_stored(record)[1])
        assert record.digest == previous
    _, stored = to_stored(data.draw(st.sampled_from(history)))
    place = data.draw(st.integers(0, len(stored) - 1))
    changed = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
    assert digest(changed) not in {record.digest for record in history}


@some
@given(histories())
def test_reading_twice_or_step_by_step_gives_the_same_file(history: History) -> None:
    """I38."""
    whole = fold(history, evolve, Claim())
    assert fold(history, evolve, Claim()) == whole
    assert fold([stored_again(record) for record in history], evolve, Claim()) == whole
    stepped, seen = Claim(), History()
    for record in history:
        simple = in_order(record, latest_day(seen))
        seen.append(record)
        if simple:
            stepped = evolve(stepped, record.fact, record.envelope.effective_on)
        else:
            stepped = fold(seen, evolve, Claim())
    assert stepped == whole
    assert repr(stepped) == repr(whole)


@some
@given(histories())
def test_no_decimal_context_changes_what_is_stored_or_told(history: History) -> None:
    """I38."""
    expected = told(history)
    with localcontext() as context:
        context.prec = 2
        context.Emax = 3
        assert told(history) == expected


@some
@given(histories(), st.data())
def test_what_was_known_then_is_not_changed_by_anything_recorded_since(
    history: History, data: DataObject
) -> None:
    """I39: corrections, voids and back-dated facts included, on every day and in every total."""
    known = data.draw(moments(history))
    then = [record for record in history if record.envelope.recorded_at <= known]
    for as_of in (None, data.draw(days(history))):
        where = Coordinate(known_at=known, as_of=as_of)
        assert standing(history, where) == standing(then, Coordinate(as_of=as_of))
        assert fold(history, evolve, Claim(), where) == fold(
            then, evolve, Claim(), Coordinate(as_of=as_of)
        )
        assert timeline(history, where) == timeline(then, Coordinate(as_of=as_of))


@some
@given(histories(), st.data())
def test_version_and_position_cut_a_history_where_they_say(
    history: History, data: DataObject
) -> None:
    record = data.draw(st.sampled_from(history))
    then = history[: record.envelope.version]
    for where in (
        Coordinate(version=record.envelope.version),
        Coordinate(position=record.position),
    ):
        assert standing(history, where) == standing(then)


@some
@given(histories())
def test_every_fact_that_stands_is_told_once_in_the_order_of_days(history: History) -> None:
    told_once = standing(history)
    order = [(record.envelope.effective_on, slot) for slot, record in told_once]
    assert order == sorted(order)
    assert len({slot for slot, _ in told_once}) == len(told_once)
    amended = [r for r in history if r.envelope.corrects or r.envelope.voids]
    assert len(told_once) == len(history) - len(amended)


@some
@given(histories())
def test_a_fact_can_be_told_to_people_as_plain_data(history: History) -> None:
    for record in history:
        assert json.loads(json.dumps(plain(record.fact))) == plain(record.fact)


@pytest.fixture(scope="module")
def written() -> list[History]:
    """The same random histories in every run: what another process has to tell alike."""
    made: list[History] = []

    @seed(2026)
    @settings(max_examples=SAMPLES, database=None, deadline=None)
    @given(histories())
    def write(history: History) -> None:
        made.append(history)

    write()
    return made


def elsewhere(stored: bytes) -> str:
    """What another process tells of stored histories."""
    return "\n".join(told(history) for history in read(stored))


def read(stored: bytes) -> list[History]:
    histories_read: list[History] = []
    for line in stored.splitlines():
        rows = json.loads(line)
        histories_read.append(
            [
                from_stored(stream, version, name, state.encode(), position)
                for stream, version, name, state, position in rows
            ]
        )
    return histories_read


def rows(history: History) -> bytes:
    told_rows = [
        (r.envelope.stream, r.envelope.version, *_text(to_stored(r)), r.position) for r in history
    ]
    return json.dumps(told_rows).encode()


def _text(stored: tuple[str, bytes]) -> tuple[str, str]:
    return stored[0], stored[1].decode()


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_in_another_country_tells_the_same(
    written: list[History], hash_seed: str
) -> None:
    """I38: hash seed, time zone and locale."""
    stored = b"\n".join(map(rows, written))
    program = (
        "import decimal, sys; decimal.getcontext().prec = 2\n"
        "from tests.domain.test_log_holds import elsewhere\n"
        "sys.stdout.write(elsewhere(sys.stdin.buffer.read()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        input=stored,
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **FOREIGN, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.decode() == "\n".join(map(told, written))


def test_money_is_parsed_alike_in_every_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 1
        assert Money.parse("123456789.12", "GBP") == Money(12_345_678_912, "GBP")
