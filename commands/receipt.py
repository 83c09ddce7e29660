"""A receipt is the one answer to a command: made once, kept with the facts, repeated verbatim."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from json.encoder import encode_basestring as quoted
from typing import Any

from msgspec.json import decode

from commands.ports import ToStore
from domain.errors import LedgerError
from domain.schema import digest as digest_of


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bytes of an answer, JSON.

    Accepted: `outcome`, `command_id`, `stream`, `version` and `digest` (the stream's head after
    it), `position` (of its last fact, 0 if it added none), `recorded_at`, `facts` (each with
    `name`, `version`, `position`). Refused: `outcome`, `command_id`, `stream`, `code`, `name`,
    `field`, `message`, `remedy`, `evidence`, `near_miss`, and where the refusal is kept, with the
    digest of its fact.
    """

    body: bytes
    repeated: bool = field(default=False, compare=False)  # it had been given before it was asked

    @property
    def data(self) -> dict[str, Any]:
        """The answer, decoded."""
        decoded: dict[str, Any] = decode(self.body)
        return decoded

    @property
    def accepted(self) -> bool:
        """The command was accepted."""
        return bool(self.data["outcome"] == "accepted")

    @property
    def code(self) -> str:
        """The refusal's code, "" for an accepted command."""
        return str(self.data.get("code", ""))


def accepted(
    command_id: str,
    stream: str,
    version: int,
    digest: str,
    recorded_at: datetime,
    facts: Sequence[ToStore],
) -> Callable[[Sequence[int]], bytes]:
    """What makes the bytes of an acceptance from the positions of its facts, when they are known.

    All else is made now, because positions are known only while every other writer waits.
    """
    told = ",".join(
        f'{{"name":"{fact.name}","version":{fact.version},"position":%d}}' for fact in facts
    )
    start = (
        f'{{"outcome":"accepted","command_id":{quoted(command_id)},"stream":{quoted(stream)},'
        f'"version":{version},"digest":"{digest}","position":'
    )
    form = (
        start.replace("%", "%%")
        + f'%d,"recorded_at":"{recorded_at.isoformat()}",'
        + (f'"facts":[{told}]}}')
    )
    return partial(_filled, form)


def _filled(form: str, positions: Sequence[int]) -> bytes:
    return (form % (positions[-1] if positions else 0, *positions)).encode()


def refused(
    command_id: str, stream: str, error: LedgerError, kept: ToStore | None, position: int
) -> bytes:
    """The bytes of a refusal; `kept` is its fact in the stream of refusals, None if not kept."""
    fields = {
        "outcome": "refused",
        "command_id": command_id,
        "stream": stream,
        "code": error.code,
        "name": type(error).__name__,
        "field": error.field,
        "message": str(error),
        "remedy": error.remedy,
        "evidence": error.evidence(),
        "near_miss": error.code.startswith("E3"),
        "kept_in": kept.stream if kept else "",
        "kept_version": kept.version if kept else 0,
        "digest": digest_of(kept.state) if kept else "",
        "position": position,
    }
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def not_kept(command_id: str, stream: str, error: LedgerError) -> Receipt:
    """An answer of which the ledger keeps nothing, and which it will not repeat."""
    return Receipt(refused(command_id, stream, error, None, 0))
