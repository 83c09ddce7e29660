"""`claims topics create` and `check`: the topics there must be, and who may write and read them."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typer
from rich.text import Text

from edge.cli.asking import OK, REFUSED, Caller, Json, answering
from edge.cli.output import console, print_json, table
from edge.kafka import upkeep
from edge.kafka.clients import admin, broker_errors
from edge.kafka.topics import grants, topics
from edge.settings import Settings


@answering
def topics_create(context: typer.Context, json: Json = False) -> int:
    """Make the topics that are missing, set what is set otherwise, and give the missing rights."""
    caller: Caller = context.obj
    asked, rights = topics(caller.settings), grants(caller.settings)
    with _administering(caller.settings) as client:
        done = upkeep.create(client, asked, rights)
        left = upkeep.settled(client, asked, rights)
    if json:
        print_json({"done": done, "differences": [asdict(each) for each in left]})
    else:
        for each in done:
            console.print(Text(f"{each[0].upper()}{each[1:]}."))
        _show(left, len(asked), len(rights))
    return REFUSED if left else OK


@answering
def topics_check(context: typer.Context, json: Json = False) -> int:
    """Name every difference between the broker and what there must be; nothing is changed."""
    caller: Caller = context.obj
    asked, rights = topics(caller.settings), grants(caller.settings)
    with _administering(caller.settings) as client:
        found = upkeep.check(client, asked, rights)
    if json:
        told = {"topics": len(asked), "rights": len(rights)}
        print_json({**told, "differences": [asdict(each) for each in found]})
    else:
        _show(found, len(asked), len(rights))
    return REFUSED if found else OK


@contextmanager
def _administering(settings: Settings) -> Generator[Any]:
    client = admin(settings)
    try:
        with broker_errors(settings):
            yield client
    finally:
        client.close()


def _show(differences: list[upkeep.Difference], topics: int, rights: int) -> None:
    if not differences:
        told = f" {topics} topics and {rights} rights are as they must be."
        console.print(Text.assemble(("As it must be:", "green"), told))
        return
    rows = [[each.subject, each.setting, each.must_be, each.found] for each in differences]
    console.print(table("Differences", ["topic", "setting", "must be", "found"], rows))
