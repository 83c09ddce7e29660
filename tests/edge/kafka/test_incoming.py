"""A member of a group hears of its broker whether or not it was given anything to read."""

import secrets
import signal
from contextlib import ExitStack

import pytest

from edge.kafka import incoming
from edge.kafka.incoming import KafkaIncoming
from tests.brokers.broker import Broker
from tests.edge.cli.loops import until
from tests.edge.kafka.following import made

POLL_S = 0.1


def test_one_without_partitions_hears_of_its_broker_as_long_as_it_is_there(
    own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "LOOK_S", 0.0)
    topic = f"narrow-{secrets.token_hex(4)}"
    made(own_broker, topic, partitions=1)
    with ExitStack() as opened:
        members = [KafkaIncoming(own_broker.settings(), "ledger.few", [topic]) for _ in range(2)]
        for each in members:
            opened.callback(each.close)

        def settled() -> bool:
            for each in members:
                each.poll(POLL_S)
            counts = sorted(len(each.holding.lags) for each in members)
            return counts == [0, 1] and all(each.holding.rebalances for each in members)

        until(settled, "one of them has the partition")
        (idle,) = [each for each in members if not each.holding.lags]

        def moved(since_s: float) -> bool:
            idle.poll(POLL_S)
            return idle.holding.well_s > since_s

        until(lambda: moved(idle.holding.well_s), "it hears of the broker")
        own_broker.signal(signal.SIGSTOP)
        try:
            moved(0.0)  # what was answered before may still come
            moved(0.0)
            silent_s = idle.holding.well_s
            assert not moved(silent_s)
            assert not moved(silent_s)
        finally:
            own_broker.signal(signal.SIGCONT)
        until(lambda: moved(silent_s), "it hears of it again")
