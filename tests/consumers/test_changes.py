"""What a fact changed is what its file was before it and after it, as far as the log was read."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.changes import changes_of
from domain import claim, mandate
from domain.claim import Claim
from domain.difference import Changed, changed_fields
from domain.envelope import Recorded
from domain.history import fold
from domain.mandate import Mandate
from tests.projections.ledgers import Log, MemoryLog, ledgers, of


def expected(log: Log, record: Recorded[Any]) -> tuple[Changed, ...]:
    stream = record.envelope.stream
    history = of(log, stream)
    before, after = history[: record.envelope.version - 1], history[: record.envelope.version]
    if stream.startswith("refusals-"):
        return ()
    if stream.startswith("mandate-"):
        told = fold(before, mandate.evolve, Mandate()), fold(after, mandate.evolve, Mandate())
        return changed_fields(*told)
    return changed_fields(fold(before, claim.evolve, Claim()), fold(after, claim.evolve, Claim()))


@given(log=ledgers(), data=st.data())
def test_a_fact_changed_what_its_file_was_before_it(log: Log, data: st.DataObject) -> None:
    asked = data.draw(st.lists(st.sampled_from(log), min_size=1, unique_by=id))
    places = {(each.envelope.stream, each.envelope.version): each for each in asked}
    reading = MemoryLog(log)
    found = changes_of(places.keys(), reading, max(each.position for each in asked))
    assert found == {place: expected(log, record) for place, record in places.items()}
    assert set(reading.loaded) == {stream for stream, _ in places}
