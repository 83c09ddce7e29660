"""What a process says of itself at its port, as a supervisor and Prometheus read it."""

import http.client
import json
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from edge.health_door import HEALTH, METRICS
from tests.brokers.ports import free_ports
from tests.edge.cli.invoking import Line
from tests.edge.cli.loops import Running

Series = tuple[str, ...]


def parsed(text: str) -> dict[Series, float]:
    """Each sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Watched(Running):
    """A process with a loop that is asked how it does."""

    def __init__(self, line: Line, *options: str, command: str = "run") -> None:
        (self.port,) = free_ports(1)
        super().__init__(line, *options, "--health-port", str(self.port), command=command)

    def health(self) -> tuple[int, dict[str, Any]]:
        """The status, and what is said; nothing as long as nobody listens."""
        status, body = self._asked(HEALTH)
        return status, json.loads(body) if body else {}

    def state(self) -> tuple[int, str]:
        status, told = self.health()
        return status, told.get("state", "")

    def metrics(self) -> dict[Series, float]:
        return parsed(self._asked(METRICS)[1].decode())

    def metric(self, *series: str) -> float:
        """One of them, 0 where it is not there yet."""
        return self.metrics().get(series, 0.0)

    def _asked(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionRefusedError:
            return 0, b""
        finally:
            connection.close()
