"""Appends that are rolled back: each takes a position that no fact will ever have."""

import threading

import psycopg
from psycopg import Connection

from edge.postgres.connections import Role, conninfo_for
from tests.faults.journal import entries
from tests.faults.process import Task

TAKEN_BACK = "append rolled back"
APPENDS = 1_000
AT_A_TIME = 20
PAUSE_S_MAX = 0.3
AWAY_S = 0.2


def take_back(task: Task, stopping: threading.Event) -> None:
    """Append and roll back, a thousand times in all lives; then wait for the end."""
    journal, dice = task.journal(), task.dice()
    done = sum(entry["times"] for entry in entries(task.path) if "times" in entry)
    while done < APPENDS and not stopping.is_set():
        try:
            with psycopg.connect(
                conninfo_for(task.conninfo, Role.WRITER), autocommit=True
            ) as connection:
                while done < APPENDS and not stopping.wait(dice.uniform(0, PAUSE_S_MAX)):
                    for _ in range(AT_A_TIME):
                        _append_for_nothing(connection)
                    journal.write(fault=TAKEN_BACK, times=AT_A_TIME)
                    done += AT_A_TIME
        except psycopg.OperationalError:
            stopping.wait(AWAY_S)
    stopping.wait()


def _append_for_nothing(connection: Connection[tuple[object, ...]]) -> None:
    """Without the lock, which eight writers queue for: what is taken back nobody can see."""
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO ledger.facts (originator_id, originator_version, topic, state)"
        " VALUES ('taken back', 1, 'never', 'x')"
    )
    connection.execute("ROLLBACK")
