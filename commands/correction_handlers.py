"""Correction and void: the earlier fact is named, and the file has to stay possible throughout."""

from datetime import date
from typing import assert_never

from commands import models
from commands.file import Decided, File
from commands.ruling import Ask, Ruling
from commands.translate import estimate, matter, recovery, strategy
from domain.claim import Claim
from domain.claim.correction import Correctable, FactVoided, require_correctable, require_voidable
from domain.claim.lifecycle import ClaimNotified, HandlerChanged, require_dated
from domain.claim.reserves import EstimateSet
from domain.envelope import Recorded
from domain.history import standing
from domain.money import Money, nil
from domain.refusals.state import UnknownReference
from domain.terms import Decision


def correct_fact(file: File[Claim], command: models.CorrectFact, on: date) -> Ruling:
    """Put a full new payload in the place of an earlier fact.

    `effective_on` is the day on which it was true; left out, the corrected fact's own day. A
    notification is true on the day of notification, also of the corrected one.
    """
    old = _standing_fact(file, command.version)
    new = _replacement(command.replacement, old)
    require_correctable(command.version, old.fact, new)
    day = command.effective_on or old.envelope.effective_on
    if isinstance(new, ClaimNotified):
        require_dated(new)
        day = new.notified_on
    if new == old.fact and day == old.envelope.effective_on:
        return Ruling(())
    decided = (Decided(new, day, rationale=command.rationale or command.why),)
    after = file.imagined(decided, corrects=command.version)
    return Ruling(decided, _ask(file, after, new), corrects=command.version)


def void_fact(file: File[Claim], command: models.VoidFact, on: date) -> Ruling:
    """Take an earlier fact out."""
    old = _standing_fact(file, command.version)
    require_voidable(command.version, old.fact)
    decided = (Decided(FactVoided(command.why), old.envelope.effective_on),)
    after = file.imagined(decided, voids=command.version)
    return Ruling(decided, _ask(file, after, old.fact), voids=command.version)


def _standing_fact(file: File[Claim], version: int) -> Recorded[object]:
    """The fact that has this version's place today: the original, or its latest correction."""
    for slot, record in standing(file.history):
        if slot == version:
            return record
    raise UnknownReference("standing fact of version", str(version))


def _replacement(again: models.Again, old: Recorded[object]) -> Correctable:
    match again:
        case models.MatterAgain():
            return matter(again)
        case models.HandoverAgain():
            before, team = "", again.team
            if isinstance(old.fact, HandlerChanged):
                before, team = old.fact.previous, again.team or old.fact.team
            return HandlerChanged(before, again.handler, team)
        case models.StrategyAgain():
            return strategy(again)
        case models.EstimateAgain():
            new = estimate(again)
            if isinstance(old.fact, EstimateSet):
                return EstimateSet(
                    new.line,
                    old.fact.previous,
                    new.amount,
                    new.trigger,
                    new.basis,
                    new.full_quantum,
                    new.probability_bp,
                )
            return new
        case models.RecoveryAgain():
            return recovery(again)
        case _:
            assert_never(again)


def _ask(before: File[Claim], after: File[Claim], changed: object) -> Ask:
    """Correcting takes authority for the damages the file then has, and for any it raises.

    What a later estimate hides again is measured too; what stood higher before is not.
    """
    currency = changed.line.currency if isinstance(changed, EstimateSet) else after.state.currency
    was, becomes = _damages(before, currency), _damages(after, currency)
    raised = [total for key, total in becomes.items() if total > was.get(key, nil(currency))]
    return Ask(Decision.CORRECT, max([after.state.damages_estimated(currency), *raised]))


def _damages(file: File[Claim], currency: str) -> dict[str, Money]:
    """The damages estimated after each command whose facts stand; in between nothing ever stood."""
    claim, totals = file.initial, dict[str, Money]()
    for slot, record in standing(file.history):
        claim = file.evolve(claim, record.fact, record.envelope.effective_on)
        decided_by = file.history[slot - 1].envelope.command_id
        totals[decided_by] = claim.damages_estimated(currency)
    return totals
