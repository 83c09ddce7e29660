"""Gathering what is left after a storm, past the ledger's own code: plain SQL, and the journals."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg

from edge.postgres.connections import Role, conninfo_for
from edge.store.postgres_store import PostgresLog
from edge.store.verify import verify_all
from tests.faults.checks import Evidence, Finding, Kind, Stored
from tests.faults.exchanges import exchanges
from tests.faults.reader import Place

_FACTS = """
SELECT notification_id, originator_id, originator_version, topic, state
FROM ledger.facts ORDER BY notification_id
"""
_ANSWERS = "SELECT command_id, receipt FROM ledger.answers"


def gather(conninfo: str, folder: Path) -> Evidence:
    """All of it, as of now."""
    with psycopg.connect(conninfo) as connection:
        log = [
            Stored(Place(position, stream, version), topic, _command_id(state))
            for position, stream, version, topic, state in connection.execute(_FACTS)
        ]
        answers = {key: bytes(receipt).decode() for key, receipt in connection.execute(_ANSWERS)}
    return Evidence(log, answers, exchanges(sorted(folder.glob("*.jsonl"))))


def _command_id(state: bytes) -> str:
    return str(json.loads(bytes(state))["envelope"]["command_id"])


def of_chains(conninfo: str) -> Iterator[Finding]:
    """Every chain and every receipt, as the ledger verifies them."""
    with PostgresLog(conninfo_for(conninfo, Role.READER)) as log:
        for broken in verify_all(log).broken:
            yield Finding(Kind.BROKEN, str(broken))
