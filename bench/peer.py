"""The peer: the eventsourcing library's own application on PostgreSQL, as its documentation says.

An aggregate with decorated methods, an application that gets it, calls one method and saves it, and
a projection that makes one upsert an event. Nothing is tuned: these are the defaults of 9.5 with
`PERSISTENCE_MODULE=eventsourcing.postgres`, which lock the table for each save and lose no event.
The facts say what ours say, field by field, as far as a file's life needs them.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from bench.cast import ESTIMATE_PENCE_MAX, HEADS, OPENED_ON, RATIONALE, handler_of, reference

EVENTS_A_SAVE = 60  # while setting up, not measured; a save of 200 was seen never to return


class OverPaid(Exception):
    """An estimate is below what was paid."""


class ClaimFile(Aggregate):
    """A claim with what a handler does to it; each method is one event."""

    @event("Notified")
    def __init__(self, reference: str, jurisdiction: str, event_date: str, member: str) -> None:
        self.reference = reference
        self.jurisdiction = jurisdiction
        self.event_date = event_date
        self.member = member
        self.estimates: dict[str, int] = {}
        self.paid: dict[str, int] = {}
        self.offers: dict[str, int] = {}
        self.handler = ""

    @event("Allocated")
    def allocate(self, pathway: str, team: str, handler: str) -> None:
        """Give the file to a handler."""
        self.pathway, self.team, self.handler = pathway, team, handler

    @event("StrategySet")
    def set_strategy(self, objective: str, review_on: str, person: str, role: str) -> None:
        """Say what is aimed at."""
        self.objective, self.review_on = objective, review_on

    @event("EstimateSet")
    def set_estimate(
        self,
        head: str,
        pence: int,
        currency: str,
        trigger: str,
        effective_on: str,
        person: str,
        role: str,
        command_id: str,
        rationale: str,
    ) -> None:
        """Say what a line should cost in all."""
        if pence < self.paid.get(head, 0):
            raise OverPaid(head)
        self.estimates[head] = pence

    @event("PaymentIssued")
    def pay(self, head: str, pence: int, currency: str, payee: str, person: str, on: str) -> None:
        """Pay a part of a line."""
        if self.paid.get(head, 0) + pence > self.estimates.get(head, 0):
            raise OverPaid(head)
        self.paid[head] = self.paid.get(head, 0) + pence

    @event("OfferMade")
    def offer(self, offer_id: str, pence: int, currency: str, costs: str, served_on: str) -> None:
        """Offer a sum."""
        self.offers[offer_id] = pence


class ClaimFiles(Application[UUID]):
    """Get, one method, save."""

    def set_estimate(self, file_id: UUID, told: dict[str, Any]) -> int:
        """The version of the file, once it is stored."""
        file: ClaimFile = self.repository.get(file_id)
        file.set_estimate(**told)
        self.save(file)
        return file.version


def environment(conninfo: str) -> dict[str, str]:
    """The settings of the library for a database, by the names in its documentation."""
    given = conninfo_to_dict(conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": "the server asks the system who is connecting, not for this",
    }


def estimate(number: int, place: int, chance: random.Random) -> dict[str, Any]:
    """What one command says: the same as one of `bench.desk.estimates`."""
    return {
        "head": chance.choice(HEADS),
        "pence": chance.randint(1, ESTIMATE_PENCE_MAX),
        "currency": "GBP",
        "trigger": "expert",
        "effective_on": OPENED_ON.isoformat(),
        "person": handler_of(number),
        "role": "negotiator",
        "command_id": f"command/{number}/{place}",
        "rationale": RATIONALE,
    }


def fill(conninfo: str, files: int, events: int) -> list[str]:
    """Store files with so many events each, 3 or more, by the library itself; returns their ids."""
    chance = random.Random(files)
    with ClaimFiles(env=environment(conninfo)) as app:
        ids: list[str] = []
        made = [_file(number, events, chance) for number in range(files)]
        for few in _in_groups(made, max(1, EVENTS_A_SAVE // events)):
            app.save(*few)
            ids += [str(each.id) for each in few]
    return ids


def _in_groups(files: Sequence[ClaimFile], size: int) -> Iterator[Sequence[ClaimFile]]:
    for start in range(0, len(files), size):
        yield files[start : start + size]


def _file(number: int, events: int, chance: random.Random) -> ClaimFile:
    """Of each ten events after the first three, seven are estimates, two payments, one an offer."""
    day = OPENED_ON.isoformat()
    file = ClaimFile(reference(number), "england_wales", day, f"member-{number:06}")
    file.allocate("dental", "dental-north", handler_of(number))
    file.set_strategy("settle", day, handler_of(number), "negotiator")
    for place in range(events - 3):
        told = estimate(number, place, chance)
        match place % 10:
            case 4 | 8:
                head = next(iter(file.estimates))
                room = file.estimates[head] - file.paid.get(head, 0)
                file.pay(head, room // 10, "GBP", f"payee-{place}", handler_of(number), day)
            case 9:
                file.offer(f"offer-{place}", told["pence"], "GBP", "inclusive", day)
            case _:
                told["pence"] = max(told["pence"], file.paid.get(told["head"], 0))
                file.set_estimate(**told)
    return file
