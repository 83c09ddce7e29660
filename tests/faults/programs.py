"""A command of the ledger as a process of a run, and the supervisor that starts it again."""

import os
import sys
import threading
import time

from edge.cli import main
from edge.cli.asking import UNAVAILABLE
from edge.settings import PREFIX
from tests.faults.process import Task, end_when_told

AWAY_S = 0.2


def run_program(task: Task, stopping: threading.Event, *arguments: str, **settings: str) -> None:
    """Run it on the task's database until told to stop, and again where something was away.

    `settings` are more of the ledger's, by their names without the prefix.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    told = {"DSN": task.conninfo, "HOME": str(task.folder), **settings}
    os.environ |= {PREFIX + name: value for name, value in told.items()}
    sys.argv = ["claims", *arguments]
    end_when_told()
    while not stopping.is_set():  # by then: whoever tells it to later, ends it
        try:
            main()
        except SystemExit as end:
            if end.code != UNAVAILABLE:
                raise
            time.sleep(AWAY_S)
