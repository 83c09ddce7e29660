"""The audit trail: one row a fact and a refusal, each with what it rests on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from domain.envelope import Evidence
from domain.refusal_log import CommandRefused
from domain.schema import NAME_OF
from domain.value import replace
from projections import audit
from projections.audit import Entry, Filter, near_misses, trail
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ON_A_DATABASE, Log, Pen, ledgers, notified, project
from tests.scribe import Clock
from tests.strategies import days, moments

EVERYTHING = Filter()


def positions(entries: list[Entry]) -> list[int]:
    return [each.position for each in entries]


@ON_A_DATABASE
@given(log=ledgers())
def test_the_trail_has_one_row_for_each_fact_and_each_refusal(
    database: Database, reading: Connection[Any], log: Log
) -> None:
    project(database, log, audit.VIEW)
    entries = trail(reading, EVERYTHING)
    for entry, record in zip(entries, log, strict=True):
        envelope, fact = record.envelope, record.fact
        judged = envelope.judgement
        assert (entry.position, entry.stream, entry.version, entry.name, entry.digest) == (
            *(record.position, envelope.stream, envelope.version),
            *(NAME_OF[type(fact)], record.digest),
        )
        assert (entry.recorded_at, entry.effective_on, entry.command_id) == (
            *(envelope.recorded_at, envelope.effective_on),
            envelope.command_id,
        )
        assert (entry.person, entry.role, entry.grounds, entry.mandate, entry.headroom) == (
            *(envelope.actor.person, envelope.actor.role, judged.grounds, judged.person),
            judged.headroom.minor if judged.headroom else None,
        )
        refused = isinstance(fact, CommandRefused)
        assert entry.subject == (fact.subject if refused else envelope.stream)
        assert (entry.code, entry.message) == ((fact.code, fact.message) if refused else ("", ""))


def test_an_entry_names_the_documents_that_its_fact_rests_on(
    database: Database, reading: Connection[Any]
) -> None:
    clock = Clock()
    pen = Pen()
    pen.write("a", notified(clock.today), clock.now)
    (record,) = pen.log
    report = Evidence("report-1", "ab" * 32, "expert_report")
    envelope = replace(record.envelope, evidence=(report,))
    project(database, [replace(record, envelope=envelope)], audit.VIEW)
    (entry,) = trail(reading, EVERYTHING)
    told = {"doc_id": "report-1", "sha256": "ab" * 32, "kind": "expert_report"}
    assert entry.documents == [told]


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_a_filter_leaves_exactly_the_entries_it_asks_for(
    database: Database, reading: Connection[Any], log: Log, data: st.DataObject
) -> None:
    project(database, log, audit.VIEW)
    whole = trail(reading, EVERYTHING)
    some = data.draw(st.sampled_from(whole))
    since = some.recorded_at - timedelta(minutes=data.draw(st.integers(0, 100)))
    until, day = data.draw(moments([*log])), data.draw(days([*log]))
    questions: list[tuple[Filter, Callable[[Entry], bool]]] = [
        (Filter(subject=some.subject), lambda each: each.subject == some.subject),
        (Filter(person=some.person), lambda each: each.person == some.person),
        (Filter(code="E3"), lambda each: each.code.startswith("E3")),
        (Filter(code="E402"), lambda each: each.code == "E402"),
        (Filter(refused=True), lambda each: each.code != ""),
        (Filter(recorded_from=since), lambda each: each.recorded_at >= since),
        (Filter(known_at=until), lambda each: each.recorded_at <= until),
        (Filter(as_of=day), lambda each: each.effective_on <= day),
    ]
    for asked, fits in questions:
        assert positions(trail(reading, asked)) == positions(list(filter(fits, whole)))
    assert positions(near_misses(reading)) == [each.position for each in whole if each.near_miss]


@ON_A_DATABASE
@given(log=ledgers(), size=st.integers(1, 10))
def test_the_trail_is_read_page_by_page(
    database: Database, reading: Connection[Any], log: Log, size: int
) -> None:
    project(database, log, audit.VIEW)
    read: list[Entry] = []
    while page := trail(reading, EVERYTHING, after=read[-1].position if read else 0, limit=size):
        assert len(page) <= size
        read += page
    assert positions(read) == [record.position for record in log]


@ON_A_DATABASE
@given(log=ledgers(), data=st.data())
def test_what_was_corrected_or_voided_is_shown_with_what_took_its_place(
    database: Database, reading: Connection[Any], log: Log, data: st.DataObject
) -> None:
    project(database, log, audit.VIEW)
    known_at = data.draw(st.none() | moments([*log]))
    entries = trail(reading, Filter(known_at=known_at))
    by_version = {(each.stream, each.version): each for each in entries}
    for entry in entries:
        named = entry.corrects or entry.voids
        later = [
            each.version
            for each in entries
            if each.stream == entry.stream and entry.version in (each.corrects, each.voids)
        ]
        assert entry.replaced_by == later
        original = by_version[entry.stream, named] if named else None
        assert (entry.original and entry.original.position) == (original and original.position)
