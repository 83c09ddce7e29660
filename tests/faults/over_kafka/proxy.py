"""A TCP proxy before Kafka that falls silent, gives a byte a second, or resets its connections."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
BLOCK_BYTES = 65_536
LOOK_S = 0.05
SLOW_S = 1.0  # between two bytes
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # linger, for no time: the other side hears of a reset


class Mode(StrEnum):
    """What the proxy does with what it is given."""

    OPEN = "proxy open"
    SILENT = "proxy silent"
    SLOW = "proxy gives a byte a second"
    RESETTING = "proxy resets"


class Proxy:
    """Passes what comes to one port of the loopback on to another, in a thread of its own."""

    def __init__(self, port: int, behind: int) -> None:
        self.mode = Mode.OPEN
        self._port, self._behind = port, behind
        self._open: set[asyncio.StreamWriter] = set()
        self._ready, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._connected, HOST, self._port):
            self._ready.set()
            while not self._ended.is_set():
                if self.mode is Mode.RESETTING:
                    self._reset_all()
                await asyncio.sleep(LOOK_S)
            self._reset_all()

    def _reset_all(self) -> None:
        for writer in list(self._open):
            with suppress(OSError):  # one that is closed already
                door: socket.socket = writer.get_extra_info("socket")
                door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._open.add(client)
        try:
            with suppress(OSError, asyncio.CancelledError):  # the latter when the proxy ends
                answers, broker = await asyncio.open_connection(HOST, self._behind)
                self._open.add(broker)
                try:
                    await self._both(reader, client, answers, broker)
                finally:
                    self._open.discard(broker)
                    broker.close()
        finally:
            self._open.discard(client)
            client.close()

    async def _both(
        self,
        reader: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        broker: asyncio.StreamWriter,
    ) -> None:
        """Until either side ends."""
        ways = [
            asyncio.create_task(self._one_way(reader, broker)),
            asyncio.create_task(self._one_way(answers, client)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(BLOCK_BYTES):
            while data:
                if self.mode is Mode.SILENT:
                    await asyncio.sleep(LOOK_S)
                    continue
                now = 1 if self.mode is Mode.SLOW else len(data)
                writer.write(data[:now])
                await writer.drain()
                data = data[now:]
                if now == 1 and data:
                    await asyncio.sleep(SLOW_S)
