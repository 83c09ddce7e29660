"""The peer's read model: a table that its `ProjectionRunner` keeps with one upsert an event.

The tracking row and the upsert are one transaction for each event, as the library's documentation
has it for a `PostgresTrackingRecorder`.
"""

import time
from typing import Any

from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg.sql import SQL, Identifier


class Caseload(PostgresTrackingRecorder):
    """A row for each file: its version, and the name of the last event."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        table = {
            "schema": Identifier(self.datastore.schema),
            "table": Identifier(self.tracking_table_name.replace("_tracking", "")),
        }
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {schema}.{table} ("
                "file uuid PRIMARY KEY, version bigint NOT NULL, "
                "last_event text NOT NULL, state text NOT NULL)"
            ).format(**table)
        )
        self.upsert = SQL(
            "INSERT INTO {schema}.{table} AS t VALUES (%s, %s, %s, %s) ON CONFLICT (file) "
            "DO UPDATE SET version = excluded.version, last_event = excluded.last_event, "
            "state = excluded.state"
        ).format(**table)

    def take(self, row: tuple[Any, ...], tracking: Tracking) -> None:
        """Write a row, and how far the view has come, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self.upsert, row, prepare=True)


class CaseloadProjection(Projection[Caseload]):
    """Every event is an upsert; `first` and `last` say when the work began and ended."""

    name = "caseload"
    first = last = 0.0

    @singledispatchmethod
    def process_event(self, domain_event: DomainEventProtocol[Any], tracking: Tracking) -> None:
        self.first = self.first or time.perf_counter()
        row = (
            domain_event.originator_id,
            domain_event.originator_version,
            type(domain_event).__name__,
            str(getattr(domain_event, "pence", "")),
        )
        self.view.take(row, tracking)
        self.last = time.perf_counter()
