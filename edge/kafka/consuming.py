"""What it takes to answer commands in this process: the ledger's side of it, in one place."""

from consumers.answering import Answering
from edge.kafka.topics import groups_of
from edge.settings import Settings
from edge.store.errors import NOT_KEPT
from edge.wiring import Books


def answering_of(books: Books, settings: Settings) -> Answering:
    """How messages are answered by an opened ledger."""
    return Answering(books.ledger.handle_many, NOT_KEPT, settings.ledger_uri, books.clock)


def group_of(settings: Settings) -> str:
    """The group that everybody forms who takes in commands for this ledger."""
    return groups_of(settings.kafka_user or settings.kafka_ledger) + "consume"
