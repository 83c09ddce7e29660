"""A process of a run ends when it is told to, whatever it is about to begin."""

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.edge.cli.loops import until
from tests.faults import programs
from tests.faults.process import Child, Task
from tests.faults.projector import project

WORK_S = 600.0  # longer than anybody waits here


def told_to_end_before_it_has_ears(task: Task, stopping: threading.Event) -> None:
    """A projector that is told to end after it looked whether it was, and before it listens."""

    def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(WORK_S)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(programs, "main", main)  # the command line, before it hears signals
        project(task, stopping)


def test_a_program_that_is_told_to_end_while_it_begins_ends(tmp_path: Path) -> None:
    day = datetime.now(UTC).date()
    task = Task("projector-0", 0, "4711", tmp_path, "", day, time.monotonic())
    child = Child(told_to_end_before_it_has_ears, task)
    try:
        until(lambda: child.done, "its end")
    finally:
        child.kill()
