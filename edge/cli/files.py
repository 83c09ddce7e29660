"""`claims file` and `history`: one file, as it stands and as it came to stand there."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import typer
from psycopg import Connection
from rich.table import Table
from rich.text import Text

from consumers.changes import Changes, changes_of
from consumers.files import Log
from domain.difference import Changed
from domain.envelope import recorded_day
from domain.errors import CutoffNotFound, Unreadable
from domain.refusals.state import UnknownClaim
from edge.cli.asking import (
    OK,
    UNREADABLE,
    AsOf,
    AtLeast,
    Caller,
    Json,
    KnownAt,
    Reference,
    When,
    answering,
    claim_stream,
    when,
)
from edge.cli.output import (
    amount,
    console,
    error_data,
    light_table,
    pounds,
    print_json,
    show_error,
    spoken,
    told_moment,
)
from edge.cli.replaying import coordinate, history_of, says_nothing, show_file
from projections.audit import VIEW, Entry, Filter, trail
from projections.view import position_of
from replay.file import file_at


@answering
def file(
    context: typer.Context,
    reference: Reference,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """A file as it stands, or as it was known at a moment and as of a day."""
    caller: Caller = context.obj
    with caller.books() as books:
        recorded = history_of(books, reference)
        found = file_at(recorded, coordinate(books, recorded, known_at, as_of))
    show_file(reference, found, json=json)


@answering
def history(
    context: typer.Context,
    reference: Reference,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    at_least: AtLeast = None,
    json: Json = False,
) -> int:
    """What was recorded about a file, refusals included.

    Who recorded it, when, what it changed, on which authority, and what corrected it later. Where a
    fact cannot be read, all but what changed is told, and then which.
    """
    caller: Caller = context.obj
    stream = claim_stream(reference)
    with caller.books() as books, books.reading(VIEW, at_least) as connection:
        at = when(books, known_at, as_of)
        # What is not asked for does not limit: another machine's clock may be ahead of this one.
        asked = Filter(
            subject=stream,
            known_at=at.known_at if known_at else None,
            as_of=at.as_of if known_at or as_of else None,
        )
        entries = entries_of(connection, asked)
        if not entries:
            raise _nothing_there(connection, reference, at)
        changed: Changes = {}
        unread: Unreadable | None = None
        try:
            changed = changes_in(entries, books.log)
        except Unreadable as error:
            unread = error
        position = position_of(connection, VIEW)
    if json:
        told = {"claim": reference, "known_at": at.known_at, "as_of": at.as_of}
        shown = [entry_data(each, changed) for each in entries]
        told |= {"position": position, "entries": shown}
        print_json(told | {"unreadable": unread and error_data(unread)})
    else:
        console.print(draw_history(_title(reference, at), entries, changed))
        if unread is not None:
            show_error(unread, as_json=False)
    return OK if unread is None else UNREADABLE


def entries_of(connection: Connection[Any], asked: Filter) -> list[Entry]:
    """Every entry asked for, page by page."""
    entries, after = list[Entry](), 0
    while page := trail(connection, asked, after=after):
        entries += page
        after = page[-1].position
    return entries


def changes_in(entries: Sequence[Entry], log: Log) -> Changes:
    """What the facts among these entries changed, and those that they correct or void."""
    shown = [*entries, *(each.original for each in entries if each.original)]
    places = {(each.stream, each.version) for each in shown if not each.code}
    return changes_of(places, log, max(each.position for each in shown))


def _nothing_there(
    connection: Connection[Any], reference: str, at: When
) -> UnknownClaim | CutoffNotFound:
    """No such file, or none yet."""
    stream = claim_stream(reference)
    if not trail(connection, Filter(subject=stream), limit=1):
        return UnknownClaim(reference)
    limits = f"fact recorded by {at.known_at.isoformat()} and effective by {at.as_of.isoformat()}"
    return CutoffNotFound(stream, limits)


def _title(reference: str, at: When) -> str:
    return f"{reference}, known at {told_moment(at.known_at)} as of {at.as_of}"


def entry_data(entry: Entry, changes: Changes) -> dict[str, Any]:
    """One entry of the trail as data."""
    told: dict[str, Any] = asdict(replace(entry, original=None))
    told["changed"] = [each._asdict() for each in _changed(entry, changes)]
    if entry.measured is not None:
        for name in ("measured", "authority_limit", "headroom"):
            minor = getattr(entry, name)
            told[name] = None if minor is None else amount(minor, entry.currency)
    told["original"] = entry_data(entry.original, changes) if entry.original else None
    return told


def _changed(entry: Entry, changes: Changes) -> Sequence[Changed]:
    return changes.get((entry.stream, entry.version), ())


def draw_history(title: str, entries: Sequence[Entry], changes: Changes) -> Table:
    """A file's life as a timeline: what was corrected stays, and says what took its place.

    What several facts of one command share is said once, with the first.
    """
    drawn = light_table(title)
    drawn.add_column("", justify="right", no_wrap=True)
    drawn.add_column("recorded", no_wrap=True)
    drawn.add_column("who", no_wrap=True)
    drawn.add_column("what", ratio=1)
    before = ""
    for entry in entries:
        follows = entry.command_id == before
        what = Text(entry_name(entry), style="red" if entry.code else "bold")
        for line in [*_details(entry, changes), *([] if follows else _grounds(entry))]:
            what.append(f"\n{line}", style="not bold")
        recorded, who = ("", "") if follows else (_recorded(entry), entry.person)
        version = "" if entry.code else str(entry.version)
        drawn.add_row(Text(version), Text(recorded), Text(who), what)
        before = entry.command_id
    return drawn


def _recorded(entry: Entry) -> str:
    told = f"{entry.recorded_at:%Y-%m-%d %H:%M}"
    if entry.effective_on != recorded_day(entry.recorded_at):
        told += f"\nfor {entry.effective_on}"
    return told


def entry_name(entry: Entry) -> str:
    """What an entry is, in a few words."""
    if entry.code:
        return f"refused: {entry.command}, {entry.code}"
    name = entry.name.rpartition(".")[0].replace("-", " ")
    if entry.corrects:
        name += f", correcting {entry.corrects}"
    if entry.voids:
        name += f": {entry.voids}"
    if entry.replaced_by:
        name += f" (replaced by {', '.join(map(str, entry.replaced_by))})"
    return name


DETAILS_MAX = 4  # lines of one entry; --json has them all
# What a reader of a timeline looks for, and how it is called there; `--json` has every field.
_TELLING = re.compile(
    r"lifecycle\.(?P<life>status|stage|handler|strategy\.objective)"
    r"|reserves\.lines\.(?P<line>.+\.(estimate|paid|recovered))"
    r"|offers\.by_id\.(?P<offer>.+\.(gross|ended|withdrawn_from))"
    r"|settlement\.agreed\.damages\.(?P<settled>gross)"
    r"|apportionments\.by_id\.(?P<share>.+\.(share|status))"
    r"|escalations\.by_id\.(?P<escalated>.+\.(question|outcome|maximum|consumed))"
    r"|payments\.by_id\.(?P<payment>.+\.(amount|status))"
)


def _details(entry: Entry, changes: Changes) -> list[str]:
    if entry.code:
        return [entry.message]
    shown: list[str] = []
    for changed in _changed(entry, changes):
        found = _TELLING.fullmatch(changed.path)
        if found is None or says_nothing(changed):
            continue
        label = next(part for part in found.groupdict().values() if part is not None)
        before = "" if changed.before in (None, "") else f"{spoken(changed.before)} -> "
        told = label.replace("terms.damages.", "").replace(".", " ").replace("_", " ")
        shown.append(f"{told}: {before}{spoken(changed.after)}")
    more = len(shown) - DETAILS_MAX
    return [*shown[:DETAILS_MAX], *([f"... and {more} more"] if more > 0 else [])]


def _grounds(entry: Entry) -> list[str]:
    """Why it was done, and on which authority."""
    said = [f'"{entry.rationale}"'] if entry.rationale else []
    return [*said, *_authority(entry)]


def _authority(entry: Entry) -> list[str]:
    if entry.grounds in ("", "not_needed"):
        return []
    if entry.measured is None or entry.authority_limit is None:
        return [f"authority: judged by the {entry.grounds}"]
    measured = pounds(entry.measured, entry.currency)
    limit = pounds(entry.authority_limit, entry.currency)
    by = (
        f"approval {entry.approval}"
        if entry.approval
        else f"mandate version {entry.mandate_version}"
    )
    return [f"authority to {entry.decision}: damages {measured} of {entry.currency} {limit}, {by}"]
