"""Who takes the claims of a file in: this process, or for a large file several beside one another.

Each process has connections of its own and sends what it judged the one way, `Ledger.handle_many`:
any number of processes may write. A claim goes to one of them, whole.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path

from commands.collecting import search_seldom
from edge.importing.intake import Claims, Intake, Taken

SHARED_BYTES_MIN = 1_000_000  # of a file: below, a process takes longer to start than it saves
PROCESSES_MAX = 8  # appends wait for one another: more would only wait
AHEAD = 2  # batches for each process, so that none waits for the one that deals them out

Opens = Callable[[], AbstractContextManager[Intake]]  # for other processes it has to be picklable


@dataclass(frozen=True, slots=True)
class Dealing:
    """Begins a batch: what `deal` gives waits for its end, while `ahead` others may be begun."""

    deal: Callable[[Claims], Callable[[], Taken]]
    ahead: int = 0


def processes_for(path: Path) -> int:
    """How many processes a file is worth: as many as there are processors to run on."""
    if not path.exists() or path.stat().st_size < SHARED_BYTES_MIN:
        return 1
    return min(_processors(), PROCESSES_MAX)


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def sharing(opens: Opens, processes: int) -> Generator[Dealing]:
    """Have claims taken in by this process, or by so many others.

    Nothing is opened before the first claims are there.
    """
    if processes == 1:
        with ExitStack() as stack:
            own = _Opened(opens, stack)
            yield Dealing(lambda claims: partial(own.take, claims))
        return
    # What is started in the background ignores interrupts, and so do its processes.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    pool = ProcessPoolExecutor(processes, _context(), initializer=_begin, initargs=(opens, ignored))
    try:
        for _ in range(processes):
            pool.submit(os.getpid)  # they start while the file is read
        yield Dealing(lambda claims: pool.submit(_take, claims).result, AHEAD * processes)
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Never a plain fork: it would take over connections, and locks that other threads hold."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["edge.wiring"])  # imported once, for all of them
    return context


class _Opened:
    """An intake that is opened when the first claims come, and stays open."""

    def __init__(self, opens: Opens, stack: ExitStack) -> None:
        self._opens = opens
        self._stack = stack
        self._intake: Intake | None = None

    def take(self, claims: Claims) -> Taken:
        if self._intake is None:
            self._intake = self._stack.enter_context(self._opens())
        return self._intake.take(claims)


_here = deque[_Opened](maxlen=1)  # of a process that others deal out to


def _begin(opens: Opens, ignoring_interrupts: bool) -> None:
    """Begin a process: it ends with the one that deals out, and at once when it is interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN if ignoring_interrupts else signal.SIG_DFL)
    search_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here.append(_Opened(opens, ExitStack()))


def _end_with_parent() -> None:
    """Who deals out may be killed, and waiting for more claims would then never end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _take(claims: Claims) -> Taken:
    return _here[0].take(claims)
