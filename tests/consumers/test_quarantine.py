"""Quarantine: a file that stops is parked, the rest goes on, and what was released is whole."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from consumers import quarantine
from consumers.projector import Projector
from consumers.quarantine import TooManyParked
from consumers.release import NotParked, release
from domain.claim import Claim
from domain.envelope import Recorded
from domain.errors import NameTooNew, StoreUnavailable, UnknownName, Unreadable
from projections.view import Change, Copy, View, ViewOutdated, Write, position_of, views
from tests.consumers.builds import every_row, forget, parked, position, rows, stumbling
from tests.projections.ledgers import (
    ON_A_DATABASE,
    BrokenLog,
    Log,
    MemoryLog,
    ledger,
    ledgers,
    of,
)

NAMES = [view.name for view in views()]


def unreadable(record: Recorded[Any]) -> Unreadable:
    return UnknownName(record.envelope.stream, record.envelope.version, "odd.1")


def broken(log: Log, *records: Recorded[Any]) -> BrokenLog:
    return BrokenLog(log, {record.position: unreadable(record) for record in records})


def without(log: Log, record: Recorded[Any]) -> list[Recorded[Any]]:
    """The log without a fact and those that follow it in its file."""
    stream, version = record.envelope.stream, record.envelope.version
    return [
        each for each in log if each.envelope.stream != stream or each.envelope.version < version
    ]


def built(connection: Connection[Any], log: Log) -> list[Any]:
    """What the views would hold of a log."""
    forget(connection)
    Projector(MemoryLog(log), connection).catch_up(views())
    found = every_row(connection)
    forget(connection)
    return found


@pytest.mark.parametrize("page", [1, 7, 1000])
@pytest.mark.parametrize("kind", [UnknownName("s", 3, "odd.1"), NameTooNew("s", 3, "odd.2", 1)])
def test_a_fact_that_cannot_be_read_parks_its_file_and_the_rest_goes_on(
    projecting: Connection[Any], page: int, kind: Unreadable
) -> None:
    log = ledger(facts=60)
    poison = log[23].envelope
    expected = built(projecting, without(log, log[23]))
    reading = BrokenLog(log, {log[23].position: kind})
    assert Projector(reading, projecting, page).catch_up(views()) == len(log)
    assert every_row(projecting) == expected
    assert {position_of(projecting, view) for view in views()} == {log[-1].position}
    assert parked(projecting) == {name: {poison.stream: poison.version} for name in NAMES}
    ((at, code, why),) = projecting.execute(
        "SELECT DISTINCT position, code, why FROM views.parked"
    ).fetchall()
    assert (at, code) == (log[23].position, kind.code)
    assert why == str(kind)


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_a_view_whose_fold_raises_parks_the_file_and_the_other_views_have_it(
    projecting: Connection[Any], page: int
) -> None:
    log = ledger(facts=60)
    poison = log[23]
    whole = built(projecting, log)
    less = built(projecting, without(log, poison))
    (audit,) = views("audit")
    others = [view for view in views() if view.name != "audit"]
    failing = stumbling(audit, lambda change: change.record == poison)
    Projector(MemoryLog(log), projecting, page).catch_up([failing, *others])
    stream, version = poison.envelope.stream, poison.envelope.version
    assert parked(projecting) == {"audit": {stream: version}}
    assert rows(projecting, audit) == less[NAMES.index("audit")]
    assert [rows(projecting, view) for view in others] == [
        each for name, each in zip(NAMES, whole, strict=True) if name != "audit"
    ]

    Projector(MemoryLog(log), projecting, page).catch_up(views())
    (done,) = release(MemoryLog(log), projecting, views(), stream)
    assert (done.view, done.facts) == ("audit", len(of(log, stream)) - version + 1)
    assert every_row(projecting) == whole
    assert parked(projecting) == {}


@pytest.mark.parametrize("page", [1, 7, 1000])
@pytest.mark.parametrize("position", [2**70, "\0", None, -1], ids=str)
def test_a_row_that_the_database_refuses_parks_its_file(
    projecting: Connection[Any], page: int, position: object
) -> None:
    """Out of range, of a wrong type, missing, or taken already."""
    log = ledger(facts=60)
    poison = log[23]
    (audit,) = views("audit")
    earlier = of(log, poison.envelope.stream)[0].position
    expected = built(projecting, without(log, poison))[NAMES.index("audit")]

    def fold(changes: Sequence[Change]) -> list[Write]:
        (copied,) = audit.fold(changes)
        assert isinstance(copied, Copy)
        spoilt = [
            (earlier if position == -1 else position, *row[1:])
            if row[0] == poison.position
            else row
            for row in copied.rows
        ]
        return [replace(copied, rows=spoilt)]

    Projector(MemoryLog(log), projecting, page).catch_up([replace(audit, fold=fold)])
    assert parked(projecting) == {"audit": {poison.envelope.stream: poison.envelope.version}}
    assert rows(projecting, audit) == expected


def test_a_gap_in_a_file_parks_it(projecting: Connection[Any]) -> None:
    log = ledger(facts=40)
    gone = next(record for record in log if record.envelope.version == 2)
    Projector(MemoryLog([each for each in log if each != gone]), projecting).catch_up(views())
    assert parked(projecting) == {name: {gone.envelope.stream: 3} for name in NAMES}


def test_a_state_that_cannot_be_made_parks_the_file(
    projecting: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ledger(facts=40)
    stream = log[3].envelope.stream

    def fails(self: Claim) -> str:
        raise ArithmeticError("no such state")

    monkeypatch.setattr(Claim, "currency", property(fails))
    Projector(MemoryLog(log), projecting).catch_up(views())
    assert stream in parked(projecting)["caseload"]


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_what_was_parked_and_released_is_as_if_it_never_had_been(
    projecting: Connection[Any], log: Log, data: st.DataObject
) -> None:
    """Whatever is poison, for which views, however the log is cut, in whatever order released."""
    whole = built(projecting, log)
    some = st.lists(st.sampled_from(log), max_size=3, unique_by=lambda each: each.position)
    reading = broken(log, *(data.draw(some) if log else []))
    poison = {name: data.draw(some) if log else [] for name in NAMES}
    now = [stumbling(view, partial(_among, poison[view.name])) for view in views()]
    page = data.draw(st.integers(1, 20))
    Projector(reading, projecting, page).catch_up(now, until=data.draw(st.integers(0, 80)))
    _release_all(projecting, reading, now, data)
    Projector(reading, projecting, page).catch_up(now)
    held = parked(projecting)
    assert bool(held) == bool(reading.broken or any(poison.values()))
    again: bool = data.draw(st.booleans())
    if held and again:
        assert all(each.stopped for each in _release_all(projecting, reading, now, data))
        assert parked(projecting) == held

    reading.broken.clear()
    Projector(reading, projecting, page).catch_up(views())
    assert not any(each.stopped for each in _release_all(projecting, reading, views(), data))
    assert parked(projecting) == {}
    assert every_row(projecting) == whole
    forget(projecting)


def _among(poison: Log, change: Change) -> bool:
    return change.record in poison


def _release_all(
    connection: Connection[Any], log: MemoryLog, those: Sequence[View], data: st.DataObject
) -> list[Any]:
    held = parked(connection)
    files = data.draw(st.permutations(sorted({file for each in held.values() for file in each})))
    return [done for file in files for done in release(log, connection, those, file)]


def test_later_facts_of_a_parked_file_wait_and_are_applied_when_it_is_released(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=60)
    poison = log[10]
    stream = poison.envelope.stream
    reading = broken(log, poison)
    projector = Projector(reading, projecting)
    projector.catch_up(views(), until=log[30].position)
    (stays, *_) = release(reading, projecting, views(), stream)
    assert stays.stopped is not None
    assert stays.stopped.code == "E801"

    reading.broken.clear()
    done = release(reading, projecting, views(), stream)
    waited = [each for each in of(log[:31], stream) if each.position >= poison.position]
    assert [(each.view, each.facts) for each in done] == [(name, len(waited)) for name in NAMES]
    projector.catch_up(views())
    rest = every_row(projecting)
    assert rest == built(projecting, log)


def test_a_file_that_is_not_parked_is_refused_by_name(projecting: Connection[Any]) -> None:
    with pytest.raises(NotParked):
        release(MemoryLog([]), projecting, views(), "claim-A-1")


def test_a_file_is_not_released_into_a_view_of_another_version(
    projecting: Connection[Any],
) -> None:
    log = ledger(facts=20)
    reading = broken(log, log[5])
    older = [replace(view, version=0) for view in views()]
    Projector(reading, projecting).catch_up(older)
    with pytest.raises(ViewOutdated):
        release(reading, projecting, views(), log[5].envelope.stream)


@pytest.mark.parametrize("page", [3, 1000])
def test_a_view_that_would_park_too_many_files_stops_by_name(
    projecting: Connection[Any], page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the view that is broken, not so many files."""
    monkeypatch.setattr("consumers.applying.PARKED_FILES_MAX", 3)
    log = ledger(facts=60)
    (audit,) = views("audit")
    failing = stumbling(audit, lambda change: change.record.position > log[20].position)
    projector = Projector(MemoryLog(log), projecting, page)
    for _ in range(2):  # it does not get past it by trying again
        with pytest.raises(TooManyParked) as stopped:
            projector.catch_up([failing])
        assert "what is this?" in str(stopped.value)
        assert len(parked(projecting).get("audit", {})) <= 3
    assert position(projecting, audit) <= log[25].position
    Projector(MemoryLog(log), projecting).catch_up([audit])
    for file in parked(projecting).get("audit", {}):
        release(MemoryLog(log), projecting, [audit], file)
    assert len(rows(projecting, audit)[0]) == len(log)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("away"), OSError("gone"), psycopg.OperationalError("cut")]
)
def test_what_is_no_files_fault_parks_none(projecting: Connection[Any], error: Exception) -> None:
    log = ledger(facts=20)
    (audit,) = views("audit")

    def fold(changes: Sequence[Change]) -> list[Write]:
        raise error

    with pytest.raises(type(error)):
        Projector(MemoryLog(log), projecting).catch_up([replace(audit, fold=fold)])
    assert parked(projecting) == {}
    assert position(projecting, audit) == 0


def test_what_stopped_a_file_is_told_in_one_line_of_a_bounded_length() -> None:
    place = quarantine.Place("claim-A", 3, 17)
    told = quarantine.stopped_at(place, ValueError("a\0b\nc \ud800" + "x" * 1000))
    assert told[:3] == place
    assert told.why.startswith("ValueError: ab c ?")
    assert len(told.why) == quarantine.WHY_CHARACTERS_MAX
