"""A registry of metrics, and the page that Prometheus reads of it.

It is never the library's global one, which holds the process's memory and garbage, too: who runs
the process has those already. Labels are codes, topics, partitions and views, all of closed sets;
no file, person or amount is ever among them.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from edge.health_door import Page

# A second series for each would say only when the process began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left its types out


class Looked(Collector):
    """Metrics that are looked up when they are asked for."""

    def __init__(self, look: Callable[[], Iterable[Metric]]) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        return self._look()


def gauge(name: str, told: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, told, value)


def metrics_page(registry: CollectorRegistry) -> Page:
    """Every metric of a registry, as text."""
    return Page(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
