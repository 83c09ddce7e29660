"""The envelope says the rest of a fact: who, when recorded, when true, by which authority, why.

Source: the event envelope of the ledger's model. One place, not one set of fields an event.
"""

import hashlib
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from domain.money import Money
from domain.terms import Decision, Role
from domain.value import Value


# What says nothing is not stored: most facts leave most of an envelope as it is.
class Actor(Value, frozen=True, omit_defaults=True):
    """Who acts: a person's reference (never a name), in which role, for which team."""

    person: str
    role: Role
    team: str = ""


class Grounds(StrEnum):
    """On what the authority for a decision rests."""

    NOT_NEEDED = "not_needed"
    MANDATE = "mandate"
    APPROVAL = "approval"
    SOURCE = "source"  # imported: judged by the system it was made in


class Judgement(Value, frozen=True, omit_defaults=True):
    """How authority was judged, kept with the fact so that it can be judged again.

    `measured` is the damages that the decision would commit the file to, cumulatively; `headroom`
    is limit - measured. `mandate_version` is the version of the holder's mandate stream, and
    `delegators` names each mandate above it with its version, nearest first.
    """

    grounds: Grounds
    decision: Decision | None = None
    measured: Money | None = None
    limit: Money | None = None
    headroom: Money | None = None
    person: str = ""
    mandate_version: int = 0
    delegators: tuple[tuple[str, int], ...] = ()
    approval: str = ""


NOT_NEEDED = Judgement(Grounds.NOT_NEEDED)
BY_SOURCE = Judgement(Grounds.SOURCE)


class DataClass(StrEnum):
    """How personal the content of a fact is."""

    ORDINARY = "ordinary"
    PERSONAL = "personal"
    CLINICAL = "clinical"


class Privilege(StrEnum):
    """Whether a fact may be shown to an opponent or a court, and if not, why."""

    NONE = "none"
    LEGAL_ADVICE = "legal_advice"
    LITIGATION = "litigation"
    WITHOUT_PREJUDICE = "without_prejudice"
    WPSATC = "wpsatc"  # without prejudice save as to costs


class Labels(Value, frozen=True, omit_defaults=True):
    """Who may see a fact: data class and privilege."""

    data_class: DataClass = DataClass.ORDINARY
    privilege: Privilege = Privilege.NONE


class Evidence(Value, frozen=True):
    """A document that a decision rests on, by its id and the SHA-256 (hex) of its bytes."""

    doc_id: str
    sha256: str
    kind: str


class Imported(Value, frozen=True):
    """Where an imported fact came from: the source's name and the row (1 = first after header)."""

    source: str
    row: int


class Cause(Value, frozen=True):
    """What all facts of one command share: who asked, why, and on what authority."""

    command_id: str
    actor: Actor
    effective_on: date
    rationale: str = ""
    reason_code: str = ""
    on_behalf_of: str = ""
    source_system: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    evidence: tuple[Evidence, ...] = ()


class Envelope(Value, frozen=True, omit_defaults=True):
    """Everything about a recorded fact that is not the fact itself.

    `stream` and `version` (1..n without a gap) identify the fact for ever. `recorded_at` (UTC) is
    the store's clock and never runs backwards within a stream; `effective_on` is when it was true
    in the world. `previous` is the SHA-256 (hex) of the stored bytes of the fact before it in its
    stream; the first fact carries the SHA-256 of the stream's name. `corrects` and `voids` name
    an earlier version of the same stream.
    """

    stream: str
    version: int
    recorded_at: datetime
    effective_on: date
    actor: Actor
    command_id: str
    previous: str
    judgement: Judgement = NOT_NEEDED
    jurisdiction: str = ""
    ruleset: str = ""
    rationale: str = ""
    reason_code: str = ""
    on_behalf_of: str = ""
    source_system: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    evidence: tuple[Evidence, ...] = ()
    labels: Labels = Labels()
    corrects: int | None = None
    voids: int | None = None
    imported: Imported | None = None


F = TypeVar("F")


class Recorded(Value, Generic[F], frozen=True):
    """A fact as recorded: its envelope, itself, the bytes it is stored in and its place in the log.

    `position` is 0 for a fact that is decided and not yet stored, and `stored` is empty for one
    that is only imagined.
    """

    envelope: Envelope
    fact: F
    stored: bytes = b""
    position: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its bytes, "" without any; worked out when asked for, as most readers
        never do.
        """
        return hashlib.sha256(self.stored).hexdigest() if self.stored else ""


def recorded_day(moment: datetime) -> date:
    """The day (UTC) on which something was recorded."""
    return moment.astimezone(UTC).date()
