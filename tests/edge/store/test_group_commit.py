"""The group commit on PostgreSQL: sixteen callers at once, through one writer and through two."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from commands.door import read
from commands.group import GroupCommit
from commands.ledger import Asked, Ledger
from commands.receipt import Receipt
from edge.postgres.connections import Role
from edge.store.postgres_store import PostgresLog, PostgresStore
from edge.store.verify import verify_all
from tests.commands.bodies import START, Body, matter
from tests.postgres_fixtures import Database

CALLERS = 16
EACH = 6
PASSING = {"E603", "E604", "E607", "E608"}  # "send the same command again"


def notify(claim: str, command_id: str) -> Body:
    actor = {"person": "bob", "role": "case_manager"}
    asked = {"type": "notify-matter", "command_id": command_id, "actor": actor, "claim": claim}
    return {**asked, **matter()}


def ask(group: GroupCommit, body: Body) -> Receipt:
    raw = json.dumps(body).encode()
    while True:
        receipt = group.handle(read(raw), len(raw))
        if receipt.code not in PASSING:
            return receipt


def at_once(job: Callable[[int], list[Receipt]]) -> list[list[Receipt]]:
    """Every caller's receipts; all begin together."""
    barrier = Barrier(CALLERS)

    def begin(caller: int) -> list[Receipt]:
        barrier.wait()
        return job(caller)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(begin, range(CALLERS)))


def test_sixteen_callers_at_once_each_get_the_answer_that_is_kept(database: Database) -> None:
    batches: list[int] = []

    class Counting(Ledger):
        def handle_many(self, commands: Sequence[Asked]) -> list[Receipt]:
            batches.append(len(commands))
            return super().handle_many(commands)

    with PostgresStore(database.conninfo(Role.WRITER)) as store:
        ledger = Counting(store, lambda: START)
        with GroupCommit(ledger) as group:

            def job(caller: int) -> list[Receipt]:
                named = [f"C-{caller}-{number}" for number in range(EACH)]
                return [ask(group, notify(claim, claim)) for claim in named]

            answers = at_once(job)
        kept = store.answered({f"C-{c}-{n}" for c in range(CALLERS) for n in range(EACH)})
    for caller, receipts in enumerate(answers):
        for number, receipt in enumerate(receipts):
            assert receipt.accepted
            assert receipt.body == kept[f"C-{caller}-{number}"].receipt
    assert len(kept) == CALLERS * EACH
    assert max(batches) > 1  # they did share transactions
    require_whole(database, CALLERS * EACH)


def test_two_writers_on_the_same_files_and_ids_store_each_command_once(database: Database) -> None:
    """As two processes would, behind one load balancer that sends everything to both."""
    with (
        PostgresStore(database.conninfo(Role.WRITER)) as left,
        PostgresStore(database.conninfo(Role.WRITER)) as right,
        GroupCommit(Ledger(left, lambda: START)) as one,
        GroupCommit(Ledger(right, lambda: START)) as two,
    ):

        def job(caller: int) -> list[Receipt]:
            group = (one, two)[caller % 2]
            return [ask(group, notify(f"C-{n % 3}", f"id-{n}")) for n in range(EACH)]

        answers = at_once(job)
    assert len({tuple(receipt.body for receipt in receipts) for receipts in answers}) == 1
    opened = [receipt.data["stream"] for receipt in answers[0] if receipt.accepted]
    assert sorted(opened) == ["claim-C-0", "claim-C-1", "claim-C-2"]
    require_whole(database, EACH)


def require_whole(database: Database, facts: int) -> None:
    with PostgresLog(database.conninfo(Role.READER)) as log:
        summary = verify_all(log)
    assert (summary.facts, summary.broken) == (facts, ())
