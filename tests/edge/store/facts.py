"""Facts, receipts and batches for the tests of the store, made as the ledger would make them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from commands.ports import Answer, Batch, Store, ToStore
from commands.receipt import accepted
from domain.claim.lifecycle import StrategySet
from domain.envelope import Actor, Envelope, Recorded
from domain.schema import chain_start, digest, to_stored
from domain.terms import Role

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HANDLER = Actor("person-1", Role.CASE_MANAGER)


def body_of(command_id: str) -> bytes:
    return sha256(command_id.encode()).digest()


@dataclass
class Writer:
    """Writes chained facts to a store, a command at a time, and remembers where the files stand."""

    store: Store
    heads: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    commands: int = 0

    def write(self, stream: str, facts: int = 1, command_id: str | None = None) -> list[int]:
        """One command with that many facts; the positions it was given."""
        (receipt,) = self.append(self.batch(stream, facts, command_id))
        return [fact["position"] for fact in json.loads(receipt)["facts"]]

    def append(self, batch: Batch) -> Sequence[bytes]:
        receipts = self.store.append(batch)
        for fact in batch.facts:
            self.heads[fact.stream] = (fact.version, digest(fact.state))
        return receipts

    def batch(self, stream: str, facts: int = 1, command_id: str | None = None) -> Batch:
        """The batch of one command that goes on from what this writer knows of the stream."""
        self.commands += 1
        name = command_id or f"command-{self.commands}"
        version, previous = self.heads.get(stream, (0, chain_start(stream)))
        stored = chained(stream, version, previous, facts, name)
        return Batch(stored, [answer_of(name, stream, stored)], {stream: version})


def merged(*batches: Batch) -> Batch:
    """Several commands about different streams in one transaction."""
    facts: list[ToStore] = []
    answers: list[Answer] = []
    read: dict[str, int] = {}
    for batch in batches:
        (answer,) = batch.answers
        span = range(len(facts), len(facts) + len(batch.facts))
        answers.append(answer_of(answer.command_id, answer.stream, batch.facts, span))
        facts.extend(batch.facts)
        read.update(batch.read)
    return Batch(facts, answers, read)


def chained(stream: str, version: int, previous: str, facts: int, command_id: str) -> list[ToStore]:
    """Facts that follow `version` of the stream, each carrying the digest of the one before."""
    stored: list[ToStore] = []
    for _ in range(facts):
        version += 1
        envelope = Envelope(
            stream=stream,
            version=version,
            recorded_at=NOON + timedelta(seconds=version),
            effective_on=date(2026, 3, 2),
            actor=HANDLER,
            command_id=command_id,
            previous=previous,
            rationale="because the test says so",
        )
        fact = StrategySet(f"objective {version}", ("next",), date(2026, 6, 1))
        name, state = to_stored(Recorded(envelope, fact))
        stored.append(ToStore(stream, version, name, state))
        previous = digest(state)
    return stored


def answer_of(
    command_id: str, stream: str, facts: Sequence[ToStore], span: range | None = None
) -> Answer:
    """An answer that accepts, with the receipt that the ledger keeps."""
    version = facts[-1].version if facts else 0
    head = digest(facts[-1].state) if facts else chain_start(stream)

    receipt = accepted(command_id, stream, version, head, NOON, facts)
    return Answer(command_id, body_of(command_id), stream, NOON, span or range(len(facts)), receipt)
