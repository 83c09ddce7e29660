"""One cycle over Kafka: consumers, relays and senders, hurt in every known way.

What is done to them comes in two rows at once, each in an order of its own that comes from the
seed: what hurts Kafka and the group, and what hurts everything else.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

from tests.faults.checks import Finding, Kind
from tests.faults.journal import faults_told
from tests.faults.over_kafka import points
from tests.faults.over_kafka.asks import POISON
from tests.faults.over_kafka.hub import Hub
from tests.faults.over_kafka.poison import NAMES
from tests.faults.over_kafka.programs import consume, relay
from tests.faults.over_kafka.proxy import Mode, Proxy
from tests.faults.over_kafka.sending import send
from tests.faults.over_kafka.witness import WITNESS, all_seen, watch
from tests.faults.process import Child, Fate, Role, Task
from tests.faults.server import Server

CONSUMERS, RELAYS, SENDERS = 3, 2, 4
WRITERS = 5  # of a sender: twenty in all
BY_PROXY = {"consumer-2", "relay-1", "sender-3"}
TICK_S = 0.05
BETWEEN_S = (0.3, 1.5)  # two faults of a row
TRY_S = 0.5
BEGIN_S_MAX = 60.0  # until the first commands are answered
GROUP_S_MAX = 60.0  # until a group has lost its members; their session is 10 s at most
WAITS_FOR_TOPICS = b'"for_what": "topics"'  # in what a consumer says when it does
OWED_S_MAX = 90.0  # until every fault has come, once the time is up


class Hurt(StrEnum):
    """What the harness does."""

    CONSUMER_KILLED = "consumer killed"
    CONSUMER_STOPPED = "consumer stopped past its session"
    OFFSETS_RESET = "offsets reset to 0"
    BROKER_KILLED = "broker killed"
    BROKER_AWAY = "broker away"
    BROKER_STOPPED = "broker stopped"
    DEAD_AWAY = "dead letters not taken"
    SILENT = Mode.SILENT.value
    SLOW = Mode.SLOW.value
    RESETTING = Mode.RESETTING.value
    POSTGRES_AWAY = "PostgreSQL away"
    RELAY_KILLED = "relay killed"
    SENDER_KILLED = "sender killed"


OF_KAFKA = (
    Hurt.CONSUMER_KILLED,
    Hurt.CONSUMER_STOPPED,
    Hurt.OFFSETS_RESET,
    Hurt.BROKER_KILLED,
    Hurt.BROKER_AWAY,
    Hurt.BROKER_STOPPED,
    Hurt.DEAD_AWAY,
)
OF_THE_REST = tuple(hurt for hurt in Hurt if hurt not in OF_KAFKA)
KILLS = (Hurt.CONSUMER_KILLED, Hurt.RELAY_KILLED, Hurt.SENDER_KILLED)
NAMED = {f"killed {point}" for point in (*points.OF_A_CONSUMER, *points.OF_A_RELAY)}
EXPECTED = {*Hurt, *NAMED, *(f"{POISON}{name}" for name in NAMES)}


@dataclass(frozen=True, slots=True)
class Form:
    """How long each thing lasts, and how many processes more are killed."""

    session_ms: int
    broker_away_s: float
    broker_stopped_s: float
    postgres_away_s: float
    dead_away_s: float
    proxy_s: float
    more: int


SHORT = Form(3_000, 6.0, 11.0, 5.0, 3.0, 5.0, more=0)
LONG = Form(10_000, 60.0, 60.0, 20.0, 20.0, 30.0, more=20)
Acts = Generator[float]  # does something, and says how long to wait before the next part


@dataclass
class Storm:
    """The processes of one cycle, and what is done to them."""

    server: Server
    hub: Hub
    proxy: Proxy
    conninfo: str
    folder: Path
    seed: str
    form: Form
    faults: Counter[str] = field(default_factory=Counter[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    tell: Callable[["Storm"], None] = lambda _: None

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self._held: set[str] = set()  # who is not started again now
        self._owed: set[str] = set()  # faults that have not come, once the time is up
        self._calm = False
        self._look = 0.0

    def blow(self) -> None:
        """Start everything, hurt it in every way, and go on until every fault has come."""
        self._start_all()
        self._await_work()
        self._play([self._row(row) for row in plan(self.seed, self.form.more)])
        until = time.monotonic() + OWED_S_MAX
        while not self.findings and time.monotonic() < until:
            self._owed = self._unseen()
            if not self._owed:
                return
            self._play([self._again(), self._row([each for each in Hurt if each in self._owed])])
        self.findings += [Finding(Kind.UNSEEN, fault) for fault in sorted(self._unseen())]

    def calm(self) -> None:
        """No more faults: everything runs, and goes on running."""
        self._calm = True
        self._owed.clear()
        self._held.clear()
        for child in self.children.values():
            child.go()
        self.tend()

    def end(self, *names: str) -> None:
        """End the processes of these names in order; one that does not end is a finding."""
        for child in self.called(*names):
            if not child.end():
                self.findings.append(Finding(Kind.HUNG, child.name))
            self._look_at(child)
            del self.children[child.name]

    def abandon(self) -> None:
        """Leave nothing behind, whatever happened."""
        for child in self.children.values():
            child.kill()

    def all_faults(self) -> Counter[str]:
        """What was done to the processes, by others and by their own hands."""
        return self.faults + faults_told(self.folder)

    def tend(self) -> None:
        """Start again who has ended, and look."""
        for child in list(self.children.values()):
            if not child.alive and not child.done and child.name not in self._held:
                self._look_at(child)
                task = replace(child.task, life=child.task.life + 1)
                self._start(child.role, task)
        if time.monotonic() >= self._look:
            self._look = time.monotonic() + 1.0
            self.tell(self)

    # --- the processes ----------------------------------------------------------------------------

    def _start_all(self) -> None:
        session = self.form.session_ms
        for number in range(CONSUMERS):
            self._begin(f"consumer-{number}", partial(consume, session_ms=session))
        for number in range(RELAYS):
            self._begin(f"relay-{number}", relay)
        for number in range(SENDERS):
            self._begin(f"sender-{number}", send, threads=WRITERS)
        self._begin("witness", watch)

    def _await_work(self) -> None:
        """Until something was answered: who hurts them while they begin hurts nothing."""
        deadline = time.monotonic() + BEGIN_S_MAX
        while not any(seen.committed for seen in all_seen(self.folder / WITNESS)):
            if time.monotonic() > deadline:
                self.findings.append(Finding(Kind.HUNG, "the consumers answer nothing"))
                return
            self.tend()
            time.sleep(TRY_S)

    def _begin(self, name: str, role: Callable[..., None], **more: Any) -> None:
        bootstrap = self.hub.proxied if name in BY_PROXY else self.hub.direct
        day = datetime.now(UTC).date()
        task = Task(name, 0, self.seed, self.folder, self.conninfo, day, self.began, **more)
        self._start(partial(role, bootstrap=bootstrap), task)

    def _start(self, role: Role, task: Task) -> None:
        self.children[task.name] = Child(role, replace(task, fate=self._fate(task)))

    def _fate(self, task: Task) -> Fate | None:
        """The first lives see to it that every named point is met; the later ones leave it open."""
        kind, _, number = task.name.partition("-")
        known = {"consumer": points.OF_A_CONSUMER, "relay": points.OF_A_RELAY}.get(kind, ())
        if not known or self._calm:
            return None
        dice = random.Random(f"{task.seed} {task.name} {task.life} fate")
        if owed := [point for point in known if f"killed {point}" in self._owed]:
            return Fate(dice.choice(owed), dice.randint(1, 3))
        if task.life == 0:
            return Fate(known[int(number) % len(known)], dice.randint(2, 12))
        return Fate(dice.choice(known), dice.randint(5, 60)) if dice.random() < 0.4 else None

    def called(self, *names: str) -> list[Child]:
        return [each for each in self.children.values() if each.name.startswith(names)]

    def _look_at(self, child: Child) -> None:
        if child.crashed:
            self.findings.append(Finding(Kind.CRASHED, child.crashed))

    def _unseen(self) -> set[str]:
        return EXPECTED - self.all_faults().keys()

    # --- what is done to them ---------------------------------------------------------------------

    def _play(self, rows: list[Acts]) -> None:
        """Play rows beside each other to their ends."""
        due = dict.fromkeys(range(len(rows)), 0.0)
        while due:
            self.tend()
            for number in [each for each, at in due.items() if at <= time.monotonic()]:
                try:
                    due[number] = time.monotonic() + next(rows[number])
                except StopIteration:
                    del due[number]
            time.sleep(TICK_S)

    def _row(self, hurts: list[Hurt]) -> Acts:
        for number, hurt in enumerate(hurts):
            dice = random.Random(f"{self.seed} {number} {hurt}")
            yield dice.uniform(*BETWEEN_S)
            yield from self._acts(hurt, dice)

    def _acts(self, hurt: Hurt, dice: random.Random) -> Acts:
        match hurt:
            case Hurt.CONSUMER_KILLED | Hurt.RELAY_KILLED | Hurt.SENDER_KILLED:
                dice.choice(self.called(hurt.partition(" ")[0])).kill()
                self.faults[hurt] += 1
            case Hurt.CONSUMER_STOPPED:
                yield from self._stop_past_the_session(dice)
            case Hurt.OFFSETS_RESET:
                yield from self._reset_offsets()
            case Hurt.BROKER_KILLED | Hurt.BROKER_AWAY | Hurt.BROKER_STOPPED:
                yield from self._hurt_the_broker(hurt)
            case Hurt.DEAD_AWAY:
                yield from self._refuse_dead_letters()
            case Hurt.SILENT | Hurt.SLOW | Hurt.RESETTING:
                self.proxy.mode = Mode(hurt.value)
                yield self.form.proxy_s
                self.proxy.mode = Mode.OPEN
                self.faults[hurt] += 1
            case Hurt.POSTGRES_AWAY:
                self.server.stop_immediately()
                yield self.form.postgres_away_s
                self.server.start()
                self.faults[hurt] += 1

    def _stop_past_the_session(self, dice: random.Random) -> Acts:
        """Until the others have its partitions, and a little longer; then it goes on."""
        child = dice.choice(self.called("consumer"))
        child.stop()
        for _ in until(GROUP_S_MAX):
            yield TRY_S
            members = self.hub.members()
            if members and child.name not in members:
                self.faults[Hurt.CONSUMER_STOPPED] += 1
                break
        yield dice.uniform(0, 2)
        child.go()

    def _reset_offsets(self) -> Acts:
        """A group that somebody is in keeps its offsets: all consumers go first."""
        consumers = self.called("consumer")
        self._held |= {each.name for each in consumers}
        for each in consumers:
            each.kill()
        for _ in until(GROUP_S_MAX):
            yield TRY_S
            if self.hub.reset_offsets():
                self.faults[Hurt.OFFSETS_RESET] += 1
                break
        self._held -= {each.name for each in consumers}

    def _hurt_the_broker(self, hurt: Hurt) -> Acts:
        broker = self.hub.broker
        match hurt:
            case Hurt.BROKER_STOPPED:
                broker.signal(SIGSTOP)
                yield self.form.broker_stopped_s
                broker.signal(SIGCONT)
            case Hurt.BROKER_AWAY:
                broker.stop()
                yield self.form.broker_away_s
                broker.start()
            case _:
                broker.kill()
                broker.start()
        broker.wait()
        self.faults[hurt] += 1

    def _refuse_dead_letters(self) -> Acts:
        """Until a consumer says that it waits for the topics, and as long as it is to last."""
        while not self.hub.take_dead_letters(taken=False):
            yield TRY_S
        before = self._waits_for_topics()
        for _ in until(GROUP_S_MAX):
            yield TRY_S
            if self._waits_for_topics() > before:
                self.faults[Hurt.DEAD_AWAY] += 1
                yield self.form.dead_away_s
                break
        while not self.hub.take_dead_letters(taken=True):
            yield TRY_S

    def _waits_for_topics(self) -> int:
        """How often consumers have said so."""
        said = (path.read_bytes() for path in self.folder.glob("consumer-*.err"))
        return sum(text.count(WAITS_FOR_TOPICS) for text in said)

    def _again(self) -> Acts:
        """Start those with named points again, for the points that nobody has met yet."""
        if self._owed & NAMED:
            for child in self.called("consumer", "relay"):
                child.kill()
        yield 10.0


def plan(seed: str, more: int) -> list[list[Hurt]]:
    """The two rows: every fault once, and so many processes more killed beside the first row."""
    dice = random.Random(f"{seed} over Kafka")
    rows: list[list[Hurt]] = [[*OF_KAFKA], [*OF_THE_REST, *dice.choices(KILLS, k=more)]]
    for row in rows:
        dice.shuffle(row)
    return rows


def until(seconds: float) -> Iterator[None]:
    """Try for so long, and once at least."""
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        yield
