"""Every way to say no has a name: a stable code, a message of its own fields, and a remedy."""

import ast
import importlib
import pkgutil
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import commands
import consumers
import domain
import edge
import projections
import replay
from domain.errors import LedgerError, Refused, Unreadable

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (domain, commands, projections, consumers, replay, edge)
FAMILIES: dict[type[LedgerError], re.Pattern[str]] = {
    Refused: re.compile(r"E[1-7]\d\d"),
    Unreadable: re.compile(r"E[89]\d\d"),
}


def modules() -> Iterator[str]:
    for room in ROOMS:
        yield room.__name__
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not found.name.endswith("__main__"):  # to import it is to run it
                yield found.name


def below(base: type[LedgerError]) -> Iterator[type[LedgerError]]:
    """Every class below one, the product's own."""
    for kind in base.__subclasses__():
        if not kind.__module__.startswith("tests"):
            yield kind
        yield from below(kind)


for name in modules():
    importlib.import_module(name)
MEMBERS = sorted({*below(Refused), *below(Unreadable)}, key=lambda kind: (kind.code, kind.__name__))
KINDS = [kind for kind in MEMBERS if "code" in vars(kind)]
GROUPS: list[type[LedgerError]] = [
    LedgerError,
    Refused,
    Unreadable,
    *(kind for kind in MEMBERS if kind not in KINDS),
]


def uses() -> Counter[str]:
    """How often each name is raised or called in the rooms."""
    counted: Counter[str] = Counter()
    for room in ROOMS:
        for path in (ROOT / room.__name__).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id=name)) | ast.Raise(exc=ast.Name(id=name)):
                        counted[name] += 1
                    case _:
                        pass
    return counted


def test_every_code_is_used_once() -> None:
    assert [
        code for code, number in Counter(each.code for each in KINDS).items() if number > 1
    ] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_refusal_is_a_dataclass_with_a_code_of_its_family(kind: type[LedgerError]) -> None:
    assert "__dataclass_fields__" in vars(kind)
    family = next(each for each in FAMILIES if issubclass(kind, each))
    assert FAMILIES[family].fullmatch(kind.code)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_refusal_says_what_to_do_about_it_in_a_sentence(kind: type[LedgerError]) -> None:
    assert re.fullmatch(r"[A-Z].*\.", kind.remedy, re.DOTALL)
    assert "{" not in kind.remedy


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_message_of_a_refusal_is_made_of_its_own_fields(kind: type[LedgerError]) -> None:
    rule = kind.__doc__ or ""
    named = {name for _, name, _, _ in string.Formatter().parse(rule) if name is not None}
    own = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # the test above holds it
    assert named <= own, f"{named - own} are no fields"
    assert rule.strip()
    assert not rule.startswith(f"{kind.__name__}("), "it has no docstring of its own"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_refusal_can_be_said_whatever_its_fields_hold(kind: type[LedgerError]) -> None:
    """Braces in a value are not placeholders, and a message never fails."""
    held: dict[str, Any] = {
        each.name: date(2026, 3, 2) if each.type is date else "{x} {0} %s"
        for each in fields(kind)  # type: ignore[arg-type]  # the first test holds it
    }
    error = kind(**held)
    assert str(error)
    assert isinstance(error.field, str)
    assert all(isinstance(value, str) for value in error.evidence().values())


def test_every_refusal_is_raised_somewhere() -> None:
    counted = uses()
    assert [each.__name__ for each in KINDS if not counted[each.__name__]] == []


def test_a_group_of_refusals_is_never_raised_itself() -> None:
    counted = uses()
    assert [each.__name__ for each in GROUPS if counted[each.__name__]] == []


def test_evidence_is_text_and_lists_are_joined() -> None:
    error = next(each for each in KINDS if each.__name__ == "MandateNotAttested")
    made: LedgerError = error(person="ann", missing=("holder", "line_manager"))  # type: ignore[call-arg]  # found by its name
    assert made.evidence() == {"person": "ann", "missing": "holder, line_manager"}
    assert str(made) == (
        "The mandate of ann is not in force: holder, line_manager has not attested it."
    )
