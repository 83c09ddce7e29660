"""The ledger's topics by name, for whoever speaks on them."""

from commands.sources import SOURCES

RECEIPTS = "claims.receipts"  # every answer, by the command's id
EVENTS = "claims.events"  # every fact, in the order of the log
DEAD = "claims.commands.dead"  # what could not be read or might not be sent, bytes untouched
_COMMANDS = "claims.commands."


def command_topic(source: str) -> str:
    """Where a source system sends its commands; nobody else may."""
    return _COMMANDS + source


# The topic says who speaks, because the broker lets only that source write to it.
SOURCE_OF = {command_topic(source): source for source in SOURCES}
