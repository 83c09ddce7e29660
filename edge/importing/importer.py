"""An import from end to end: rows sorted by claim, dealt out some claims at a time, and added up.

Each batch is whole claims and one transaction; the batches may be taken in beside one another, in
processes of their own, and what became of them is told in the order of references all the same.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor

from commands.history_import import ROWS_MAX
from domain.errors import StoreUnavailable
from edge.importing.histories import history_of
from edge.importing.intake import Claims, Plan, Taken
from edge.importing.outcome import Outcome, Rejects
from edge.importing.refusals import ImportStopped
from edge.importing.sharing import Dealing
from edge.importing.source import Watch
from edge.importing.staging import Packed, Staging

BATCH_ROWS = 2_000  # one transaction, of some 3,000 facts
BATCH_CLAIMS = 500
BATCH_CHARS = 4_000_000  # as many again wait for each process


class Importer:
    """Imports the rows of one file that were staged."""

    def __init__(self, plan: Plan, rejects: Rejects, dealing: Dealing) -> None:
        self._plan = plan
        self._rejects = rejects
        self._dealing = dealing
        self.outcome = Outcome(plan.source, plan.dry_run)
        self._done = 0

    def run(self, staging: Staging, watch: Watch) -> Outcome:
        """Import claim by claim, in the order of references; `watch` hears how many rows are done.

        Raises `ImportStopped` (E606), with whole claims imported and no half of any.
        """
        try:
            self._deal(staging, watch)
        except StoreUnavailable as error:
            why = f"the database did not answer: {error.why}"
            raise ImportStopped(self.outcome.imported.claims, why) from error
        except BrokenExecutor as error:
            why = "one of its processes was ended from outside"
            raise ImportStopped(self.outcome.imported.claims, why) from error
        watch(staging.rows, staging.rows)
        return self.outcome

    def _deal(self, staging: Staging, watch: Watch) -> None:
        under_way = deque[Callable[[], Taken]]()
        for claims in self._batches(staging):
            under_way.append(self._dealing.deal(claims))
            if len(under_way) > self._dealing.ahead:
                self._add(under_way.popleft()())
                watch(self._done, staging.rows)
        for ended in under_way:
            self._add(ended())
            watch(self._done, staging.rows)

    def _batches(self, staging: Staging) -> Iterator[Claims]:
        batch: list[tuple[str, list[Packed]]] = []
        rows = chars = 0
        for claim_ref, found in staging.claims():
            claim = list(itertools.islice(found, ROWS_MAX + 1))
            if len(claim) > ROWS_MAX:
                self._leave_out(claim_ref, itertools.chain(claim, found))
                continue
            batch.append((claim_ref, claim))
            rows += len(claim)
            chars += sum(len(cells) for _, _, cells, _ in claim)
            if rows >= BATCH_ROWS or len(batch) >= BATCH_CLAIMS or chars >= BATCH_CHARS:
                yield batch
                batch, rows, chars = [], 0, 0
        if batch:
            yield batch

    def _leave_out(self, claim_ref: str, found: Iterator[Packed]) -> None:
        """A claim of more rows than a file can have, which no memory need hold at once."""
        taken = Taken(Outcome(self._plan.source, self._plan.dry_run))
        taken.leave_out(history_of(claim_ref, found, self._plan.currency, self._rejects.add))
        self._add(taken)

    def _add(self, taken: Taken) -> None:
        self.outcome.add(taken.outcome)
        shares = self.outcome.imported, self.outcome.already_there, self.outcome.left_out
        self._done = sum(share.rows for share in shares)
        for reject in taken.rejects:
            self._rejects.add(reject)
