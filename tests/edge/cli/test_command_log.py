"""The log of a command line: a line a command with its ids, and nothing that anybody said."""

import json
from typing import Any

import pytest

from edge.logging import NAMES
from tests.edge.cli.invoking import Answer, Line
from tests.edge.cli.story import NAMES as ACTOR
from tests.edge.cli.story import STORY, Body, Writer, as_lines, damages

SECRET = "Mrs Okafor, lower left molar"


def logged(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.err.splitlines()]


def life(claims: Line) -> list[Body]:
    """A file whose every text is somebody's business alone."""
    today = str(claims("reserves", "--json").data["as_of"])
    writer = Writer("life")
    writer.notified("L 1/a", today)
    writer.bodies[-1] |= {"allegations": SECRET, "member": SECRET}
    writer.notified("L-2", today)
    writer.allocated("L-2")
    writer.estimated("L-2", (damages(), "100.00"), rationale=SECRET)
    writer.estimated("L-404", (damages(), "100.00"), rationale=SECRET)
    writer.write("set-strategy", ACTOR, claim=SECRET, objective=SECRET, review_on="2026-12-01")
    return [*STORY[0].bodies, *writer.bodies]


def test_every_command_is_logged_with_its_ids_and_its_outcome(claims: Line) -> None:
    bodies = life(claims)
    answer = claims("--log-json", "submit", "-", stdin=as_lines(bodies))
    lines = logged(answer)
    assert [line["command_id"] for line in lines] == [body["command_id"] for body in bodies]
    assert {line["event"] for line in lines} == {"command judged"}
    assert {line["level"] for line in lines} == {"info"}
    by_id = {line["command_id"]: line for line in lines}
    receipts = {each["command_id"]: each for each in answer.receipts}
    assert by_id["mandate-1"]["stream"] == "mandate-n.ames"
    estimated = by_id["life-4"]
    assert (estimated["command"], estimated["claim"]) == ("set-estimate", "L-2")
    assert estimated["version"] == receipts["life-4"]["version"]
    assert estimated["position"] == receipts["life-4"]["position"]
    refused = by_id["life-5"]
    assert (refused["claim"], refused["code"]) == ("L-404", "E410")
    assert "version" not in refused


def test_nothing_that_a_command_says_is_logged(claims: Line) -> None:
    answer = claims("--log-json", "submit", "-", stdin=as_lines(life(claims)) + b'{"a": NaN}\n')
    assert SECRET in answer.out  # a receipt goes to who asked
    assert SECRET not in answer.err
    assert "Okafor" not in answer.err
    for line in logged(answer):
        assert line.keys() <= NAMES
        assert not any(character.isspace() for character in str(line.get("claim", "")))


def test_a_repeat_is_logged_again_with_the_outcome_it_had(claims: Line) -> None:
    lines = as_lines(life(claims))
    first = logged(claims("--log-json", "submit", "-", stdin=lines))
    again = logged(claims("--log-json", "submit", "-", stdin=lines))
    for line in (*first, *again):
        del line["timestamp"]
    assert again == first


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "nothing"),
        ({"CLAIMS_LOG_LEVEL": "warning"}, "nothing"),
        ({"CLAIMS_LOG_LEVEL": "info"}, "drawn"),
        ({"CLAIMS_LOG_JSON": "true"}, "json"),
        ({"CLAIMS_LOG_JSON": "true", "CLAIMS_LOG_LEVEL": "warning"}, "nothing"),
    ],
)
def test_a_person_is_shown_the_log_only_when_asked_for(
    claims: Line, settings: dict[str, str], kind: str
) -> None:
    answer = claims.with_settings(**settings)("submit", "-", stdin=as_lines(STORY[0].bodies))
    assert answer.code == 0
    match kind:
        case "nothing":
            assert answer.err == ""
        case "json":
            assert len(logged(answer)) == len(STORY[0].bodies)
        case _:
            assert answer.err.count("command judged") == len(STORY[0].bodies)


def test_the_log_is_beside_the_answer(claims: Line) -> None:
    answer = claims("--log-json", "reserves", "--json")
    assert answer.data["totals"] == []
    assert answer.err == ""
