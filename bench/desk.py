"""Small open files of twenty handlers, and the estimates that those may set on them."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.cast import (
    DESK,
    ESTIMATE_PENCE_MAX,
    HANDLERS,
    HEADS,
    MANDATE_POUNDS,
    OPENED_ON,
    RATIONALE,
    handler_of,
    reference,
)
from bench.templates import NOWHERE, Scene, Template, template
from commands.door import Unread, read
from domain.terms import Attestor, Jurisdiction, Pathway, Stage
from replay.portfolio import Ask

LIMIT = {"amount": f"{MANDATE_POUNDS}.00", "currency": "GBP"}

Body = dict[str, Any]


def estimates(numbers: Sequence[int], chance: random.Random, about: str) -> Iterator[bytes]:
    """One command for each of these files, to set an estimate afresh, as its sender writes it."""
    for place, number in enumerate(numbers):
        yield json.dumps(
            {
                "command_id": f"{about}/{place}",
                "type": "set-estimate",
                "actor": {"person": handler_of(number), "role": "negotiator"},
                "claim": reference(number),
                "rationale": RATIONALE,
                "estimates": [_estimate(chance.choice(HEADS), chance)],
            }
        ).encode()


def templates(scene: Scene) -> tuple[Template, list[Template]]:
    """The mandates of the handlers, and one file of each of them."""
    mandates = template(scene, "mandates", NOWHERE, map(_ask, _mandates()))
    chance = random.Random(len(HANDLERS))
    return mandates, [
        template(scene, DESK, reference(number), map(_ask, _file(number, chance)))
        for number in range(len(HANDLERS))
    ]


def _ask(body: Body) -> Ask:
    command = read(json.dumps(body).encode())
    assert not isinstance(command, Unread), command
    return Ask(datetime.combine(OPENED_ON, datetime.min.time(), UTC), command)


def _mandates() -> Iterator[Body]:
    head = {"person": "h.head", "role": "head_of_department"}
    everywhere = {
        "pathways": [each.value for each in Pathway],
        "jurisdictions": [each.value for each in Jurisdiction],
        "stages": [each.value for each in Stage],
    }
    for person in HANDLERS:
        yield {
            "command_id": f"grant/{person}",
            "type": "grant-mandate",
            "actor": head,
            "person": person,
            "role": "negotiator",
            "valid_from": OPENED_ON.isoformat(),
            "limits": [{"decision": "reserve", "maximum": LIMIT, **everywhere}],
        }
        signers = (
            {"person": person, "role": "negotiator"},
            {"person": "l.mann", "role": "line_manager"},
            head,
        )
        for attestor, signer in zip(Attestor, signers, strict=True):
            yield {
                "command_id": f"attest/{person}/{attestor.value}",
                "type": "attest-mandate",
                "actor": signer,
                "person": person,
                "attestor": attestor.value,
            }


def _file(number: int, chance: random.Random) -> Iterator[Body]:
    claim, handler = reference(number), handler_of(number)
    desk = {"person": "c.desk", "role": "customer_service"}
    by_handler = {"person": handler, "role": "negotiator"}
    fields: tuple[Body, ...] = (
        {
            "type": "notify-matter",
            "actor": desk,
            "matter_type": "claim",
            "jurisdiction": "england_wales",
            "currency": "GBP",
            "event_date": (OPENED_ON - timedelta(days=200)).isoformat(),
            "notified_on": OPENED_ON.isoformat(),
            "member": f"member-{number:06}",
        },
        {
            "type": "allocate-claim",
            "actor": desk,
            "pathway": "dental",
            "team": "dental-north",
            "handler": handler,
        },
        {
            "type": "set-strategy",
            "actor": by_handler,
            "objective": "settle",
            "review_on": (OPENED_ON + timedelta(days=90)).isoformat(),
        },
        *(
            {"type": "set-estimate", "actor": by_handler, "estimates": [each]}
            for each in (_estimate("psla", chance), _estimate("future_treatment", chance))
        ),
    )
    for place, each in enumerate(fields, start=1):
        yield {"command_id": f"{claim}/{place}", "claim": claim, **each}


def _estimate(head: str, chance: random.Random) -> Body:
    pence = chance.randint(1, ESTIMATE_PENCE_MAX)
    return {
        "line": {"cost_type": "damages", "currency": "GBP", "head": head},
        "amount": {"amount": f"{pence // 100}.{pence % 100:02}", "currency": "GBP"},
        "trigger": "expert",
    }
