"""A receipt is the one answer to a command: made once, kept with the facts, repeated verbatim."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commands.ports import ToStore
from domain.errors import Refused
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

    @property
    def data(self) -> dict[str, Any]:
        """The answer, decoded."""
        decoded: dict[str, Any] = json.loads(self.body)
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
    positions: Sequence[int],
) -> bytes:
    """The bytes of an acceptance."""
    stored = [
        {"name": fact.name, "version": fact.version, "position": position}
        for fact, position in zip(facts, positions, strict=True)
    ]
    return _bytes(
        outcome="accepted",
        command_id=command_id,
        stream=stream,
        version=version,
        digest=digest,
        position=positions[-1] if positions else 0,
        recorded_at=recorded_at.isoformat(),
        facts=stored,
    )


def refused(
    command_id: str, stream: str, error: Refused, kept: ToStore | None, position: int
) -> bytes:
    """The bytes of a refusal; `kept` is its fact in the stream of refusals, None if not kept."""
    return _bytes(
        outcome="refused",
        command_id=command_id,
        stream=stream,
        code=error.code,
        name=type(error).__name__,
        field=error.field,
        message=str(error),
        remedy=error.remedy,
        evidence=error.evidence(),
        near_miss=error.code.startswith("E3"),
        kept_in=kept.stream if kept else "",
        kept_version=kept.version if kept else 0,
        digest=digest_of(kept.state) if kept else "",
        position=position,
    )


def _bytes(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
