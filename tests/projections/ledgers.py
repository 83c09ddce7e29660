"""Logs for the tests of read models: claims, mandates and refusals, cut into pages, stored."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from consumers.bulk import Share
from consumers.files import Files
from consumers.positions import LIVE, drop
from consumers.projector import Projector
from consumers.quarantine import Page, Place, stopped_at
from domain.claim.lifecycle import ClaimNotified
from domain.claim.reserves import EstimateSet
from domain.envelope import Envelope, Recorded, recorded_day
from domain.errors import Refused, Unreadable
from domain.mandate import MandateAttested, MandateGranted, MandateSuspended
from domain.money import Money
from domain.refusal_log import CommandRefused, stream_of_refusals
from domain.refusals.authority import AuthorityExceeded
from domain.refusals.state import FileClosed
from domain.schema import chain_start, to_stored
from domain.terms import (
    Attestor,
    CostType,
    Decision,
    Head,
    Jurisdiction,
    Line,
    MatterType,
    Trigger,
)
from domain.terms import Role as Capacity
from domain.value import replace
from edge.postgres.connections import Role
from projections.view import Change, View
from tests.postgres_fixtures import Database
from tests.scribe import ANN, CAT, Clock, limit
from tests.strategies import logs

Log = Sequence[Recorded[Any]]

ON_A_DATABASE = settings(
    max_examples=15,  # each builds a view
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANDATE = "mandate-ann"
GRANTED = MandateGranted(
    "ann", Capacity.NEGOTIATOR, (limit(10_000),), date(2025, 1, 1), None, "cat"
)
LINE = Line(CostType.DAMAGES, "GBP", Head.PSLA)
OF_MANDATE = (
    GRANTED,
    *(MandateAttested(attestor, attestor.value) for attestor in Attestor),
    MandateSuspended("on leave"),
)


@dataclass
class Pen:
    """Writes facts to the end of a log, as their streams and positions go on."""

    log: list[Recorded[Any]] = field(default_factory=list[Recorded[Any]])
    last: dict[str, Recorded[Any]] = field(default_factory=dict[str, Recorded[Any]])
    position: int = 0

    def copy(self, record: Recorded[Any], gap: int = 1) -> None:
        """Write a record of elsewhere at the next position."""
        self.position += gap
        record = replace(record, position=self.position)
        self.log.append(record)
        self.last[record.envelope.stream] = record

    def write(self, stream: str, fact: object, at: datetime) -> None:
        """Write a fact of its own stream."""
        before = self.last.get(stream)
        envelope = Envelope(
            stream=stream,
            version=before.envelope.version + 1 if before else 1,
            recorded_at=at,
            effective_on=recorded_day(at),
            actor=CAT if stream == MANDATE else ANN,
            command_id=f"command at {self.position + 1}",
            previous=before.digest if before else chain_start(stream),
        )
        _, stored = to_stored(Recorded(envelope, fact))
        self.copy(Recorded(envelope, fact, stored))


@st.composite
def ledgers(draw: DrawFn, files_max: int = 4, steps_max: int = 30) -> list[Recorded[Any]]:
    """A log of claims among refusals and the facts of a mandate, with positions that have gaps."""
    pen, of_mandate = Pen(), iter(OF_MANDATE)
    for record in draw(logs(files_max=files_max, steps_max=steps_max)):
        pen.copy(record, gap=draw(st.sampled_from([1, 1, 1, 4])))
        at, stream = record.envelope.recorded_at, record.envelope.stream
        match draw(st.sampled_from(["nothing", "nothing", "nothing", "refused", "mandate"])):
            case "refused":
                pen.write(stream_of_refusals(stream), refused(draw, record), at)
            case "mandate":
                fact = next(of_mandate, None)
                if fact is not None:
                    pen.write(MANDATE, fact, at)
            case _:
                pass
    return pen.log


def refused(draw: DrawFn, record: Recorded[Any]) -> CommandRefused:
    """Something that was refused on the file of a record."""
    asked = Money(50_000, "GBP")
    error: Refused = draw(
        st.sampled_from(
            [
                AuthorityExceeded(Decision.OFFER, "ann", asked, Money(10_000, "GBP")),
                FileClosed(record.envelope.effective_on),
            ]
        )
    )
    return CommandRefused(
        command="make_offer",
        code=error.code,
        name=type(error).__name__,
        message=str(error),
        remedy=error.remedy,
        field=error.field,
        subject=record.envelope.stream,
        version=record.envelope.version,
        evidence=error.evidence(),
    )


def ledger(facts: int) -> Log:
    """A plain log of so many facts, always the same: files that are estimated again and again."""
    pen, clock = Pen(), Clock()
    for number in itertools.count():
        stream = f"DC-2026-{number % 7:06}"
        if stream not in pen.last:
            pen.write(stream, notified(clock.today), clock.now)
        else:
            before = Money(number // 7 * 100, "GBP")
            after = Money(number // 7 * 100 + 100, "GBP")
            pen.write(stream, EstimateSet(LINE, before, after, Trigger.PERIODIC_REVIEW), clock.now)
        clock.wait(hours=5)
        pen.position += number % 3
        if len(pen.log) == facts:
            return pen.log
    return []


def notified(on: date) -> ClaimNotified:
    return ClaimNotified(MatterType.CLAIM, Jurisdiction.ENGLAND_WALES, "GBP", on, on)


class MemoryLog:
    """A log in a list."""

    def __init__(self, records: Log) -> None:
        self.records = list(records)
        self.loaded: list[str] = []  # the streams that histories were asked for

    def page(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        return [record for record in self.records if record.position > after][:limit]

    def places(self, after: int, limit: int) -> Sequence[Place]:
        following = [record for record in self.records if record.position > after][:limit]
        return [
            Place(each.envelope.stream, each.envelope.version, each.position) for each in following
        ]

    def histories(
        self, streams: Collection[str], up_to_position: int
    ) -> Mapping[str, Sequence[Recorded[Any]]]:
        self.loaded += streams
        known = [record for record in self.records if record.position <= up_to_position]
        return {stream: of(known, stream) for stream in streams}

    def head(self) -> int:
        return max((record.position for record in self.records), default=0)

    def shares(self, parts: int) -> Sequence[Share]:
        names = sorted({record.envelope.stream for record in self.records})[1:parts]
        return [Share(*ends) for ends in zip(["", *names], [*names, None], strict=True)]

    def whole_files(self, share: Share, up_to_position: int) -> Iterator[Page]:
        known = [record for record in self.records if record.position <= up_to_position]
        for stream in sorted({record.envelope.stream for record in known}):
            if share.first <= stream and (share.after is None or stream < share.after):
                yield Page(of(known, stream))


class BrokenLog(MemoryLog):
    """A log in which some facts cannot be read, by position, until they are mended."""

    def __init__(self, records: Log, broken: Mapping[int, Unreadable]) -> None:
        super().__init__(records)
        self.broken = dict(broken)

    def page(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        return self._readable(super().page(after, limit))

    def histories(
        self, streams: Collection[str], up_to_position: int
    ) -> Mapping[str, Sequence[Recorded[Any]]]:
        found = super().histories(streams, up_to_position)
        return {stream: self._readable(history) for stream, history in found.items()}

    def whole_files(self, share: Share, up_to_position: int) -> Iterator[Page]:
        for page in super().whole_files(share, up_to_position):
            unread = [
                stopped_at(Place(each.envelope.stream, each.envelope.version, each.position), error)
                for each in page.records
                if (error := self.broken.get(each.position)) is not None
            ]
            yield Page([each for each in page.records if each.position not in self.broken], unread)

    def _readable(self, records: Sequence[Recorded[Any]]) -> Sequence[Recorded[Any]]:
        for record in records:
            if record.position in self.broken:
                raise self.broken[record.position]
        return records


def of(log: Log, stream: str) -> list[Recorded[Any]]:
    """The facts of one stream."""
    return [record for record in log if record.envelope.stream == stream]


def claims(log: Log) -> list[str]:
    """The streams that are claims."""
    streams = {record.envelope.stream for record in log}
    return sorted(each for each in streams if not each.startswith(("refusals-", "mandate-")))


def pages(log: Log, size: int) -> Iterator[list[Change]]:
    """The log's changes, page by page."""
    memory = MemoryLog(log)
    files = Files(memory)
    after = 0
    while page := memory.page(after, size):
        yield files.changes(page, after)
        after = page[-1].position


def store(database: Database, log: Log) -> None:
    """Put a log into a database, each fact at its position."""
    with (
        psycopg.connect(database.conninfo(Role.OWNER), autocommit=True) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ledger.facts"
            " (notification_id, originator_id, originator_version, topic, state) FROM STDIN"
        ) as copy,
    ):
        for record in log:
            envelope = record.envelope
            name, state = to_stored(record)
            copy.write_row((record.position, envelope.stream, envelope.version, name, state))


def project(database: Database, log: Log, view: View) -> None:
    """Build a view of a log, whatever was there before."""
    with psycopg.connect(database.conninfo(Role.PROJECTOR), autocommit=True) as connection:
        with connection.transaction():
            drop(connection, LIVE, view.name)
        Projector(MemoryLog(log), connection, page_facts=9).catch_up([view])
