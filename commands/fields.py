"""The fields that commands are made of: bounded, exact, and refused by name when they are not."""

import re
import unicodedata
from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from domain.errors import BadMoney
from domain.money import Money
from domain.terms import Basis, CostType, Head, Line, Role

TEXT_CHARS_MAX = 4_000  # a rationale; longer documents are evidence, named by their digest
LONG_TEXT_CHARS_MAX = 8_000  # allegations
ITEMS_MAX = 100  # lines of one estimate, steps of one strategy, parties, evidence
EARLIEST_DAY = date(1900, 1, 1)  # nothing on a living file is older
LATEST_DAY = date(2200, 1, 1)
VERSION_MAX = 1_000_000  # far beyond what one stream holds
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _clean(text: str) -> str:
    """Refuse characters that no document has: NUL, lone surrogates, other controls."""
    if text.isprintable():
        return text
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs", "Cn") and char not in "\n\t":
            raise PydanticCustomError("text", "it holds a control character or half a character")
    return text


def _reference(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise PydanticCustomError("reference", "printable characters, no space at either end")
    return text


def _money(value: Any) -> Money:
    if isinstance(value, Money):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("money", 'an object such as {"amount":"1.00","currency":"GBP"}')
    amount, currency = value.get("amount"), value.get("currency")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - outside data
    if set(value) != {"amount", "currency"}:  # pyright: ignore[reportUnknownArgumentType] - outside data
        raise PydanticCustomError("money", "exactly amount and currency")
    if not isinstance(amount, str) or not isinstance(currency, str):
        raise PydanticCustomError("money", "the amount is a decimal string, never a number")
    try:
        return Money.parse(amount, currency)
    except BadMoney as error:
        raise PydanticCustomError("money", "{rule}", {"rule": error.rule}) from None


def _wire_money(money: Money) -> dict[str, str]:
    return {"amount": money.decimal(), "currency": money.currency}


def _share(value: Any) -> Fraction:
    if isinstance(value, Fraction):
        return value
    parts = value.split("/") if isinstance(value, str) and len(value) <= 40 else []
    if len(parts) in (1, 2) and all(part.isascii() and part.isdigit() for part in parts):
        numbers = [int(part) for part in parts]
        if all(numbers):
            return Fraction(*numbers)
    raise PydanticCustomError("share", 'an exact fraction such as "1/3"')


def _iso(value: Any) -> Any:
    """A text as a day: only in ISO form, never as a number of seconds."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value if _ISO_DAY.fullmatch(value) else "")
    except ValueError:
        raise PydanticCustomError("day", "a day such as 2026-03-02") from None


def _day(value: date) -> date:
    if not EARLIEST_DAY <= value <= LATEST_DAY:
        raise PydanticCustomError("day", "a day between 1900 and 2200")
    return value


_MONEY_SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,3})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}

Text = Annotated[str, StringConstraints(max_length=TEXT_CHARS_MAX), AfterValidator(_clean)]
Said = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(_clean)
]
LongText = Annotated[str, StringConstraints(max_length=LONG_TEXT_CHARS_MAX), AfterValidator(_clean)]
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=64), AfterValidator(_reference)
]
Maybe = Annotated[str, StringConstraints(max_length=64), AfterValidator(_reference)]
CommandId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Day = Annotated[date, BeforeValidator(_iso), AfterValidator(_day)]
Amount = Annotated[
    Money,
    PlainValidator(_money),
    PlainSerializer(_wire_money),
    WithJsonSchema(_MONEY_SCHEMA),
]
Share = Annotated[
    Fraction,
    BeforeValidator(_share),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(/\d+)?$"}),
]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Days = Annotated[int, Field(ge=0, le=3_650)]


class Part(BaseModel):
    """A part of a command: frozen, closed, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LineIn(Part):
    """A reserve line, field by field."""

    cost_type: CostType
    currency: str
    head: Head | None = None
    basis: Basis = Basis.GROSS


def _line(value: Any, read: ValidatorFunctionWrapHandler) -> Line:
    if isinstance(value, Line):
        return value
    part: LineIn = read(value)
    return Line(part.cost_type, part.currency, part.head, part.basis)


def _wire_line(line: Line) -> dict[str, str]:
    """Without what a sender may leave out, as the rest of a command is told."""
    head = {"head": line.head.value} if line.head else {}
    basis = {"basis": line.basis.value} if line.basis is not Basis.GROSS else {}
    return {"cost_type": line.cost_type.value, "currency": line.currency, **head, **basis}


ReserveLine = Annotated[
    Line,
    GetPydanticSchema(lambda _, handler: handler.generate_schema(LineIn)),
    WrapValidator(_line),
    PlainSerializer(_wire_line),
]


class ActorIn(Part):
    """Who asks."""

    person: Reference
    role: Role
    team: Maybe = ""


class EvidenceIn(Part):
    """A document the decision rests on."""

    doc_id: Reference
    sha256: Sha256
    kind: Reference
