"""The mapper gives back what it was given, and knows names, never classes."""

import pytest
from eventsourcing.persistence import Notification, StoredEvent

from domain.errors import ChainBroken, UnknownName
from domain.schema import chain_start, from_stored
from edge.store.mapper import LedgerMapper, require_whole
from tests.edge.store.facts import chained


def test_a_stored_event_is_the_recorded_fact_and_back() -> None:
    mapper = LedgerMapper()
    (fact,) = chained("claim-1", 0, chain_start("claim-1"), 1, "command-a")
    event = StoredEvent(fact.stream, fact.version, fact.name, fact.state)
    record = mapper.to_domain_event(event)
    assert record == from_stored(fact.stream, fact.version, fact.name, fact.state)
    assert mapper.to_stored_event(record) == event


def test_a_notification_brings_the_position() -> None:
    (fact,) = chained("claim-1", 0, chain_start("claim-1"), 1, "command-a")
    notification = Notification(fact.stream, fact.version, fact.name, fact.state, id=17)
    assert LedgerMapper().to_domain_event(notification).position == 17


@pytest.mark.parametrize(
    "topic", ["os:system", "domain.claim.lifecycle:StrategySet", "antigravity"]
)
def test_a_topic_that_names_a_class_is_an_unknown_name(topic: str) -> None:
    with pytest.raises(UnknownName):
        LedgerMapper().to_domain_event(StoredEvent("claim-1", 1, topic, b"{}"))


def test_what_is_not_recorded_is_not_stored() -> None:
    with pytest.raises(TypeError, match="StoredEvent"):
        LedgerMapper().to_stored_event(StoredEvent("claim-1", 1, "x", b""))  # type: ignore[arg-type]  # the mistake under test


def test_a_history_with_a_hole_is_not_read() -> None:
    facts = chained("claim-1", 0, chain_start("claim-1"), 3, "command-a")
    history = [from_stored(f.stream, f.version, f.name, f.state) for f in facts]
    assert require_whole("claim-1", history) == history
    with pytest.raises(ChainBroken) as caught:
        require_whole("claim-1", [history[0], history[2]])
    assert caught.value.version == 2
