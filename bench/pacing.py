"""Messages sent at their planned times, whatever comes back, and when each was answered.

The sender does not wait for answers, and an answer's time counts from when its message was planned:
one that is sent late, because everything was held up, has waited already.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import lane
from bench.lane import Sent

ANSWERED_S_MAX = 60.0  # after the last message was sent
LEAD_S = 0.2  # to the first message, so that everybody is ready
POLL_MS = 100
LINGER_MS = 5  # a sender of a thousand a second does not ask the broker for each of them


def latencies_ms(
    bootstrap: str, topics: Sequence[str], messages: Sequence[Sent], per_s: float
) -> list[float]:
    """Send to the first topic, so many a second; of each, how long until it was on the second.

    A message and its answer have the same `ce_id`.
    """
    source, answers = topics
    listener = lane.consumer(bootstrap)
    sender = lane.producer(bootstrap, linger_ms=LINGER_MS)
    try:
        places = lane.partitions(listener, answers)
        listener.assign(places)
        listener.seek_to_end(*places)
        for place in places:
            listener.position(place)
        sender.partitions_for(source)
        ids = [_id(each.headers) for each in messages]
        begin = time.perf_counter() + LEAD_S
        planned = {each: begin + number / per_s for number, each in enumerate(ids)}
        with ThreadPoolExecutor(1) as thread:
            heard = thread.submit(_hear, listener, planned)
            for each, at in zip(messages, planned.values(), strict=True):
                ahead = at - time.perf_counter()
                if ahead > 0:
                    time.sleep(ahead)
                sender.send(source, each.value, key=each.key, headers=each.headers)
            sender.flush(lane.ACKNOWLEDGED_S_MAX)
            return heard.result()
    finally:
        sender.close()
        listener.close()


def _hear(listener: Any, planned: Mapping[str, float]) -> list[float]:
    until = max(planned.values()) + ANSWERED_S_MAX
    waiting = dict(planned)
    found: list[float] = []
    while waiting:
        assert time.perf_counter() < until, f"{len(waiting)} messages were not answered"
        for messages in listener.poll(POLL_MS).values():
            now = time.perf_counter()
            due = [waiting.pop(_id(each.headers), None) for each in messages]
            found += [round((now - at) * 1_000, 3) for at in due if at is not None]
    return found


def _id(headers: Sequence[tuple[str, bytes]]) -> str:
    return dict(headers)["ce_id"].decode()
