"""Each fact is one step for its file, and tells the file before and after it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers import files
from domain import claim, mandate
from domain.claim import Claim
from domain.envelope import Recorded
from domain.history import fold, latest_day
from domain.mandate import Mandate
from tests.projections.ledgers import Log, MemoryLog, ledger, ledgers, of, pages


def expected(log: Log, record: Recorded[Any]) -> tuple[object, object]:
    """The stream's state before and after a fact, read from its beginning."""
    version, stream = record.envelope.version, record.envelope.stream
    before, after = of(log, stream)[: version - 1], of(log, stream)[:version]
    if stream.startswith("refusals-"):
        return None, None
    if stream.startswith("mandate-"):
        return fold(before, mandate.evolve, Mandate()), fold(after, mandate.evolve, Mandate())
    return fold(before, claim.evolve, Claim()), fold(after, claim.evolve, Claim())


@given(log=ledgers(), size=st.integers(1, 20), held=st.integers(0, 40))
def test_a_change_tells_its_file_before_and_after_however_much_was_forgotten(
    log: Log, size: int, held: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "FACTS_HELD_MAX", held)
        changes = [change for page in pages(log, size) for change in page]
    assert [change.record for change in changes] == log
    for change in changes:
        assert (change.before, change.after) == expected(log, change.record)
        if change.before is not None:
            stream, version = change.record.envelope.stream, change.record.envelope.version
            assert list(change.history) == of(log, stream)[: version - 1]
            assert change.latest == latest_day(change.history)


def test_a_file_is_loaded_once_however_often_it_goes_on() -> None:
    log = MemoryLog(ledger(facts=70))
    reader = files.Files(log)
    for after, record in zip(log.records[30:], log.records[31:], strict=False):
        reader.changes([record], after.position)
    assert sorted(log.loaded) == sorted({record.envelope.stream for record in log.records[31:]})


def test_going_back_in_the_log_reads_the_file_as_it_was() -> None:
    log = MemoryLog(ledger(facts=40))
    reader = files.Files(log)
    whole = reader.changes(log.page(0, 40), 0)
    after = log.records[19].position
    again = reader.changes(log.page(after, 40), after)
    assert [(each.before, each.after) for each in again] == [
        (each.before, each.after) for each in whole[20:]
    ]
