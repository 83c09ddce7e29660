"""Between the library's stored event and the domain's recorded fact, by names written by hand."""

from collections.abc import Iterable
from typing import Any

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, Notification, StoredEvent, Transcoder

from commands.ports import ToStore
from domain.envelope import Recorded
from domain.errors import ChainBroken
from domain.schema import from_stored, to_stored


class LedgerMapper(Mapper[str]):
    """The closed list of `domain.schema` instead of the class that a topic happens to name.

    It takes and gives `Recorded`. The library passes such objects through without looking inside;
    its type for them asks for two attributes that our envelope holds.
    """

    def __init__(self, transcoder: Transcoder | None = None, **_: Any) -> None:
        super().__init__(transcoder or JSONTranscoder())

    def to_stored_event(
        self, domain_event: DomainEventProtocol[str] | Recorded[Any]
    ) -> StoredEvent:
        """The bytes that the chain covers, under the fact's name."""
        if not isinstance(domain_event, Recorded):
            raise TypeError(f"the ledger stores Recorded, not {type(domain_event).__name__}")
        name, state = to_stored(domain_event)
        envelope = domain_event.envelope
        return StoredEvent(envelope.stream, envelope.version, name, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The recorded fact; raises an `Unreadable` that says where."""
        position = stored_event.id if isinstance(stored_event, Notification) else 0
        return from_stored(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
            position,
        )


def stored_events(facts: Iterable[ToStore]) -> list[StoredEvent]:
    """Facts ready to be stored, as the library's recorders take them."""
    return [StoredEvent(fact.stream, fact.version, fact.name, fact.state) for fact in facts]


def require_whole(stream: str, history: list[Recorded[Any]]) -> list[Recorded[Any]]:
    """The history, when no fact of it is missing: deciding on a part of a file is guessing."""
    for version, record in enumerate(history, start=1):
        if record.envelope.version != version:
            raise ChainBroken(stream, version, "it is missing")
    return history
