"""A group commit: callers who arrive together share one transaction, and each gets its own answer.

While a batch is being stored, those who arrive form the next one. Nobody waits for company: a lone
caller is served at once. What is asked of the database meanwhile is bounded, and so is every wait.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from commands.ledger import Asked, Ledger
from commands.receipt import Receipt, not_kept
from domain.errors import Refused, StoreUnavailable

BATCH_COMMANDS_MAX = 200  # one transaction: enough to share its cost, and to answer soon
BATCH_BYTES_MAX = 4_000_000  # thousands of ordinary commands, or four of the longest
QUEUE_COMMANDS_MAX = 1_000  # about what is stored within the wait; who comes later waits in vain
QUEUE_BYTES_MAX = 16_000_000  # a few batches of the longest commands
WAIT_S_MAX = 1.8  # with the database away or silent, a caller hears so in under 2 s
PACE_S_FIRST = 0.002  # a command, until one was measured
PACE_WEIGHT = 0.2  # of the last batch in the mean: the recent ones count, and no single one rules

BEHIND_OTHERS = "it has not answered the commands before this one"


@dataclass(eq=False)
class Busy(Refused):
    """More commands ask to be stored than can be ({queued} wait); nothing of this one is stored."""

    code = "E607"
    remedy = "Send the same command, with the same command_id, again after retry_after_ms."
    queued: int
    retry_after_ms: int


@dataclass(eq=False)
class AnswerOverdue(Refused):
    """After {waited_ms} ms this command was still being stored; it may be stored, now or soon."""

    code = "E608"
    remedy = "Send the same command, with the same command_id, again: it is stored at most once."
    waited_ms: int


@dataclass(eq=False)
class Closing(Refused):
    """The ledger is closing and takes no more commands; nothing of this one is stored."""

    code = "E609"
    remedy = "Send the same command, with the same command_id, to a ledger that is open."


def _taken_lock() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Caller:
    """One caller's commands, the bytes they came in, and what it waits for, until a moment.

    It sleeps on `told`, a bare lock: a `Future` of its own costs a few microseconds more.
    """

    commands: Sequence[Asked]
    size: int
    until: float
    receipts: list[Receipt] | None = None
    error: BaseException | None = None
    told: Lock = field(default_factory=_taken_lock)

    @property
    def answered(self) -> bool:
        return self.receipts is not None or self.error is not None

    def tell(self, receipts: list[Receipt]) -> None:
        self.receipts = receipts
        self.told.release()

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.told.release()

    def result(self) -> list[Receipt]:
        if self.error is not None:
            raise self.error
        if self.receipts is None:
            raise RuntimeError("this caller has not been answered")
        return self.receipts


class GroupCommit:
    """Commands of many threads, put into common batches for a ledger, one batch at a time.

    A thread of its own judges and stores, so that every caller's wait has an end whatever the
    database does. Threads may share the object, processes may not: make it after a fork.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._queue = deque[_Caller]()
        self._queued = self._queued_bytes = 0  # commands and bytes in the queue
        self._pace_s = PACE_S_FIRST
        self._closed = False
        self._asleep = False  # until somebody comes, or the end
        self._guard = Lock()  # of what is above; nobody waits while holding it
        self._wake = _taken_lock()
        self._thread = Thread(target=self._serve, name="group commit", daemon=True)
        self._thread.start()

    def handle(self, command: Asked, size: int) -> Receipt:
        """One command that came in `size` bytes; waits for its receipt."""
        return self.handle_many([command], size)[0]

    def handle_many(self, commands: Sequence[Asked], size: int) -> list[Receipt]:
        """One caller's few commands, in one batch and in their order; waits for their receipts.

        As `Ledger.handle_many`, and each receipt may also say `Busy`, `AnswerOverdue` or `Closing`,
        which are not kept. Raises what the ledger raises for these commands, and `ValueError` for
        more than one batch may hold.
        """
        if len(commands) > BATCH_COMMANDS_MAX or size > BATCH_BYTES_MAX:
            raise ValueError("commands that fill a batch of their own go to Ledger.handle_many")
        caller = _Caller(commands, size, self._clock() + WAIT_S_MAX)
        refusal = self._enqueue(caller)
        if refusal is None and not caller.told.acquire(timeout=WAIT_S_MAX):
            refusal = self._overdue(caller)
        if refusal is None:
            return caller.result()
        return _all_told(commands, refusal)

    @property
    def waiting(self) -> int:
        """How many commands wait for the next batch."""
        return self._queued

    def close(self) -> None:
        """Take no more commands, and answer those that wait."""
        with self._guard:
            self._closed = True
            self._wake_up()
        self._thread.join(WAIT_S_MAX)  # by then whoever waited has an answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _enqueue(self, caller: _Caller) -> Refused | None:
        with self._guard:
            if self._closed:
                return Closing()
            queued, size = self._queued + len(caller.commands), self._queued_bytes + caller.size
            if queued > QUEUE_COMMANDS_MAX or size > QUEUE_BYTES_MAX:
                # However slow, after the wait whoever is here now has gone.
                retry_s = min(max(1, self._queued) * self._pace_s, WAIT_S_MAX)
                return Busy(self._queued, math.ceil(retry_s * 1000))
            self._queue.append(caller)
            self._queued, self._queued_bytes = queued, size
            self._wake_up()
        return None

    def _wake_up(self) -> None:
        if self._asleep:
            self._asleep = False
            self._wake.release()

    def _overdue(self, caller: _Caller) -> Refused | None:
        """What a caller is told whose wait is over; None when its receipts are there."""
        with self._guard:
            if caller in self._queue:
                self._leave(caller)
                return StoreUnavailable(BEHIND_OTHERS)
        if caller.answered:
            return None
        return AnswerOverdue(round(WAIT_S_MAX * 1000))

    def _leave(self, caller: _Caller) -> None:
        self._queue.remove(caller)
        self._queued -= len(caller.commands)
        self._queued_bytes -= caller.size

    def _serve(self) -> None:
        while self._somebody_waits():
            self._let_others_join()
            if callers := self._taken():  # whoever waited may have given up meanwhile
                self._answer(callers)

    def _somebody_waits(self) -> bool:
        """Sleep until somebody does; False once it is closed and everybody was taken."""
        while True:
            with self._guard:
                if self._queue or self._closed:
                    return bool(self._queue)
                self._asleep = True
            self._wake.acquire()

    def _let_others_join(self) -> None:
        """Pass on the turn, which costs no time, as long as somebody uses it to join.

        Those answered just now are about to ask again. Left behind by the first of them, they would
        alternate with it: of 16 callers 1 and 15 a batch, and a quarter less stored. (Measured.)
        """
        queued = 0
        while queued < self._queued < BATCH_COMMANDS_MAX:
            queued = self._queued
            time.sleep(0)

    def _taken(self) -> list[_Caller]:
        """Those who wait longest, as many as one batch may hold."""
        taken: list[_Caller] = []
        commands = size = 0
        with self._guard:
            while self._queue:
                commands += len(self._queue[0].commands)
                size += self._queue[0].size
                if commands > BATCH_COMMANDS_MAX or size > BATCH_BYTES_MAX:
                    break
                taken.append(self._queue[0])
                self._leave(taken[-1])
        return taken

    def _answer(self, callers: list[_Caller]) -> None:
        commands = [command for caller in callers for command in caller.commands]
        started = self._clock()
        try:
            receipts = self._ledger.handle_many(commands)
        except BaseException as error:  # noqa: BLE001 - it is raised again, by whoever asked for it
            self._answer_apart(callers, error)
            return
        took_s = self._clock() - started
        self._pace_s += PACE_WEIGHT * (took_s / max(1, len(commands)) - self._pace_s)
        told = iter(receipts)
        for caller in callers:
            caller.tell(list(islice(told, len(caller.commands))))
        if receipts and all(each.code == StoreUnavailable.code for each in receipts):
            self._give_up(took_s)

    def _give_up(self, took_s: float) -> None:
        """The database is away: whom another try as long would leave in doubt hears so now."""
        with self._guard:
            over = [each for each in self._queue if each.until < self._clock() + took_s]
            for caller in over:
                self._leave(caller)
        for caller in over:
            caller.tell(_all_told(caller.commands, StoreUnavailable(BEHIND_OTHERS)))

    def _answer_apart(self, callers: list[_Caller], error: BaseException) -> None:
        """After a failure: the file that cannot be read, or the bug, is one caller's, not all's.

        Judging again is safe, because what was stored all the same is answered by its command_id.
        """
        if len(callers) == 1:
            callers[0].fail(error)
            return
        for caller in callers:
            self._answer([caller])


def _all_told(commands: Sequence[Asked], refusal: Refused) -> list[Receipt]:
    return [not_kept(command.command_id, command.stream, refusal) for command in commands]
