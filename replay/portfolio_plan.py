"""What a file of the synthetic portfolio will come to: drawn first, then lived towards.

The parameters are calibrated to public figures of UK dental, UK medical and South African
indemnity (shares of nil claims, sizes, durations, costs by size of damages); they are synthetic.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from domain.money import Money
from domain.terms import Head, Jurisdiction, MatterType
from replay.portfolio_cast import DENTAL_1, DENTAL_2, MEDICAL, SA, Person, Team
from replay.portfolio_chance import Chance, rounded, units, whole
from replay.portfolio_words import DENTAL_CAUSES, DENTAL_HEADS, MEDICAL_CAUSES, MEDICAL_HEADS

INFLATION = 0.05  # a year, on damages
SHAPE = 1.29  # of durations: coefficient of variation 0.78
PROCEEDINGS_LENGTHEN = 1.8
SIZE_LENGTHENS = 0.3  # of a log point of damages: larger claims take longer
DAYS_A_MONTH = 30.4
COSTS_AT_ONE = 467.0  # claimant costs = 467 x damages ^ 0.442, from published bands of costs
COSTS_SLOPE = 0.442
UK_LAW = {
    Jurisdiction.ENGLAND_WALES: 0.85,
    Jurisdiction.SCOTLAND: 0.10,
    Jurisdiction.NORTHERN_IRELAND: 0.05,
}


@dataclass(frozen=True, slots=True)
class Book:
    """One line of business, and what its files are drawn from.

    `damages` is a mixture of lognormals (weight, median, sigma) in whole units of the currency;
    `worth` is how many of those units stand for a pound in the curves of costs and fees.
    """

    name: str
    prefix: str
    weight: float
    teams: tuple[Team, ...]
    currency: str
    worth: int
    law: dict[Jurisdiction, float]
    nil: float
    damages: tuple[tuple[float, float, float], ...]
    largest: float
    months: float
    served: float
    shared: float
    years_to_notice: float
    late_noticed: float
    causes: tuple[tuple[int, str], ...]
    heads: tuple[Head, ...]


BOOKS = (
    Book(
        *("dental", "DC", 0.53, (DENTAL_1, DENTAL_2), "GBP", 1, UK_LAW),
        nil=0.62,
        damages=((0.90, 6_000, 0.85), (0.10, 35_000, 0.85)),
        largest=600_000,
        months=14,
        served=0.12,
        shared=0.11,
        years_to_notice=2.3,
        late_noticed=0.15,
        causes=DENTAL_CAUSES,
        heads=DENTAL_HEADS,
    ),
    Book(
        *("medical", "MC", 0.27, (MEDICAL,), "GBP", 1, UK_LAW),
        nil=0.50,
        damages=((0.62, 12_000, 0.95), (0.33, 90_000, 1.0), (0.05, 900_000, 1.1)),
        largest=15_000_000,
        months=20,
        served=0.22,
        shared=0.27,
        years_to_notice=2.4,
        late_noticed=0.0,
        causes=MEDICAL_CAUSES,
        heads=MEDICAL_HEADS,
    ),
    Book(
        *("south africa", "SA", 0.20, (SA,), "ZAR", 20, {Jurisdiction.SOUTH_AFRICA: 1.0}),
        nil=0.55,
        damages=((0.70, 180_000, 1.0), (0.27, 1_200_000, 1.0), (0.03, 14_000_000, 0.7)),
        largest=150_000_000,
        months=34,
        served=0.70,
        shared=0.18,
        years_to_notice=1.8,
        late_noticed=0.0,
        causes=MEDICAL_CAUSES,
        heads=MEDICAL_HEADS,
    ),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file will come to, and when; what happens on the way is drawn as it is lived.

    `quantum` is the damages it settles for, or was at worst feared to cost where it ends nil.
    `shares` are those of an apportionment, ours first; none where nobody else is involved.
    """

    reference: str
    book: Book
    team: Team
    handler: Person
    jurisdiction: Jurisdiction
    matter: MatterType
    cause: str
    event_date: date
    notified_on: date
    days: int
    served: bool
    nil: bool
    quantum: Money
    heads: tuple[tuple[Head | None, float], ...]
    claimant_costs: Money
    defence_costs: Money
    benefits: Money | None
    shares: tuple[Fraction, ...]

    @property
    def size(self) -> float:
        """The quantum in whole units of its currency."""
        return units(self.quantum)

    @property
    def costs(self) -> float:
        """The claimant's costs in whole units of their currency."""
        return units(self.claimant_costs)

    @property
    def defence(self) -> float:
        """The defence costs in whole units of their currency."""
        return units(self.defence_costs)


def plan(chance: Chance, reference: str, book: Book, notified_on: date, year: int) -> Plan:
    """Draw what a file notified in a year of the portfolio (0, 1, ...) comes to."""
    team = chance.pick(book.teams)
    nil = chance.yes(book.nil)
    size = _damages(chance, book, year)
    served = chance.yes(book.served)
    costs = COSTS_AT_ONE * math.pow(size / book.worth, COSTS_SLOPE) * book.worth
    defence = 2_500 * book.worth if nil else 0.29 * costs
    return Plan(
        reference=reference,
        book=book,
        team=team,
        handler=chance.pick(team.handlers),
        jurisdiction=chance.pick(list(book.law), list(book.law.values())),
        matter=MatterType.PRE_CLAIM if chance.yes(0.35) else MatterType.CLAIM,
        cause=chance.pick([text for _, text in book.causes], [weight for weight, _ in book.causes]),
        event_date=notified_on - timedelta(days=_days_to_notice(chance, book)),
        notified_on=notified_on,
        days=_days(chance, book, nil, served, size),
        served=served,
        nil=nil,
        quantum=rounded(size, book.currency),
        heads=_heads(chance, book, size),
        claimant_costs=whole(chance.lognormal(costs, 0.55), book.currency, 50),
        defence_costs=whole(chance.lognormal(defence, 0.6), book.currency, 50),
        benefits=_benefits(chance, book, size),
        shares=_shares(chance, book),
    )


def _damages(chance: Chance, book: Book, year: int) -> float:
    weights = [weight for weight, _, _ in book.damages]
    _, median, sigma = chance.pick(book.damages, weights)
    drawn = chance.lognormal(median, sigma) * (1 + INFLATION) ** year
    return min(max(drawn, 400.0 * book.worth), book.largest)


def _days_to_notice(chance: Chance, book: Book) -> int:
    if chance.yes(book.late_noticed):  # periodontal disease shows late
        return round(chance.uniform(8, 20) * 365)
    return max(round(chance.weibull(book.years_to_notice, SHAPE) * 365), 10)


def _days(chance: Chance, book: Book, nil: bool, served: bool, size: float) -> int:
    """Days from the notification to the settlement, or to the end of a nil claim."""
    days = chance.weibull(book.months * DAYS_A_MONTH, SHAPE)
    if served and book.currency == "GBP":  # South African matters start by summons anyway
        days *= PROCEEDINGS_LENGTHEN
    median = book.damages[0][1]
    days *= min(max(math.pow(size / median, SIZE_LENGTHENS), 0.6), 1.8)
    return max(round(days * (0.7 if nil else 1.0)), 60)


def _heads(chance: Chance, book: Book, size: float) -> tuple[tuple[Head | None, float], ...]:
    """The heads of loss and the share of each; small claims are often kept as one figure."""
    if size < 8_000 * book.worth and chance.yes(0.5):
        return ((None, 1.0),)
    count = chance.between(2, 3) if size < 40_000 * book.worth else chance.between(3, 5)
    return tuple(zip(book.heads[:count], chance.shares(count), strict=True))


def _benefits(chance: Chance, book: Book, size: float) -> Money | None:
    """Recoverable benefits of a British claimant; the certificate is nil in 82 % of claims."""
    if book.currency != "GBP" or not chance.yes(0.18):
        return None
    amount = chance.lognormal(3_100, 0.6)
    return whole(amount, book.currency) if amount < 0.4 * size else None


def _shares(chance: Chance, book: Book) -> tuple[Fraction, ...]:
    if not chance.yes(book.shared):
        return ()
    half, third, quarter = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
    return chance.pick(
        [
            (half, half),
            (1 - third, third),
            (third, 1 - third),
            (quarter, 1 - quarter),
            (1 - quarter, quarter),
            (half, quarter, quarter),
        ],
        [0.40, 0.18, 0.10, 0.08, 0.12, 0.12],
    )
