"""Commands that are imported when they are asked for: reading a file does not wait for numpy."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command


class OnDemand(TyperGroup):
    """A group that knows its commands by where they are: "module:function"."""

    places: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: dict[str, Any] = {**dict.fromkeys(self.places), **self.commands}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.places and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _command(cmd_name, self.places[cmd_name])
        return super().get_command(ctx, cmd_name)


def on_demand(places: Mapping[str, str]) -> type[OnDemand]:
    """The group of these commands."""
    return type("OnDemand", (OnDemand,), {"places": places})


def _command(name: str, place: str) -> Any:
    module, _, function = place.partition(":")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(getattr(import_module(module), function))
    return get_command(alone)
