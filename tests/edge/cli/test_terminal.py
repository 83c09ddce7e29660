"""`claims run` on a terminal: it draws where the views stand, and nothing comes between."""

import contextlib
import os
import pty
import select
import signal
import subprocess
from collections.abc import Callable

from tests.edge.cli.invoking import CLAIMS, Line
from tests.edge.cli.loops import DEADLINE_S, level, until
from tests.postgres_fixtures import Database
from tests.projections.ledgers import ledger, store


def test_on_a_terminal_it_draws_where_the_views_stand(claims: Line, database: Database) -> None:
    store(database, ledger(facts=10))
    drawn = on_a_terminal(claims, b"reserves", lambda: level(database.conninfo()))
    assert b"The views are" in drawn


def test_on_a_terminal_it_draws_who_is_waited_for_and_logs_nothing() -> None:
    drawn = on_a_terminal(Line({"CLAIMS_DSN": "host=127.0.0.1 port=1"}), b"away")
    assert b"The database is away" in drawn
    assert b"waiting for the database" not in drawn


def on_a_terminal(
    line: Line, awaited: bytes, condition: Callable[[], object] = lambda: True
) -> bytes:
    """What `claims run` writes on a terminal, stopped once it says so and the condition holds."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(CLAIMS), "run"],
        stdout=theirs,
        stderr=theirs,
        env=line.with_settings(TERM="xterm").whole_environment(),
    ) as running:
        os.close(theirs)
        drawn = b""
        while awaited not in drawn:
            assert select.select([ours], [], [], DEADLINE_S)[0], drawn
            drawn += os.read(ours, 4096)
        until(condition, awaited)
        running.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # how a terminal says that nobody is there any more
            while more := os.read(ours, 4096):
                drawn += more
        assert running.wait(DEADLINE_S) == 0
    os.close(ours)
    assert b"Traceback" not in drawn
    return drawn
