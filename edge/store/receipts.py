"""What a kept receipt says of the log: which facts it tells of, and how the file stood after it."""

from typing import Any, NamedTuple

from pydantic_core import from_json

from domain.errors import ChainBroken
from domain.refusal_log import CommandRefused
from domain.schema import NAME_OF
from edge.store.snapshot import StoredAnswer

REFUSAL = NAME_OF[CommandRefused]
VERSION_MAX = 2**31  # no file comes near it; what is more was not written by the ledger


class Named(NamedTuple):
    """A fact as a receipt names it."""

    stream: str
    version: int
    position: int
    name: str
    digest: str = ""  # of the stored bytes, where the receipt says it of this very fact


class Told(NamedTuple):
    """What a receipt says: its facts and, of an acceptance, the file's version and digest then."""

    facts: list[Named]
    head: tuple[int, str] | None


def told_by(answer: StoredAnswer) -> Told:
    """Read a kept receipt; raises `ChainBroken` when it is not the answer's own."""
    try:
        receipt: dict[str, Any] = from_json(answer.receipt)
        if (receipt["command_id"], receipt["stream"]) != (answer.command_id, answer.stream):
            raise _altered(answer)
        match receipt["outcome"]:
            case "accepted":
                return Told(_accepted(answer.stream, receipt), _head(receipt))
            case "refused":
                return Told(_refused(receipt), None)
            case _:
                raise _altered(answer)
    except (ValueError, KeyError, TypeError) as error:
        raise _altered(answer) from error


def _accepted(stream: str, receipt: dict[str, Any]) -> list[Named]:
    return [
        Named(stream, _number(fact["version"]), fact["position"], fact["name"])
        for fact in receipt["facts"]
    ]


def _refused(receipt: dict[str, Any]) -> list[Named]:
    stream, version = str(receipt["kept_in"]), _number(receipt["kept_version"])
    if not stream:
        return []
    if "\0" in stream:
        raise ValueError(stream)
    return [Named(stream, version, receipt["position"], REFUSAL, str(receipt["digest"]))]


def _head(receipt: dict[str, Any]) -> tuple[int, str]:
    return _number(receipt["version"]), str(receipt["digest"])


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= VERSION_MAX:
        raise ValueError
    return value


def _altered(answer: StoredAnswer) -> ChainBroken:
    return ChainBroken(answer.stream, 0, f"the receipt of {answer.command_id} was altered")
