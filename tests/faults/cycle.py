"""A cycle from the first process to the last check, on a database of its own."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from commands.receipt import Receipt
from consumers.standing import status
from edge.postgres.connections import Role, conninfo_for
from edge.settings import Settings
from edge.wiring import open_books
from projections.view import views
from tests.commands.bodies import Body, Desk
from tests.faults import checks, elsewhere, evidence, model
from tests.faults import views as folds
from tests.faults.asking import as_sent
from tests.faults.checks import Evidence, Finding, Kind
from tests.faults.holes import take_back
from tests.faults.journal import Journal
from tests.faults.projector import project
from tests.faults.proxy import relay
from tests.faults.reader import follow_the_ledger, places_read
from tests.faults.server import Server
from tests.faults.storm import Storm
from tests.faults.writer import exchange, send_again, write

LEVEL_S_MAX = 60.0  # until readers and views have the whole log, in calm
POLL_S = 0.2
READER = "reader.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What a cycle was, and what went wrong in it; `unkept` counts answers that promise nothing."""

    seed: str
    seconds: float
    sent: int
    acknowledged: int
    facts: int
    faults: Counter[str]
    unkept: Counter[str]
    writes_back_s: list[float]
    views_back_s: list[float]
    findings: list[Finding]


def cycle(
    server: Server,
    folder: Path,
    seed: str,
    seconds: float,
    tell: Callable[[Storm], None] = lambda _: None,
) -> Outcome:
    """Storm for so many seconds, then ask whether everything still holds."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    name = f"cycle_{seed}"
    conninfo = server.database(name)
    employ(conninfo, folder)
    storm = Storm(server, conninfo, folder, seed, seconds, tell=tell)
    try:
        storm.blow()
        storm.calm()
        storm.end(write, take_back, relay)
        storm.findings += _of_one_moment(evidence.gather(conninfo, folder))
        level = _settle(storm)
        storm.end(send_again, project, follow_the_ledger)
    finally:
        storm.abandon()
        storm.burden.put_down()
    left = evidence.gather(conninfo, folder)
    findings = [*storm.findings, *_of_calm(storm, left)]
    if level:  # otherwise the views are known to lack something
        findings += _of_views(server, storm, left)
    if not findings:
        server.drop(name)
    return Outcome(
        seed,
        time.monotonic() - began,
        len(left.told.sent),
        len(left.told.acknowledged),
        len(left.log),
        storm.all_faults(),
        left.told.unkept,
        storm.recovery.writes_s,
        storm.recovery.views_s,
        findings,
    )


class Employer(Desk):
    """Gives people their mandates, on the real ledger."""

    journal: Journal

    def send(self, *bodies: Body | bytes) -> list[Receipt]:
        texts = [as_sent(each) for each in bodies if not isinstance(each, bytes)]
        many = self.ledger.handle_many
        return list(exchange(lambda commands, _: many(commands), self.journal, texts))


def employ(conninfo: str, folder: Path) -> None:
    """Give those who act in a cycle their authority, since yesterday: clocks will be set back."""
    with open_books(Settings(dsn=conninfo, home=folder)) as books:
        desk = Employer(now=datetime.now(UTC) - timedelta(days=1))
        desk.ledger, desk.journal = books.ledger, Journal(folder / "employer.jsonl")
        for person, pounds in (("ann", 1_000), ("bob", 3_000), ("cat", 100_000)):
            desk.employ(person, pounds)


def _settle(storm: Storm) -> bool:
    """Send again what was left without an answer, and wait until all who read have read it all;
    False when they do not come to it.
    """
    again = storm.start(send_again, "again")
    deadline = time.monotonic() + LEVEL_S_MAX
    with psycopg.connect(conninfo_for(storm.conninfo, Role.READER), autocommit=True) as connection:
        while True:
            stands = status(connection, views())
            read = places_read(storm.folder / READER)
            behind = [each.name for each in stands if each.lag]
            if not read or read[-1].position < stands[0].head:
                behind.append("reader")
            if not behind and not again.alive:
                return True
            if time.monotonic() > deadline:
                storm.findings.append(Finding(Kind.HUNG, f"never level: {behind}"))
                return False
            time.sleep(POLL_S)
            storm.tend()  # a projector may meet, in calm, what was in store for it


def _of_one_moment(found: Evidence) -> Iterator[Finding]:
    """What holds at any moment, with commands that nobody has an answer to."""
    yield from checks.of_acknowledged(found)
    yield from checks.of_effects(found)


def _of_calm(storm: Storm, found: Evidence) -> Iterator[Finding]:
    """What holds of the log once everything was sent again."""
    yield from _of_one_moment(found)
    yield from checks.of_redelivery(found)
    yield from checks.of_order(found.log)
    read = places_read(storm.folder / READER)
    yield from checks.of_reader(read, [each.place for each in found.log])
    yield from evidence.of_chains(storm.conninfo)


def _of_views(server: Server, storm: Storm, found: Evidence) -> Iterator[Finding]:
    """What holds of the views once they are level."""
    conninfo = storm.conninfo
    with psycopg.connect(conninfo) as connection:
        yield from model.of_money(found, connection)
    yield from folds.of_views(conninfo, server.database("folded"))
    yield from elsewhere.of_answers(conninfo, storm.folder, _questions(found))


def _questions(found: Evidence) -> list[str]:
    """Asked as known now and as of today, of the files that most is told about."""
    now = datetime.now(UTC)
    facts = Counter(each.place.stream for each in found.log)
    files = [stream for stream, _ in facts.most_common() if stream.startswith("claim-")]
    at = (now.isoformat().replace("+00:00", "Z"), now.date().isoformat())
    return elsewhere.questions(*at, [each.removeprefix("claim-") for each in files])
