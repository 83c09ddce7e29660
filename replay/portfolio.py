"""A synthetic portfolio as the commands that would have made it, each at its moment.

Dental and medical files of a defence organisation, worked over some years by a cast of people
within their mandates. To be played through the one path that writes, under a clock set to each
moment: every command is accepted but those that say which refusal they are meant to meet.
"""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from replay.portfolio_cast import Ask, mandates
from replay.portfolio_chance import Chance
from replay.portfolio_desk import Desk, at_work
from replay.portfolio_life import live
from replay.portfolio_plan import BOOKS, plan
from replay.portfolio_story import TOLD_NUMBER, story, told_on

__all__ = ["START", "YEARS", "Ask", "portfolio", "told"]

START = date(2022, 1, 3)
YEARS = 4
GROWTH = 0.03  # a year, in the number of matters notified
DAYS_A_YEAR = 365.25
FIRST_DAYS = 3  # until the mandates are attested and work begins
LAST_DAYS = 14  # the last matters still have time to be recorded


class _Notified(NamedTuple):
    """A file to be: its place among all files (from 1), its number within its year, and its day."""

    place: int
    number: int
    day: date


def portfolio(seed: int, files: int, start: date = START, years: int = YEARS) -> Iterator[Ask]:
    """The commands of a portfolio, by moment; the same seed gives the same ones, byte for byte.

    `files` are notified over `years` from `start` on, one of them the file `told`; what would
    happen after the last day is left out, so some are still open then. Beside its day and its
    reference, a file depends on the seed and its own place alone. Complexity: a few milliseconds
    a file, all in memory.
    """
    asks = [*mandates(start), *story(start)]
    for notified in _arrivals(seed, files - 1, start, years):
        asks += _file(seed, notified, (notified.day - start).days // 365)
    end = datetime.combine(start, time(), UTC) + timedelta(days=round(DAYS_A_YEAR * years))
    asks.sort(key=lambda ask: ask.at)
    return (ask for ask in asks if ask.at < end)


def told(start: date = START) -> str:
    """The reference of the file with the rich, well-told life; DC-2023-000042 by default."""
    return _reference("DC", told_on(start), TOLD_NUMBER)


def _arrivals(seed: int, files: int, start: date, years: int) -> Iterator[_Notified]:
    """When each file is notified: at random, a little more often from year to year."""
    chance = Chance.of(seed)
    total = (1 + GROWTH) ** years - 1
    window = (round(DAYS_A_YEAR * years) - FIRST_DAYS - LAST_DAYS) / years
    drawn = sorted(chance.uniform(0, 1) for _ in range(files))
    numbers = Counter[int]()
    for place, share in enumerate(drawn, start=1):  # [seed, 0] would be the same seed as [seed]
        when = math.log1p(share * total) / math.log1p(GROWTH) * window
        day = start + timedelta(days=FIRST_DAYS + int(when))
        numbers[day.year] += 1
        if (day.year, numbers[day.year]) == (told_on(start).year, TOLD_NUMBER):
            numbers[day.year] += 1
        yield _Notified(place, numbers[day.year], day)


def _file(seed: int, notified: _Notified, year: int) -> list[Ask]:
    """The commands of one file."""
    chance = Chance.of(seed, notified.place)
    book = chance.pick(BOOKS, [each.weight for each in BOOKS])
    reference = _reference(book.prefix, notified.day, notified.number)
    drawn = plan(chance, reference, book, notified.day, year)
    desk = Desk(
        reference=reference,
        currency=book.currency,
        team=drawn.team,
        handler=drawn.handler,
        chance=chance,
        now=at_work(datetime.combine(notified.day, time(9), UTC)),
    )
    live(desk, drawn)
    return desk.asks


def _reference(prefix: str, day: date, number: int) -> str:
    return f"{prefix}-{day.year}-{number:06}"
