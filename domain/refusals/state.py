"""What the state of a file refuses: E4xx."""

from dataclasses import dataclass
from datetime import date

from domain.errors import Refused


@dataclass(eq=False)
class IllegalTransition(Refused):
    """{what} is {state}; it cannot be {asked}."""

    code = "E401"
    remedy = "Look at the file's history: what was asked does not follow from where it stands."
    what: str
    state: str
    asked: str


@dataclass(eq=False)
class FileClosed(Refused):
    """The file was closed on {closed_on}."""

    code = "E402"
    remedy = "Reopen the file, with a fresh estimate, first."
    where = "claim"
    closed_on: date


@dataclass(eq=False)
class OfferNotOpen(Refused):
    """Offer {offer_id} is {state} and cannot be {asked}."""

    code = "E404"
    remedy = "Look at the offer's state; make or record a new offer."
    where = "offer_id"
    offer_id: str
    state: str
    asked: str


@dataclass(eq=False)
class UnknownClaim(Refused):
    """There is no file {claim} on this ledger."""

    code = "E410"
    remedy = "Check the reference, or notify the matter first."
    where = "claim"
    claim: str


@dataclass(eq=False)
class ClaimAlreadyNotified(Refused):
    """The file {claim} is already on this ledger."""

    code = "E411"
    remedy = "Use the file as it is, or notify the matter under another reference."
    where = "claim"
    claim: str


@dataclass(eq=False)
class UnknownReference(Refused):
    """The file has no {what} {reference}."""

    code = "E412"
    remedy = "Name one that the file's history has."
    where = "reference"
    what: str
    reference: str


@dataclass(eq=False)
class ReferenceTaken(Refused):
    """The file already has a {what} {reference}."""

    code = "E413"
    remedy = "Use a new reference for a new one."
    where = "reference"
    what: str
    reference: str


@dataclass(eq=False)
class NoStrategy(Refused):
    """An offer needs a strategy first, and the file has none."""

    code = "E414"
    remedy = "Set the strategy of the file."


@dataclass(eq=False)
class NotAllocated(Refused):
    """The file has not been allocated to a pathway and a handler."""

    code = "E415"
    remedy = "Allocate the file first."


@dataclass(eq=False)
class NotCorrectable(Refused):
    """Fact {version} is a {name} and cannot be {asked}: {why}."""

    code = "E416"
    remedy = "Record what happened since as its own command; the history keeps both."
    where = "version"
    version: int
    name: str
    asked: str
    why: str


@dataclass(eq=False)
class CorrectionBreaksFile(Refused):
    """With this change the file would not have been possible on {on}: {rule}."""

    code = "E417"
    remedy = "Correct or void first what depends on it, in the order that keeps the file whole."
    on: date
    rule: str


@dataclass(eq=False)
class FreshEstimateMissing(Refused):
    """A file is reopened with a fresh estimate, and none is above what was paid."""

    code = "E418"
    remedy = "Give the estimate of at least one line, above what was paid on it."
    where = "estimates"
