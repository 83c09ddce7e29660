"""The door of health and metrics: what it answers, to how many at once, and when a page fails."""

import http.client
import json
import socket
import struct
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.health_door import Page, answering, health_page, told_in_json


def ask(port: int, path: str = "/health", method: str = "GET") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body.startswith(b"{") else None
    finally:
        connection.close()


def page() -> Page:
    return told_in_json({"well": True})


PAGES = {"/health": page}


@pytest.mark.parametrize(("well", "status"), [(True, 200), (False, 503)])
def test_the_status_says_whether_all_is_well(well: bool, status: int) -> None:
    told = {"state": "level"}
    with answering({"/health": lambda: health_page(told, well=well)}, 0) as port:
        assert ask(port) == (status, told)


@pytest.mark.parametrize("path", ["/", "/healthz", "/health/", "/health?x=1", "/../health"])
def test_there_is_nothing_else(path: str) -> None:
    with answering(PAGES, 0) as port:
        assert ask(port, path) == (404, {"error": "there is only /health"})
        assert ask(port, method="POST")[0] == 501
        assert ask(port)[0] == 200


def test_a_caller_that_says_nothing_does_not_keep_it_from_answering() -> None:
    with answering(PAGES, 0) as port:
        silent = socket.create_connection(("127.0.0.1", port))
        with silent:
            silent.sendall(b"GET /hea")
            assert ask(port)[0] == 200


def test_it_listens_on_this_machine_only_and_gives_its_port_back() -> None:
    with answering(PAGES, 0) as port:
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))  # free, so not taken for all addresses
        with pytest.raises(OSError, match="in use"), answering({}, port):
            pass
    with answering(PAGES, port):
        assert ask(port)[0] == 200


def test_it_listens_where_it_is_told_to() -> None:
    with (
        answering(PAGES, 0, "127.0.0.2") as port,
        pytest.raises(ConnectionRefusedError),
    ):
        ask(port)


# --- a page that fails ---------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("Mrs Okafor"), OSError("Mrs Okafor")])
def test_a_page_that_cannot_be_made_is_logged_by_name_and_answered_with_500(
    error: Exception,
) -> None:
    def fail() -> Page:
        raise error

    with capture_logs() as logged, answering({**PAGES, "/metrics": fail}, 0) as port:
        status, told = ask(port, "/metrics")
        assert ask(port)[0] == 200
    assert (status, told) == (500, {"error": "it could not be made; the log says where"})
    [line] = logged
    assert (line["event"], line["log_level"]) == ("health page failed", "error")
    assert line["exc_info"] is error


def test_a_caller_that_goes_away_is_no_event() -> None:
    linger = struct.pack("ii", 1, 0)  # what is under way is cut off
    with capture_logs() as logged, answering(PAGES, 0) as port:
        for words in (b"", b"GET /hea", b"GET /health HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as gone:
                gone.sendall(words)
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        assert ask(port)[0] == 200
    assert logged == []
