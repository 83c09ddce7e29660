"""A file that was changed in its past has to have been possible on every day of it.

A correction, a void or a back-dated fact changes what is held to have been true on earlier days.
Before it is recorded, the whole file is read again in its new order: on no day may a line be paid
above its estimate, money be closed away, an offer outlive the settlement, or anything come before
the notification.
"""

from collections.abc import Iterable
from datetime import date

from domain.claim import Claim, Fact, evolve
from domain.claim.lifecycle import ClaimNotified, Status
from domain.envelope import Recorded
from domain.history import standing
from domain.money import MINOR_LIMIT
from domain.refusals.dates import EffectiveBeforeIncident
from domain.refusals.state import CorrectionBreaksFile


def require_sound(history: Iterable[Recorded[Fact]]) -> None:
    """Raise `CorrectionBreaksFile` for the first day on which the file would be impossible."""
    claim = Claim()
    day: date | None = None
    for _, record in standing(history):
        on = record.envelope.effective_on
        if day is not None and on != day:
            _require_possible(claim, day)
        if claim.lifecycle.status is Status.UNKNOWN and not isinstance(record.fact, ClaimNotified):
            raise CorrectionBreaksFile(on, "it had not been notified")
        claim, day = evolve(claim, record.fact, on), on
    if day is not None:
        _require_possible(claim, day)


def _require_possible(claim: Claim, day: date) -> None:
    asked = [payment.line for payment in claim.payments.by_id.values() if payment.in_progress]
    for line in dict.fromkeys([*claim.reserves.lines, *asked]):
        state = claim.reserves.on(line)
        if state.outstanding < claim.payments.in_progress_on(line):
            raise CorrectionBreaksFile(
                day, f"{line} would have been paid, or asked to pay, above its estimate"
            )
        if state.recovered >= MINOR_LIMIT:
            raise CorrectionBreaksFile(day, f"{line} would have recovered more than can be kept")
        if state.paid < 0:
            raise CorrectionBreaksFile(day, f"{line} would have been paid less than nothing")
        if state.outstanding and claim.lifecycle.status is Status.CLOSED:
            raise CorrectionBreaksFile(day, f"{line} would have been outstanding on a closed file")
    if claim.settlement.agreed is not None:
        for offer_id, _ in claim.offers.live_on(day):
            raise CorrectionBreaksFile(
                day, f"offer {offer_id} would have been open on a settled claim"
            )


def require_after_incident(claim: Claim, on: date) -> None:
    """Nothing is dated before the event of care, nor before the matter was notified."""
    notified = claim.lifecycle.notified
    if notified is None:
        return
    if on < notified.event_date:
        raise EffectiveBeforeIncident(on, notified.event_date, "incident")
    if on < notified.notified_on:
        raise EffectiveBeforeIncident(on, notified.notified_on, "notification")
