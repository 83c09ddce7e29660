"""The peer's side of P1, P2, P4 and P6; `bench.peer` says how it is set up."""

import random
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from eventsourcing.projection import ProjectionRunner

from bench import peer
from bench.peer_view import Caseload, CaseloadProjection
from bench.results import Taken
from bench.turns import CALLERS, Given, Turn, at_once, one_by_one

DRAIN_S_MAX = 120.0


@contextmanager
def commands(given: Given) -> Generator[Turn]:
    """P1: get, one method, save, for as many estimates as fit into the turn's seconds."""
    with peer.ClaimFiles(env=peer.environment(given["conninfo"])) as app:

        def turn(number: int) -> Taken:
            done = 0
            asks = asked(given, number)
            started = time.perf_counter()
            for file_id, told in asks:
                app.set_estimate(file_id, told)
                done += 1
                if time.perf_counter() - started > given["seconds"]:
                    break
            return Taken(done, time.perf_counter() - started)

        yield turn


@contextmanager
def callers(given: Given) -> Generator[Turn]:
    """P2: sixteen threads of one application, which shares its pool among them by itself."""
    with (
        peer.ClaimFiles(env=peer.environment(given["conninfo"])) as app,
        ThreadPoolExecutor(CALLERS) as threads,
    ):

        def turn(number: int) -> Taken:
            asks = asked(given, number)
            return at_once(threads, lambda ask: app.set_estimate(*ask), asks)[0]

        yield turn


def asked(given: Given, turn: int) -> list[tuple[UUID, dict[str, Any]]]:
    """The commands of one turn, on files that no other turn touches.

    Each on another file: two threads that save the same one at once would get an error.
    """
    chance = random.Random(turn)
    numbers = chance.sample(given["files"][turn], k=given["commands"])
    return [
        (UUID(given["ids"][number]), peer.estimate(number, place, chance))
        for place, number in enumerate(numbers)
    ]


@contextmanager
def projection(given: Given) -> Generator[Turn]:
    """P4: from the beginning of the first upsert to the commit of the last one."""

    def turn(_: int) -> Taken:
        events = len(peer.fill(given["conninfo"], given["files"], given["events"]))
        with ProjectionRunner(
            application_class=peer.ClaimFiles,
            projection_class=CaseloadProjection,
            view_class=Caseload,
            env=peer.environment(given["conninfo"]),
        ) as runner:
            runner.wait(runner.app.recorder.max_notification_id(), timeout=DRAIN_S_MAX)
            work = runner.projection
            assert isinstance(work, CaseloadProjection)
            return Taken(events * given["events"], work.last - work.first)

    yield turn


@contextmanager
def replay(given: Given) -> Generator[Turn]:
    """P6: from the id to the aggregate."""
    with peer.ClaimFiles(env=peer.environment(given["conninfo"])) as app:

        def get(file_id: str) -> None:
            file: peer.ClaimFile = app.repository.get(UUID(file_id))
            assert file.version == given["events"]

        yield lambda number: one_by_one(get, given, number)
