"""`claims run` as a process of its own, and the conditions that tests wait for."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import Connection

from tests.edge.cli.invoking import CLAIMS, Line

DEADLINE_S = 90.0  # far beyond what anything here takes, on a machine that does much else
LOOK_S = 0.02

LAGGING = """
SELECT count(*) FROM views.position
WHERE position < (SELECT coalesce(max(notification_id), 0) FROM ledger.facts)
"""
UNDER_WAY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


def until(condition: Callable[[], object], what: object) -> None:
    """Wait for a condition, for as long as it could possibly take."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to pass: {what}"
        time.sleep(LOOK_S)


class Running:
    """A process with a loop, by default of the views, and the JSON lines that it has written."""

    def __init__(self, line: Line, *options: str, command: str = "run") -> None:
        self.process = subprocess.Popen(
            [str(CLAIMS), command, "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=line.whole_environment(),
        )
        self.lines: list[dict[str, Any]] = []
        self._errors: list[bytes] = []
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ended()

    def said(self, event: str, times: int = 1) -> None:
        """Wait until it has said so, that often."""
        until(lambda: self.events.count(event) >= times, self)

    def __str__(self) -> str:
        return f"{self.events} {self.err}"

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    @property
    def err(self) -> str:
        return b"".join(self._errors).decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and wait; how it ended."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(DEADLINE_S)
        for reader, stream in zip(
            self._readers, (self.process.stdout, self.process.stderr), strict=True
        ):
            reader.join(DEADLINE_S)
            if stream is not None:
                stream.close()
        assert "Traceback" not in self.err
        return code

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(json.loads(line))

    def _read_errors(self) -> None:
        self._errors.extend(self.process.stderr or ())


def value(connection: Connection[Any], query: str) -> Any:
    ((found,),) = connection.execute(query.encode()).fetchall()
    return found


def level(conninfo: str) -> bool:
    """Whether the views hold the log; a database that is away says no."""
    try:
        with psycopg.connect(conninfo) as connection:
            return bool(value(connection, LAGGING) == 0)
    except psycopg.OperationalError:
        return False


@contextmanager
def held_up(conninfo: str) -> Generator[Connection[Any]]:
    """No view moves meanwhile: who would move one waits for the row of its position."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT FROM views.position FOR UPDATE")
        yield connection


def page_under_way(conninfo: str) -> bool:
    """Whether somebody waits for such a row; each look is a transaction of its own."""
    with psycopg.connect(conninfo) as connection:
        return bool(value(connection, UNDER_WAY))


def positions(conninfo: str) -> Mapping[str, int]:
    with psycopg.connect(conninfo) as connection:
        return dict(connection.execute("SELECT view, position FROM views.position"))
