"""A wire to PostgreSQL that can be cut at the one moment that matters: around a commit."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

PORT = "5432"
COMMIT = b"COMMIT\0"  # as a simple query or a parse message ends it
DONE = b"COMMIT\0"  # and as the server's answer to it ends


class Cut(StrEnum):
    """When the wire is cut."""

    NEVER = "never"
    BEFORE = "before the commit is sent"
    AFTER = "after it is done and before it is confirmed"


class Wire:
    """Passes a Unix socket's bytes on to the server behind `conninfo`, until it cuts them off."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        parts = conninfo_to_dict(conninfo)
        self._server = f"{parts['host']}/.s.PGSQL.{parts.get('port') or PORT}"
        # The server's account is not the one that this end of the wire belongs to.
        self.conninfo = make_conninfo(conninfo, host=str(folder), port=PORT, requirepeer="")
        self.cut = Cut.NEVER
        self.cuts = 0
        self.down = False  # nobody gets through any more
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(f"{folder}/.s.PGSQL.{PORT}")
        self._door.listen()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._run(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _run(self, job: "threading.Thread | object", *args: socket.socket) -> None:
        thread = threading.Thread(target=job, args=args)  # type: ignore[arg-type]  # a bound method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if not select.select([self._door], [], [], 0.05)[0]:
                continue
            client, _ = self._door.accept()
            if self.down:
                client.close()
            else:
                self._run(self._pass_on, client)

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server:
            server.connect(self._server)
            for source, data in self._messages(client, server):
                if source is client and self.cut is Cut.BEFORE and COMMIT in data:
                    break
                if source is server and self.cut is Cut.AFTER and DONE in data:
                    break
                (server if source is client else client).sendall(data)
            else:
                return
            self.cuts += 1
            self.cut = Cut.NEVER

    def _messages(
        self, client: socket.socket, server: socket.socket
    ) -> Iterator[tuple[socket.socket, bytes]]:
        with contextlib.suppress(ConnectionError):
            while not self._stopping.is_set():
                for source in select.select([client, server], [], [], 0.05)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    yield source, data
