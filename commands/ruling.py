"""What judging a command comes to: facts, the authority they need, and what they correct."""

from datetime import date
from typing import Any

from commands.file import Decided
from domain.money import Money
from domain.terms import Decision
from domain.value import Value


class Ask(Value, frozen=True):
    """The authority that facts need: a decision, the damages measured, the terms' digest."""

    decision: Decision
    measured: Money
    terms_digest: str = ""


class Ruling(Value, frozen=True):
    """What a command comes to; `asks` is None where no mandate is needed."""

    decided: tuple[Decided, ...]
    asks: Ask | None = None
    corrects: int | None = None
    voids: int | None = None

    @property
    def rewrites(self) -> bool:
        """It changes what is held to have been true before."""
        return self.corrects is not None or self.voids is not None


def ruling(facts: list[Any], on: date, asks: Ask | None = None) -> Ruling:
    """The common case: facts of one day."""
    return Ruling(tuple(Decided(fact, on) for fact in facts), asks)
