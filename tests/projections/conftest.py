"""A connection for the queries of read models."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from edge.postgres.connections import Role
from tests.postgres_fixtures import Database


@pytest.fixture
def reading(database: Database) -> Iterator[Connection[Any]]:
    """As the reader of the views connects."""
    with psycopg.connect(database.conninfo(Role.READER), autocommit=True) as connection:
        yield connection
