"""The door's one pass over a body finds what the careful reading of it finds, and nothing else."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door import Unread, body_sha256, read
from commands.parts import Command
from tests.commands.bodies import (
    DAMAGES,
    EVERYWHERE,
    Body,
    Desk,
    damages,
    estimate,
    gbp,
    matter,
    part36,
)
from tests.commands.requests import a_request, breakage
from tests.strategies import some

SENDERS: list[dict[str, str] | None] = [
    None,
    {},
    {"person": "ann"},
    {"person": "ann", "role": "negotiator"},
    {"person": "ann", "role": "negotiator", "team": ""},
    {"person": "ann", "role": "negotiator", "team": "dental-1"},
    {"person": "bob", "role": "case_manager"},
    {"person": "ann", "colour": "blue"},
]


@cache
def known_desk() -> Desk:
    """A desk whose files are only looked at."""
    desk = Desk()
    desk.employ("ann", 10_000)
    desk.opened()
    return desk


def with_care(raw: bytes) -> bytes:
    """The same JSON, with an escape in it: such a body is never read in one pass."""
    escaped = raw.replace(b'"type"', b'"\\u0074ype"', 1)
    assert escaped != raw
    return escaped


def require_same(raw: bytes, sender: dict[str, str] | None = None) -> Command | Unread:
    """Both readings come to the same; what they come to."""
    quick, careful = read(raw, sender), read(with_care(raw), sender)
    if isinstance(quick, Unread) or isinstance(careful, Unread):
        assert isinstance(quick, Unread)
        assert isinstance(careful, Unread)
        assert str(quick.error) == str(careful.error)
        assert quick.stream == careful.stream
    else:
        assert quick == careful
        assert body_sha256(quick) == body_sha256(careful)
    return quick


@some
@given(st.data())
def test_a_request_is_read_alike_in_one_pass_and_with_care(data: st.DataObject) -> None:
    body = a_request(data.draw, known_desk(), {})
    if data.draw(st.booleans()):
        body = breakage(data.draw, body)
    layout = data.draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    raw = json.dumps(body, separators=layout, ensure_ascii=False).encode()
    require_same(raw, data.draw(st.sampled_from(SENDERS)))


BODIES: list[Body] = [
    {"type": "notify-matter", "claim": "C9", **matter()},
    {"type": "set-estimate", "claim": "C1", "estimates": [estimate(5), estimate(6, DAMAGES)]},
    {"type": "make-offer", "claim": "C1", "offer_id": "O1", "terms": part36(5)},
    {"type": "agree-settlement", "claim": "C1", "damages": damages(5), "costs_terms": "inclusive"},
    {
        "type": "correct-fact",
        "claim": "C1",
        "version": 4,
        "why": "typo",
        "replacement": {"kind": "estimate", **estimate(5)},
    },
    {
        "type": "grant-mandate",
        "person": "cat",
        "role": "pathway_lead",
        "valid_from": "2026-03-02",
        "limits": [{"decision": "reserve", "maximum": gbp(5), **EVERYWHERE}],
    },
]


def asked(body: Body) -> Body:
    return {"command_id": "c-1", "actor": {"person": "ann", "role": "negotiator"}, **body}


def doubled(value: Any) -> Iterator[str]:
    """The JSON of a value, once for every key in it, with that key twice."""
    if isinstance(value, list):
        parts = list[Any](value)  # pyright: ignore[reportUnknownArgumentType] - JSON of any shape
        for at, part in enumerate(parts):
            texts = [json.dumps(each) for each in parts]
            for text in doubled(part):
                yield f"[{','.join([*texts[:at], text, *texts[at + 1 :]])}]"
    elif isinstance(value, dict):
        fields = Body(value)  # pyright: ignore[reportUnknownArgumentType] - JSON of any shape
        for key, part in fields.items():
            others = [f'"{k}" : {json.dumps(v)}' for k, v in fields.items() if k != key]
            own = f'"{key}" :{json.dumps(part)}'
            yield f"{{{','.join([own, *others, own])}}}"
            for text in doubled(part):
                inner = f"{json.dumps(key)}:{text}"
                yield f"{{{','.join([*others, inner])}}}"


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["type"])
def test_a_key_that_stands_twice_is_refused_wherever_it_stands(body: Body) -> None:
    assert isinstance(read(json.dumps(asked(body)).encode()), Command)
    texts = list(doubled(asked(body)))
    assert len(texts) > 10
    for text in texts:
        unread = read(text.encode())
        assert isinstance(unread, Unread), text
        assert unread.error.code == "E108", text


def test_a_key_that_stands_twice_is_not_hidden_behind_a_default() -> None:
    text = json.dumps(asked(BODIES[1]))
    spelled = text.replace('"currency": "GBP"}', '"currency": "GBP", "head": null}', 1)
    assert isinstance(require_same(spelled.encode()), Command)
    twice = spelled.replace('"command_id": "c-1"', '"command_id": "c-0", "command_id": "c-1"')
    assert isinstance(require_same(twice.encode()), Unread)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["type"])
def test_a_repeat_is_known_however_its_sender_writes_it(body: Body) -> None:
    raw = json.dumps(asked(body)).encode()
    meant = require_same(raw)
    assert isinstance(meant, Command)
    turned = json.dumps(asked(body), sort_keys=True, indent=2).encode()
    again = require_same(turned)
    assert isinstance(again, Command)
    assert body_sha256(again) == body_sha256(meant)
    other = require_same(raw.replace(b'"c-1"', b'"c-2"'))
    assert isinstance(other, Command)
    assert body_sha256(other) != body_sha256(meant)


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize(
    "actor",
    [
        {"person": "ann", "role": "negotiator"},
        {"person": "ann", "role": "negotiator", "team": "dental-1"},
        {"person": "ann"},
        {"role": "negotiator"},
        {},
    ],
)
def test_a_sender_is_held_to_alike(sender: dict[str, str] | None, actor: dict[str, str]) -> None:
    raw = json.dumps({**asked(BODIES[1]), "actor": actor}).encode()
    command = require_same(raw, sender)
    if sender and "team" in sender and isinstance(command, Command):
        assert command.actor.team == sender["team"]
