"""How soon writes and views are back, once the database answers again: measured, never asserted."""

import time
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

_HEAD = "SELECT coalesce(max(notification_id), 0) FROM ledger.facts"
_VIEWS = "SELECT coalesce(min(position), 0) FROM views.position"
LOOK_S_MAX = 1


@dataclass
class Recovery:
    """Seconds from each return of the database until a fact was added, and until the views had all
    that there was when it returned; what a further fault comes between is not counted.
    """

    conninfo: str
    writes_s: list[float] = field(default_factory=list[float])
    views_s: list[float] = field(default_factory=list[float])
    _head: int = 0
    _since: float = 0.0
    _awaited: set[str] = field(default_factory=set[str])

    def returned(self) -> None:
        """The database answers again."""
        self._since = time.monotonic()
        self._head = self._ask(_HEAD)
        self._awaited = {"writes", "views"}

    def interrupted(self) -> None:
        """The database was hurt again."""
        self._awaited.clear()

    def look(self) -> None:
        """See what is back by now."""
        if not self._awaited:
            return
        with suppress(psycopg.OperationalError):
            now = time.monotonic()
            if "writes" in self._awaited and self._ask(_HEAD) > self._head:
                self._awaited.discard("writes")
                self.writes_s.append(now - self._since)
            if "views" in self._awaited and self._ask(_VIEWS) >= self._head:
                self._awaited.discard("views")
                self.views_s.append(now - self._since)

    def _ask(self, question: str) -> int:
        with psycopg.connect(self.conninfo, connect_timeout=LOOK_S_MAX) as connection:
            ((answer,),) = connection.execute(question.encode()).fetchall()
        return int(answer)
