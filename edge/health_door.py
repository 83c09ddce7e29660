"""What a process says of itself over HTTP, to a supervisor and to Prometheus."""

import json
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from socketserver import TCPServer
from typing import Any

import structlog

HOST = "127.0.0.1"  # unless another is asked for: the answers ask nobody who they are
HEALTH = "/health"
METRICS = "/metrics"
JSON = "application/json"
FAILED = "it could not be made; the log says where"
REQUEST_S_MAX = 2.0  # without a word from the caller
# A database that takes longer is as good as away, and who asks is not kept: compose waits for 5 s.
ANSWER_S_MAX = 4.0
REQUESTS_MAX = 8  # under way at once, each in a thread; who comes beyond hears 503
END_S_MAX = 5.0  # an answer under way takes less; who hangs does not keep the process


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, whole."""

    status: HTTPStatus
    media: str
    body: bytes


Pages = Mapping[str, Callable[[], Page]]


def told_in_json(told: object, status: HTTPStatus = HTTPStatus.OK) -> Page:
    """An answer in JSON."""
    return Page(status, JSON, json.dumps(told).encode())


def health_page(told: object, *, well: bool) -> Page:
    """The health answer: 200 when all is well, 503 when not."""
    return told_in_json(told, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


LATE = health_page({"error": "there was no answer in time"}, well=False)
FULL = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(pages: Pages, port: int, host: str = HOST) -> Generator[int]:
    """Answer at a port, any free one for 0; which it is.

    A page is made in a thread of its own, and never two at once; who waits for one for longer than
    `ANSWER_S_MAX` hears 503. Raises OSError when the port is taken.
    """
    answer = _in_time(pages)
    with _Server((host, port), partial(_Request, frozenset(pages), answer)) as server:
        thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(END_S_MAX)


def _in_time(pages: Pages) -> Callable[[str], Page]:
    """How a page is had by a path."""
    one_at_a_time = threading.Lock()

    def make(path: str, made: Future[Page]) -> None:
        try:
            made.set_result(pages[path]())
        except Exception as error:  # noqa: BLE001 - who asked for the page raises it
            made.set_exception(error)
        finally:
            one_at_a_time.release()

    def answer(path: str) -> Page:
        deadline_s = time.monotonic() + ANSWER_S_MAX
        if not one_at_a_time.acquire(timeout=ANSWER_S_MAX):
            return LATE
        made = Future[Page]()
        threading.Thread(target=make, args=(path, made), daemon=True).start()
        done, _ = wait([made], deadline_s - time.monotonic())
        return made.result() if done else LATE

    return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # who sends a request slowly keeps a thread, and nobody waiting

    def __init__(self, where: tuple[str, int], *more: Any) -> None:
        self._room = threading.BoundedSemaphore(REQUESTS_MAX)
        self.address_family = AF_INET6 if ":" in where[0] else AF_INET
        super().__init__(where, *more)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a request a thread, if there is room for one."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.sendall(FULL)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # past HTTP's, which asks a name server who this machine is
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what failed by name; a caller that went away is no event of the ledger's."""
        error = sys.exception()
        if not isinstance(error, OSError):
            structlog.get_logger().error("health request failed", exc_info=error)


class _Request(BaseHTTPRequestHandler):
    timeout = REQUEST_S_MAX
    server_version, sys_version = "claims-ledger", ""

    def __init__(
        self, paths: frozenset[str], answer: Callable[[str], Page], *connection: Any
    ) -> None:
        self._paths = paths
        self._answer = answer
        super().__init__(*connection)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")  # who asks may add parameters, and none is known
        if path not in self._paths:
            only = f"there is only {' and '.join(sorted(self._paths))}"
            self._send(told_in_json({"error": only}, HTTPStatus.NOT_FOUND))
            return
        try:
            page = self._answer(path)
        except Exception as error:  # noqa: BLE001 - a fault of ours: it is logged, and told as one
            structlog.get_logger().error("health page failed", exc_info=error)
            page = told_in_json({"error": FAILED}, HTTPStatus.INTERNAL_SERVER_ERROR)
        self._send(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Being asked is no event."""

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.media)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)
