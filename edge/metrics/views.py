"""The metrics of `claims run`: how far the views are behind the log."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from edge.health import Health, Standing
from edge.metrics.scraping import Looked, gauge


class ViewsMetrics:
    """Looks at the health of the views when it is asked."""

    def __init__(self, look: Callable[[], Health]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(Looked(lambda: _looked(look())))


def _looked(health: Health) -> Iterator[Metric]:
    yield gauge(
        "claims_views_database_up", "1 when the database answers.", health.standing is not None
    )
    if health.pulse is not None:
        yield gauge("claims_views_stuck", "1 when the loop gives no sign of life.", health.stuck)
        yield CounterMetricFamily(
            "claims_views_read_facts", "Facts that this process read.", health.pulse.facts
        )
    if health.standing is not None:
        yield from _standing(health.standing)


def _standing(found: Standing) -> Iterator[Metric]:
    yield gauge("claims_views_head_position", "The last position of the log.", found.head)
    position = GaugeMetricFamily(
        "claims_views_position", "A view holds the log up to this position.", labels=["view"]
    )
    lag = GaugeMetricFamily(
        "claims_views_lag_facts",
        "Facts of the log that a view lacks, counted to 100,000.",
        labels=["view"],
    )
    left_out = GaugeMetricFamily(
        "claims_views_left_out",
        "1 for a view that was built as a version that this program does not write.",
        labels=["view"],
    )
    for view in found.views:
        position.add_metric([view.name], view.position)
        lag.add_metric([view.name], view.lag)
        left_out.add_metric([view.name], view.left_out)
    yield from (position, lag, left_out)
    if found.lag_s is not None:
        yield gauge(
            "claims_views_lag_seconds", "Age of the oldest fact that a view lacks.", found.lag_s
        )
    if found.oldest is not None:
        yield gauge(
            "claims_views_oldest_unapplied_position",
            "Position of the oldest fact that a view lacks; absent when there is none.",
            found.oldest.position,
        )
    yield gauge(
        "claims_views_quarantined_files",
        "Files that a view set aside at a fact that it could not apply.",
        found.parked_files,
    )
