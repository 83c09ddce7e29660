"""Each mandate command's handler: from the command's fields to one decision of the domain."""

from collections.abc import Callable
from datetime import date
from typing import Any

from commands import mandate_models as models
from commands.file import File
from commands.ruling import Ruling, ruling
from domain import mandate
from domain.authority import Holding, require_in_force
from domain.mandate import Limit, Mandate, MandateAmended, MandateGranted

F = File[Mandate]
Holdings = Callable[[str], Holding]  # reads another person's mandate, and notes that it was read


def grant_mandate(file: F, command: models.GrantMandate, on: date, holdings: Holdings) -> Ruling:
    granted = MandateGranted(
        holder=command.person,
        role=command.role,
        limits=_limits(command.limits),
        valid_from=command.valid_from,
        valid_to=command.valid_to,
        granted_by=command.actor.person,
        delegated_by=command.delegated_by,
    )
    above = _delegator(command.delegated_by, on, holdings)
    return ruling(mandate.grant(file.state, granted, above), on)


def attest_mandate(file: F, command: models.AttestMandate, on: date, holdings: Holdings) -> Ruling:
    del holdings
    actor = command.actor
    return ruling(mandate.attest(file.state, command.attestor, actor.person, actor.role), on)


def amend_mandate(file: F, command: models.AmendMandate, on: date, holdings: Holdings) -> Ruling:
    amended = MandateAmended(_limits(command.limits), command.valid_from, command.valid_to)
    above = _delegator(file.state.delegated_by, on, holdings)
    return ruling(mandate.amend(file.state, amended, command.actor.person, above), on)


def suspend_mandate(
    file: F, command: models.SuspendMandate, on: date, holdings: Holdings
) -> Ruling:
    del holdings
    return ruling(mandate.suspend(file.state, command.why), on)


def restore_mandate(
    file: F, command: models.RestoreMandate, on: date, holdings: Holdings
) -> Ruling:
    del holdings
    return ruling(mandate.restore(file.state, command.why, command.actor.person), on)


def revoke_mandate(file: F, command: models.RevokeMandate, on: date, holdings: Holdings) -> Ruling:
    del holdings
    return ruling(mandate.revoke(file.state, command.why), on)


def _limits(limits: tuple[models.LimitIn, ...]) -> tuple[Limit, ...]:
    return tuple(
        Limit(each.decision, each.maximum, each.pathways, each.jurisdictions, each.stages)
        for each in limits
    )


def _delegator(person: str, on: date, holdings: Holdings) -> Mandate | None:
    """The mandate that a delegated one comes from; it has to be in force itself."""
    if not person:
        return None
    above = holdings(person)
    require_in_force(above, on)
    return above.mandate


HANDLERS: dict[type[models.MandateCommand], Callable[[F, Any, date, Holdings], Ruling]] = {
    models.GrantMandate: grant_mandate,
    models.AttestMandate: attest_mandate,
    models.AmendMandate: amend_mandate,
    models.SuspendMandate: suspend_mandate,
    models.RestoreMandate: restore_mandate,
    models.RevokeMandate: revoke_mandate,
}
