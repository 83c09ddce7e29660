"""A filled ledger is a ledger: chains and receipts hold, views read it, commands go on with it."""

import random
from itertools import pairwise

import pytest
from psycopg.conninfo import make_conninfo

from bench import desk, logs
from bench.cast import DESK, HANDLERS, PRIOR_FACTS
from bench.filler import Filler
from bench.templates import FACTS_OF_A_REPLAY, THIRTY
from commands.door import read
from commands.receipt import Receipt
from edge.store.verify import verify_all
from edge.wiring import Books
from projections.view import position_of, views
from replay.file import file_at
from tests.postgres_fixtures import Database

FACTS = 3_000
OPEN_FILES = 40


def plain(database: Database) -> str:
    """As a measurement names its database: the login, without a role or limits."""
    return make_conninfo(database.server.conninfo, dbname=database.name)


def filled(database: Database) -> Filler:
    filler = logs.lives(plain(database), desks=True)
    filler.open_files = OPEN_FILES
    filler.fill(facts=FACTS)
    return filler


def require_whole(books: Books, facts: int) -> None:
    summary = verify_all(books.log)
    assert (summary.facts, summary.broken) == (facts, ())
    assert books.log.head() == facts


def test_a_filled_log_verifies_and_so_does_what_is_filled_in_later(database: Database) -> None:
    filler = filled(database)
    with logs.opened(plain(database)) as books:
        require_whole(books, filler.facts)
        assert filler.facts in range(FACTS, FACTS + 100)
        filler.fill(facts=2 * FACTS)
        require_whole(books, filler.facts)


def test_a_receipt_of_a_copy_names_its_own_facts(database: Database) -> None:
    filler = filled(database)
    reference = filler.finished[DESK][0]
    stream = f"claim-{reference}"
    with logs.opened(plain(database)) as books:
        history = books.log.histories([stream])[stream]
        with books.log.snapshot() as snapshot:
            receipts = [Receipt(answer.receipt).data for answer in snapshot.answers_about(stream)]
    told = [(fact["version"], fact["position"]) for each in receipts for fact in each["facts"]]
    assert sorted(told) == [(each.envelope.version, each.position) for each in history]
    assert {each["command_id"] for each in receipts} == {
        f"{reference}/{place}" for place in range(1, PRIOR_FACTS + 1)
    }


@pytest.mark.parametrize("kind", [DESK, THIRTY])
def test_a_finished_copy_has_the_length_that_is_counted_on(database: Database, kind: str) -> None:
    filler = logs.lives(plain(database), kinds=lambda each: each.kind == THIRTY, desks=True)
    filler.open_files = OPEN_FILES
    filler.fill(files=OPEN_FILES)
    wanted = {DESK: PRIOR_FACTS, THIRTY: FACTS_OF_A_REPLAY}[kind]
    assert len(filler.finished[kind]) == OPEN_FILES // 2
    with logs.opened(plain(database)) as books:
        found = books.log.histories([f"claim-{each}" for each in filler.finished[kind]])
    assert {file_at(history).known for history in found.values()} == {wanted}


def test_the_next_command_is_of_any_file_under_way(database: Database) -> None:
    filled(database)
    with logs.opened(plain(database)) as books:
        streams = [record.envelope.stream for record in books.log.page(2_000, 500)]
    neighbours = sum(one == after for one, after in pairwise(streams))
    assert len(set(streams)) > OPEN_FILES // 2
    assert neighbours < len(streams) // 3


def test_every_view_reads_a_filled_log(database: Database) -> None:
    filler = filled(database)
    with logs.opened(plain(database)) as books:
        assert books.level() == filler.facts
        with books.reading(level=False) as connection:
            stands = {position_of(connection, view) for view in views()}
    assert stands == {filler.facts}


def test_a_handler_may_set_an_estimate_on_every_file_of_the_desk(database: Database) -> None:
    logs.desk_files(plain(database), 2 * len(HANDLERS))
    numbers = [*range(2 * len(HANDLERS))] * 2
    with logs.opened(plain(database)) as books:
        sent = [read(each) for each in desk.estimates(numbers, random.Random(1), "test")]
        receipts = books.ledger.handle_many(sent)
        assert [receipt.code for receipt in receipts] == [""] * len(numbers)
        assert verify_all(books.log).broken == ()
