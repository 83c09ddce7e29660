"""The server that a run hurts: whoever asks it next, asks one that is hurt already, or back."""

import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from edge.postgres.connections import Role, conninfo_for
from tests.faults.server import Server

TIMES = 5


@pytest.fixture
def server(server_home: Path) -> Iterator[Server]:
    server = Server(server_home)
    yield server
    server.end()


def test_a_backend_is_killed_for_all_to_feel_before_anybody_goes_on(server: Server) -> None:
    conninfo = conninfo_for(server.database("hurt"), Role.READER)
    for number in range(TIMES):
        with psycopg.connect(conninfo), server.asking() as bystander:
            assert server.kill_backend(random.Random(number))
            with pytest.raises(psycopg.OperationalError):
                bystander.execute("SELECT 1")
            server.start()
            with server.asking() as connection:
                connection.execute("SELECT 1")
