"""The senders: each message ten times, at times that are left to chance, until it is acknowledged.

Every sender has several writers, and all writers of all senders write to one file at a time.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from kafka.errors import KafkaError

from commands.sources import Source
from edge.kafka.clients import producer
from edge.kafka.errors import BrokerUnavailable
from edge.kafka.verbatim import WHOLE_RECORDS, send_record
from edge.settings import Settings
from tests.commands.bodies import Body
from tests.faults.asking import Asker, opening
from tests.faults.journal import Journal
from tests.faults.over_kafka.asks import (
    Ask,
    asked,
    asking,
    note_asked,
    note_stored,
    sources_of,
    stored,
)
from tests.faults.over_kafka.poison import NAMES, TOO_LARGE, poison
from tests.faults.process import Task

COPIES = 10  # of each message
OPEN_MAX = 12  # messages of a writer that have not been sent ten times; then none is begun
SHARED_S = 20.0  # so long all writers write to one file, before it grows too long
AT_ONCE_MAX = 6
ALL_AT_ONCE = 0.25  # how many messages are sent ten times in a row
PAUSE_S_MAX = 0.8
AWAY_S = 0.2
DELIVERY_MS_MAX = 12_000  # from the send to its last attempt: then another producer sends it
ANSWER_S_MAX = 15.0
CLOSE_S_MAX = 2.0
FINISH = "finish"  # the file by which the senders are told to begin nothing more
UNFIT_VERSION = 999  # what no file has


@dataclass
class Asks:
    """What one writer begins: commands on its own files and the shared one, and poison.

    Writers of different numbers begin with different kinds of poison.
    """

    name: str
    number: int
    dice: random.Random
    day: date
    began: float

    def __post_init__(self) -> None:
        self._asker = Asker(self.name, self.dice, self.day, ())
        self._own: list[str] = []
        self._shared = ""
        often = [name for name in NAMES if name != TOO_LARGE]  # which once a run is enough of
        kinds = itertools.cycle(self.dice.sample(often, len(often)))
        self._kinds = itertools.chain([NAMES[self.number % len(NAMES)]], kinds)
        self._number = 0

    def some(self) -> list[Ask]:
        """What is sent next, in this order."""
        chance = self.dice.random()
        if not self._own:
            return [*self._opened(), self._poison()]
        if chance < 0.09:
            return [self._poison()]
        if chance < 0.12:
            return [self._unfit()]
        if chance < 0.35 and (steps := self._asker.next_steps()):
            return self._asking(steps)
        if chance < 0.42:
            return self._opened()
        if chance < 0.85:
            claim = f"S{int((time.monotonic() - self.began) / SHARED_S)}"
            opened = [] if claim == self._shared else opening(claim, self.day)
            self._shared = claim
            return self._asking([*opened, self._asker.action(claim)])
        return self._asking([self._asker.action(self.dice.choice(self._own))])

    def _opened(self) -> list[Ask]:
        self._own.append(f"{self.name}-{self._id()}")
        return self._asking(opening(self._own[-1], self.day))

    def _asking(self, bodies: Sequence[Body]) -> list[Ask]:
        """What opens a file everybody sends alike; the rest whoever may, as chance has it."""
        return [
            asking(body, Source.DESK if "-open-" in body["command_id"] else self._source(body))
            for body in bodies
        ]

    def _source(self, body: Body) -> Source:
        return self.dice.choice(sources_of(body["type"]))

    def _unfit(self) -> Ask:
        """A command that has to be refused."""
        body = self._asker.action(self.dice.choice([*self._own, "nowhere"]))
        return asking({**body, "expected_version": UNFIT_VERSION}, self._source(body))

    def _poison(self) -> Ask:
        key = f"{self.name}-p{self._id()}"
        source = self.dice.choice(sources_of("notify-matter"))
        return poison(next(self._kinds), key, self.day, source)

    def _id(self) -> int:
        self._number += 1
        return self._number


@dataclass
class Writer:
    """One writer: what it has to send, and the producer it has at the moment."""

    asks: Asks
    journal: Journal
    settings: Settings
    finish: Path
    left: dict[str, tuple[Ask, int]] = field(default_factory=dict[str, tuple[Ask, int]])
    client: Any = None

    def write(self, stopping: threading.Event) -> None:
        """Send until told to finish, and then what is left of what was begun."""
        dice = self.asks.dice
        try:
            while not stopping.is_set() and (self.left or not self.finish.exists()):
                if self._send(self._next()):
                    stopping.wait(0 if self.finish.exists() else dice.uniform(0, PAUSE_S_MAX))
                else:
                    stopping.wait(AWAY_S)
        finally:
            self._abandon()

    def _next(self) -> list[Ask]:
        """New messages in their order, or some that were sent before once more."""
        dice = self.asks.dice
        new = len(self.left) < OPEN_MAX and not self.finish.exists()
        if new and (not self.left or dice.random() < 0.4):
            some = self.asks.some()
            for ask in some:
                note_asked(self.journal, ask)
                self.left[ask.key] = (ask, COPIES)
            # All at once they are in one batch, and what happens to it happens to each of them.
            times = COPIES if dice.random() < ALL_AT_ONCE else 1
            return [ask for ask in some for _ in range(times)]
        keys = dice.choices(sorted(self.left), k=dice.randint(1, AT_ONCE_MAX))
        return [self.left[key][0] for key in keys]

    def _send(self, some: Sequence[Ask]) -> bool:
        """Send and wait; a producer that failed has lost its place, and another is made."""
        try:
            if self.client is None:
                self.client = producer(
                    self.settings, delivery_timeout_ms=DELIVERY_MS_MAX, **WHOLE_RECORDS
                )
            sent = [(each, send_record(self.client, each.topic, each.record)) for each in some]
            for each, answer in sent:
                place = answer.get(ANSWER_S_MAX)
                note_stored(self.journal, each.key, place.partition, place.offset)
                self._one_less(each)
        except (KafkaError, BrokerUnavailable) as error:
            self.journal.write(failed=type(error).__name__)
            self._abandon()
            return False
        return True

    def _one_less(self, ask: Ask) -> None:
        left = self.left.pop(ask.key, (ask, 0))[1] - 1
        if left > 0:
            self.left[ask.key] = (ask, left)

    def _abandon(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            client._sender.force_close()  # it would wait for what it cannot send
            with suppress(KafkaError):
                client.close(CLOSE_S_MAX)


def send(task: Task, stopping: threading.Event, *, bootstrap: str) -> None:
    """Write with as many writers as there are threads, through every absence of the broker."""
    journal, settings = task.journal(), Settings.model_validate({"kafka_bootstrap": bootstrap})
    left = list(unfinished(task.path).items())
    dice = task.dice()
    writers = [
        Writer(
            Asks(
                f"{task.name}.{task.life}.{number}",
                int(task.name.rpartition("-")[2]) * task.threads + number,
                random.Random(dice.random()),
                task.day,
                task.began,
            ),
            journal,
            settings,
            task.folder / FINISH,
            dict(left[number :: task.threads]),
        )
        for number in range(task.threads)
    ]
    with ThreadPoolExecutor(task.threads) as threads:
        for ended in [threads.submit(each.write, stopping) for each in writers]:
            ended.result()


def unfinished(path: Path) -> dict[str, tuple[Ask, int]]:
    """What earlier lives of a sender began, and how often each message is still to be sent."""
    times = Counter(key for key, _, _ in stored(path))
    return {
        ask.key: (ask, COPIES - times[ask.key]) for ask in asked(path) if times[ask.key] < COPIES
    }
