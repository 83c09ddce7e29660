"""`claims views`: where the read models stand, and building, taking back and releasing them."""

from datetime import datetime
from typing import Annotated, Any

import typer
from psycopg import Connection
from rich.text import Text

from consumers.rebuild import Rebuilt, rebuild
from consumers.release import NotParked, Released, release
from consumers.standing import LAG_COUNTED_MAX, Parked, Status, status
from consumers.swap import roll_back
from edge.cli.asking import OK, REFUSED, Caller, Json, answering
from edge.cli.leaving_out import left_out, said_of
from edge.cli.output import console, print_json, progress_in_facts, table, told_moment
from edge.postgres.connections import Role
from edge.wiring import Books
from projections.view import views

Name = Annotated[str, typer.Argument(metavar="NAME", help="The view's name.")]


@answering
def views_status(context: typer.Context, json: Json = False) -> None:
    """Where each view stands, how far behind the log it is, and which files it had to park."""
    caller: Caller = context.obj
    with caller.books() as books, books.reading(level=False) as connection:
        found, now = status(connection, views()), books.clock()
    if json:
        print_json([_status_row(each, now) for each in found])
        return
    columns = ["view", "version>", "position>", "head>", "lag>", "seconds>", "parked>", "kept>"]
    rows = [
        [
            each.name,
            each.version,
            each.position,
            each.head,
            f"{LAG_COUNTED_MAX:,} or more" if each.lag == LAG_COUNTED_MAX else each.lag,
            _seconds(each, now),
            len(each.parked),
            "-" if each.kept is None else each.kept,
        ]
        for each in found
    ]
    console.print(table("Views", columns, rows))
    parked = [(each.name, file) for each in found for file in each.parked]
    if parked:
        cells = [
            [view, file.stream, file.version, told_moment(file.parked_at), file.waiting, _why(file)]
            for view, file in parked
        ]
        columns = ["view", "file", "fact>", "since", "waiting>", "why"]
        console.print(Text(), table("Parked files", columns, cells))
        for each in found:
            for told in said_of(left_out(each) | {"files": 0}, each.position):
                console.print(Text(f"{each.name} leaves out: {told}"))


def _status_row(found: Status, now: datetime) -> dict[str, Any]:
    return {
        "view": found.name,
        "version": found.version,
        "position": found.position,
        "head": found.head,
        "lag": found.lag,
        "lag_s": _seconds(found, now),
        "left_out": left_out(found),
        "parked": [
            {
                "file": file.stream,
                "version": file.version,
                "position": file.position,
                "since": file.parked_at,
                "waiting": file.waiting,
                "code": file.code,
                "why": file.why,
            }
            for file in found.parked
        ],
        "kept": found.kept,
    }


def _seconds(found: Status, now: datetime) -> int:
    """The age of the oldest fact that the view does not have, in whole seconds."""
    if found.oldest is None:
        return 0
    return max(0, int((now - found.oldest).total_seconds()))


def _why(file: Parked) -> str:
    return f"{file.code} {file.why}".strip()


@answering
def views_rebuild(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME")] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Put it in place in spite of differences.")
    ] = False,
    json: Json = False,
) -> int:
    """Build views again from the log, beside the live ones: those named, or all.

    One that differs from the live view is shown and does not take its place.
    """
    caller: Caller = context.obj
    wanted = views(*dict.fromkeys(names or ()))
    with caller.books() as books, progress_in_facts() as bar:
        task = bar.add_task("building", facts=0)
        done = rebuild(
            books.doors,
            wanted,
            accept=accept,
            progress=lambda facts: bar.update(task, facts=facts),
        )
    if json:
        print_json(
            {
                "rebuilt": {each.name: each.facts for each in done if each.swapped},
                "differences": [
                    {
                        "view": found.view,
                        "what": found.what,
                        "live": found.live,
                        "rebuilt": found.rebuilt,
                    }
                    for each in done
                    for found in each.differences
                ],
                "stopped": [each.name for each in done if not each.swapped],
                "parked": {each.name: each.parked for each in done if each.parked},
            }
        )
    else:
        for each in done:
            _show_rebuilt(each)
    return OK if all(each.swapped for each in done) else REFUSED


def _show_rebuilt(done: Rebuilt) -> None:
    if done.differences:
        rows = [[each.what, each.live or "-", each.rebuilt or "-"] for each in done.differences]
        title = f"{done.name} differs from the live view"
        console.print(table(title, ["what", "live>", "rebuilt>"], rows), Text())
    if done.swapped:
        parked = f", {done.parked} files parked" if done.parked else ""
        console.print(f"{done.name}: built again from {done.facts:,} facts{parked}")
    else:
        console.print(
            f"{done.name}: the live view stays; the new build is in the schema views_next."
            " Build it again with --accept if the live view is what is wrong."
        )


@answering
def views_rollback(context: typer.Context, name: Name, json: Json = False) -> None:
    """Bring back the build of a view that the last rebuild replaced, level with the log."""
    caller: Caller = context.obj
    (view,) = views(name)
    with (
        caller.books() as books,
        books.connected(Role.PROJECTOR) as connection,
        books.connected(Role.PROJECTOR) as beside,
    ):
        kept = roll_back(books.log, view, connection, beside)
        facts = books.projector.catch_up([view])
    if json:
        print_json({"view": name, "kept_at": kept.position, "facts": facts})
    else:
        console.print(f"{name}: the build before is live again; it was kept at {kept.position}.")


@answering
def views_release(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="As views status names it.")],
    json: Json = False,
) -> int:
    """Apply what waits in a parked file, in order, once what stopped it was corrected."""
    caller: Caller = context.obj
    with caller.books() as books, books.connected(Role.PROJECTOR) as connection:
        done = _release(books, connection, file)
    if json:
        print_json({"file": file, "views": [_released_row(each) for each in done]})
    else:
        for each in done:
            if each.stopped is None:
                console.print(Text(f"{each.view}: {file} goes on, {each.facts} facts applied"))
            else:
                console.print(Text(f"{each.view}: {file} stays parked: {each.stopped.why}"))
    return REFUSED if any(each.stopped for each in done) else OK


def _release(books: Books, connection: Connection[Any], file: str) -> list[Released]:
    """By the name of its stream, or by a claim's reference."""
    try:
        return release(books.log, connection, views(), file)
    except NotParked:
        return release(books.log, connection, views(), f"claim-{file}")


def _released_row(done: Released) -> dict[str, Any]:
    stopped = done.stopped
    told: dict[str, Any] = {"view": done.view, "facts": done.facts, "released": stopped is None}
    return told if stopped is None else told | {"code": stopped.code, "why": stopped.why}
