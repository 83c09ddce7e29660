"""The library's own contract tests, passed by the ledger's recorder on the ledger's own table.

Three things are bent so that they can run there. Some tests start a sequence at version 0, which
the table refuses, so its check is dropped for the test. Stream names are text, not UUIDs. The
tests of an aggregate recorder want no positions back, so a wrapper forgets them.

Not run, because they do not apply: those of tracking and process recorders (a read model keeps its
position beside its rows, in its own transaction), of snapshots (there are none), and of the
infrastructure factory (the recorder is made by hand and never makes its table).
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Mapper,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from domain.envelope import Recorded
from domain.schema import chain_start, from_stored
from edge.postgres.connections import Role
from edge.store.datastore import LedgerDatastore
from edge.store.mapper import LedgerMapper
from edge.store.recorder import LedgerRecorder
from tests.edge.store.facts import chained
from tests.postgres_fixtures import Database


class OnTheLedger:
    """Makes the recorder that a test case asks for."""

    datastore: LedgerDatastore

    @pytest.fixture(autouse=True)
    def _on_a_fresh_database(self, database: Database) -> Iterator[None]:
        with psycopg.connect(database.conninfo(), autocommit=True) as owner:
            owner.execute("ALTER TABLE ledger.facts DROP CONSTRAINT version_starts_at_one")
        self.datastore = LedgerDatastore(database.conninfo(Role.WRITER))
        yield
        self.datastore.close()

    def new_originator_id(self) -> str:
        return str(uuid4())

    def create_recorder(self) -> LedgerRecorder:
        return LedgerRecorder(self.datastore)


class TestApplicationRecorder(OnTheLedger, ApplicationRecorderTestCase[LedgerRecorder]):
    """Facts are found by stream and by position, whoever writes at the same time."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnTheLedger, NonInterleavingNotificationIDsBaseCase):
    """Two appends never mix their positions."""


class TestAggregateRecorder(OnTheLedger, AggregateRecorderTestCase):
    """A sequence takes each version once."""

    def create_recorder(self) -> "Forgetful":  # type: ignore[override]  # the mixin's is the bare recorder
        return Forgetful(LedgerRecorder(self.datastore))


class Forgetful(AggregateRecorder):
    """A recorder of which only the sequences are asked."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self.recorder = recorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        self.recorder.insert_events(stored_events, **kwargs)

    def select_events(self, originator_id: UUID | str, **kwargs: Any) -> Sequence[StoredEvent]:
        return list(self.recorder.select_events(originator_id, **kwargs))


class LibraryApplication(Application[str]):
    """The library's application, as it is, on the ledger's recorder and mapper."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore
        super().__init__()

    def construct_mapper(self) -> Mapper[str]:
        return LedgerMapper()

    def construct_recorder(self) -> ApplicationRecorder:
        return LedgerRecorder(self._datastore, events_table_name="library_events")


def test_the_librarys_application_works_on_the_ledger(database: Database) -> None:
    facts = chained("claim-1", 0, chain_start("claim-1"), 3, "command-a")
    records: list[Any] = [from_stored(f.stream, f.version, f.name, f.state) for f in facts]
    with LedgerDatastore(database.conninfo(Role.WRITER)) as datastore:
        application = LibraryApplication(datastore)
        recordings = application.events.put(records)
        assert [recording.notification.id for recording in recordings] == [1, 2, 3]
        assert list(application.events.get("claim-1")) == records
        notifications = application.notification_log.select(start=2, limit=10)
        assert [notification.id for notification in notifications] == [2, 3]
        read = application.mapper.to_domain_event(notifications[0])
        assert isinstance(read, Recorded)


def test_a_worker_never_makes_the_tables(database: Database) -> None:
    with (
        LedgerDatastore(database.conninfo(Role.WRITER)) as datastore,
        pytest.raises(ProgrammingError, match="migrations"),
    ):
        LedgerRecorder(datastore).create_table()
