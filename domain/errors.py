"""Every way the ledger says no: what an error is made of, and the refusals of the door and the log.

The tree (codes are stable; those of the field are in `domain.refusals`)::

    LedgerError
    ├── Refused                 tell the caller: nothing was changed but the kept refusal
    │   ├── E1xx  the command itself      MissingField, UnknownField, BadValue, BadMoney, ...
    │   ├── E2xx  money and shares        EstimateBelowPaid, PaymentExceedsOutstanding, ...
    │   ├── E3xx  authority               AuthorityExceeded, SelfApproval, ...
    │   ├── E4xx  the state of the file   FileClosed, OfferNotOpen, ...
    │   ├── E5xx  dates                   FutureEffective, BackdatingWindowExceeded, ...
    │   ├── E6xx  concurrency, service    VersionConflict, StreamTooLong, StoreUnavailable, ...
    │   └── E7xx  asking twice, Kafka     CommandIdReused, BrokerDidNotAnswer, ...
    └── Unreadable              stop, do not guess: say where
        ├── E8xx  the log                 UnknownName, NameTooNew, DamagedFact, ...
        └── E9xx  replay                  CutoffNotFound, ChainBroken

Anything else that is raised is a bug and crashes.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast


class LedgerError(Exception):
    """A named error: its docstring is the message, its dataclass fields are the evidence."""

    code: ClassVar[str] = "E000"
    remedy: ClassVar[str] = ""
    where: ClassVar[str] = ""  # the command's field the rule is about, "" for the whole of it

    @property
    def field(self) -> str:
        """The field that was refused: where the class says, or where this one was found."""
        return str(getattr(self, "path", self.where))

    def evidence(self) -> dict[str, str]:
        """The facts that the refusal rests on, as text, by name."""
        own: Any = self  # every concrete error is a dataclass; this base is not
        return {f.name: _text(getattr(own, f.name)) for f in fields(own)}

    def __str__(self) -> str:
        rule = " ".join((type(self).__doc__ or "").split())
        return rule.format(**self.evidence())


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, cast("tuple[object, ...]", value)))
    return str(value)


class Refused(LedgerError):
    """The caller asked for something that the rules do not allow."""


class Unreadable(LedgerError):
    """Something stored, or something handed in as stored, cannot be read as it should."""


# --- E1xx: the command itself -------------------------------------------------------------------


@dataclass(eq=False)
class MissingField(Refused):
    """The field {path} is required and is not there."""

    code = "E101"
    remedy = "Add the field; the command's schema lists every field it takes."
    path: str


@dataclass(eq=False)
class BadValue(Refused):
    """The field {path} is refused: {rule}."""

    code = "E102"
    remedy = "Send a value that the rule allows."
    path: str
    rule: str


@dataclass(eq=False)
class BadMoney(Refused):
    """The field {path} is not an amount of money: {rule}."""

    code = "E103"
    remedy = (
        "Send a decimal string with its ISO 4217 currency, no more decimals than the currency has."
    )
    path: str
    rule: str


@dataclass(eq=False)
class CurrencyMismatch(Refused):
    """An amount in {found} cannot be used where {expected} is kept."""

    code = "E104"
    remedy = "Send the amount in the currency of the line, the offer or the mandate it is about."
    where = "currency"
    expected: str
    found: str


@dataclass(eq=False)
class DateOrder(Refused):
    """{path} {later} is before {earlier}, which it has to follow."""

    code = "E105"
    remedy = "Correct the dates: what follows cannot come first."
    path: str
    earlier: str
    later: str


@dataclass(eq=False)
class UnknownField(Refused):
    """The field {path} is not one that this command knows."""

    code = "E106"
    remedy = "Remove the field or correct its spelling."
    path: str


@dataclass(eq=False)
class UnknownCommand(Refused):
    """There is no command of the type {asked}."""

    code = "E107"
    remedy = "Use one of the command types that the schema lists."
    where = "type"
    asked: str


@dataclass(eq=False)
class NotACommand(Refused):
    """This is not one JSON object with the fields of a command: {rule}."""

    code = "E108"
    remedy = "Send one JSON object a line, UTF-8, without NaN, duplicate keys or deep nesting."
    rule: str


@dataclass(eq=False)
class ActorMismatch(Refused):
    """The command names {named} as its actor, but it was sent as {sender}."""

    code = "E109"
    remedy = "Leave the actor out, or send the command as the person it names."
    where = "actor"
    named: str
    sender: str


@dataclass(eq=False)
class SharesNotWhole(Refused):
    """Shares have to be above nothing and sum to exactly one; these sum to {total}."""

    code = "E205"
    remedy = "Give each party's share as an exact fraction, such as 1/3, so that all sum to 1."
    where = "parties"
    total: str


# --- E6xx and E7xx: concurrency, service, asking twice ------------------------------------------


@dataclass(eq=False)
class VersionConflict(Refused):
    """The file stands at version {actual}; the command expected version {expected}."""

    code = "E601"
    remedy = "Read the file again, look at what changed, and decide again."
    where = "expected_version"
    expected: int
    actual: int


@dataclass(eq=False)
class StreamTooLong(Refused):
    """The file {stream} holds {length} facts; {limit} is the most that one file may hold."""

    code = "E602"
    remedy = "Close the file and continue on a linked one, or ask why it grew so long."
    stream: str
    length: int
    limit: int


@dataclass(eq=False)
class StoreUnavailable(Refused):
    """The ledger's database did not answer, and nothing of this command is stored: {why}."""

    code = "E603"
    remedy = "Send the same command, with the same command_id, again later."
    why: str


@dataclass(eq=False)
class TooContended(Refused):
    """Other writers changed {stream} each of the {tries} times the command was judged."""

    code = "E604"
    remedy = "Send the same command, with the same command_id, again."
    stream: str
    tries: int


@dataclass(eq=False)
class CommandIdReused(Refused):
    """The command_id {command_id} was answered before, for a command with another body."""

    code = "E702"
    remedy = "Use a new command_id for a new command; repeat a command with its body unchanged."
    where = "command_id"
    command_id: str


# --- E8xx and E9xx: what is stored cannot be read -----------------------------------------------


@dataclass(eq=False)
class UnknownName(Unreadable):
    """Fact {version} of {stream} has the name {name}, which this program has never known."""

    code = "E801"
    remedy = "Run the program version that wrote it; nothing after this fact is read by guessing."
    stream: str
    version: int
    name: str


@dataclass(eq=False)
class NameTooNew(Unreadable):
    """Fact {version} of {stream} is a {name}; this program knows it up to version {known}."""

    code = "E802"
    remedy = "Upgrade this program before it reads on."
    stream: str
    version: int
    name: str
    known: int


@dataclass(eq=False)
class DamagedFact(Unreadable):
    """Fact {version} of {stream} cannot be read as a {name}: {why}."""

    code = "E803"
    remedy = "Verify the file and compare it with a backup; do not repair it in place."
    stream: str
    version: int
    name: str
    why: str


@dataclass(eq=False)
class CutoffNotFound(Unreadable):
    """The file {stream} has no {cutoff}."""

    code = "E901"
    remedy = "Ask for a coordinate that the file's history has."
    stream: str
    cutoff: str


@dataclass(eq=False)
class ChainBroken(Unreadable):
    """The chain of {stream} breaks at fact {version}: {why}."""

    code = "E902"
    remedy = "Treat the file as altered: keep it as it is, and compare it with a backup."
    stream: str
    version: int
    why: str
