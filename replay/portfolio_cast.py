"""The people of the synthetic portfolio: references only, their teams, and what each may decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from commands.fields import ActorIn
from commands.mandate_models import AttestMandate, GrantMandate, LimitIn
from commands.parts import Command
from domain.authority import Scope
from domain.money import Money
from domain.terms import Attestor, Decision, Jurisdiction, Pathway, Role, Stage

UK = (Jurisdiction.ENGLAND_WALES, Jurisdiction.SCOTLAND, Jurisdiction.NORTHERN_IRELAND)
SOUTH_AFRICA = (Jurisdiction.SOUTH_AFRICA,)
BEFORE_SERVICE = tuple(stage for stage in Stage if stage.order < Stage.SERVED.order)
ANY_STAGE = tuple(Stage)


@dataclass(frozen=True, slots=True)
class Ask:
    """A command and the moment (UTC) at which it is asked.

    `intended` is the code of the refusal it is meant to meet, "" for one to be accepted.
    """

    at: datetime
    command: Command
    intended: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, and the limits of their mandate; none for those who decide nothing."""

    ref: str
    role: Role
    team: str = ""
    limits: tuple[LimitIn, ...] = ()

    @property
    def actor(self) -> ActorIn:
        """As a command names them."""
        return ActorIn(person=self.ref, role=self.role, team=self.team)

    def refusal(self, decision: Decision, measured: Money, scope: Scope) -> str:
        """The code with which the ledger would refuse them this decision, "" if they may."""
        for limit in self.limits:
            if limit.decision is not decision or limit.maximum.currency != measured.currency:
                continue
            reached = (
                scope.pathway in limit.pathways
                and scope.jurisdiction in limit.jurisdictions
                and scope.stage in limit.stages
            )
            if not reached:
                return "E311"
            return "E301" if limit.maximum < measured else ""
        return "E311"


@dataclass(frozen=True, slots=True)
class Team:
    """Who works on a book of files: handlers, whoever takes served ones, and whom to ask."""

    name: str
    pathway: Pathway
    handlers: tuple[Person, ...]
    court: Person
    lead: Person


def _limits(
    currency: str,
    offers: int,
    reserves: int,
    pathways: tuple[Pathway, ...],
    jurisdictions: tuple[Jurisdiction, ...],
    stages: tuple[Stage, ...] = ANY_STAGE,
    pay: int = 0,
) -> tuple[LimitIn, ...]:
    """Limits in whole units: one for offers and settlements, one for what is only estimated."""
    maxima = {
        Decision.OFFER: offers,
        Decision.SETTLE: offers,
        Decision.RESERVE: reserves,
        Decision.APPORTION: reserves,
        Decision.CORRECT: reserves,
        Decision.PAY: pay,
    }
    return tuple(
        LimitIn(
            decision=decision,
            maximum=Money(maximum * 100, currency),
            pathways=pathways,
            jurisdictions=jurisdictions,
            stages=stages,
        )
        for decision, maximum in maxima.items()
        if maximum
    )


def _negotiator(number: int, team: str, offers: int, reserves: int) -> Person:
    limits = _limits("GBP", offers, reserves, (Pathway.DENTAL,), UK, BEFORE_SERVICE)
    return Person(f"dental-neg-{number}", Role.NEGOTIATOR, team, limits)


def _uk_manager(ref: str, team: str, pathway: Pathway, offers: int, reserves: int) -> Person:
    limits = _limits("GBP", offers, reserves, (pathway,), UK)
    return Person(ref, Role.CASE_MANAGER, team, limits)


def _sa_manager(number: int, offers: int, reserves: int) -> Person:
    limits = _limits("ZAR", offers, reserves, tuple(Pathway), SOUTH_AFRICA)
    return Person(f"sa-cm-{number}", Role.CASE_MANAGER, "south-africa", limits)


def _lead(ref: str, team: str, limits: tuple[LimitIn, ...]) -> Person:
    return Person(ref, Role.PATHWAY_LEAD, team, limits)


_EVERYWHERE = (tuple(Pathway), (*UK, *SOUTH_AFRICA))
HEAD = Person(
    "head-claims",
    Role.HEAD_OF_DEPARTMENT,
    limits=(
        *_limits("GBP", 100_000_000, 100_000_000, *_EVERYWHERE, pay=100_000_000),
        *_limits("ZAR", 2_000_000_000, 2_000_000_000, *_EVERYWHERE, pay=2_000_000_000),
    ),
)
FINANCE = tuple(
    Person(
        f"finance-{number}",
        Role.FINANCE,
        limits=(
            *_limits("GBP", 0, 0, *_EVERYWHERE, pay=pounds),
            *_limits("ZAR", 0, 0, *_EVERYWHERE, pay=pounds * 20),
        ),
    )
    for number, pounds in ((1, 50_000), (2, 250_000))
)
BANK = Person("finance-ledger", Role.SERVICE)  # the word of the bank reaches us through finance
INTAKE = Person("intake-1", Role.CUSTOMER_SERVICE)
MANAGER = Person("claims-manager", Role.LINE_MANAGER)
DIRECTOR = Person("director", Role.HEAD_OF_DEPARTMENT)
SECRETARY = Person("company-secretary", Role.LINE_MANAGER)

_DENTAL = (Pathway.DENTAL,)
_MEDICAL = (Pathway.MEDICAL,)
_DENTAL_LEAD = _lead(
    "dental-lead", "dental", _limits("GBP", 500_000, 1_000_000, _DENTAL, UK, pay=500_000)
)
_DENTAL_COURT = _uk_manager("dental-cm-1", "dental-2", Pathway.DENTAL, 250_000, 500_000)
_MEDICAL_CMS = (
    _uk_manager("medical-cm-1", "medical-1", Pathway.MEDICAL, 75_000, 250_000),
    _uk_manager("medical-cm-2", "medical-1", Pathway.MEDICAL, 150_000, 500_000),
    _uk_manager("medical-cm-3", "medical-1", Pathway.MEDICAL, 150_000, 500_000),
)
_SA_CMS = (_sa_manager(1, 1_500_000, 5_000_000), _sa_manager(2, 3_000_000, 8_000_000))

DENTAL_1 = Team(
    "dental-1",
    Pathway.DENTAL,
    (_negotiator(1, "dental-1", 25_000, 80_000), _negotiator(2, "dental-1", 40_000, 120_000)),
    _DENTAL_COURT,
    _DENTAL_LEAD,
)
DENTAL_2 = Team(
    "dental-2",
    Pathway.DENTAL,
    (_negotiator(3, "dental-2", 15_000, 60_000), _negotiator(4, "dental-2", 75_000, 200_000)),
    _DENTAL_COURT,
    _DENTAL_LEAD,
)
MEDICAL = Team(
    "medical-1",
    Pathway.MEDICAL,
    _MEDICAL_CMS,
    _MEDICAL_CMS[2],
    _lead(
        "medical-lead", "medical", _limits("GBP", 2_000_000, 4_000_000, _MEDICAL, UK, pay=2_000_000)
    ),
)
_SA_LIMITS = _limits("ZAR", 15_000_000, 40_000_000, tuple(Pathway), SOUTH_AFRICA, pay=15_000_000)
SA = Team(
    "south-africa",
    Pathway.MEDICAL,
    _SA_CMS,
    _SA_CMS[1],
    _lead("sa-lead", "south-africa", _SA_LIMITS),
)


def _holders() -> Iterator[Person]:
    seen: set[str] = set()
    teams = (DENTAL_1, DENTAL_2, MEDICAL, SA)
    people = (person for team in teams for person in (team.lead, *team.handlers, team.court))
    for person in (HEAD, *FINANCE, *people):
        if person.ref not in seen:
            seen.add(person.ref)
            yield person


def mandates(start: date) -> Iterator[Ask]:
    """Every mandate granted on the first morning, and attested by its three that day."""
    moment = datetime.combine(start, time(8), UTC)
    for person in _holders():
        granted_by, manager, head = MANAGER, MANAGER, HEAD
        if person is HEAD:
            granted_by, manager, head = DIRECTOR, SECRETARY, DIRECTOR
        yield Ask(
            moment,
            GrantMandate(
                command_id=f"mandate/{person.ref}/grant",
                actor=granted_by.actor,
                person=person.ref,
                role=person.role,
                limits=person.limits,
                valid_from=start,
                rationale="Annual grant of claims management authority.",
            ),
        )
        signers = [
            (Attestor.HOLDER, person),
            (Attestor.LINE_MANAGER, manager),
            (Attestor.HEAD_OF_DEPARTMENT, head),
        ]
        for minutes, (attestor, signer) in enumerate(signers, start=1):
            yield Ask(
                moment + timedelta(minutes=minutes),
                AttestMandate(
                    command_id=f"mandate/{person.ref}/{attestor.value}",
                    actor=signer.actor,
                    person=person.ref,
                    attestor=attestor,
                ),
            )
        moment += timedelta(minutes=5)
