"""The names of the topics in Kafka: for commands, receipts, facts, and what was put aside."""

from commands.sources import Source, source_named

_COMMANDS_OF = "claims.commands."
RECEIPTS = "claims.receipts"
EVENTS = "claims.events"
DEAD = "claims.commands.dead"


def commands_topic(source: Source) -> str:
    """The topic on which one application, and nobody else, sends commands."""
    return f"{_COMMANDS_OF}{source}"


def source_of(topic: str) -> Source:
    """The application whose topic this is. Raises `UnknownSource`."""
    return source_named(topic.removeprefix(_COMMANDS_OF))
