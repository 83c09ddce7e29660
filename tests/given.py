"""The language of stories: `given(facts).when(decision).then(facts)`, or `.refused(Refusal)`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Generic, TypeVar

from domain import claim as claims
from domain import mandate as mandates
from domain.claim import Claim
from domain.errors import Refused
from domain.mandate import Mandate
from tests.facts import DAY

S = TypeVar("S")


@dataclass(frozen=True)
class Outcome(Generic[S]):
    """What a decision came to: facts, or a refusal."""

    facts: Sequence[object]
    refusal: Refused | None

    def then(self, *expected: object) -> None:
        """Exactly these facts were decided."""
        assert self.refusal is None, f"{self.refusal!r}"
        assert list(self.facts) == list(expected)

    def then_nothing(self) -> None:
        """It was lawful, and changed nothing."""
        self.then()

    def refused(self, kind: type[Refused], **evidence: object) -> None:
        """It was refused by this name, resting on this evidence."""
        assert self.refusal is not None, f"it was not refused: {self.facts}"
        assert type(self.refusal) is kind, f"{self.refusal!r}"
        kept = {name: getattr(self.refusal, name) for name in evidence}
        assert kept == evidence
        assert str(self.refusal)
        assert {field.name for field in fields(kind)} == set(self.refusal.evidence())  # type: ignore[arg-type]  # every refusal is a dataclass


@dataclass(frozen=True)
class Given(Generic[S]):
    """What is so: a state that facts have told."""

    state: S

    def when(self, decide: Callable[[S], Sequence[object]]) -> Outcome[S]:
        """Something is asked."""
        try:
            return Outcome(decide(self.state), None)
        except Refused as refusal:
            return Outcome((), refusal)


def given(*facts: claims.Fact, on: date = DAY) -> Given[Claim]:
    """A file of which these facts are known, all of one day."""
    return Given(claims.evolve_all(Claim(), facts, on))


def given_mandate(*facts: mandates.Fact, on: date = DAY) -> Given[Mandate]:
    """A mandate of which these facts are known."""
    state = Mandate()
    for fact in facts:
        state = mandates.evolve(state, fact, on)
    return Given(state)
