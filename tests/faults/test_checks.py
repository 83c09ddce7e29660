"""Each check finds what it is there for, and nothing in a log that is whole."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import checks, model
from tests.faults.checks import Evidence, Finding, Kind, Stored
from tests.faults.exchanges import Exchanges
from tests.faults.reader import Place

LINE = {"cost_type": "damages", "currency": "GBP"}
FILE = "claim-C1"


def accepted(command_id: str, *places: Place) -> str:
    facts = [{"position": at, "version": version} for at, _, version in places]
    last = places[-1].position if places else 0
    told = {"outcome": "accepted", "stream": FILE, "position": last, "facts": facts}
    return json.dumps({**told, "command_id": command_id})


def refused(command_id: str, place: Place) -> str:
    kept = {"kept_in": place.stream, "kept_version": place.version, "position": place.position}
    return json.dumps({"outcome": "refused", "code": "E204", "command_id": command_id, **kept})


def pounds(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}


A, B, C, D = (
    Place(1, FILE, 1),
    Place(2, FILE, 2),
    Place(5, FILE, 3),
    Place(6, "refusals-" + FILE, 1),
)
ASKED: dict[str, dict[str, Any]] = {
    "a": {"type": "set-estimate", "estimates": [{"line": LINE, "amount": pounds("70.10")}]},
    "b": {"type": "request-payment", "payment_id": "p", "line": LINE, "amount": pounds("9.90")},
    "c": {"type": "issue-payment", "payment_id": "p"},
    "d": {"type": "issue-payment", "payment_id": "p"},
}
SENT = {key: [{**body, "command_id": key, "claim": "C1"}] for key, body in ASKED.items()}
ANSWERS = {
    "a": accepted("a", A),
    "b": accepted("b", B),
    "c": accepted("c", C),
    "d": refused("d", D),
}
LOG = [Stored(place, "fact.1", key) for key, place in zip("abcd", (A, B, C, D), strict=True)]
WHOLE = Evidence(LOG, ANSWERS, Exchanges(SENT, {key: {told} for key, told in ANSWERS.items()}))

Check = Callable[[Evidence], Sequence[Finding]]


def everything(evidence: Evidence) -> set[Kind]:
    found = [
        *checks.of_acknowledged(evidence),
        *checks.of_effects(evidence),
        *checks.of_redelivery(evidence),
        *checks.of_order(evidence.log),
    ]
    return {finding.kind for finding in found}


def answered(**answers: str) -> Evidence:
    return replace(WHOLE, answers={**ANSWERS, **answers})


def test_what_is_whole_is_found_whole() -> None:
    assert everything(WHOLE) == set()
    assert list(checks.of_reader([A, B, C, D], [A, B, C, D])) == []
    assert list(checks.of_reader([], [A, B, C, D])) == []
    assert checks.shown([]) == ""


def without(command_id: str) -> Evidence:
    log = [stored for stored in LOG if stored.command_id != command_id]
    answers = {key: told for key, told in ANSWERS.items() if key != command_id}
    return replace(WHOLE, log=log, answers=answers)


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (without("d"), Kind.LOST),
        (replace(WHOLE, log=LOG[:3]), Kind.HALVED),
        (replace(without("d"), log=LOG), Kind.HALVED),
        (replace(WHOLE, log=[*LOG, Stored(Place(7, FILE, 4), "fact.1", "a")]), Kind.DOUBLED),
        (answered(e=refused("e", D)), Kind.INVENTED),
        (answered(a=accepted("a", A) + " "), Kind.CHANGED),
        (replace(WHOLE, log=[LOG[1], LOG[0], *LOG[2:]]), Kind.DISORDERED),
        (replace(WHOLE, log=[LOG[0], *LOG[2:]]), Kind.DISORDERED),
    ],
)
def test_what_is_wrong_is_found(evidence: Evidence, kind: Kind) -> None:
    assert kind in everything(evidence)


def test_two_answers_to_one_command_are_found() -> None:
    told = replace(WHOLE.told, acknowledged={"a": {ANSWERS["a"], ANSWERS["a"] + " "}})
    assert everything(replace(WHOLE, told=told)) == {Kind.DOUBLED}


def test_a_command_without_an_answer_is_lost_only_once_it_was_sent_again() -> None:
    told = replace(WHOLE.told, sent={**SENT, "e": [{}]})
    evidence = replace(WHOLE, told=told)
    assert not [*checks.of_acknowledged(evidence), *checks.of_effects(evidence)]
    assert [each.kind for each in checks.of_redelivery(evidence)] == [Kind.LOST]


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        ([A, C], Kind.SKIPPED),
        ([A, B, C, Place(6, FILE, 4)], Kind.LOST),
        ([A, C, B, D], Kind.DISORDERED),
        ([A, B, B, C], Kind.DISORDERED),
    ],
)
def test_what_a_reader_misses_is_found(read: Sequence[Place], kind: Kind) -> None:
    assert kind in {finding.kind for finding in checks.of_reader(read, [A, B, C, D])}


def test_what_lies_beyond_a_reader_is_not_missed_yet() -> None:
    assert list(checks.of_reader([A, B], [A, B, C, D])) == []


def test_the_model_counts_what_was_accepted_and_nothing_else() -> None:
    line = model.Line(FILE, "damages", "", "GBP")
    assert model.expected(WHOLE) == {line: model.Held(estimate=7_010, paid=990)}


def test_the_model_takes_back_what_was_voided_and_keeps_what_came_back_apart() -> None:
    void = {"type": "void-payment", "payment_id": "p", "claim": "C1"}
    back = {"type": "receive-recovery", "line": LINE, "amount": pounds("1.00"), "claim": "C1"}
    evidence = replace(
        answered(e=accepted("e", Place(8, FILE, 4)), f=accepted("f", Place(9, FILE, 5))),
        told=replace(WHOLE.told, sent={**SENT, "e": [void], "f": [back]}),
    )
    line = model.Line(FILE, "damages", "", "GBP")
    assert model.expected(evidence) == {line: model.Held(7_010, 0, 100)}


def test_many_findings_of_a_kind_are_told_by_number() -> None:
    told = checks.shown([Finding(Kind.LOST, f"number {number}") for number in range(99)])
    assert told.startswith("99 lost:")
    assert len(told.splitlines()) == checks.SHOWN_MAX + 1
