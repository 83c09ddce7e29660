"""The life of a file: notified, allocated, handled, staged, closed, reopened."""

from datetime import date
from enum import StrEnum
from typing import assert_never

from domain.errors import DateOrder
from domain.refusals.state import (
    ClaimAlreadyNotified,
    FileClosed,
    IllegalTransition,
    NotAllocated,
    UnknownClaim,
)
from domain.terms import ClosureCode, Jurisdiction, MatterType, Pathway, Stage
from domain.value import Value, replace


class ClaimNotified(Value, frozen=True):
    """A matter came in. `member` and `claimant` are references to parties, never names."""

    matter_type: MatterType
    jurisdiction: Jurisdiction
    currency: str
    event_date: date
    notified_on: date
    member: str = ""
    claimant: str = ""
    pathway_hint: Pathway | None = None
    allegations: str = ""


class ClaimAllocated(Value, frozen=True):
    """The file went to a pathway team and a handler."""

    pathway: Pathway
    team: str
    handler: str


class HandlerChanged(Value, frozen=True):
    """Another person handles the file."""

    previous: str
    handler: str
    team: str


class StrategySet(Value, frozen=True):
    """How the file is to be resolved, and when that is looked at again."""

    objective: str
    next_steps: tuple[str, ...]
    review_on: date


class StageReached(Value, frozen=True):
    """The matter came to a further stage of its course."""

    previous: Stage
    stage: Stage


class ClaimClosed(Value, frozen=True):
    """The file ended."""

    closure: ClosureCode
    outcome: str


class ClaimReopened(Value, frozen=True):
    """The file lives again."""

    why: str


Fact = (
    ClaimNotified
    | ClaimAllocated
    | HandlerChanged
    | StrategySet
    | StageReached
    | ClaimClosed
    | ClaimReopened
)


class Status(StrEnum):
    """Where a file stands in its life."""

    UNKNOWN = "unknown"
    NOTIFIED = "notified"
    OPEN = "open"
    CLOSED = "closed"


class Lifecycle(Value, frozen=True):
    """The life of a file so far; `UNKNOWN` before it was notified."""

    status: Status = Status.UNKNOWN
    notified: ClaimNotified | None = None
    pathway: Pathway | None = None
    team: str = ""
    handler: str = ""
    stage: Stage = Stage.PRE_CLAIM
    strategy: StrategySet | None = None
    closure: ClosureCode | None = None
    closed_on: date | None = None
    reopened: int = 0


def evolve(state: Lifecycle, fact: Fact, on: date) -> Lifecycle:
    """Remember one fact, effective `on` its day."""
    match fact:
        case ClaimNotified():
            stage = Stage.PRE_CLAIM
            if fact.matter_type is MatterType.CLAIM:
                stage = Stage.CLAIM_INTIMATED
            return replace(state, status=Status.NOTIFIED, notified=fact, stage=stage)
        case ClaimAllocated():
            return replace(
                state,
                status=Status.OPEN,
                pathway=fact.pathway,
                team=fact.team,
                handler=fact.handler,
            )
        case HandlerChanged():
            return replace(state, handler=fact.handler, team=fact.team)
        case StrategySet():
            return replace(state, strategy=fact)
        case StageReached():
            # One recorded late may be dated before a further one: the furthest counts.
            return replace(state, stage=max(state.stage, fact.stage, key=lambda stage: stage.order))
        case ClaimClosed():
            return replace(state, status=Status.CLOSED, closure=fact.closure, closed_on=on)
        case ClaimReopened():
            status = Status.OPEN if state.handler else Status.NOTIFIED
            return replace(
                state, status=status, closure=None, closed_on=None, reopened=state.reopened + 1
            )
        case _:
            assert_never(fact)


def notify(state: Lifecycle, matter: ClaimNotified, reference: str) -> list[ClaimNotified]:
    """Open the file; `reference` is only for the message."""
    if state.status is not Status.UNKNOWN:
        raise ClaimAlreadyNotified(reference)
    require_dated(matter)
    return [matter]


def require_dated(matter: ClaimNotified) -> None:
    """A matter is notified on or after the day of the event of care."""
    if matter.notified_on < matter.event_date:
        raise DateOrder("notified_on", str(matter.event_date), str(matter.notified_on))


def allocate(state: Lifecycle, pathway: Pathway, team: str, handler: str) -> list[Fact]:
    """Send the file to a team; the same again adds nothing."""
    require_open(state)
    if (state.pathway, state.team, state.handler) == (pathway, team, handler):
        return []
    return [ClaimAllocated(pathway, team, handler)]


def change_handler(state: Lifecycle, handler: str, team: str) -> list[Fact]:
    """Hand the file to another person, in the same team unless one is named."""
    require_allocated(state)
    team = team or state.team
    if (state.handler, state.team) == (handler, team):
        return []
    return [HandlerChanged(previous=state.handler, handler=handler, team=team)]


def set_strategy(state: Lifecycle, strategy: StrategySet, on: date) -> list[Fact]:
    """Set or revise the strategy; its review lies on or after the day it is set."""
    require_allocated(state)
    if strategy.review_on < on:
        raise DateOrder("review_on", str(on), str(strategy.review_on))
    return [] if strategy == state.strategy else [strategy]


def reach_stage(state: Lifecycle, stage: Stage) -> list[Fact]:
    """Move the matter forward; stages may be skipped, never gone back."""
    require_open(state)
    if stage is state.stage:
        return []
    if stage.order < state.stage.order:
        raise IllegalTransition("the matter", state.stage.value, f"taken back to {stage.value}")
    return [StageReached(state.stage, stage)]


def require_known(state: Lifecycle, reference: str) -> None:
    """The file exists."""
    if state.status is Status.UNKNOWN:
        raise UnknownClaim(reference)


def require_open(state: Lifecycle) -> None:
    """The file is not closed."""
    if state.closed_on is not None:
        raise FileClosed(state.closed_on)


def require_allocated(state: Lifecycle) -> None:
    """The file is open and somebody handles it."""
    require_open(state)
    if not state.handler:
        raise NotAllocated
