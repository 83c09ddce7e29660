"""The health answer over HTTP, for the supervisor on this machine and nobody else."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edge.health import Health, State, as_data

HOST = "127.0.0.1"  # not a setting: the answer names files and asks nobody who they are
PATH = "/health"
REQUEST_S_MAX = 2.0  # without a word from the caller
WAITING_MAX = 8  # who comes when so many wait is not let in
END_S_MAX = 5.0  # a request under way takes less; who hangs does not keep the process


@contextmanager
def answering_health(port: int, ask: Callable[[], Health]) -> Generator[int]:
    """Answer on a port of this machine, any free one for 0; which it is.

    `ask` is called in a thread of its own, never twice at once. Raises OSError when the port is
    taken.
    """
    one_at_a_time = threading.Lock()

    def asked() -> Health:
        with one_at_a_time:
            return ask()

    with _Server((HOST, port), partial(_Request, asked)) as server:
        thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(END_S_MAX)


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # who sends a request slowly keeps a thread, and nobody waiting
    request_queue_size = WAITING_MAX

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no event of the ledger's."""


class _Request(BaseHTTPRequestHandler):
    timeout = REQUEST_S_MAX
    server_version, sys_version = "claims-ledger", ""

    def __init__(self, ask: Callable[[], Health], *connection: Any) -> None:
        self._ask = ask
        super().__init__(*connection)

    def do_GET(self) -> None:
        if self.path != PATH:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"there is only {PATH}"})
            return
        answer = self._ask()
        well = answer.state is State.LEVEL
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, as_data(answer))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Being asked is no event."""

    def _answer(self, status: HTTPStatus, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
