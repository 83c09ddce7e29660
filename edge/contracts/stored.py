"""Whether this program reads every name and version of a fact that a log really holds."""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from domain.errors import Unreadable
from domain.schema import from_stored

_NAMES = """
SELECT topic, count(*), min(notification_id), max(notification_id)
FROM ledger.facts GROUP BY topic ORDER BY topic
"""
_SAMPLES = """
SELECT notification_id, originator_id, originator_version, topic, state
FROM ledger.facts WHERE notification_id = ANY(%s) ORDER BY notification_id
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A name on disk: how many facts bear it, and why a sample cannot be read (None if it can)."""

    name: str
    facts: int
    error: Unreadable | None


def held(connection: Connection[Any]) -> list[Held]:
    """Every name that the log holds, its oldest and its newest fact read."""
    found = connection.execute(_NAMES).fetchall()
    places = sorted({place for _, _, first, last in found for place in (first, last)})
    errors: dict[str, Unreadable] = {}
    for position, stream, version, name, state in connection.execute(_SAMPLES, [places]):
        try:
            from_stored(stream, version, name, state, position)
        except Unreadable as error:
            errors.setdefault(name, error)
    return [Held(name, facts, errors.get(name)) for name, facts, _, _ in found]
