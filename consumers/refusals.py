"""How a message is refused: what of it is missing, wrong, too new, or against its own body."""

from dataclasses import dataclass

from domain.errors import Refused


@dataclass(eq=False)
class MissingHeader(Refused):
    """The header {path} is required and is not there."""

    code = "E700"
    remedy = "Send CloudEvents 1.0 in binary mode, with every header that the contract requires."
    path: str


@dataclass(eq=False)
class BadHeader(Refused):
    """The header {path} is refused: {rule}."""

    code = "E701"
    remedy = "Send the header once, as UTF-8, with a value that the rule allows."
    path: str
    rule: str


@dataclass(eq=False)
class UnknownMessageType(Refused):
    """The type of the message is {found}; what is read here has the type {expected}."""

    code = "E703"
    remedy = "Send the message to the topic of its type, and spell the type as the contract does."
    where = "ce_type"
    found: str
    expected: str


@dataclass(eq=False)
class MessageTooNew(Refused):
    """The message is a {found}; this program knows it up to version {known}."""

    code = "E704"
    remedy = "Upgrade this program and send it again, or send the version that is known."
    where = "ce_type"
    found: str
    known: int


@dataclass(eq=False)
class EnvelopeMismatch(Refused):
    """Around the message {path} says {found}, and its body comes to {expected}."""

    code = "E705"
    remedy = "Make the message again from its body: the key, the headers and the body agree."
    path: str
    found: str
    expected: str


@dataclass(eq=False)
class NotAMessage(Refused):
    """The body of the message is not what its type says: {rule}."""

    code = "E708"
    remedy = "Compare the message with the contract of its type, and with the log."
    rule: str


@dataclass(eq=False)
class NotSent(Refused):
    """What leaves for a message is not stored in Kafka: {why}."""

    code = "E711"
    remedy = "Look at the broker and the rights on its topics; it is sent again until it is stored."
    why: str
