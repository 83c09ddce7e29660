"""A TCP proxy before PostgreSQL that cuts the connection when a COMMIT goes by.

Whoever sent the COMMIT cannot know whether it is done: the proxy delivers it and cuts before the
answer, or does not deliver it, or delivers it when the sender has long been told of the cut.
"""

import asyncio
import itertools
import random
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.faults.journal import Journal
from tests.faults.process import Task

HOST = "127.0.0.1"
CUT_CHANCE = 0.08  # of each COMMIT
LATE_S_MAX = 2.5  # beyond what the store waits for the lock when it looks up what became of it
SYNC = b"S\x00\x00\x00\x04"
_COMMIT = re.compile(rb"\bCOMMIT\b(?! PREPARED)", re.IGNORECASE)


class Cut(StrEnum):
    """What becomes of a COMMIT whose connection is cut."""

    DELIVERED = "cut after COMMIT"
    DROPPED = "cut before COMMIT"
    LATE = "cut, and COMMIT delivered late"


class Commits:
    """Recognises, in what a client sends, the message that makes the server commit."""

    def __init__(self) -> None:
        self._prepared: set[bytes] = set()  # names of statements that are a COMMIT
        self._bound = False

    def sees(self, kind: bytes, body: bytes) -> bool:
        """Whether this message (its type, and its body after the length) commits."""
        match kind:
            case b"Q":
                return bool(_COMMIT.search(body))
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                (self._prepared.add if _COMMIT.search(text) else self._prepared.discard)(name)
            case b"B":
                _, name, _ = body.split(b"\0", 2)
                self._bound = name in self._prepared
            case b"E":
                return self._bound
            case _:
                pass
        return False


def through(conninfo: str, port: int) -> str:
    """The same database, through the proxy."""
    return make_conninfo(
        conninfo, host=HOST, port=port, requirepeer="", sslmode="disable", gssencmode="disable"
    )


def relay(task: Task, stopping: threading.Event) -> None:
    """Relay `task.port` of the loopback to the server's socket until told to stop."""
    at = conninfo_to_dict(task.conninfo)
    socket = Path(str(at["host"])) / f".s.PGSQL.{at['port']}"
    asyncio.run(_serve(socket, task.port, task.dice(), task.journal(), stopping))


async def _serve(
    socket: Path, port: int, dice: random.Random, journal: Journal, stopping: threading.Event
) -> None:
    kinds = itertools.cycle(dice.sample(list(Cut), len(Cut)))

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Stream(reader, writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                server = Stream(*await asyncio.open_unix_connection(str(socket)))
                try:
                    await _relayed(client, server, dice, kinds, journal)
                finally:
                    server.writer.close()
        finally:
            client.writer.close()

    async with await asyncio.start_server(connected, HOST, port):
        await asyncio.to_thread(stopping.wait)


class Stream:
    """One side of a relayed connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


async def _relayed(
    client: Stream, server: Stream, dice: random.Random, kinds: Iterator[Cut], journal: Journal
) -> None:
    down = asyncio.create_task(_downward(server, client))
    try:
        commit = await _upward(client, server, dice)
    finally:
        down.cancel()
        with suppress(asyncio.CancelledError):
            await down
    cut = next(kinds)
    journal.write(fault=cut)
    client.writer.transport.abort()
    await _settle(cut, server, commit, dice)


async def _downward(server: Stream, client: Stream) -> None:
    with suppress(OSError):
        while data := await server.reader.read(65_536):
            await client.send(data)
    client.writer.close()


async def _upward(client: Stream, server: Stream, dice: random.Random) -> bytes:
    """Relay until a COMMIT is to be cut off; that COMMIT, which has not been sent on."""
    length = await client.reader.readexactly(4)  # the first message alone has no type
    await server.send(length + await client.reader.readexactly(int.from_bytes(length) - 4))
    commits = Commits()
    while True:
        head = await client.reader.readexactly(5)
        body = await client.reader.readexactly(int.from_bytes(head[1:]) - 4)
        if commits.sees(head[:1], body) and dice.random() < CUT_CHANCE:
            return head + body
        await server.send(head + body)


async def _settle(cut: Cut, server: Stream, commit: bytes, dice: random.Random) -> None:
    """Do with a COMMIT, whose sender was cut off, what its cut says."""
    if cut is Cut.DROPPED:
        return
    if cut is Cut.LATE:
        await asyncio.sleep(dice.uniform(0.1, LATE_S_MAX))
    await server.send(commit if commit.startswith(b"Q") else commit + SYNC)
    server.writer.write_eof()
    await server.reader.read()  # until the server has done it and gone
