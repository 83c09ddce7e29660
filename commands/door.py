"""Every door reads commands here: bytes in, a command or a named refusal out, never a traceback."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from commands.claim_handlers import HANDLERS as CLAIM
from commands.fields import CommandId, Reference
from commands.mandate_handlers import HANDLERS as MANDATE
from commands.parts import Command
from domain.errors import (
    ActorMismatch,
    BadMoney,
    BadValue,
    MissingField,
    NotACommand,
    Refused,
    UnknownCommand,
    UnknownField,
)

COMMAND_BYTES_MAX = 1_000_000  # the import of a long history; ordinary commands are under 4 kB
NESTING_MAX = 32  # levels; the deepest command has 6

_TYPES: dict[str, type[Command]] = {
    # Without ImportHistory: its facts are judged by their source, which no sender may say.
    kind.model_fields["type"].default: kind
    for kind in (*CLAIM, *MANDATE)
}
_KINDS = {name.encode(): kind for name, kind in _TYPES.items()}
_TYPE_IN = re.compile(rb'"type"\s*:\s*"([a-z-]+)"')
_MARKS_OF_TYPE = 4  # a command's type is its model's default, and so no part of its meaning
_ids: TypeAdapter[str] = TypeAdapter(CommandId)
_references: TypeAdapter[str] = TypeAdapter(Reference)


@dataclass(frozen=True, slots=True)
class Unread:
    """What came in as a command and cannot be read as one, as far as it could be read.

    `command_id` is "" when none could be read: such a refusal is answered and cannot be kept.
    `stream` is the stream that it seems to be about, "" when it does not say.
    """

    command_id: str
    type: str
    stream: str
    person: str
    body_sha256: bytes
    error: Refused


def command_types() -> dict[str, type[Command]]:
    """Every command by its type's name."""
    return dict(_TYPES)


def body_sha256(command: Command) -> bytes:
    """The digest that tells a repeat from another command under the same id.

    Taken over the command's meaning, not over the bytes of one sender.
    """
    return hashlib.sha256(type(command).__name__.encode() + command.meaning).digest()


def read(body: bytes, sender: dict[str, str] | None = None) -> Command | Unread:
    """Read one command from JSON.

    `sender` is the actor that the door vouches for: it fills in a command's actor, and a command
    that names another person is refused; the refusal is the sender's, not the one's it named.
    """
    command = _at_once(body, sender)
    return _with_care(body, sender) if command is None else command


def _at_once(body: bytes, sender: dict[str, str] | None) -> Command | None:
    """The command, where one pass over the bytes is enough to be sure of it; None elsewhere.

    Says nothing that `_with_care` would not say as well. What the models do not see is a key that
    stands twice: without an escape in the body every quotation mark is one of a key's or a text's,
    and all but those of the type have to be there again in what was understood.
    """
    named = _TYPE_IN.search(body)
    kind = _KINDS.get(named[1]) if named else None
    if kind is None or len(body) > COMMAND_BYTES_MAX or b"\\" in body:
        return None
    try:
        command = kind.model_validate_json(body)
    except ValidationError:
        return None
    if body.count(b'"') != command.meaning.count(b'"') + _MARKS_OF_TYPE:
        return None
    if sender is None:
        return command
    actor = command.actor
    told = {"person": actor.person, "role": actor.role, "team": actor.team}
    return command if sender.items() <= told.items() else None


def _with_care(body: bytes, sender: dict[str, str] | None) -> Command | Unread:
    """The command, or what is wrong with it, by everything that the door asks of a body."""
    data: dict[str, Any] = {}
    try:
        data = _json_object(body)
        _require_plain(data, "", NESTING_MAX)
        if sender is not None:
            data = _as_sender(data, sender)
        return _command(data)
    except Refused as error:
        actor = data.get("actor")
        named = cast("dict[str, Any]", actor) if isinstance(actor, dict) else {}
        named = sender or named
        return Unread(
            command_id=_read_as(_ids, data.get("command_id")),
            type=_read_as(_references, data.get("type")),
            stream=_stream(data),
            person=_read_as(_references, named.get("person")),
            body_sha256=hashlib.sha256(body).digest(),
            error=error,
        )


def _command(data: dict[str, Any]) -> Command:
    kind = data.get("type")
    if kind is None:
        raise MissingField("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise UnknownCommand(shown(str(kind), 64))
    try:
        return _TYPES[kind].model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Refused:
    """The first thing that is wrong, as a refusal that names the field."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = shown(".".join(map(str, first["loc"])))
    match first["type"]:
        case "missing":
            return MissingField(path)
        case "extra_forbidden" | "unexpected_keyword_argument":
            return UnknownField(path)
        case "money":
            return BadMoney(path, first["msg"])
        case _:
            return BadValue(path, shown(first["msg"]))


def shown(text: str, most: int = 200) -> str:
    """Text that nobody has checked yet, as a refusal may keep and a screen may show it."""
    return "".join(char if char.isprintable() else "?" for char in text[:most])


class _Inexact(str):
    """A number that is not exact: one with a fraction, or NaN."""

    __slots__ = ()


def _json_object(body: bytes) -> dict[str, Any]:
    if len(body) > COMMAND_BYTES_MAX:
        raise NotACommand(f"it is longer than {COMMAND_BYTES_MAX} bytes")
    try:
        data = json.loads(
            body.decode(),
            object_pairs_hook=_no_duplicates,
            parse_constant=_Inexact,
            parse_float=_Inexact,
        )
    except RecursionError:
        raise NotACommand("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise NotACommand("it is not UTF-8") from None
    except ValueError as error:
        raise NotACommand(f"it is not JSON: {str(error)[:80]}") from None
    if not isinstance(data, dict):
        raise NotACommand("it is not a JSON object")
    return cast("dict[str, Any]", data)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise NotACommand("a key appears twice in one object")
    return data


def _require_plain(value: Any, path: str, left: int) -> None:
    """No deep nesting, no inexact number and no half a character, anywhere."""
    if left == 0:
        raise NotACommand("it is nested too deeply")
    items = cast("Any", value).items() if isinstance(value, dict) else enumerate(value)
    for name, child in cast("Iterable[tuple[Any, Any]]", items):
        if not (_encodable(name) and _encodable(child)):
            raise BadValue(shown(f"{path}{name}"), "it holds half a character (a lone surrogate)")
        if isinstance(child, _Inexact):
            rule = f"{child[:24]} is no exact number; an amount is a decimal string"
            raise BadValue(shown(f"{path}{name}"), rule)
        if isinstance(child, dict | list):
            _require_plain(child, f"{path}{name}.", left - 1)


def _encodable(value: object) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_sender(data: dict[str, Any], sender: dict[str, str]) -> dict[str, Any]:
    """The command as the sender's: what it leaves out of its actor is filled in."""
    actor = data.get("actor", {})
    if not isinstance(actor, dict):
        return data
    named = cast("dict[str, Any]", actor)
    for part, vouched in sender.items():
        said = named.get(part)
        if isinstance(said, str) and said != vouched:
            raise ActorMismatch(named=shown(said, 64), sender=vouched)
    return {**data, "actor": {**sender, **named}}


def _stream(data: dict[str, Any]) -> str:
    for field, kind in (("claim", "claim"), ("person", "mandate")):
        named = _read_as(_references, data.get(field))
        if named:
            return f"{kind}-{named}"
    return ""


def _read_as(adapter: TypeAdapter[str], value: object) -> str:
    """The value if it is one, "" otherwise."""
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        return ""
