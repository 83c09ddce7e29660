"""Audit trail: who did what when, on what authority, and what was refused.

A row is a fact or a refusal. What was corrected stays beside what took its place, and an attempt
that was refused for want of authority (E3xx) is a near miss that somebody will want to see. What a
fact changed is in no row: `consumers.changes` finds it out when somebody asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, LiteralString

from msgspec.json import Encoder
from psycopg import Connection
from psycopg.rows import class_row

from domain.envelope import NOT_NEEDED, Judgement
from domain.refusal_log import CommandRefused
from domain.schema import NAME_OF
from projections.view import Change, Copy, View, Write, typed

PAGE_ROWS_MAX = 1_000  # an answer of a megabyte or so, whoever asks for more
NEAR_MISS = "E3"

_to_json = Encoder().encode

TABLE: LiteralString = """
CREATE TABLE audit (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    version int NOT NULL,
    effective_on date NOT NULL,
    corrects int,
    voids int,
    mandate_version int,
    measured bigint,  -- this and the next two: minor units of `currency`
    authority_limit bigint,
    headroom bigint,
    stream text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,  -- the claim or the mandate it is about
    name text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    on_behalf_of text COLLATE "C" NOT NULL,
    reason_code text COLLATE "C" NOT NULL,
    rationale text COLLATE "C" NOT NULL,
    grounds text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    mandate text COLLATE "C" NOT NULL,  -- whose
    approval text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    command text COLLATE "C" NOT NULL,  -- this and the next three: of a refusal
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    evidence json NOT NULL,  -- only ever read whole
    documents json NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL
) WITH (fillfactor = 100);
CREATE INDEX audit_subject ON audit (subject, position);
CREATE INDEX audit_person ON audit (person, position);
CREATE INDEX audit_refused ON audit (code, position) WHERE code <> '';
CREATE INDEX audit_replaced ON audit (stream, (coalesce(corrects, voids)))
    WHERE coalesce(corrects, voids) IS NOT NULL;
CREATE INDEX audit_recorded ON audit USING brin (recorded_at);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact or refusal of the trail.

    `measured`, `authority_limit` and `headroom` are minor units of `currency`. `code`, `command`,
    `message` and `evidence` belong to a refusal. `replaced_by` names the versions that corrected
    or voided this fact, and `original` is the entry that this one corrects or voids.
    """

    position: int
    recorded_at: datetime
    version: int
    effective_on: date
    corrects: int | None
    voids: int | None
    mandate_version: int | None
    measured: int | None
    authority_limit: int | None
    headroom: int | None
    stream: str
    subject: str
    name: str
    person: str
    role: str
    team: str
    on_behalf_of: str
    reason_code: str
    rationale: str
    grounds: str
    decision: str
    mandate: str
    approval: str
    currency: str
    command: str
    code: str
    message: str
    evidence: Mapping[str, str]
    documents: Sequence[Mapping[str, str]]
    command_id: str
    digest: str
    replaced_by: Sequence[int] = ()
    original: "Entry | None" = None

    @property
    def near_miss(self) -> bool:
        """Refused for want of authority."""
        return self.code.startswith(NEAR_MISS)


COLUMNS = typed(
    (
        *("position", "stream", "version", "name", "recorded_at", "effective_on"),
        *("person", "role", "team", "on_behalf_of", "reason_code", "rationale"),
        *("corrects", "voids", "command_id", "digest", "documents"),
        *("grounds", "decision", "mandate", "mandate_version", "approval"),
        *("currency", "measured", "authority_limit", "headroom"),
        *("subject", "command", "code", "message", "evidence"),
    ),
    int8=("position", "measured", "authority_limit", "headroom"),
    int4=("version", "corrects", "voids", "mandate_version"),
    timestamptz=("recorded_at",),
    date=("effective_on",),
)


def fold(changes: Sequence[Change]) -> list[Write]:
    """The trail of a page of changes: one row each."""
    return [Copy("audit", COLUMNS, [_row(change) for change in changes])]


VIEW = View("audit", 3, {"audit": TABLE}, fold)


def _row(change: Change) -> tuple[Any, ...]:
    record = change.record
    envelope, fact = record.envelope, record.fact
    actor, judgement = envelope.actor, envelope.judgement
    about: tuple[str, ...] = (envelope.stream, "", "", "", "{}")
    if isinstance(fact, CommandRefused):
        about = (
            fact.subject,
            fact.command,
            fact.code,
            fact.message,
            _to_json(fact.evidence).decode(),
        )
    return (
        record.position,
        envelope.stream,
        envelope.version,
        NAME_OF[type(fact)],
        envelope.recorded_at,
        envelope.effective_on,
        actor.person,
        str(actor.role),
        actor.team,
        envelope.on_behalf_of,
        envelope.reason_code,
        envelope.rationale,
        envelope.corrects,
        envelope.voids,
        envelope.command_id,
        record.digest,
        _to_json(envelope.evidence).decode() if envelope.evidence else "[]",
        *(_NO_AUTHORITY if judgement is NOT_NEEDED else _authority(judgement)),
        *about,
    )


def _authority(judgement: Judgement) -> tuple[Any, ...]:
    measured = judgement.measured
    return (
        str(judgement.grounds),
        str(judgement.decision or ""),
        judgement.person,
        judgement.mandate_version or None,
        judgement.approval,
        measured.currency if measured else "",
        measured.minor if measured else None,
        judgement.limit.minor if judgement.limit else None,
        judgement.headroom.minor if judgement.headroom else None,
    )


_NO_AUTHORITY = _authority(NOT_NEEDED)  # most facts need none


# --- Queries -------------------------------------------------------------------------------------

_TRAIL: LiteralString = """
SELECT a.*, ARRAY(
    SELECT later.version FROM views.audit AS later
    WHERE later.stream = a.stream AND coalesce(later.corrects, later.voids) = a.version
      AND (%(known_at)s::timestamptz IS NULL OR later.recorded_at <= %(known_at)s)
    ORDER BY later.version
) AS replaced_by
FROM views.audit AS a
"""
_FILTERED: LiteralString = """
WHERE a.position > %(after)s
  AND (%(subject)s::text IS NULL OR a.subject = %(subject)s)
  AND (%(person)s::text IS NULL OR a.person = %(person)s)
  AND (%(recorded_from)s::timestamptz IS NULL OR a.recorded_at >= %(recorded_from)s)
  AND (%(known_at)s::timestamptz IS NULL OR a.recorded_at <= %(known_at)s)
  AND (%(as_of)s::date IS NULL OR a.effective_on <= %(as_of)s)
  AND (%(code)s::text IS NULL OR starts_with(a.code, %(code)s))
  AND (NOT %(refused)s OR a.code <> '')
ORDER BY a.position
LIMIT %(limit)s
"""
_ORIGINALS: LiteralString = """
JOIN unnest(%(streams)s::text[], %(versions)s::int[]) AS asked (stream, version)
  ON a.subject = asked.stream AND a.stream = asked.stream AND a.version = asked.version
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for; what is None does not limit.

    `code` is a code or the beginning of one, such as E3 for the near misses; `refused` leaves
    only refusals. `recorded_from` and `known_at` are the ends of a period, both included.
    """

    subject: str | None = None
    person: str | None = None
    code: str | None = None
    refused: bool = False
    recorded_from: datetime | None = None
    known_at: datetime | None = None
    as_of: date | None = None


def trail(
    connection: Connection[Any], asked: Filter, *, after: int = 0, limit: int = PAGE_ROWS_MAX
) -> list[Entry]:
    """The entries after a position, in the order of the log; at most `PAGE_ROWS_MAX` at a time.

    An entry that corrects or voids another shows it as its `original`.
    """
    parameters = {
        "after": after,
        "limit": min(limit, PAGE_ROWS_MAX),
        "subject": asked.subject,
        "person": asked.person,
        "code": asked.code,
        "refused": asked.refused or asked.code is not None,
        "recorded_from": asked.recorded_from,
        "known_at": asked.known_at,
        "as_of": asked.as_of,
    }
    entries = _entries(connection, _TRAIL + _FILTERED, parameters)
    wanted = [(each.stream, each.corrects or each.voids or 0) for each in entries]
    named = [(stream, version) for stream, version in wanted if version]
    if not named:
        return entries
    streams, versions = map(list, zip(*named, strict=True))
    found = _entries(
        connection,
        _TRAIL + _ORIGINALS,
        {"streams": streams, "versions": versions, "known_at": asked.known_at},
    )
    originals = {(each.stream, each.version): each for each in found}
    return [
        replace(entry, original=originals.get(key))
        for entry, key in zip(entries, wanted, strict=True)
    ]


def near_misses(
    connection: Connection[Any], *, after: int = 0, limit: int = PAGE_ROWS_MAX
) -> list[Entry]:
    """What was refused for want of authority."""
    return trail(connection, Filter(code=NEAR_MISS), after=after, limit=limit)


def _entries(
    connection: Connection[Any], query: LiteralString, parameters: Mapping[str, Any]
) -> list[Entry]:
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query, parameters).fetchall()
