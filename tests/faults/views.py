"""Every view against the fold: built anew from the same log, in another database, row by row."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Connection, sql

from consumers.projector import Projector
from edge.postgres.connections import Role, conninfo_for
from edge.store.postgres_store import PostgresLog
from projections.view import views
from tests.faults.checks import Finding, Kind

PAGE_FACTS = 333  # not the size that the views were built with: the cut into pages must not matter
ROWS_SHOWN_MAX = 2
_LOG = "notification_id, originator_version, originator_id, topic, state"


def of_views(conninfo: str, elsewhere: str) -> Iterator[Finding]:
    """Compare the views of a database with those of an empty one, which its log is copied to."""
    with psycopg.connect(conninfo) as live, psycopg.connect(elsewhere) as folded:
        for view, stream, why in live.execute("SELECT view, stream, why FROM views.parked"):
            yield Finding(Kind.PARKED, f"{stream} by {view}: {why}")
        copy_log(live, folded)
        folded.commit()
        fold(elsewhere)
        for table in [table for view in views() for table in view.tables]:
            ours, theirs = rows(live, table), rows(folded, table)
            for row in list((ours - theirs).elements())[:ROWS_SHOWN_MAX]:
                yield Finding(Kind.UNEQUAL, f"{table} has {row}")
            for row in list((theirs - ours).elements())[:ROWS_SHOWN_MAX]:
                yield Finding(Kind.UNEQUAL, f"{table} lacks {row}")


def copy_log(source: Connection[Any], target: Connection[Any]) -> None:
    with (
        source.cursor() as reading,
        target.cursor() as writing,
        reading.copy(f"COPY ledger.facts ({_LOG}) TO STDOUT (FORMAT binary)") as rows_out,
        writing.copy(f"COPY ledger.facts ({_LOG}) FROM STDIN (FORMAT binary)") as rows_in,
    ):
        for block in rows_out:
            rows_in.write(block)


def fold(conninfo: str) -> None:
    """Build every view, with nobody in the way."""
    with (
        PostgresLog(conninfo_for(conninfo, Role.PROJECTOR)) as log,
        psycopg.connect(conninfo_for(conninfo, Role.PROJECTOR), autocommit=True) as connection,
    ):
        Projector(log, connection, PAGE_FACTS).catch_up(views())


def rows(connection: Connection[Any], table: str) -> "Counter[str]":
    """A view's rows as text, with how often each is there."""
    query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier("views", table))
    return Counter(text for (text,) in connection.execute(query))
