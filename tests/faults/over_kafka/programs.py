"""`claims consume` and `claims relay`, as processes that may meet a fate of their own."""

import threading

from edge.kafka import clients
from tests.faults.over_kafka.points import await_fate
from tests.faults.process import Task
from tests.faults.programs import run_program

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
    kafka = {"KAFKA_BOOTSTRAP": bootstrap, "KAFKA_CLIENT_ID": task.name}
    run_program(task, stopping, *arguments, **kafka)
