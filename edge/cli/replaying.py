"""`claims replay file` and `replay diff`: a file as it was known, and what changed in between."""

import re
from typing import Annotated, Any

import typer
from rich.text import Text

from domain.difference import Changed
from domain.errors import BadValue, CutoffNotFound
from domain.history import Coordinate
from domain.refusals.state import UnknownClaim
from edge.cli.asking import (
    AsOf,
    Caller,
    Json,
    KnownAt,
    Reference,
    answering,
    claim_stream,
    day_of,
    moment_of,
    when,
)
from edge.cli.output import console, print_json, spoken, table, told_moment
from edge.cli.telling import draw_file, file_data
from edge.wiring import Books
from replay.difference import Difference, FieldChange, difference
from replay.file import FileAt, History, file_at, just_before

Version = Annotated[
    int | None, typer.Option("--version", metavar="N", help="Up to this fact of the file.")
]
Before = Annotated[
    int | None, typer.Option("--before", metavar="N", help="Just before this fact of the file.")
]
Position = Annotated[
    int | None, typer.Option("--position", metavar="N", help="Up to this position of the log.")
]


@answering
def replay_file(
    context: typer.Context,
    reference: Reference,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    version: Version = None,
    before: Before = None,
    position: Position = None,
    json: Json = False,
) -> None:
    """A file at a coordinate: known at, as of, up to or just before a fact, at a log position."""
    caller: Caller = context.obj
    if version is not None and before is not None:
        raise BadValue("--before", "either --version or --before")
    with caller.books() as books:
        history = history_of(books, reference)
        if position is not None and position > books.log.head():
            raise CutoffNotFound(claim_stream(reference), f"position {position} of the log")
        if before is not None:
            version = just_before(history, before).version
        found = file_at(history, coordinate(books, history, known_at, as_of, version, position))
    show_file(reference, found, json=json)


def history_of(books: Books, reference: str) -> History:
    """Everything recorded on a file."""
    stream = claim_stream(reference)
    history = books.log.histories([stream])[stream]
    if not history:
        raise UnknownClaim(reference)
    return history


def coordinate(
    books: Books,
    history: History,
    known_at: str | None,
    as_of: str | None,
    version: int | None = None,
    position: int | None = None,
) -> Coordinate:
    """The coordinate of the options; a version or a position says itself what was known."""
    if known_at is None and (version is not None or position is not None):
        day = None if as_of is None else day_of(as_of, "--as-of")
        return Coordinate(as_of=day, version=version, position=position)
    at = when(books, known_at, as_of)
    last = history[-1].envelope.recorded_at
    # A file may have been recorded by a clock ahead of this one: "now" leaves out nothing.
    moment = max(at.known_at, last) if known_at is None else at.known_at
    return Coordinate(moment, at.as_of, version, position)


def show_file(reference: str, found: FileAt, *, json: bool) -> None:
    """A file at its coordinate, as data or drawn."""
    last = found.stands[-1][1].envelope
    day = found.at.as_of or last.effective_on
    told = coordinate_data(found.at)
    if json:
        print_json(
            {"claim": reference, **told, "facts_known": found.known}
            | {"facts_standing": len(found.stands)}
            | file_data(found.claim, day)
        )
        return
    title = f"{reference}, {_in_words(told)}: {found.known} facts known"
    console.print(draw_file(title, found.claim, day))


def coordinate_data(at: Coordinate) -> dict[str, Any]:
    """A coordinate as data; only what limits it."""
    told = {
        "known_at": at.known_at,
        "as_of": at.as_of,
        "version": at.version,
        "position": at.position,
    }
    return {name: value for name, value in told.items() if value is not None}


def _in_words(told: dict[str, Any]) -> str:
    moment = told.get("known_at")
    words = {**told, "known_at": told_moment(moment)} if moment else told
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in words.items())


@answering
def replay_diff(
    context: typer.Context,
    reference: Reference,
    from_known_at: Annotated[str | None, typer.Option("--from-known-at", metavar="MOMENT")] = None,
    from_as_of: Annotated[str | None, typer.Option("--from-as-of", metavar="DAY")] = None,
    from_version: Annotated[int | None, typer.Option("--from-version", metavar="N")] = None,
    known_at: KnownAt = None,
    as_of: AsOf = None,
    version: Version = None,
    json: Json = False,
) -> None:
    """What changed on a file between two coordinates, and which facts changed it.

    The `--from-...` options say where the difference begins, the others where it ends (now).
    """
    caller: Caller = context.obj
    if from_known_at is None and from_as_of is None and from_version is None:
        raise BadValue("--from-known-at", "say where the difference begins")
    with caller.books() as books:
        history = history_of(books, reference)
        after = coordinate(books, history, known_at, as_of, version)
        begins = Coordinate(
            known_at=None if from_known_at is None else moment_of(from_known_at, "--from-known-at"),
            as_of=None if from_as_of is None else day_of(from_as_of, "--from-as-of"),
            version=from_version,
        )
        found = difference(history, begins, after)
    if json:
        print_json({"claim": reference, **difference_data(found)})
        return
    title = f"{reference}: from {_in_words(coordinate_data(begins))}"
    draw_difference(f"{title} to {_in_words(coordinate_data(after))}", found)


def difference_data(found: Difference) -> dict[str, Any]:
    """A difference as data."""
    return {
        "from": coordinate_data(found.before.at),
        "to": coordinate_data(found.after.at),
        "changes": [
            {
                "path": change.path,
                "before": change.before,
                "after": change.after,
                "facts": [fact._asdict() for fact in change.facts],
            }
            for change in found.changes
        ],
        "hindsight": [fact._asdict() for fact in found.hindsight],
    }


def draw_difference(title: str, found: Difference) -> None:
    """A difference as a table of fields, each with the facts that changed it."""
    rows: list[list[object]] = []
    part = ""
    for change in found.changes:
        if says_nothing(change):
            continue
        head, field = _path_in_words(change.path)
        if head != part:
            rows.append([Text(head, style="bold"), "", "", ""])
            part = head
        facts = ", ".join(f"{fact.version} {_bare(fact.name)}" for fact in change.facts)
        rows.append([field, spoken(change.before), spoken(change.after), facts])
    console.print(table(title, ["field", "before", "after", "changed by"], rows))
    if found.hindsight:
        told = ", ".join(f"{fact.version} {_bare(fact.name)}" for fact in found.hindsight)
        console.print(Text(f"True by then and recorded only later: {told}"))


def says_nothing(change: FieldChange | Changed) -> bool:
    """Nothing that became nothing: the paid and recovered of a new line."""
    return change.before is None and (
        change.after is None
        or change.after is False
        or str(change.after).endswith((" 0.00", " 0", " 0.000"))
    )


_OF_ONE = re.compile(r"(?P<kind>\w+)\.(?:by_id|lines)\.(?P<one>.+?)\.(?P<field>[a-z_]+(\..+)?)")


def _path_in_words(path: str) -> tuple[str, str]:
    """Which offer, line, payment or region of the file a field is of, and its name there."""
    found = _OF_ONE.fullmatch(path)
    head, field = (
        (f"{found['kind']} {found['one']}", found["field"]) if found else path.split(".", 1)
    )
    return head.replace("_", " "), field.replace(".", " ").replace("_", " ")


def _bare(name: str) -> str:
    return name.rpartition(".")[0].replace("-", " ")
