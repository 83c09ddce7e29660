"""Fills a ledger with copies of real files, by COPY, many times faster than commands could.

Every row is what the ledger would have stored (see `bench.templates`). A fixed number of files is
under way at any time and the next command is that of one of them at random, so the facts of a
file lie scattered over the log as they do in life, and a longer log is a longer time, not a wider
organisation. `claims verify` finds such a ledger whole.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, Cursor

from bench.templates import REFERENCE, Template, Unit
from domain.schema import chain_start
from edge.postgres.connections import Role, conninfo_for

UNITS_A_COPY = 5_000
FIRST_MOMENT = datetime(2024, 1, 8, tzinfo=UTC)
BETWEEN_UNITS = timedelta(seconds=5)  # four million of them stay within eight months

_FACTS: LiteralString = """
COPY ledger.facts (notification_id, originator_version, originator_id, topic, state)
FROM STDIN (FORMAT binary)
"""
_FACT_TYPES = ("int8", "int8", "text", "text", "bytea")
_ANSWERS: LiteralString = """
COPY ledger.answers (recorded_at, command_id, stream, body_sha256, receipt)
FROM STDIN (FORMAT binary)
"""
_ANSWER_TYPES = ("timestamptz", "text", "text", "bytea", "bytea")

NextFile = Callable[[int], tuple[str, Template]]
"""The reference and the template of the n-th file to be begun, from 0."""


@dataclass(slots=True)
class UnderWay:
    """A copy of which some units are printed; `heads` are the digests that its streams end with."""

    reference: str
    template: Template
    units: Iterator[Unit]
    heads: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(slots=True)
class Filler:
    """Adds files to a ledger that nobody else writes to meanwhile.

    `finished` has the references of the copies that are complete, by kind.
    """

    conninfo: str
    next_file: NextFile
    open_files: int
    seed: int = 1
    finished: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    facts: int = 0
    _begun: int = 0
    _units: int = 0
    _open: list[UnderWay] = field(default_factory=list[UnderWay])
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def common(self, *templates: Template) -> None:
        """Store what is not copied: the mandates that the files' judgements name."""
        with self._connected() as connection:
            page = _Page(self.facts)
            for each in templates:
                copy = UnderWay("", each, iter(each.units))
                for unit in copy.units:
                    page.take(copy, unit, self._moment())
            self._store(connection, page)

    def fill(
        self,
        facts: int | None = None,
        files: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Go on until the log holds so many facts, or so many files were begun and are finished.

        A log that is filled up to a number of facts has `open_files` under way at its end, and can
        be filled further.
        """
        with self._connected() as connection:
            while (facts is None or self.facts < facts) and self._room(files):
                page = _Page(self.facts)
                for _ in range(UNITS_A_COPY):
                    if not self._room(files) or (facts is not None and page.position >= facts):
                        break
                    self._one_unit(page)
                self._store(connection, page)
                if progress is not None:
                    progress(self.facts)
            connection.execute("SELECT setval('ledger.position', %s)", [self.facts])
            connection.execute("VACUUM (FREEZE, ANALYZE) ledger.facts, ledger.answers")

    def _room(self, files: int | None) -> bool:
        """Have as many files under way as may be; False when there is none any more."""
        while len(self._open) < self.open_files and (files is None or self._begun < files):
            reference, template = self.next_file(self._begun)
            self._open.append(UnderWay(reference, template, iter(template.units)))
            self._begun += 1
        return bool(self._open)

    def _one_unit(self, page: "_Page") -> None:
        place = int(self._chance.random() * len(self._open))
        copy = self._open[place]
        unit = next(copy.units, None)
        if unit is None:
            self.finished.setdefault(copy.template.kind, []).append(copy.reference)
            self._open[place] = self._open[-1]
            self._open.pop()
        else:
            page.take(copy, unit, self._moment())

    def _moment(self) -> datetime:
        self._units += 1
        return FIRST_MOMENT + self._units * BETWEEN_UNITS

    def _connected(self) -> Connection[Any]:
        return psycopg.connect(conninfo_for(self.conninfo, Role.OWNER), autocommit=True)

    def _store(self, connection: Connection[Any], page: "_Page") -> None:
        with connection.transaction(), connection.cursor() as cursor:
            _copy(cursor, _FACTS, _FACT_TYPES, page.facts)
            _copy(cursor, _ANSWERS, _ANSWER_TYPES, page.answers)
        self.facts = page.position


def _copy(
    cursor: Cursor[Any], into: LiteralString, types: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    with cursor.copy(into) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


class _Page:
    """Rows to be stored together; `position` is that of the last fact."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.facts: list[tuple[Any, ...]] = []
        self.answers: list[tuple[Any, ...]] = []

    def take(self, copy: UnderWay, unit: Unit, moment: datetime) -> None:
        """Print one unit of a copy."""
        reference = copy.reference
        at = moment.replace(tzinfo=None).isoformat(timespec="microseconds").encode()
        marks: dict[bytes, object] = {b"ref": reference.encode(), b"at": at}
        first = self.position + 1
        for fact in unit.facts:
            stream = fact.stream.replace(REFERENCE, reference)
            marks[b"previous"] = copy.heads.get(fact.stream) or chain_start(stream).encode()
            state = fact.state % marks
            copy.heads[fact.stream] = sha256(state).hexdigest().encode()
            self.position += 1
            self.facts.append((self.position, fact.version, stream, fact.name, state))
        marks[b"head"] = copy.heads[unit.head_of]
        for number in range(len(unit.facts)):
            marks[b"p%d" % number] = first + number
        self.answers.append(
            (
                moment,
                unit.command_id.replace(REFERENCE, reference),
                unit.stream.replace(REFERENCE, reference),
                unit.body_sha256,
                unit.receipt % marks,
            )
        )
