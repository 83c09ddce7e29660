"""The metrics of `claims consume`: what it answered, and how far it is behind."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from consumers.commanding import Answered, Event, Need, NotCommitted, PutAside, Revoked
from edge.consumer_health import Health
from edge.metrics.scraping import Looked, gauge

MESSAGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)  # a poll brings 500 at most
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40)  # a send gives up before 40
WHAT_IS_WAITED_FOR = (*Need, "broker")


class ConsumerMetrics:
    """Hears what happens to the loop, and looks at its health when it is asked."""

    def __init__(self, look: Callable[[], Health]) -> None:
        self.registry = registry = CollectorRegistry()
        self._receipts = Counter(
            "claims_consumer_receipts",
            "Commands answered by a receipt alone, by outcome and the refusal's code.",
            ["outcome", "code"],
            registry=registry,
        )
        self._repeated = Counter(
            "claims_consumer_repeated",
            "Commands among those that had been answered before.",
            registry=registry,
        )
        self._dead = Counter(
            "claims_consumer_dead_letters",
            "Messages put aside among the dead letters, by topic of origin and code.",
            ["topic", "code"],
            registry=registry,
        )
        # Without labels it is there, as 0, before the first: an alert sees that one, too.
        self._put_aside = Counter(
            "claims_consumer_put_aside", "All messages put aside.", registry=registry
        )
        self._revoked = Counter(
            "claims_consumer_partitions_revoked",
            "Partitions that the group took away.",
            registry=registry,
        )
        self._uncommitted = Counter(
            "claims_consumer_offsets_not_committed",
            "Offsets of partitions that could not be committed: their messages may come again.",
            registry=registry,
        )
        self._sizes = Histogram(
            "claims_consumer_batch_messages",
            "Messages of a batch that was answered.",
            buckets=MESSAGES,
            registry=registry,
        )
        self._times = Histogram(
            "claims_consumer_batch_seconds",
            "Time from a poll, or a new try, until the answers of its batch were stored.",
            buckets=SECONDS,
            registry=registry,
        )
        registry.register(Looked(lambda: _looked(look())))

    def take(self, event: Event) -> None:
        """Count what happened."""
        match event:
            case Answered():
                self._answered(event)
            case PutAside():
                self._dead.labels(event.topic, event.code).inc()
                self._put_aside.inc()
            case Revoked():
                self._revoked.inc(event.partitions)
            case NotCommitted():
                self._uncommitted.inc(event.partitions)
            case _:
                pass

    def _answered(self, event: Answered) -> None:
        self._receipts.labels("accepted", "").inc(event.accepted)
        for code, count in event.codes.items():
            self._receipts.labels("refused", code).inc(count)
        self._repeated.inc(event.repeated)
        self._sizes.observe(event.accepted + event.refused + event.dead)
        self._times.observe(event.took_s)


def _looked(health: Health) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "claims_consumer_waiting_seconds",
        "How long it has waited for what it cannot do without; 0 when it does not.",
        labels=["for"],
    )
    waits = health.waits
    for what in WHAT_IS_WAITED_FOR:
        waiting.add_metric([what], waits.seconds if waits and waits.for_what == what else 0.0)
    yield waiting
    if health.pulse is not None and health.holding is not None:
        yield gauge(
            "claims_consumer_held_messages",
            "Messages polled and not yet answered and committed.",
            health.pulse.held,
        )
        yield gauge("claims_consumer_stuck", "1 when the loop gives no sign of life.", health.stuck)
        yield gauge(
            "claims_consumer_partitions",
            "Partitions that the group has given to this process.",
            len(health.holding.lags),
        )
        yield CounterMetricFamily(
            "claims_consumer_rebalances",
            "How often the group shared out the partitions, as this process heard.",
            health.holding.rebalances,
        )
        yield gauge(
            "claims_consumer_broker_seen_timestamp_seconds",
            "When the broker last said where the partitions end; the lag is as of then.",
            health.at.timestamp() - health.silent_s,
        )
        yield from _lags(health)


def _lags(health: Health) -> Iterator[Metric]:
    labels = ["topic", "partition"]
    messages = GaugeMetricFamily(
        "claims_consumer_lag_messages",
        "Messages of a partition that are not yet answered and committed.",
        labels=labels,
    )
    seconds = GaugeMetricFamily(
        "claims_consumer_lag_seconds",
        "Age of the oldest of them; 0 when there is none.",
        labels=labels,
    )
    for each in health.holding.lags if health.holding else ():
        where = [each.partition.topic, str(each.partition.number)]
        messages.add_metric(where, each.messages)
        seconds.add_metric(where, health.age_s(each.oldest_s))
    yield messages
    yield seconds
