"""A file at a coordinate: unchanged by what came later, and the same in every process."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.claim import Fact
from domain.envelope import Recorded
from domain.errors import CutoffNotFound
from domain.history import Coordinate
from domain.schema import to_stored
from replay.file import file_at, just_before
from tests.strategies import days, histories, moments

ROOT = Path(__file__).resolve().parents[2]

# What another process is given: the bytes as stored, and nothing of what this process knows.
READER = """
import decimal, json, sys
decimal.setcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP))
from domain.schema import from_stored
from replay.file import file_at
for rows in json.load(sys.stdin):
    history = [from_stored(s, v, n, b.encode(), p) for s, v, n, b, p in rows]
    sys.stdout.buffer.write(file_at(history).render() + b"\\n")
"""
ELSEWHERE = [
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "20260301", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]


@given(st.data(), histories())
def test_what_was_known_is_unchanged_by_what_is_recorded_later(
    data: st.DataObject, history: list[Recorded[Fact]]
) -> None:
    moment = data.draw(moments(history))
    day = data.draw(st.none() | days(history))
    told = [record for record in history if record.envelope.recorded_at <= moment]
    at = Coordinate(known_at=moment, as_of=day)
    try:
        expected = file_at(told, Coordinate(as_of=day))
    except CutoffNotFound:
        with pytest.raises(CutoffNotFound):
            file_at(history, at)
        return
    found = file_at(history, at)
    assert found.claim == expected.claim
    assert found.stands == expected.stands
    assert found.render() == expected.render()


@given(histories())
def test_the_file_just_before_a_fact_is_the_file_of_the_facts_before_it(
    history: list[Recorded[Fact]],
) -> None:
    for version in range(2, len(history) + 1):
        found = file_at(history, just_before(history, version))
        assert found == replace(file_at(history[: version - 1]), at=found.at)


@given(histories())
def test_a_position_of_the_log_shows_what_was_stored_up_to_it(
    history: list[Recorded[Fact]],
) -> None:
    for record in history:
        found = file_at(history, Coordinate(position=record.position))
        assert found.known == record.envelope.version


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=["plain", "elsewhere"])
@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files=st.lists(histories(), min_size=6, max_size=9))
def test_the_same_facts_are_the_same_bytes_in_another_process(
    elsewhere: dict[str, str], files: list[list[Recorded[Fact]]]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READER],
        input=json.dumps([[_row(record) for record in history] for history in files]).encode(),
        env={**os.environ, **elsewhere},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout.split(b"\n")[:-1] == [file_at(history).render() for history in files]


def _row(record: Recorded[Fact]) -> tuple[str, int, str, str, int]:
    name, stored = to_stored(record)
    envelope = record.envelope
    return envelope.stream, envelope.version, name, stored.decode(), record.position


@given(histories())
def test_a_coordinate_that_does_not_exist_is_refused_by_name(
    history: list[Recorded[Fact]],
) -> None:
    first, ends = history[0], len(history)
    for at in (
        Coordinate(version=0),
        Coordinate(version=ends + 1),
        Coordinate(position=first.position - 1),
        Coordinate(known_at=first.envelope.recorded_at.replace(year=2000)),
        Coordinate(as_of=first.envelope.effective_on.replace(year=2000)),
    ):
        with pytest.raises(CutoffNotFound, match=first.envelope.stream):
            file_at(history, at)
    for version in (0, 1, ends + 1):
        with pytest.raises(CutoffNotFound):
            just_before(history, version)


def test_no_history_is_no_file() -> None:
    with pytest.raises(CutoffNotFound, match="The file asked for has no fact"):
        file_at([])
