"""A writer: sends batches to the ledger, and writes down what it sends and what it was answered."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from commands.door import read
from commands.group import GroupCommit
from commands.ledger import Asked
from commands.receipt import Receipt
from domain.errors import StoreUnavailable
from edge.postgres.errors import ServerUnavailable
from edge.settings import Settings
from edge.wiring import Books, open_books
from tests.faults.asking import Asker, as_sent
from tests.faults.exchanges import exchanges, is_kept, note_got, note_sent
from tests.faults.journal import Journal
from tests.faults.points import await_fate
from tests.faults.process import Task

Handle = Callable[[Sequence[Asked], int], Sequence[Receipt]]  # commands, and the bytes they had

PAUSE_S_MAX = 0.08  # eight writers that never rest would only measure the machine
LOOK_S = 0.5  # how often the main thread of a writer looks up
AWAY_S = 0.1  # between two tries of a database that is away
HOUR = timedelta(hours=1)


@dataclass
class FaultyClock:
    """A clock that is set an hour forward or back, or a little back, every few seconds."""

    dice: random.Random
    offset: timedelta = timedelta(0)
    until: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        if time.monotonic() >= self.until:
            self.until = time.monotonic() + self.dice.uniform(0.3, 4)
            back = timedelta(milliseconds=self.dice.randint(-1_500, 0))
            self.offset = self.dice.choice((timedelta(0), HOUR, -HOUR, back))
        return datetime.now(UTC) + self.offset


@dataclass
class Sender:
    """One thread's exchange with the ledger, whichever connection there is at the moment."""

    asker: Asker
    journal: Journal
    dice: random.Random
    began: float

    def send(self, handle: Handle, stopping: threading.Event) -> None:
        """Send batch after batch, each written down before it goes and when it is answered."""
        while not stopping.is_set():
            batch = self.asker.batch(time.monotonic() - self.began)
            receipts = exchange(handle, self.journal, batch)
            away = [
                text
                for text, receipt in zip(batch, receipts, strict=True)
                if not is_kept(receipt.data) and receipt.code.startswith("E60")
            ]
            self.asker.left_unanswered(away)
            stopping.wait(AWAY_S if away else self.dice.uniform(0, PAUSE_S_MAX))


def write(task: Task, stopping: threading.Event) -> None:
    """Send until told to stop, through every absence of the database."""
    journal = task.journal()
    if task.fate is not None:
        await_fate(task.fate, journal)
    dice = [random.Random(f"{task.dice().random()} {number}") for number in range(task.threads)]
    left = [as_sent(body) for body in exchanges([task.path]).unanswered()]
    senders = [
        Sender(
            Asker(
                f"{task.name}.{task.life}.{number}", each, task.day, left[number :: task.threads]
            ),
            journal,
            each,
            task.began,
        )
        for number, each in enumerate(dice)
    ]
    clock = FaultyClock(task.dice()) if task.faulty_clock else lambda: datetime.now(UTC)
    while not stopping.is_set():
        try:
            with open_books(Settings(dsn=task.conninfo, home=task.folder), clock) as books:
                _send_all(books, senders, stopping)
        except (ServerUnavailable, StoreUnavailable):
            stopping.wait(AWAY_S)


def _send_all(books: Books, senders: Sequence[Sender], stopping: threading.Event) -> None:
    """One thread asks the ledger itself, several ask through a group commit."""
    ledger = books.ledger
    if len(senders) == 1:
        senders[0].send(lambda commands, _: ledger.handle_many(commands), stopping)
        return
    with GroupCommit(ledger) as group, ThreadPoolExecutor(len(senders)) as threads:
        left = {threads.submit(each.send, group.handle_many, stopping) for each in senders}
        while left:
            # A signal may wake another thread; this one hears of it when it has something to do.
            ended, left = wait(left, LOOK_S)
            for sending in ended:
                sending.result()


def send_again(task: Task, stopping: threading.Event) -> None:
    """Send, once more, every command that has no answer yet; in an order of its own."""
    journal = task.journal()
    left = exchanges(sorted(task.folder.glob("writer-*.jsonl"))).unanswered()
    task.dice().shuffle(left)
    with open_books(Settings(dsn=task.conninfo, home=task.folder)) as books:
        for body in left:
            if not stopping.is_set():
                exchange(
                    lambda commands, _: books.ledger.handle_many(commands), journal, [as_sent(body)]
                )


def exchange(handle: Handle, journal: Journal, batch: Sequence[str]) -> Sequence[Receipt]:
    """Send a batch, and have on paper what was sent before it goes, and what came back."""
    note_sent(journal, batch)
    raw = [text.encode() for text in batch]
    receipts = handle([read(each) for each in raw], sum(map(len, raw)))
    note_got(journal, receipts)
    return receipts
