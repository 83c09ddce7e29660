"""The metrics of `claims relay`: what it published, and what the topic lacks."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric

from consumers.relaying import Event, Lost
from edge.metrics.scraping import Looked, gauge
from edge.relay_health import Health


class RelayMetrics:
    """Hears what happens to the relay, and looks at its health when it is asked."""

    def __init__(self, look: Callable[[], Health]) -> None:
        self.registry = registry = CollectorRegistry()
        self._failures = Counter(
            "claims_relay_failures",
            "Times that the database or the broker was lost, by the refusal's code.",
            ["code"],
            registry=registry,
        )
        registry.register(Looked(lambda: _looked(look())))

    def take(self, event: Event) -> None:
        """Count what happened."""
        if isinstance(event, Lost):
            self._failures.labels(event.code).inc()


def _looked(health: Health) -> Iterator[Metric]:
    yield gauge(
        "claims_relay_database_up", "1 when the database answers.", health.unsent is not None
    )
    yield gauge(
        "claims_relay_lost_seconds",
        "How long its loop has done without the database or the broker; 0 when it does not.",
        health.lost_s,
    )
    if health.pulse is not None:
        yield gauge(
            "claims_relay_working",
            "1 when the work is this relay's, 0 while another one works.",
            bool(health.pulse.working),
        )
        yield gauge("claims_relay_stuck", "1 when the loop gives no sign of life.", health.stuck)
        yield CounterMetricFamily(
            "claims_relay_published_facts",
            "Facts that this process sent and that were acknowledged.",
            health.facts,
        )
    found = health.unsent
    if found is not None:
        yield gauge(
            "claims_relay_position",
            "Every fact of the log up to this position is published, by whichever relay.",
            found.position,
        )
        yield gauge(
            "claims_relay_lag_facts",
            "Facts of the log that are not published, counted to 100,000.",
            found.lag,
        )
        if found.lag_s is not None:
            yield gauge("claims_relay_lag_seconds", "Age of the oldest of them.", found.lag_s)
        if found.oldest is not None:
            yield gauge(
                "claims_relay_oldest_unsent_position",
                "Position of the oldest fact that is not published; absent when there is none.",
                found.oldest.position,
            )
