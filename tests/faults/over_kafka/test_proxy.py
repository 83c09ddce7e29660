"""The proxy passes everything on, until it is told to be silent, slow, or rude."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.brokers.ports import free_ports
from tests.faults.over_kafka.proxy import HOST, Mode, Proxy

ANSWER_S_MAX = 20.0
SILENT_S = 0.3


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says what it is told."""
    door = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                visitor, _ = door.accept()
            except OSError:
                return
            with visitor, suppress(ConnectionResetError):
                while told := visitor.recv(1_000):
                    visitor.sendall(told)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    port: int = door.getsockname()[1]
    yield port
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    serving.join(ANSWER_S_MAX)


@pytest.fixture
def proxy(echo: int) -> Iterator[tuple[Proxy, socket.socket]]:
    """The proxy before it, and a client that has had an answer."""
    (port,) = free_ports(1)
    with Proxy(port, echo) as proxy, socket.create_connection((HOST, port), ANSWER_S_MAX) as client:
        client.sendall(b"hello")
        assert client.recv(5, socket.MSG_WAITALL) == b"hello"
        yield proxy, client


def test_what_it_keeps_to_itself_comes_when_it_is_open_again(
    proxy: tuple[Proxy, socket.socket],
) -> None:
    between, client = proxy
    between.mode = Mode.SILENT
    client.sendall(b"anybody?")
    client.settimeout(SILENT_S)
    with pytest.raises(TimeoutError):
        client.recv(1)
    between.mode = Mode.OPEN
    client.settimeout(ANSWER_S_MAX)
    assert client.recv(8, socket.MSG_WAITALL) == b"anybody?"


def test_slow_it_gives_a_byte_at_a_time(proxy: tuple[Proxy, socket.socket]) -> None:
    between, client = proxy
    between.mode = Mode.SLOW
    client.sendall(b"ab")
    assert [client.recv(1_000), client.recv(1_000)] == [b"a", b"b"]


def test_rude_it_resets_what_is_open(proxy: tuple[Proxy, socket.socket]) -> None:
    between, client = proxy
    between.mode = Mode.RESETTING
    with pytest.raises(ConnectionResetError):
        client.recv(1)
