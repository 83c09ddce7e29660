"""Names on disk: what each stored fact is called, with its version, and how its bytes are read.

The names are promises, written by hand. A fact's shape changes by a new version and an upcast in
`UPCASTS`; a released version is never edited, and a stored sample of each is read by a test.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC
from fractions import Fraction
from typing import Any, Generic, TypeVar

from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

from domain import claim, mandate
from domain.claim import (
    apportionment,
    escalation,
    lifecycle,
    offers,
    payments,
    reserves,
    settlement,
)
from domain.claim.correction import FactVoided
from domain.envelope import Envelope, Recorded
from domain.errors import DamagedFact, NameTooNew, Refused, UnknownName, Unreadable
from domain.refusal_log import CommandRefused
from domain.value import Value

F = TypeVar("F")
Fact = claim.Fact | mandate.Fact | CommandRefused

NAMES: dict[str, type[Fact]] = {
    "claim-notified.1": lifecycle.ClaimNotified,
    "claim-allocated.1": lifecycle.ClaimAllocated,
    "handler-changed.1": lifecycle.HandlerChanged,
    "strategy-set.1": lifecycle.StrategySet,
    "stage-reached.1": lifecycle.StageReached,
    "claim-closed.1": lifecycle.ClaimClosed,
    "claim-reopened.1": lifecycle.ClaimReopened,
    "estimate-set.1": reserves.EstimateSet,
    "recovery-received.1": reserves.RecoveryReceived,
    "payment-requested.1": payments.PaymentRequested,
    "payment-approved.1": payments.PaymentApproved,
    "payment-rejected.1": payments.PaymentRejected,
    "payment-issued.1": payments.PaymentIssued,
    "payment-voided.1": payments.PaymentVoided,
    "offer-made.1": offers.OfferMade,
    "offer-received.1": offers.OfferReceived,
    "offer-accepted.1": offers.OfferAccepted,
    "offer-rejected.1": offers.OfferRejected,
    "offer-withdrawn.1": offers.OfferWithdrawn,
    "offer-lapsed.1": offers.OfferLapsed,
    "offer-superseded.1": offers.OfferSuperseded,
    "settlement-agreed.1": settlement.SettlementAgreed,
    "apportionment-proposed.1": apportionment.ApportionmentProposed,
    "apportionment-agreed.1": apportionment.ApportionmentAgreed,
    "apportionment-rejected.1": apportionment.ApportionmentRejected,
    "escalated.1": escalation.Escalated,
    "escalation-decided.1": escalation.EscalationDecided,
    "escalation-withdrawn.1": escalation.EscalationWithdrawn,
    "approval-consumed.1": escalation.ApprovalConsumed,
    "fact-voided.1": FactVoided,
    "mandate-granted.1": mandate.MandateGranted,
    "mandate-attested.1": mandate.MandateAttested,
    "mandate-amended.1": mandate.MandateAmended,
    "mandate-suspended.1": mandate.MandateSuspended,
    "mandate-restored.1": mandate.MandateRestored,
    "mandate-revoked.1": mandate.MandateRevoked,
    "command-refused.1": CommandRefused,
}
# From a released name to the next version's name and the change of its payload: empty so far.
UPCASTS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

NAME_OF = {kind: name for name, kind in NAMES.items()}
_NEWEST = {name.rpartition(".")[0]: int(name.rpartition(".")[2]) for name in NAMES}


class _Stored(Value, Generic[F], frozen=True):
    """What the bytes of a stored fact hold; the name is in them so that the chain covers it."""

    name: str
    envelope: Envelope
    fact: F


def _told(value: object) -> str:
    """How a value is written that JSON has no form for."""
    if isinstance(value, Fraction):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no stored form")


def _read_back(kind: type[Any], value: object) -> Any:
    """Read what `_told` wrote."""
    if kind is Fraction and type(value) is str:
        if not _FRACTION.fullmatch(value):
            raise ValueError("it is no fraction")
        return Fraction(value)
    raise TypeError(f"{kind.__name__} is not read from {type(value).__name__}")


# As `_told` writes it, no longer than a command may say it: Python would also read "1e30000000".
_FRACTION = re.compile(r"-?\d{1,40}(/[1-9]\d{0,39})?", re.ASCII)
_VALUE_SHOWN = re.compile(r"^(Invalid enum value) .*( - at )", re.DOTALL)
_write = Encoder(enc_hook=_told).encode
_read: dict[str, Callable[[bytes], _Stored[Any]]] = {
    name: Decoder(_Stored[kind], dec_hook=_read_back).decode  # type: ignore[valid-type]  # one reader for each name
    for name, kind in NAMES.items()
}


def digest(stored: bytes) -> str:
    """SHA-256 (hex) of bytes as stored."""
    return hashlib.sha256(stored).hexdigest()


def chain_start(stream: str) -> str:
    """What the first fact of a stream carries as its predecessor's digest."""
    return digest(stream.encode())


def to_stored(record: Recorded[Any]) -> tuple[str, bytes]:
    """The name and the bytes under which a fact is stored; the bytes are what the chain covers."""
    name = NAME_OF[type(record.fact)]
    return name, _write(_Stored(name, record.envelope, record.fact))


def from_stored(
    stream: str, version: int, name: str, stored: bytes, position: int = 0
) -> Recorded[Any]:
    """Read a stored fact, upcast to today's shape.

    Raises `UnknownName`, `NameTooNew` or `DamagedFact`, each saying where: a reader stops there.
    """
    newest, current, reader = name, stored, _read.get(name)
    try:
        if reader is None:
            newest, current = _upcast(stream, version, name, stored)
            reader = _read[newest]
        whole = reader(current)
    except (DecodeError, Refused, ValueError, KeyError, TypeError) as error:
        raise DamagedFact(stream, version, name, _without_content(error)) from error
    envelope = whole.envelope
    if whole.name != newest or envelope.stream != stream or envelope.version != version:
        told = (whole.name, envelope.stream, envelope.version)
        raise DamagedFact(stream, version, name, f"its bytes say it is {told}")
    if envelope.recorded_at.tzinfo is not UTC:
        raise DamagedFact(stream, version, name, "recorded_at is not in UTC")
    return Recorded(envelope, whole.fact, stored, position)


def _upcast(stream: str, version: int, name: str, stored: bytes) -> tuple[str, bytes]:
    """Bring an older version's bytes to the newest, step by step."""
    if name not in UPCASTS:
        raise _unknown(stream, version, name)
    whole: dict[str, Any] = json.loads(stored)
    while name in UPCASTS:
        name, change = UPCASTS[name]
        payload: dict[str, Any] = whole["fact"]
        whole = {**whole, "name": name, "fact": change(payload)}
    return name, json.dumps(whole).encode()


def _unknown(stream: str, version: int, name: str) -> Unreadable:
    known, _, number = name.rpartition(".")
    if known in _NEWEST and number.isdecimal() and int(number[:9]) > _NEWEST[known]:
        return NameTooNew(stream, version, name, _NEWEST[known])
    return UnknownName(stream, version, name)


def _without_content(error: Exception) -> str:
    """What was wrong, and where if that is known, without what was stored there."""
    if isinstance(error, DecodeError):
        return _VALUE_SHOWN.sub(r"\1\2", str(error))
    return type(error).__name__


def plain(value: Value | None) -> Any:
    """A fact or a part of one as JSON data, for people and reports."""
    return json.loads(_write(value))
