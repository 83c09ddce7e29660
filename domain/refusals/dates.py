"""What the two time axes refuse: E5xx."""

from dataclasses import dataclass
from datetime import date

from domain.errors import Refused


@dataclass(eq=False)
class FutureEffective(Refused):
    """The date {effective_on} is after {today}, the day it would be recorded."""

    code = "E501"
    remedy = "Record it when it has happened."
    where = "effective_on"
    effective_on: date
    today: date


@dataclass(eq=False)
class EffectiveBeforeIncident(Refused):
    """The date {effective_on} is before {earliest}, when the file's {what} was."""

    code = "E502"
    remedy = "Correct the date, or the file's own dates if they are wrong."
    where = "effective_on"
    effective_on: date
    earliest: date
    what: str


@dataclass(eq=False)
class BackdatingWindowExceeded(Refused):
    """{effective_on} is {days} days before today; {name} may be dated back {window} days."""

    code = "E503"
    remedy = "Date it within the window, or record it today and say in the reason when it was."
    where = "effective_on"
    effective_on: date
    days: int
    name: str
    window: int
