"""Which applications send commands, and what each of them may ask: a table by hand.

An application speaks on a topic of its own, which only it may write: the topic, and nothing that a
message says of itself, tells who asks.
"""

from dataclasses import dataclass
from enum import StrEnum

from commands.door import command_types
from commands.parts import Command
from domain.errors import Refused

SENT = "source_system"


class Source(StrEnum):
    """An application that sends commands."""

    CORE_ADMINISTRATION = "core-administration"  # members, policies, and who handles what
    CRM = "crm"  # what members and claimants say and are told
    MAILROOM = "mailroom"  # letters and documents that came in
    TELEPHONY = "telephony"  # calls, of which some open a file
    BANK = "bank"  # the bank and the general ledger: money that left, came back, or bounced
    DESK = "desk"  # the ledger's own front ends, where people decide


_OFFERS_BY_POST = {
    *("receive-offer", "accept-offer", "reject-offer", "withdraw-offer", "lapse-offer"),
}
MAY_SEND: dict[Source, frozenset[str]] = {
    Source.CORE_ADMINISTRATION: frozenset(
        {"notify-matter", "allocate-claim", "change-handler", "reach-stage"}
    ),
    Source.CRM: frozenset({"notify-matter", "change-handler", "escalate"}),
    Source.MAILROOM: frozenset({"notify-matter", "reach-stage", *_OFFERS_BY_POST}),
    Source.TELEPHONY: frozenset({"notify-matter"}),
    Source.BANK: frozenset({"issue-payment", "void-payment", "receive-recovery"}),
    Source.DESK: frozenset(command_types()),
}


@dataclass(eq=False)
class UnknownSource(Refused):
    """There is no application of the name {source} that sends commands."""

    code = "E710"
    remedy = "Use the topic of one of the applications that the documentation lists."
    source: str


@dataclass(eq=False)
class NotOfSource(Refused):
    """The application {source} may not send the command {command}."""

    code = "E706"
    remedy = "Send the command from the application whose business it is."
    where = "type"
    source: str
    command: str


@dataclass(eq=False)
class OtherSource(Refused):
    """The command says that it comes from {named}, but it came on the topic of {source}."""

    code = "E707"
    remedy = "Leave source_system out, or send on the topic of the application that it names."
    where = SENT
    source: str
    named: str


def source_named(name: str) -> Source:
    """The application of this name. Raises `UnknownSource`."""
    try:
        return Source(name)
    except ValueError:
        raise UnknownSource(name[:64]) from None


def require_may_send(source: Source, kind: str, command: Command) -> None:
    """The command is of the application's own business, and does not name another one.

    Raises `NotOfSource` or `OtherSource`.
    """
    if kind not in MAY_SEND[source]:
        raise NotOfSource(source, kind)
    if command.source_system not in ("", source):
        raise OtherSource(source, command.source_system)
