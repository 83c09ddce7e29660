"""An opened ledger hands out its parts, and closes them with itself."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from commands.door import read
from edge.postgres.connections import Role
from edge.settings import Settings
from edge.wiring import Books, open_books
from tests.postgres_fixtures import Database


def codes(books: Books, claims: Iterable[str]) -> list[str]:
    """What callers who ask at once are answered about files that nobody knows."""

    def ask(claim: str) -> str:
        actor = {"person": "bob", "role": "case_manager"}
        body = {"type": "change-handler", "handler": "ann", "claim": claim, "actor": actor}
        raw = json.dumps({**body, "command_id": claim}).encode()
        return books.group.handle(read(raw), len(raw)).code

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, claims))


def test_many_threads_write_through_one_group_which_closes_with_the_ledger(
    database: Database,
) -> None:
    with open_books(Settings(dsn=database.conninfo(Role.OWNER))) as books:
        assert books.group is books.group
        assert codes(books, map(str, range(20))) == ["E410"] * 20
    assert codes(books, ["late"]) == ["E609"]
