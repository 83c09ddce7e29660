"""The contracts as files: written from the code, read back, and never broken by accident."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Refused
from domain.schema import UPCASTS
from edge.contracts import schemas
from edge.contracts.asyncapi import asyncapi
from edge.contracts.compatible import Break, breaks, unforeseen
from edge.contracts.reading import read_channels, read_contract
from edge.contracts.schemas import Schema

PUBLISHED = Path(__file__).parent / "published"  # what applications were told last
_BODIES: dict[str, Callable[[], Schema]] = {
    "commands.json": schemas.commands,
    "facts.json": schemas.facts,
    "receipts.json": schemas.receipts,
}

_LEAVES = (
    "facts.json",
    "receipts.json",
)  # they are closed: to say more breaks a reader
_CHANNELS = "asyncapi.json"


@dataclass(eq=False)
class ContractBroken(Refused):
    """The contracts in {folder} would be broken in {number} places, the first {place}: {why}."""

    code = "E750"
    remedy = (
        "Give what changed a new version beside the old one; claims contracts check lists the"
        " places. What nobody was ever told can be deleted there and exported again."
    )
    folder: str
    number: int
    place: str
    why: str


def documents() -> dict[str, str]:
    """Every file of the contracts by its name, as this program speaks; always the same text."""
    told = {**{name: make() for name, make in _BODIES.items()}, _CHANNELS: asyncapi()}
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in told.items()
    }


def export(folder: Path) -> list[Path]:
    """Write the contracts into a folder.

    Raises `ContractBroken` if some are there that these would break, `NoContract` if what is there
    cannot be read.
    """
    there = [name for name in (*_BODIES, _CHANNELS) if (folder / name).exists()]
    found = _broken(folder, there)
    if found:
        raise ContractBroken(str(folder), len(found), found[0].where, found[0].why)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in documents().items():
        (folder / name).write_text(text, "utf-8")
        written.append(folder / name)
    return written


def broken(folder: Path) -> list[Break]:
    """What this program no longer takes or says, or otherwise, of the contracts in a folder.

    Raises `NoContract`.
    """
    return _broken(folder, [*_BODIES, _CHANNELS])


def _broken(folder: Path, names: list[str]) -> list[Break]:
    return [
        Break(f"{name}: {each.where}", each.why)
        for name in names
        for each in (_channels(folder / name) if name == _CHANNELS else _bodies(folder / name))
    ]


def _bodies(path: Path) -> Iterator[Break]:
    new = _BODIES[path.name]()
    old = read_contract(path, new["$id"])
    found = breaks(old, new)
    yield from found
    if path.name in _LEAVES:
        places = {each.where for each in found}
        yield from (each for each in unforeseen(old, new) if each.where not in places)


def _channels(path: Path) -> Iterator[Break]:
    new = asyncapi()["channels"]
    for name, was in read_channels(path).items():
        now = new.get(name)
        if now is None:
            yield Break(name, "the channel was taken out")
            continue
        if was.address != now["address"]:
            yield Break(name, f"its topic was {was.address} and is {now['address']}")
        for message in was.messages:
            if message not in now["messages"] and message not in UPCASTS:
                yield Break(f"{name} {message}", "the message was taken out")
