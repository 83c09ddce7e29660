"""The door of health and metrics: what it answers, to how many at once, and when a page fails."""

import http.client
import json
import socket
import struct
from contextlib import ExitStack
from http import HTTPStatus
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.health_door import REQUESTS_MAX, Page, answering, health_page, told_in_json
from tests.edge.cli.loops import DEADLINE_S, until


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


@pytest.mark.parametrize("path", ["/", "/healthz", "/health/", "/?x=/health", "/../health"])
def test_there_is_nothing_else(path: str) -> None:
    with answering(PAGES, 0) as port:
        assert ask(port, path) == (404, {"error": "there is only /health"})
        assert ask(port, method="POST")[0] == 501
        assert ask(port)[0] == 200


def test_parameters_are_passed_over_and_a_head_has_no_body() -> None:
    with answering(PAGES, 0) as port:
        assert ask(port, "/health?x=1") == (200, {"well": True})
        assert ask(port, method="HEAD") == (200, None)


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


def test_what_fails_while_a_page_is_sent_is_logged_too() -> None:
    unsendable = Page(HTTPStatus.OK, "\u2026", b"")  # no header may hold it
    with (
        capture_logs() as logged,
        answering({"/health": lambda: unsendable}, 0) as port,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        ask(port)
    assert [line["event"] for line in logged] == ["health request failed"]


def test_a_caller_that_goes_away_is_no_event() -> None:
    linger = struct.pack("ii", 1, 0)  # what is under way is cut off
    with capture_logs() as logged, answering(PAGES, 0) as port:
        for words in (b"", b"GET /hea", b"GET /health HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as gone:
                gone.sendall(words)
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        assert ask(port)[0] == 200
    assert logged == []


# --- who is one too many, and who waits too long --------------------------------------------------


def test_who_comes_beyond_the_most_that_are_answered_at_once_hears_so_at_once() -> None:
    with ExitStack() as silent, answering(PAGES, 0) as port:
        for _ in range(REQUESTS_MAX):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        for _ in range(3):
            assert ask(port) == (503, None)
        silent.close()
        until(lambda: ask(port)[0] == 200, "room again")


def test_a_page_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.health_door.ANSWER_S_MAX", 0.1)
    asked, go_on = Event(), Event()

    def slow() -> Page:
        asked.set()
        assert go_on.wait(DEADLINE_S)
        return page()

    with answering({**PAGES, "/metrics": slow}, 0) as port:
        assert ask(port, "/metrics")[0] == 503
        assert asked.wait(DEADLINE_S)
        assert ask(port) == (503, {"error": "there was no answer in time"})
        go_on.set()
        until(lambda: ask(port)[0] == 200, "an answer again")
