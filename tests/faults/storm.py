"""One cycle: writers, projectors and a reader on a database of their own, hurt in every known way.

All that is left to chance comes from one seed. The processes still race, so a seed repeats what was
done to them and not who was quicker.
"""

import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.faults import points, proxy
from tests.faults.checks import Finding, Kind
from tests.faults.holes import APPENDS, TAKEN_BACK, take_back
from tests.faults.journal import faults_told
from tests.faults.process import Child, Fate, Role, Task
from tests.faults.projector import project
from tests.faults.proxy import Cut, relay, through
from tests.faults.reader import follow_the_ledger
from tests.faults.recovery import Recovery
from tests.faults.server import Burden, Server
from tests.faults.writer import write

WRITERS, PROJECTORS = 8, 3
BY_PROXY = (6, 7)  # writers whose connections may be cut
BY_GROUP = {4: 6, 5: 16}  # writers with so many threads, and a group commit
TICK_S = 0.05
WAKE_S = 2.0  # how long a process that stopped itself stays so, at most
STOPPED_S = (0.5, 4.0)
AWAY_S = (0.0, 0.3, 1.0, 5.0)
HURT_EVERY_S = 1.2
EXTENDED = 3  # a slow machine gets so many times as long until every fault has come


class Hurt(StrEnum):
    """What the harness does to the processes and the server."""

    KILLED = "process killed"
    STOPPED = "process stopped for seconds"
    IMMEDIATE = "PostgreSQL stopped immediate"
    POSTMASTER = "postmaster killed"
    TERMINATED = "backend terminated"
    BACKEND = "backend killed"


AT_LEAST = {
    **dict.fromkeys(Hurt, 1),
    Hurt.KILLED: 4,
    Hurt.STOPPED: 2,
    Hurt.IMMEDIATE: 2,
}
MORE = (*[Hurt.KILLED] * 6, *[Hurt.STOPPED] * 3, Hurt.TERMINATED, Hurt.TERMINATED, Hurt.BACKEND)
POINTS: Mapping[Role, tuple[str, ...]] = {
    write: points.OF_A_WRITER,
    project: points.OF_A_PROJECTOR,
}
NAMED = {f"killed {point}" for points_of in POINTS.values() for point in points_of}
EXPECTED: Mapping[str, int] = {
    **dict.fromkeys([*Hurt, *Cut, *NAMED, f"stopped {points.BEFORE_ANSWERS}"], 1),
    TAKEN_BACK: APPENDS,
}


@dataclass
class Storm:
    """The processes of one cycle, and what is done to them."""

    server: Server
    conninfo: str
    folder: Path
    seed: str
    seconds: float
    faults: Counter[str] = field(default_factory=Counter[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    tell: Callable[["Storm"], None] = lambda _: None

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.seed} storm")
        self.began = time.monotonic()
        self.burden = Burden(self.conninfo)
        self.recovery = Recovery(self.conninfo)
        self._until: dict[str, float] = {}  # when a stopped process goes on
        self._owed: set[str] = set()  # faults that have not come, once the time is up
        self._wake = self._look = 0.0
        self._calm = False

    def blow(self) -> None:
        """Start everything, and hurt it so long, and until every fault has come."""
        self.burden.leave_behind()
        self._start_all()
        for at, hurt in plan(self.dice, self.seconds):
            self._wait(self.began + at - time.monotonic())
            self._do(hurt)
        self._wait(self.began + self.seconds - time.monotonic())
        self._make_up_for_the_rest(self.began + EXTENDED * self.seconds)
        if not self.findings:
            self.findings += [Finding(Kind.UNSEEN, fault) for fault in sorted(self._unseen())]

    def calm(self) -> None:
        """No more faults: everything runs, the server too."""
        self._calm = True
        self.server.start()
        self.burden.hold()
        for name in self._until:
            self.children[name].go()
        self._until.clear()
        self._wake = 0.0
        self.tend()

    def end(self, *roles: Role) -> None:
        """End the processes of these roles in order; one that does not end is a finding."""
        for child in [each for each in self.children.values() if each.role in roles]:
            if not child.end():
                self.findings.append(Finding(Kind.HUNG, child.name))
            self._look_at(child)
            del self.children[child.name]

    def abandon(self) -> None:
        """Leave nothing behind, whatever happened."""
        for child in self.children.values():
            child.kill()

    def start(self, role: Role, name: str, **more: Any) -> Child:
        """Start a process of the cycle."""
        day = datetime.now(UTC).date()
        task = Task(name, 0, self.seed, self.folder, self.conninfo, day, self.began)
        task = replace(task, **more)
        self.children[name] = Child(role, replace(task, fate=self._fate(task, role)))
        return self.children[name]

    def all_faults(self) -> Counter[str]:
        """What was done to the processes, by others and by their own hands."""
        return self.faults + faults_told(self.folder)

    def _make_up_for_the_rest(self, limit: float) -> None:
        """Start those with named points again, for the points that nobody has met yet, and hurt
        again what was not there to be hurt: a backend, while the server was away.
        """
        self._owed = self._unseen()
        if self._owed:
            for child in self.children.values():
                if child.role in POINTS:
                    child.kill()
        while self._owed and not self.findings and time.monotonic() < limit:
            for hurt in [each for each in Hurt if each in self._owed]:
                self._do(hurt)
            self._wait(1.0)
            self._owed = self._unseen()

    def _unseen(self) -> set[str]:
        come = self.all_faults()
        return {fault for fault, times in EXPECTED.items() if come[fault] < times}

    def _start_all(self) -> None:
        port = _free_port()
        self.start(relay, "proxy", port=port)
        for number in range(WRITERS):
            self.start(
                write,
                f"writer-{number}",
                threads=BY_GROUP.get(number, 1),
                faulty_clock=number % 2 == 1,
                conninfo=through(self.conninfo, port) if number in BY_PROXY else self.conninfo,
            )
        for number in range(PROJECTORS):
            self.start(project, f"projector-{number}")
        self.start(follow_the_ledger, "reader")
        self.start(take_back, "holes")

    def _fate(self, task: Task, role: Role) -> Fate | None:
        """The first lives see to it that every named point is met; the later ones leave it open."""
        dice = random.Random(f"{task.seed} {task.name} {task.life} fate")
        known = () if self._calm else POINTS.get(role, ())
        if owed := [point for point in known if f"killed {point}" in self._owed]:
            return Fate(dice.choice(owed), dice.randint(1, 3))
        if known and role is write and f"stopped {points.BEFORE_ANSWERS}" in self._owed:
            return Fate(points.BEFORE_ANSWERS, dice.randint(1, 3), signal.SIGSTOP)
        if not known or (task.life > 0 and dice.random() < 0.4):
            return None
        number = int(task.name.rpartition("-")[2])
        point = known[number % len(known)] if task.life == 0 else dice.choice(known)
        if role is write and (number == 3 or dice.random() < 0.15):
            return Fate(points.BEFORE_ANSWERS, dice.randint(2, 20), signal.SIGSTOP)
        return Fate(point, dice.randint(2, 20 if task.life == 0 else 120))

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self.tend()
            if time.monotonic() >= deadline:
                return
            time.sleep(TICK_S)

    def tend(self) -> None:
        """Start again who has ended, let those go on whose time is over, and look."""
        now = time.monotonic()
        for child in list(self.children.values()):
            if not child.alive and not child.done:
                self._look_at(child)
                task = replace(child.task, life=child.task.life + 1)
                task = replace(task, fate=self._fate(task, child.role))
                self.children[child.name] = Child(child.role, task)
        for name in [name for name, until in self._until.items() if until <= now]:
            self.children[name].go()
            del self._until[name]
        if now >= self._wake:
            self._wake = now + WAKE_S
            for child in self.children.values():
                if child.name not in self._until:
                    child.go()  # it may have stopped itself
        self.recovery.look()
        if now >= self._look:
            self._look = now + 1.0
            self.burden.hold()
            self.tell(self)

    def _look_at(self, child: Child) -> None:
        if child.crashed:
            self.findings.append(Finding(Kind.CRASHED, child.crashed))

    def _return(self) -> None:
        """Have the server back, however it went away."""
        self.server.start()
        self.recovery.returned()

    def _do(self, hurt: Hurt) -> None:
        if hurt not in (Hurt.KILLED, Hurt.STOPPED):
            self.recovery.interrupted()
        match hurt:
            case Hurt.KILLED:
                self._anybody().kill()
            case Hurt.STOPPED:
                child = self._anybody()
                child.stop()
                self._until[child.name] = time.monotonic() + self.dice.uniform(*STOPPED_S)
            case Hurt.IMMEDIATE:
                self.server.stop_immediately()
                self._wait(self.dice.choice(AWAY_S))
                self._return()
            case Hurt.POSTMASTER:
                self.server.kill()
                self._return()
            case Hurt.TERMINATED:
                if not self.server.terminate(self.dice):
                    return
            case Hurt.BACKEND:
                if not self.server.kill_backend(self.dice):
                    return
                self._return()
        self.faults[hurt] += 1

    def _anybody(self) -> Child:
        return self.children[self.dice.choice(sorted(self.children))]


def plan(dice: random.Random, seconds: float) -> Iterator[tuple[float, Hurt]]:
    """When to do what: everything at least once, and more of what costs little."""
    hurts = [hurt for hurt, times in AT_LEAST.items() for _ in range(times)]
    hurts += dice.choices(MORE, k=max(0, int(seconds / HURT_EVERY_S) - len(hurts)))
    dice.shuffle(hurts)
    return zip(sorted(dice.uniform(1.0, seconds) for _ in hurts), hurts, strict=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((proxy.HOST, 0))
        port: int = found.getsockname()[1]
    return port
