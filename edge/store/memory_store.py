"""The store in memory, for tests of decisions that want no database: the same answers, no disk."""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock

from eventsourcing.popo import POPOApplicationRecorder

from commands.ports import Answered, Batch, Head, History, Moved, head_of
from domain.schema import from_stored
from edge.store.batch import require_sound
from edge.store.mapper import stored_events


class MemoryStore:
    """`commands.ports.Store` on the library's in-memory recorder. Threads may share it."""

    def __init__(self) -> None:
        self.recorder = POPOApplicationRecorder()
        self._lock = Lock()
        self._answers: dict[str, Answered] = {}
        self._positions: dict[str, list[int]] = {}  # of each stream's facts, in versions

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        with self._lock:
            return {
                command_id: self._answers[command_id]
                for command_id in command_ids
                if command_id in self._answers
            }

    def load(self, streams: Collection[str]) -> Mapping[str, History]:
        with self._lock:
            return {stream: self._history(stream) for stream in streams}

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        with self._lock:
            return {
                stream: head_of(self._history(stream)[-1])
                for stream in streams
                if self._positions.get(stream)
            }

    def append(self, batch: Batch) -> Sequence[bytes]:
        require_sound(batch)
        with self._lock:
            self._require_unmoved(batch)
            after = self.recorder.max_notification_id() or 0
            positions = range(after + 1, after + 1 + len(batch.facts))
            receipts = [
                answer.receipt(positions[answer.facts.start : answer.facts.stop])
                for answer in batch.answers
            ]
            self.recorder.insert_events(stored_events(batch.facts))
            for fact, position in zip(batch.facts, positions, strict=True):
                self._positions.setdefault(fact.stream, []).append(position)
            for answer, receipt in zip(batch.answers, receipts, strict=True):
                self._answers[answer.command_id] = Answered(answer.body_sha256, receipt)
        return receipts

    def _require_unmoved(self, batch: Batch) -> None:
        moved = [
            stream
            for stream, version in batch.read.items()
            if len(self._positions.get(stream, ())) != version
        ]
        moved += [
            stream
            for stream, remembered in batch.digests.items()
            if stream not in moved and self._history(stream)[-1].digest != remembered
        ]
        ids = [answer.command_id for answer in batch.answers]
        again = [command_id for command_id in ids if command_id in self._answers]
        if moved or again or len(set(ids)) < len(ids):
            raise Moved(moved, again)

    def _history(self, stream: str) -> History:
        positions = self._positions.get(stream, ())
        events = self.recorder.select_events(stream)
        return [
            from_stored(stream, event.originator_version, event.topic, event.state, position)
            for event, position in zip(events, positions, strict=True)
        ]
