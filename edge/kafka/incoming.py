"""Commands as they come in: a member of a consumer group, which commits only what it holds."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from consumers.answering import Message, Partition
from consumers.commanding import Polled
from edge.kafka.clients import broker_errors, consumer, subscribe
from edge.kafka.lag import Holding, Lags
from edge.kafka.library import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from edge.kafka.verbatim import record_of
from edge.settings import Settings
from edge.wiring import system_clock

FETCH_BYTES_MAX = 4_000_000  # of one fetch, and so about of one batch, whatever messages weigh
ASK_MS_MAX = 5_000  # for an offset to be kept or told; a broker that is there takes milliseconds
AWAY_PAUSE_S = 0.1  # between two polls of a broker that hangs up
LOOK_S = 5.0  # where partitions end, asked one request a broker; who watches looks as often
LOOK_MS_MAX = 1_000  # an answer takes milliseconds; without it the lags stay as they were
CLOSE_MS_MAX = 5_000  # to leave the group; a member that cannot is held to be gone after 10 s
# No longer of the group, or about to be told so: whoever has the partitions reads these again.
_NOT_OURS = (
    *(CommitFailedError, IllegalGenerationError),
    *(RebalanceInProgressError, UnknownMemberIdError),
)


class _Moves(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Which partitions were taken away; called by the library's thread, during a poll only."""

    def __init__(self) -> None:
        self.revoked: set[Any] = set()
        self.moved = False
        self.assigned = 0  # how often

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        self.revoked.update(revoked)
        self.moved = True

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        del assigned
        self.moved = True
        self.assigned += 1


class KafkaIncoming:
    """`consumers.commanding.Incoming` over kafka-python, for these topics.

    Threads may read `holding`, and nothing else: the library's consumer is for one.
    """

    def __init__(self, settings: Settings, group: str, topics: Iterable[str]) -> None:
        """Raises a `BrokerUnavailable`."""
        self._settings = settings
        topics = list(topics)
        self._instead = TopicPartition(topics[0], 0)  # asked about by a member without partitions
        self._moves = _Moves()
        self._paused = False
        self._lags = Lags()
        self._looked_s = float("-inf")
        self.holding = Holding(time.monotonic())
        self._client = consumer(settings, group, fetch_max_bytes=FETCH_BYTES_MAX)
        try:
            subscribe(self._client, settings, topics, self._moves)
        except BaseException:
            self._client.close()
            raise

    def poll(self, timeout_s: float) -> Polled:
        self._look()
        found: dict[Any, list[Any]] = {}
        with broker_errors(self._settings):
            try:
                found = self._client.poll(int(timeout_s * 1_000))
            except KafkaError as error:
                if not error.retriable:
                    raise
                time.sleep(AWAY_PAUSE_S)
        revoked, self._moves.revoked = self._moves.revoked, set()
        places = {Partition(*place) for place in revoked}
        self._lags.let_go(places)
        if self._moves.moved:
            self._start_over()
            found = {}
        messages: list[Message] = []
        for place, records in found.items():
            partition = Partition(*place)
            messages += [Message(partition, each.offset, record_of(each)) for each in records]
            self._lags.polled(partition, [(each.offset, _came_s(each)) for each in records])
        self._keep()
        return Polled(messages, places)

    def pause(self) -> None:
        self._paused = True
        self._client.pause(*self._client.assignment())

    def resume(self) -> None:
        self._paused = False
        self._client.resume(*self._client.paused())

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        told = {
            TopicPartition(*place): OffsetAndMetadata(offset, "", -1)
            for place, offset in offsets.items()
        }
        with broker_errors(self._settings):
            try:
                self._client.commit(told, timeout_ms=ASK_MS_MAX)
            except _NOT_OURS:
                return False
            except KafkaError as error:
                if not error.retriable:
                    raise
                return False
        self._lags.committed(offsets)
        self._keep()
        return True

    def close(self) -> None:
        """Leave the group, so that others have the partitions at once."""
        self._client.close(timeout_ms=CLOSE_MS_MAX)

    def _look(self) -> None:
        """Ask now and then where the partitions end. What is wrong with that, the poll will say."""
        if time.monotonic() - self._looked_s < LOOK_S or self._moves.moved:
            return
        self._looked_s = time.monotonic()
        try:
            held = self._client.assignment()
            asked = list(held) or [self._instead]  # the library would ask nobody about none
            ends = self._client.end_offsets(asked, timeout_ms=LOOK_MS_MAX)
            reads = {each: self._client.position(each, timeout_ms=LOOK_MS_MAX) for each in held}
        except KafkaError:
            return
        known = {Partition(*each): (at, ends[each]) for each, at in reads.items() if at is not None}
        self._lags.looked(known, _now_s())
        if len(known) == len(held) and self._moves.assigned:
            self._keep(well_s=time.monotonic())

    def _keep(self, **seen: float) -> None:
        """Leave what is known to whoever asks."""
        told = self._lags.now()
        self.holding = replace(self.holding, lags=told, rebalances=self._moves.assigned, **seen)

    def _start_over(self) -> None:
        """Read all that is held now from where it was committed.

        The library would read a partition that was taken away and came back from where it was: past
        what was polled and let go. A broker that does not answer is asked again at the next poll.
        """
        with broker_errors(self._settings):
            try:
                held = self._client.assignment()
                for place in held:
                    offset = self._client.committed(place, timeout_ms=ASK_MS_MAX)
                    if offset is None:
                        self._client.seek_to_beginning(place)
                    else:
                        self._client.seek(place, offset)
                if self._paused:
                    self._client.pause(*held)
                self._lags.read_anew()
                self._looked_s = float("-inf")
            except KafkaError as error:
                if not error.retriable:
                    raise
                return
        self._moves.moved = False


def _now_s() -> float:
    return system_clock().timestamp()


def _came_s(message: Any) -> float:
    """When it was stored; now where the topic keeps the senders' times, and one has none."""
    return message.timestamp / 1_000 if message.timestamp >= 0 else _now_s()
