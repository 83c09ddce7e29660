"""Publishing: one batch for each partition at a time, and a producer that failed is not used on."""

import secrets
import signal
from contextlib import closing

import pytest

from consumers.messages import Record
from consumers.relaying import PAGE_FACTS, SEND_BYTES_MAX, NotAcknowledged
from edge.kafka import publisher
from edge.kafka.errors import BrokerRefused
from edge.kafka.publisher import PART_BYTES_MAX, Publisher, parts
from tests.brokers.broker import Broker
from tests.consumers.records import asking
from tests.edge.cli.loops import until
from tests.edge.kafka.following import everything, made


def test_what_is_sent_together_is_one_batch_for_each_partition() -> None:
    small = asking()
    large = small._replace(value=b"x" * PART_BYTES_MAX)
    assert [len(part) for part in parts([small] * 3 + [large] + [small] * 2)] == [3, 1, 2]
    many = list(parts([small] * 5_000))
    assert len(many) > 1
    for part in many:
        sizes = [len(r.value or b"") + sum(len(v or b"") for _, v in r.headers) for r in part]
        assert sum(sizes) < PART_BYTES_MAX
    assert [record for part in many for record in part] == [small] * 5_000


def test_what_the_relay_sends_at_once_is_one_part() -> None:
    named = tuple((f"ce_{number}", b"") for number in range(12))  # as many as a fact has at most
    framed = Record(b"", b"", named)
    each = SEND_BYTES_MAX // PAGE_FACTS - sum(len(name) for name, _ in named)
    for sizes in ([each] * PAGE_FACTS, [SEND_BYTES_MAX - 100], [PART_BYTES_MAX]):
        records = [framed._replace(value=b"x" * size) for size in sizes]
        assert len(list(parts(records))) == 1


def test_a_broker_that_says_nothing_is_given_up_and_the_next_producer_goes_on_in_order(
    own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"silent-{secrets.token_hex(4)}"
    made(own_broker, topic, partitions=1)
    settings = own_broker.settings("admin", kafka_wait_s=1)
    messages = [asking()._replace(value=str(number).encode()) for number in range(9)]
    with closing(Publisher(settings, topic)) as opened:
        opened.send(messages[:3])
        monkeypatch.setattr(publisher, "ACKNOWLEDGED_S_MAX", 1.0)
        own_broker.signal(signal.SIGSTOP)
        try:
            for _ in range(2):  # its threads stop one by one: the first answer may still come
                until(lambda: not sent(opened, messages[3:6]), "silence")
        finally:
            own_broker.signal(signal.SIGCONT)
        monkeypatch.undo()
        until(lambda: sent(opened, messages[3:6]), "an answer")
        opened.send(messages[6:])
    found = [int(each.value or b"") for each in everything(own_broker.settings(), topic)]
    assert list(dict.fromkeys(found)) == list(range(9))


def sent(opened: Publisher, messages: list[Record]) -> bool:
    try:
        opened.send(messages)
    except NotAcknowledged:
        return False
    return True


def test_what_the_broker_will_never_take_is_refused_by_name(kafka: Broker) -> None:
    topic = f"narrow-{secrets.token_hex(4)}"
    made(kafka, topic)
    with (
        closing(Publisher(kafka.settings(), topic)) as opened,
        pytest.raises(BrokerRefused, match=r"(?i)too.?large"),
    ):
        opened.send([asking()._replace(value=b"x" * 1_100_000)])
