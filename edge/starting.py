"""Starting before what it takes is there: who does not answer yet is waited for, and nothing else.

A password, a right, a topic or a table that is wrong ends a process by name, at once: waiting would
hide what only a person can mend. `CLAIMS_` settings that name nobody cannot be told from somebody
who is away, so the log says who is waited for.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from consumers.pace import pause_s
from domain.errors import StoreUnavailable
from edge.kafka.errors import BrokerDidNotAnswer
from edge.keeping import Stop
from edge.postgres.errors import ServerDidNotAnswer
from edge.postgres.server import may_answer_later

Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class Absent:
    """The database, or else the broker, does not answer yet, by the code of its refusal."""

    database: bool
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Present:
    """What was waited for answered, at this try."""

    tries: int
    waited_s: float


Event = Absent | Present


class StopAsked(Exception):
    """A stop was asked for before the start was done."""


@dataclass(slots=True)
class Starting:
    """Opens what a process needs, and tells what it waits for; threads may read `absent`.

    Without `patience` nothing is waited for: a process that is to end by itself ends then.
    """

    stop: Stop
    tell: Callable[[Event], None]
    patience: bool = True
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    absent: Absent | None = None
    since_s: float = field(default_factory=time.monotonic)

    def there(self, opening: Callable[[], Opened]) -> Opened:
        """What it opens, once whoever it asks is there. Raises `StopAsked`, and what it raises."""
        began_s, tries = time.monotonic(), 0
        while True:
            if self.stop.asked:
                raise StopAsked
            try:
                opened = opening()
            except (BrokerDidNotAnswer, ServerDidNotAnswer, StoreUnavailable) as error:
                database = not isinstance(error, BrokerDidNotAnswer)
                if not self.patience or (database and not may_answer_later(error.why)):
                    raise
                tries += 1
                self._missed(Absent(database, error.code, error.why))
                self.sleep(pause_s(tries, self.chance()))
            else:
                if self.absent is not None:
                    self.absent = None
                    self.tell(Present(tries + 1, time.monotonic() - began_s))
                return opened

    def _missed(self, absent: Absent) -> None:
        before, self.absent = self.absent, absent
        if before is None:
            self.since_s = time.monotonic()
        if before is None or before.code != absent.code:
            self.tell(absent)
