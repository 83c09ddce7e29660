"""A scribe writes down what the real decisions decide, the way the ledger does, without a store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from domain import authority
from domain.authority import Holding
from domain.claim import Claim, Fact, evolve
from domain.claim.correction import (
    Correctable,
    FactVoided,
    require_correctable,
    require_voidable,
)
from domain.claim.soundness import require_after_incident, require_sound
from domain.dating import RULES, require_not_future, require_within_window
from domain.envelope import NOT_NEEDED, Actor, Envelope, Judgement, Recorded, recorded_day
from domain.history import Coordinate, fold, in_order, latest_day, standing
from domain.mandate import Limit, Mandate
from domain.money import Money
from domain.schema import chain_start, digest, to_stored
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Role, Stage
from domain.value import replace

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

ANN = Actor("ann", Role.NEGOTIATOR, "dental-1")
BOB = Actor("bob", Role.CASE_MANAGER, "dental-1")
CAT = Actor("cat", Role.PATHWAY_LEAD)
PEOPLE = (ANN, BOB, CAT)


@dataclass
class Clock:
    """A clock that moves when it is told to; it also numbers what is written by it."""

    now: datetime = START
    position: int = 0

    @property
    def today(self) -> date:
        return recorded_day(self.now)

    def wait(self, **how_long: int) -> None:
        self.now += timedelta(**how_long)


@dataclass
class Scribe:
    """One file in the making: its records so far, and the file as they tell it."""

    stream: str
    clock: Clock
    records: list[Recorded[Fact]] = field(default_factory=list[Recorded[Fact]])
    claim: Claim = field(default_factory=Claim)

    @property
    def today(self) -> date:
        return self.clock.today

    def write(
        self,
        decide: Callable[[Claim], Sequence[Fact]],
        on: date,
        actor: Actor = ANN,
        judgement: Judgement = NOT_NEEDED,
    ) -> None:
        """Record what a decision comes to, or refuse it for its dates as the ledger does.

        A decision that is dated before others has to have been possible on its day as well.
        """
        facts = decide(self.claim)
        require_not_future(on, self.today)
        for fact in facts[:1]:
            require_after_incident(self.claim, on)
            require_within_window(fact, on, self.today)
        latest = latest_day(self.records)
        if latest is not None and on < latest:
            decide(fold(self.records, evolve, Claim(), Coordinate(as_of=on)))
        self._add(facts, replace(self.envelope(on, actor), judgement=judgement))

    def correct(self, version: int, new: Correctable, on: date) -> None:
        """Put a new payload in the place of the fact that stands at a version."""
        require_correctable(version, self._standing(version).fact, new)
        require_not_future(on, self.today)
        self._add([new], replace(self.envelope(on, CAT), corrects=version))

    def void(self, version: int) -> None:
        """Take the fact out that stands at a version; the void is dated as what it takes out."""
        old = self._standing(version)
        require_voidable(version, old.fact)
        on = old.envelope.effective_on
        self._add([FactVoided("mistaken")], replace(self.envelope(on, CAT), voids=version))

    def _standing(self, version: int) -> Recorded[Fact]:
        return next(record for slot, record in standing(self.records) if slot == version)

    def _add(self, facts: Sequence[Fact], envelope: Envelope) -> None:
        new = self._recorded(facts, envelope)
        latest = latest_day(self.records)
        if all(in_order(record, latest) for record in new):
            for record in new:
                self.claim = evolve(self.claim, record.fact, record.envelope.effective_on)
        else:
            require_sound([*self.records, *new])
            self.claim = fold([*self.records, *new], evolve, Claim())
        self.records += new
        self.clock.position += len(new)

    def envelope(self, on: date, actor: Actor) -> Envelope:
        """The envelope that the next fact follows on: its version is the last one's."""
        return Envelope(
            stream=self.stream,
            version=len(self.records),
            recorded_at=self.clock.now,
            effective_on=on,
            actor=actor,
            command_id=f"command-{self.clock.position + 1}",
            previous=self.records[-1].digest if self.records else chain_start(self.stream),
            jurisdiction=Jurisdiction.ENGLAND_WALES.value,
            ruleset=RULES,
        )

    def _recorded(self, facts: Sequence[Fact], envelope: Envelope) -> list[Recorded[Fact]]:
        records: list[Recorded[Fact]] = []
        for number, fact in enumerate(facts, start=1):
            envelope = replace(envelope, version=envelope.version + 1)
            _, stored = to_stored(Recorded(envelope, fact))
            position = self.clock.position + number
            records.append(Recorded(envelope, fact, stored, position))
            envelope = replace(envelope, previous=digest(stored))
        return records


def limit(
    maximum: int,
    decision: Decision = Decision.OFFER,
    currency: str = "GBP",
    pathways: tuple[Pathway, ...] = tuple(Pathway),
    jurisdictions: tuple[Jurisdiction, ...] = tuple(Jurisdiction),
    stages: tuple[Stage, ...] = tuple(Stage),
) -> Limit:
    """A limit, everywhere unless told otherwise; `maximum` in minor units."""
    return Limit(decision, Money(maximum, currency), pathways, jurisdictions, stages)


def holding(person: str, *limits: Limit, role: Role = Role.CASE_MANAGER) -> Holding:
    """A person's mandate in force since long ago."""
    attested = {
        Attestor.HOLDER: person,
        Attestor.LINE_MANAGER: "manager",
        Attestor.HEAD_OF_DEPARTMENT: "head",
    }
    mandate = Mandate(
        holder=person,
        role=role,
        limits=limits,
        valid_from=date(2020, 1, 1),
        attested=attested,
    )
    return Holding(person, mandate, version=4)


def judged(scribe: Scribe, actor: Actor, decision: Decision, measured: Money) -> Judgement:
    """The judgement of somebody whose mandate reaches far, delegated by somebody above."""
    far = limit(10**12, decision, measured.currency)
    chain = [holding(actor.person, far), holding("director", far)]
    scope = authority.scope_of(scribe.claim)
    return authority.judge(chain, decision, measured, scope, scribe.today)
