"""`claims consume` and `claims relay` as processes of a run, and the supervisor of each."""

import os
import sys
import threading
import time
from collections.abc import Sequence

from edge.cli import main
from edge.cli.asking import UNAVAILABLE
from edge.kafka import clients
from edge.settings import PREFIX
from tests.faults.over_kafka.points import await_fate
from tests.faults.process import Task, end_when_told

AWAY_S = 0.2
HEARTBEATS = 3  # to a session, as the product has them


def consume(task: Task, stopping: threading.Event, *, bootstrap: str, session_ms: int) -> None:
    """Answer commands until told to stop, in a session of this length."""
    clients.SESSION_MS_MAX, clients.HEARTBEAT_MS = session_ms, session_ms // HEARTBEATS
    _run(task, stopping, bootstrap, "consume", "--json")


def relay(task: Task, stopping: threading.Event, *, bootstrap: str) -> None:
    """Publish facts until told to stop."""
    _run(task, stopping, bootstrap, "relay", "--json")


def _run(task: Task, stopping: threading.Event, bootstrap: str, *arguments: str) -> None:
    if task.fate is not None:
        await_fate(task.fate, task.journal())
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ |= {
        "CLAIMS_DSN": task.conninfo,
        "CLAIMS_HOME": str(task.folder),
        "CLAIMS_KAFKA_BOOTSTRAP": bootstrap,
        "CLAIMS_KAFKA_CLIENT_ID": task.name,
    }
    run_program(arguments, stopping)


def run_program(arguments: Sequence[str], stopping: threading.Event) -> None:
    """Run a command of the ledger until told to stop, and again where something was away."""
    sys.argv = ["claims", *arguments]
    end_when_told()
    while not stopping.is_set():  # by then: whoever tells it to later, ends it
        try:
            main()
        except SystemExit as end:
            if end.code != UNAVAILABLE:
                raise
            time.sleep(AWAY_S)
