"""Correction and void: an earlier fact is named, never edited, and both stay in the history.

A correction is recorded as the same kind of fact with a full new payload and an envelope that
names the version it corrects; it takes the place of that fact in every later reading. A void
takes the fact out. Facts that others rest on are undone by their own commands instead.
"""

from domain.claim.lifecycle import ClaimNotified, HandlerChanged, StrategySet
from domain.claim.reserves import (
    EstimateSet,
    RecoveryReceived,
    require_estimate,
    require_recovery,
)
from domain.refusals.state import NotCorrectable
from domain.value import Value

Correctable = ClaimNotified | HandlerChanged | StrategySet | EstimateSet | RecoveryReceived
CORRECTABLE = (ClaimNotified, HandlerChanged, StrategySet, EstimateSet, RecoveryReceived)
VOIDABLE = (HandlerChanged, StrategySet, EstimateSet, RecoveryReceived)


class FactVoided(Value, frozen=True):
    """The fact that the envelope names is taken out."""

    why: str


def require_correctable(version: int, old: object, new: Correctable) -> None:
    """The fact may be corrected, by a valid one of its own kind that keeps its identity."""
    name = type(old).__name__
    if not isinstance(old, CORRECTABLE):
        raise NotCorrectable(version, name, "corrected", "other facts rest on it")
    if type(new) is not type(old):
        raise NotCorrectable(version, name, "corrected", f"by a {type(new).__name__}")
    why = _lost_identity(old, new)
    if why:
        raise NotCorrectable(version, name, "corrected", why)
    match new:
        case EstimateSet():
            require_estimate(new)
        case RecoveryReceived():
            require_recovery(new)
        case _:
            pass


def _lost_identity(old: object, new: Correctable) -> str:
    """What of the fact's identity the new payload would lose, "" if nothing."""
    match old, new:
        case RecoveryReceived(), RecoveryReceived() if old.recovery_id != new.recovery_id:
            return "its recovery_id is its identity"
        case RecoveryReceived(), RecoveryReceived() if old.line != new.line:
            return "its line is its identity: void it and book the other"
        case EstimateSet(), EstimateSet() if old.line != new.line:
            return "its line is its identity: void it and set the other"
        case ClaimNotified(), ClaimNotified() if old.currency != new.currency:
            return "its currency is what its money is counted in"
        case _:
            return ""


def require_voidable(version: int, old: object) -> None:
    """The fact may be taken out."""
    if not isinstance(old, VOIDABLE):
        name = type(old).__name__
        raise NotCorrectable(version, name, "voided", "other facts rest on it")
