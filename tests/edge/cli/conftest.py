"""A ledger that holds the story, to be read; an empty one for each test that writes."""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Protocol

import pytest
from psycopg import Connection, sql

from commands.door import read
from edge.postgres.connections import Role
from edge.postgres.server import Server
from edge.settings import Settings
from edge.wiring import open_books
from tests.edge.cli.invoking import Line
from tests.edge.cli.story import STORY, as_lines
from tests.postgres_fixtures import TEMPLATE, Database


@pytest.fixture
def claims(database: Database) -> Line:
    """The command line on an empty ledger of the test's own."""
    return line_of(database)


class Made(Protocol):
    """Makes a database for as long as the context lasts."""

    def __call__(
        self, purpose: str, template: str = TEMPLATE
    ) -> AbstractContextManager[Database]: ...


@pytest.fixture(scope="session")
def made(postgres: Server, postgres_admin: Connection[tuple[object, ...]], worker: str) -> Made:
    """For the fixtures that outlive a test, and so cannot use the one of the test."""

    @contextmanager
    def make(purpose: str, template: str = TEMPLATE) -> Generator[Database, None, None]:
        database = Database(f"test_{purpose}_{worker}", postgres)
        name, source = sql.Identifier(database.name), sql.Identifier(template)
        postgres_admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, source))
        yield database
        postgres_admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    return make


@pytest.fixture(scope="session")
def told(made: Made) -> Iterator[Line]:
    """The command line on a ledger that holds the story. Only to be read."""
    with made("story") as database:
        tell(database)
        yield line_of(database)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this process among those of the run."""
    inputs: dict[str, str] = getattr(request.config, "workerinput", {})
    return inputs.get("workerid", "alone")


def line_of(database: Database) -> Line:
    return Line({"CLAIMS_DSN": database.conninfo(Role.OWNER)})


def tell(database: Database) -> None:
    """Play the story, each chapter at its moment."""
    now = datetime.min.replace(tzinfo=UTC)
    with open_books(Settings(dsn=database.conninfo(Role.OWNER)), lambda: now) as books:
        for chapter in STORY:
            now = chapter.at
            lines = as_lines(chapter.bodies).splitlines()
            receipts = books.ledger.handle_many([read(line) for line in lines])
            codes = [receipt.code for receipt in receipts if receipt.code]
            assert codes == list(chapter.refused), [each.body for each in receipts if each.code]
