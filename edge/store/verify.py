"""Whether what is stored is what was recorded: chains recomputed from bytes, receipts against them.

Each fact carries the digest of the one before it, which finds a change anywhere but in the last.
The receipts, kept with the facts they speak of, carry digests and positions too, and find that one
and a tail cut off. Whoever changes both alike is found by a sealed checkpoint, not here.
"""

import hashlib
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, cast

from pydantic_core import from_json

from domain.errors import ChainBroken
from domain.schema import chain_start
from edge.store.postgres_store import PostgresLog
from edge.store.receipts import REFUSAL, Named, told_by
from edge.store.snapshot import Snapshot, StoredAnswer, StoredFact

FACTS_A_REPORT = 10_000  # a tenth of a second: a screen that moves, and no time spent on it
ELSEWHERE_MAX = 1_000  # what is looked up together

_File = tuple[str, list[StoredFact], list[StoredAnswer]]


@dataclass(frozen=True, slots=True)
class Verified:
    """A file that is whole: how many facts it has, and the SHA-256 (hex) of the last one's bytes.

    A file without a fact has the digest that its first one would carry.
    """

    stream: str
    facts: int
    digest: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What was verified, and the first break found of each file that has one."""

    streams: int
    facts: int
    broken: Sequence[ChainBroken]


class _Link(NamedTuple):
    """What a fact is known by once its chain has been followed."""

    name: str
    position: int
    digest: str
    command_id: str


@dataclass(slots=True)
class _Elsewhere:
    """What one file's facts and answers say about others: refusals are kept beside the file."""

    facts: list[tuple[str, Named]] = field(default_factory=list[tuple[str, Named]])
    answers: list[tuple[str, Named]] = field(default_factory=list[tuple[str, Named]])

    def __len__(self) -> int:
        return len(self.facts) + len(self.answers)


def verify(log: PostgresLog, stream: str) -> Verified:
    """Verify one file against its bytes and the receipts given for it; raises `ChainBroken`."""
    elsewhere = _Elsewhere()
    with log.snapshot() as snapshot:
        links = _follow(stream, snapshot.facts_of(stream))
        _compare(stream, links, snapshot.answers_about(stream), elsewhere)
        for error in _settle(snapshot, elsewhere):
            raise error
    return Verified(stream, len(links), links[-1].digest if links else chain_start(stream))


def verify_all(log: PostgresLog, progress: Callable[[int, int], None] | None = None) -> Summary:
    """Verify every file as of one moment, with `progress(streams, facts)` now and then.

    Reads the log once, in the order of streams; it takes the memory of the longest file.
    """
    streams = facts = reported = 0
    broken: dict[str, ChainBroken] = {}
    elsewhere = _Elsewhere()
    with log.snapshot() as snapshot:
        for stream, stored, answers in _files(snapshot):
            streams += bool(stored)
            facts += len(stored)
            try:
                _compare(stream, _follow(stream, stored), answers, elsewhere)
            except ChainBroken as error:
                broken.setdefault(stream, error)
            if len(elsewhere) >= ELSEWHERE_MAX:
                _note(broken, _settle(snapshot, elsewhere))
                elsewhere = _Elsewhere()
            if progress is not None and facts - reported >= FACTS_A_REPORT:
                reported = facts
                progress(streams, facts)
        _note(broken, _settle(snapshot, elsewhere))
    if progress is not None:
        progress(streams, facts)
    return Summary(streams, facts, tuple(broken[stream] for stream in sorted(broken)))


def _note(broken: dict[str, ChainBroken], errors: Iterable[ChainBroken]) -> None:
    for error in errors:
        broken.setdefault(error.stream, error)


def _files(snapshot: Snapshot) -> Iterator[_File]:
    """Each stream with its facts and the answers about it; both sides come in the same order."""
    facts_by = itertools.groupby(snapshot.facts(), key=itemgetter(0))
    answers_by = itertools.groupby(snapshot.answers(), key=itemgetter(0))
    both: Iterator[_File] = heapq.merge(
        ((stream, list(rows), []) for stream, rows in facts_by),
        ((stream, [], list(rows)) for stream, rows in answers_by),
        key=itemgetter(0),
    )
    for stream, sides in itertools.groupby(both, key=itemgetter(0)):
        facts: list[StoredFact] = []
        answers: list[StoredAnswer] = []
        for _, some_facts, some_answers in sides:
            facts += some_facts
            answers += some_answers
        yield stream, facts, answers


def _follow(stream: str, facts: Iterable[StoredFact]) -> list[_Link]:
    """Recompute the chain of one stream from its stored bytes."""
    links: list[_Link] = []
    digest, position, recorded_at = chain_start(stream), 0, ""
    for version, (_, stored_version, name, state, stored_position) in enumerate(facts, start=1):
        if stored_version != version:
            raise ChainBroken(stream, version, "it is missing")
        envelope = _envelope(stream, version, name, state)
        told = (envelope.get("stream"), envelope.get("version"))
        if told != (stream, version):
            raise ChainBroken(stream, version, f"its bytes say it is fact {told[1]} of {told[0]}")
        if envelope.get("previous") != digest:
            raise ChainBroken(stream, version, "it does not carry the digest of the bytes before")
        moment = str(envelope.get("recorded_at"))
        if moment != recorded_at and _backwards(stream, version, recorded_at, moment):
            raise ChainBroken(stream, version, "it says it was recorded before the one before")
        if stored_position <= position:
            raise ChainBroken(stream, version, "its position is not after that of the one before")
        digest, position = hashlib.sha256(state).hexdigest(), stored_position
        recorded_at = moment
        links.append(_Link(name, position, digest, str(envelope.get("command_id"))))
    return links


def _envelope(stream: str, version: int, name: str, state: bytes) -> dict[str, Any]:
    """The envelope, read out of the bytes; the fact itself is covered by its digest."""
    opening = b'{"name":"%s","envelope":{' % name.encode()
    try:
        if not state.startswith(opening):
            raise ChainBroken(stream, version, f"its bytes are not of a {name}")
        # A quote inside a string is escaped, so this is where the envelope ends.
        return cast("dict[str, Any]", from_json(state[len(opening) - 1 : state.index(b',"fact":')]))
    except ValueError as error:
        raise ChainBroken(stream, version, "its bytes cannot be read") from error


def _backwards(stream: str, version: int, before: str, now: str) -> bool:
    try:
        return bool(before) and datetime.fromisoformat(now) < datetime.fromisoformat(before)
    except (ValueError, TypeError) as error:
        raise ChainBroken(stream, version, "its moment cannot be read") from error


def _compare(
    stream: str, links: Sequence[_Link], answers: Iterable[StoredAnswer], elsewhere: _Elsewhere
) -> None:
    """Hold the receipts about a stream against its facts, both ways."""
    unnamed = set(range(1, len(links) + 1))
    for answer in answers:
        told = told_by(answer)
        for named in told.facts:
            if named.stream != stream:
                elsewhere.facts.append((answer.command_id, named))
                continue
            link = links[named.version - 1] if 1 <= named.version <= len(links) else None
            _require_as_named(answer.command_id, named, link)
            unnamed.discard(named.version)
        if told.head is not None:
            _require_head(stream, links, *told.head)
    for version in sorted(unnamed):
        link = links[version - 1]
        digest = link.digest if link.name == REFUSAL else ""
        named = Named(stream, version, link.position, link.name, digest)
        elsewhere.answers.append((link.command_id, named))


def _require_as_named(command_id: str, named: Named, link: _Link | None) -> None:
    if link is None:
        raise _missing(command_id, named)
    told = (named.position, named.name, command_id)
    if told != (link.position, link.name, link.command_id):
        why = f"the receipt of {command_id} names another fact at its place"
        raise ChainBroken(named.stream, named.version, why)


def _require_head(stream: str, links: Sequence[_Link], version: int, digest: str) -> None:
    if version > len(links):
        raise ChainBroken(stream, len(links) + 1, f"it is missing: a receipt tells of {version}")
    if digest != (links[version - 1].digest if version else chain_start(stream)):
        raise ChainBroken(stream, version, "a receipt told another digest of its bytes")


def _settle(snapshot: Snapshot, elsewhere: _Elsewhere) -> Iterator[ChainBroken]:
    """What is wrong with the facts and the answers that were looked for in other places."""
    places = [(named.stream, named.version) for _, named in elsewhere.facts]
    positions = snapshot.positions(places) if places else {}
    for command_id, named in elsewhere.facts:
        if positions.get((named.stream, named.version)) != named.position:
            yield _missing(command_id, named)
    # No command has an id with a NUL, which the server would not even be asked for.
    wanted = {command_id for command_id, _ in elsewhere.answers if "\0" not in command_id}
    found = {answer.command_id: answer for answer in snapshot.answers_to(wanted)} if wanted else {}
    for command_id, named in elsewhere.answers:
        answer = found.get(command_id)
        if answer is None or not _tells_of(answer, named):
            why = f"no receipt of its command {command_id} names it"
            yield ChainBroken(named.stream, named.version, why)


def _tells_of(answer: StoredAnswer, named: Named) -> bool:
    try:
        return named in told_by(answer).facts
    except ChainBroken:
        return False  # it was altered, so it proves nothing


def _missing(command_id: str, named: Named) -> ChainBroken:
    why = f"it is not where the receipt of {command_id} says"
    return ChainBroken(named.stream, named.version, why)
