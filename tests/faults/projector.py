"""A projector: `claims run`, and the supervisor that starts it again when the database is away."""

import os
import sys
import threading
import time

from edge.cli import main
from edge.cli.asking import UNAVAILABLE
from edge.settings import PREFIX
from tests.faults.points import await_fate
from tests.faults.process import Task, end_when_told

AWAY_S = 0.2


def project(task: Task, stopping: threading.Event) -> None:
    """Keep every view level until told to stop."""
    if task.fate is not None:
        await_fate(task.fate, task.journal())
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ |= {"CLAIMS_DSN": task.conninfo, "CLAIMS_HOME": str(task.folder)}
    sys.argv = ["claims", "run", "--json"]
    end_when_told()
    while not stopping.is_set():  # by then: whoever tells it to later, ends it
        try:
            main()
        except SystemExit as end:
            if end.code != UNAVAILABLE:
                raise
            time.sleep(AWAY_S)
