"""A connection as the projector has it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from edge.postgres.connections import Role
from tests.postgres_fixtures import Database


@pytest.fixture
def projecting(database: Database) -> Iterator[Connection[Any]]:
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
        yield connection
