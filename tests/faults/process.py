"""The processes of a run: real ones that are killed, stopped and continued, and die with it."""

import ctypes
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType

from tests.faults.journal import Journal

# A fresh interpreter would import for a second at every start; this one is forked from a server
# that has it all imported, and has no thread and no connection.
FORKS = multiprocessing.get_context("forkserver")
IMPORTED = [
    *("writer", "projector", "reader", "proxy", "holes"),
    *("over_kafka.programs", "over_kafka.sending", "over_kafka.witness"),
]
PR_SET_PDEATHSIG = 1
END_S_MAX = 20.0
LOOK_S = 0.5
ERROR_LINES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a process by itself: a signal, when it passes a named point so many times."""

    point: str
    passing: int
    signal: int = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to do. `life` counts how often it was started.

    `day` is the cycle's, and `began` the moment (monotonic seconds) at which the cycle began.
    """

    name: str
    life: int
    seed: str
    folder: Path
    conninfo: str
    day: date
    began: float
    fate: Fate | None = None
    threads: int = 1
    faulty_clock: bool = False
    port: int = 0

    @property
    def path(self) -> Path:
        """The journal, shared by all lives."""
        return self.folder / f"{self.name}.jsonl"

    def journal(self) -> Journal:
        return Journal(self.path)

    def dice(self) -> random.Random:
        """Chance that repeats: the same seed, process and life draw the same."""
        return random.Random(f"{self.seed} {self.name} {self.life}")


Role = Callable[[Task, threading.Event], None]


class Child:
    """One process of the run, through all its lives."""

    def __init__(self, role: Role, task: Task) -> None:
        FORKS.set_forkserver_preload([f"tests.faults.{name}" for name in IMPORTED])
        self.role = role
        self.task = task
        self.stopped = False
        self._process = FORKS.Process(target=_live, args=(role, task), name=task.name, daemon=True)
        self._process.start()

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def done(self) -> bool:
        """It has come to its end by itself."""
        return self._process.exitcode == 0

    @property
    def crashed(self) -> str:
        """How it ended, when nobody killed it and nobody told it to end: the last it said."""
        # One that is told to end while it begins has no ear for it yet, and just ends.
        if self.alive or self._process.exitcode in (0, -signal.SIGKILL, -signal.SIGTERM):
            return ""
        said = _errors(self.task).read_text("utf-8", "replace").splitlines()
        return f"{self.name} ended with {self._process.exitcode}: " + " | ".join(
            said[-ERROR_LINES_SHOWN:]
        )

    def kill(self) -> None:
        """At once, with no chance to say goodbye."""
        self._process.kill()
        self._process.join()

    def stop(self) -> None:
        self._signal(signal.SIGSTOP)
        self.stopped = True

    def go(self) -> None:
        """Continue, whoever stopped it."""
        self._signal(signal.SIGCONT)
        self.stopped = False

    def end(self) -> bool:
        """Ask it to finish what it is at; False when it had to be killed."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + END_S_MAX
        while time.monotonic() < until:
            self.go()  # it may meet a fate that stops it even now
            self._process.join(LOOK_S)
            if not self.alive:
                return True
        self.kill()
        return False

    def _signal(self, number: int) -> None:
        if self._process.pid is not None and self.alive:
            os.kill(self._process.pid, number)


def end_when_told() -> None:
    """End at SIGTERM from now on, except while a program of the product hears it by itself.

    A flag that is looked at before the program starts would miss what comes in between.
    """

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise SystemExit

    signal.signal(signal.SIGTERM, end)


def _live(role: Role, task: Task) -> None:
    _die_with_the_harness()
    stopping = threading.Event()

    def asked_to_end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopping.set()

    signal.signal(signal.SIGTERM, asked_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the harness's, which ends us in order
    errors = os.open(_errors(task), os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    role(task, stopping)


def _errors(task: Task) -> Path:
    return task.folder / f"{task.name}.err"


def _die_with_the_harness() -> None:
    if sys.platform == "linux":  # the server we are forked from ends with the harness, we with it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    harness = multiprocessing.parent_process()
    assert harness is not None

    def watch() -> None:
        wait([harness.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
