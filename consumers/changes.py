"""What facts changed in their files, found out when somebody asks, as hardly anybody does."""

from collections.abc import Collection, Mapping

from consumers.files import Files, Log
from domain.difference import Changed, changed_fields

Place = tuple[str, int]
"""A fact by its stream and its version there."""
Changes = Mapping[Place, tuple[Changed, ...]]


def changes_of(places: Collection[Place], log: Log, up_to_position: int) -> Changes:
    """What each of these facts changed, as everything recorded until then told its file.

    `up_to_position` is that of the last of them: what comes later is not read. A fact of a stream
    that has no state, such as a kept refusal, changed nothing. Raises an `Unreadable` for a fact
    that cannot be read.
    Complexity: a step for each fact of their files up to the position.
    """
    found: dict[Place, tuple[Changed, ...]] = {}
    for stream, history in log.histories({stream for stream, _ in places}, up_to_position).items():
        for change in Files(log).changes(history, 0):
            place = stream, change.record.envelope.version
            if place in places:
                found[place] = changed_fields(change.before, change.after)
    return found
