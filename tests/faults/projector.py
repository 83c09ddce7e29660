"""A projector: `claims run`, as a process that may meet a fate of its own."""

import threading

from tests.faults.points import await_fate
from tests.faults.process import Task
from tests.faults.programs import run_program


def project(task: Task, stopping: threading.Event) -> None:
    """Keep every view level until told to stop."""
    if task.fate is not None:
        await_fate(task.fate, task.journal())
    run_program(task, stopping, "run", "--json")
