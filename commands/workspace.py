"""One batch under way: streams as read, and as the batch's own decisions have left them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from commands.cache import Cache, Known
from commands.door import Unread
from commands.file import File, claim_file, mandate_file
from commands.parts import Command
from commands.ports import Answer, Batch, Head, Moved, Store, ToStore, head_of
from commands.receipt import accepted, refused
from commands.ruling import Ruling
from domain.authority import Holding
from domain.claim import Claim
from domain.dating import RULES
from domain.envelope import Actor, Envelope, Evidence, Judgement, Recorded
from domain.errors import Refused
from domain.labels import labels_of
from domain.mandate import Mandate
from domain.refusal_log import CommandRefused, stream_of_refusals
from domain.schema import chain_start, to_stored
from domain.schema import digest as digest_of
from domain.terms import Role

UNREAD_STREAM = "unread"  # where commands that name no stream are refused


@dataclass(slots=True)
class Workspace:
    """What a batch has read, decided and not yet stored. One for each attempt, never kept."""

    store: Store
    cache: Cache
    now: datetime
    files: dict[str, File[Any]] = field(default_factory=dict[str, File[Any]])
    read: dict[str, int] = field(default_factory=dict[str, int])
    heads: dict[str, Head] = field(default_factory=dict[str, Head])
    facts: list[ToStore] = field(default_factory=list[ToStore])
    answers: list[Answer] = field(default_factory=list[Answer])
    uses: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _using: set[str] = field(default_factory=set[str])
    _remembered: dict[str, str] = field(default_factory=dict[str, str])  # digests, as found
    # What was added to files and is not yet in them: an import touches each once, and never asks.
    _pending: dict[str, list[Recorded[Any]]] = field(default_factory=dict[str, list[Recorded[Any]]])

    def begin(self, command_id: str) -> None:
        """From here on, what is read is read for this command."""
        self._using = self.uses[command_id] = set()

    def prepare(self, streams: Collection[str]) -> None:
        """Find streams that will be needed, and read those that are not known in one query."""
        missing = {each for each in streams if each not in self.read}
        known = self.cache.find(missing)
        for stream, each in known.items():
            self.files[stream], self.read[stream] = each.file, each.file.version
            if each.head is not None:
                self.heads[stream] = each.head
                self._remembered[stream] = each.head.digest
        missing -= known.keys()
        if not missing:
            return
        for stream, history in self.store.load(missing).items():
            file_of = claim_file if stream.startswith("claim-") else mandate_file
            self.files[stream] = file_of(stream, history)
            self.read[stream] = len(history)
            if history:
                self.heads[stream] = head_of(history[-1])

    def claim(self, stream: str) -> File[Claim]:
        """A claim's stream, as the batch has left it."""
        return self._file(stream)

    def mandate(self, stream: str) -> File[Mandate]:
        """A mandate's stream, as the batch has left it."""
        return self._file(stream)

    def _file(self, stream: str) -> File[Any]:
        self._using.add(stream)
        if stream not in self.files:
            self.prepare([stream])
        if stream in self._pending:
            self.files[stream] = self.files[stream].after(self._pending.pop(stream))
        return self.files[stream]

    def holding(self, person: str) -> Holding:
        """A person's mandate, for judging; that it was read is proved when the batch is stored."""
        file = self.mandate(f"mandate-{person}")
        return Holding(person, file.state, file.version)

    def moment(self, stream: str) -> datetime:
        """When something is recorded in a stream: now, and never before its last fact."""
        head = self.heads.get(stream)
        return max(self.now, head.recorded_at) if head else self.now

    def accept(self, command: Command, body: bytes, ruling: Ruling, judgement: Judgement) -> None:
        """Add a command's facts and its answer to the batch."""
        stream, first = command.stream, len(self.facts)
        moment, version, digest = self.moment(stream), self.version(stream), self._digest(stream)
        actor = _actor_of(command)
        evidence = tuple([Evidence(e.doc_id, e.sha256, e.kind) for e in command.evidence])
        records: list[Recorded[Any]] = []
        for decided in ruling.decided:
            version += 1
            envelope = Envelope(
                stream=stream,
                version=version,
                recorded_at=moment,
                effective_on=decided.effective_on,
                actor=actor,
                command_id=command.command_id,
                previous=digest,
                judgement=judgement,
                jurisdiction=self._jurisdiction(stream, decided.fact),
                ruleset=RULES,
                rationale=decided.rationale or command.rationale,
                reason_code=command.reason_code,
                on_behalf_of=command.on_behalf_of,
                source_system=command.source_system,
                correlation_id=command.correlation_id,
                causation_id=command.causation_id,
                evidence=evidence,
                labels=labels_of(decided.fact),
                corrects=ruling.corrects,
                voids=ruling.voids,
                imported=decided.imported,
            )
            records.append(self._add(envelope, decided.fact))
            digest = self._digest(stream)
        self._pending.setdefault(stream, []).extend(records)
        command_id, span = command.command_id, range(first, len(self.facts))
        receipt = accepted(command_id, stream, version, digest, moment, self.facts[first:])
        self.answers.append(Answer(command_id, body, stream, moment, span, receipt))

    def refuse(self, command: Command | Unread, body: bytes, error: Refused, today: date) -> None:
        """Keep a refusal: a fact in the stream of refusals beside the subject, and the answer."""
        subject = command.stream or UNREAD_STREAM
        stream, first = stream_of_refusals(subject), len(self.facts)
        self._using |= {stream, subject}
        unread = [each for each in (stream, subject) if each not in self.read]
        self.heads |= self.store.heads(unread) if unread else {}
        self.read.setdefault(stream, self.version(stream))
        moment = self.moment(stream)
        fact = CommandRefused(
            command=_type_of(command),
            code=error.code,
            name=type(error).__name__,
            message=str(error),
            remedy=error.remedy,
            field=error.field,
            subject=subject,
            version=self.version(subject),
            evidence=error.evidence(),
        )
        envelope = Envelope(
            stream=stream,
            version=self.version(stream) + 1,
            recorded_at=moment,
            effective_on=today,
            actor=_actor_of(command),
            command_id=command.command_id,
            previous=self._digest(stream),
            ruleset=RULES,
            rationale=command.rationale if isinstance(command, Command) else "",
            labels=labels_of(fact),
        )
        self._add(envelope, fact)
        kept = self.facts[-1]
        self.answers.append(
            Answer(
                command.command_id,
                body,
                subject,
                moment,
                range(first, first + 1),
                lambda positions: refused(command.command_id, subject, error, kept, positions[0]),
            )
        )

    def batch(self) -> Batch:
        """What one transaction stores, resting on what its commands used."""
        used = set[str]().union(*self.uses.values())
        return Batch(
            self.facts,
            self.answers,
            {stream: version for stream, version in self.read.items() if stream in used},
            {stream: digest for stream, digest in self._remembered.items() if stream in used},
        )

    def known(self) -> list[Known]:
        """The files as the batch leaves them, for the cache to keep once the batch is stored.

        Without those that began in it: most of these were imported, and nobody asks for them soon.
        """
        self._using = set()  # no command reads from here on
        return [
            Known(self._file(stream), self.heads.get(stream))
            for stream in self.files
            if self.read[stream] or stream not in self.heads
        ]

    def touched(self, commands: Sequence[Command | Unread], moved: Moved) -> list[int]:
        """Which of the batch's commands have to be judged again, by their place in it.

        Those that read what moved, and those that come after one of them on the same file.
        """
        streams, ids, places = set(moved.streams), set(moved.command_ids), list[int]()
        for place, command in enumerate(commands):
            used = self.uses.get(command.command_id, set())
            if command.command_id in ids or not streams.isdisjoint(used):
                subject = command.stream or UNREAD_STREAM
                streams |= {subject, stream_of_refusals(subject)}
                ids.add(command.command_id)
                places.append(place)
        return places or list(range(len(commands)))  # where the store cannot tell, it may be any

    def _add(self, envelope: Envelope, fact: Any) -> Recorded[Any]:
        """Chain one fact to its stream; returns it as recorded."""
        name, state = to_stored(Recorded(envelope, fact))
        digest = digest_of(state)
        self.facts.append(ToStore(envelope.stream, envelope.version, name, state))
        self.heads[envelope.stream] = Head(envelope.version, digest, envelope.recorded_at)
        return Recorded(envelope, fact, state)

    def version(self, stream: str) -> int:
        """How many facts a stream has, the batch's own included."""
        head = self.heads.get(stream)
        return head.version if head else 0

    def _digest(self, stream: str) -> str:
        head = self.heads.get(stream)
        return head.digest if head else chain_start(stream)

    def _jurisdiction(self, stream: str, fact: object) -> str:
        state = self.files[stream].state
        notified = state.lifecycle.notified if isinstance(state, Claim) else None
        known = notified.jurisdiction if notified else getattr(fact, "jurisdiction", "")
        return str(known)


def _type_of(command: Command | Unread) -> str:
    return command.type if isinstance(command, Unread) else type_name(command)


def type_name(command: Command) -> str:
    """The command's type as it is written on the wire."""
    return cast("str", type(command).model_fields["type"].default)


def _actor_of(command: Command | Unread) -> Actor:
    if isinstance(command, Unread):
        return Actor(command.person, Role.SERVICE)
    return Actor(command.actor.person, command.actor.role, command.actor.team)
