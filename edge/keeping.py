"""Keeping views level in this process: the loop on an opened ledger, and how it is stopped."""

import os
import random
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from psycopg import Connection

from consumers.pace import World
from consumers.projector import Progress
from edge.postgres.connections import Role
from edge.wiring import Books, LoginLacksRights, database_errors, lost_by_name, may_project
from projections.view import View, position_of

STOPS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether the process was asked to stop; asked twice, it ends at once."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def heard(self) -> Generator[None]:
        """Hear SIGTERM and SIGINT meanwhile; for the main thread."""
        before = [(number, signal.signal(number, self._hear)) for number in STOPS]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.asked:
            # Not by the default action: the first process of a container would not be ended by it.
            os._exit(128 + number)
        self.asked = True


class BooksReading:
    """`consumers.running.Reading` on an opened ledger, whose connections are made anew."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def catch_up(self, views: Sequence[View], progress: Callable[[Progress], None]) -> int:
        with _projecting(self._books):
            return self._books.projector.catch_up(views, progress=progress)

    def position(self, views: Sequence[View]) -> int:
        with _projecting(self._books) as connection:
            return min(position_of(connection, view) for view in views)


@contextmanager
def _projecting(books: Books) -> Generator[Connection[Any]]:
    """The projector's connection."""
    with database_errors():
        connection = books.projecting
    with lost_by_name(connection):
        yield connection


def require_rights(books: Books) -> None:
    """Require a login that may write the views. Raises `LoginLacksRights` (E624)."""
    with books.connected(Role.READER) as connection:
        if not may_project(connection):
            raise LoginLacksRights(f"it is not a member of {Role.PROJECTOR}")


def world_of(books: Books, stop: Stop, before_a_wait: Callable[[], None]) -> World:
    """The loop's world in this process; it says when it is about to wait."""

    def wait(timeout_s: float) -> bool:
        before_a_wait()
        return books.log.wait(timeout_s)

    return World(
        clock=books.clock,
        timer=time.monotonic,
        wait=wait,
        sleep=time.sleep,
        chance=random.random,
        stop_asked=lambda: stop.asked,
    )
