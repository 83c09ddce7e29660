"""The contracts as files: written from the code, read back, and never broken by accident."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Refused
from edge.contracts import schemas
from edge.contracts.asyncapi import asyncapi
from edge.contracts.compatible import Break, breaks
from edge.contracts.reading import read_contract
from edge.contracts.schemas import Schema

PUBLISHED = Path(__file__).parent / "published"  # what applications were told last
_BODIES: dict[str, Callable[[], Schema]] = {
    "commands.json": schemas.commands,
    "facts.json": schemas.facts,
    "receipts.json": schemas.receipts,
}


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
    told = {**{name: make() for name, make in _BODIES.items()}, "asyncapi.json": asyncapi()}
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in told.items()
    }


def export(folder: Path) -> list[Path]:
    """Write the contracts into a folder.

    Raises `ContractBroken` if some are there that these would break, `NoContract` if what is there
    cannot be read.
    """
    there = [name for name in _BODIES if (folder / name).exists()]
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
    """What this program no longer takes, or takes otherwise, of the contracts in a folder.

    Raises `NoContract`.
    """
    return _broken(folder, list(_BODIES))


def _broken(folder: Path, names: list[str]) -> list[Break]:
    found: list[Break] = []
    for name in names:
        new = _BODIES[name]()
        old = read_contract(folder / name, new["$id"])
        found += [Break(f"{name}: {each.where}", each.why) for each in breaks(old, new)]
    return found
