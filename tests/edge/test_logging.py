"""A log line says what was done to which file, and nothing that the file says."""

import importlib
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import VersionConflict
from edge.logging import NAMES, OF_A_LIBRARY, UNNAMED, let_pass, set_up_logging

SECRET = "Mrs Okafor, lower left molar"
COMMAND_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_carries_the_command_and_the_claim_it_is_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", json=True)
    structlog.contextvars.bind_contextvars(command_id=COMMAND_ID, claim="claim-2026-004211")
    structlog.get_logger().info("batch appended", count=3, position=12)
    [line] = lines(capsys)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "event": "batch appended",
        "level": "info",
        "command_id": str(COMMAND_ID),
        "claim": "claim-2026-004211",
        "count": 3,
        "position": 12,
    }


def test_a_person_reads_the_same_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", json=False)
    structlog.get_logger().info("batch appended", count=3, note=SECRET)
    out, err = capsys.readouterr()
    assert out == ""
    assert "batch appended" in err
    assert "count=3" in err
    assert "dropped_keys=1" in err
    assert SECRET not in err


def test_what_is_not_on_the_list_is_dropped_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", json=True)
    structlog.get_logger().info("batch appended", note=SECRET, person="ann", reason=SECRET, count=1)
    [line] = lines(capsys)
    assert line["dropped_keys"] == 3
    assert line["count"] == 1
    assert not {"note", "person", "reason"} & line.keys()


def test_an_event_that_is_not_a_name_loses_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", json=True)
    structlog.get_logger().info(f"letter to {SECRET}", count=1)
    [line] = lines(capsys)
    assert (line["event"], line["dropped_keys"]) == (UNNAMED, 1)


def test_an_exception_is_named_and_placed_but_not_quoted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", json=True)
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger().exception("append failed")
    [line] = lines(capsys)
    assert line["error"] == "ValueError"
    assert line["error_at"].startswith("edge/test_logging.py:")
    assert SECRET not in json.dumps(line)


def test_a_refusal_is_logged_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", json=True)
    structlog.get_logger().warning("refused", exc_info=VersionConflict(expected=3, actual=4))
    [line] = lines(capsys)
    assert (line["error"], line["error_at"], line["code"]) == (
        "VersionConflict",
        "unraised",
        "E601",
    )


def test_the_exception_in_hand_need_not_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", json=True)
    try:
        raise KeyError(SECRET)
    except KeyError:
        structlog.get_logger().error("append failed", exc_info=sys.exc_info())
    assert lines(capsys)[0]["error"] == "KeyError"


def test_a_library_s_line_says_only_whose_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning", json=True)
    logging.getLogger("some.library").warning("failing row contains (%s)", SECRET)
    logging.getLogger("some.library").info("below the level")
    [line] = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == (
        OF_A_LIBRARY,
        "some.library",
        "warning",
    )
    assert SECRET not in json.dumps(line)


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning", json=True)
    structlog.get_logger().info("batch appended")
    assert lines(capsys) == []


def test_setting_up_again_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning", json=False)
    set_up_logging("info", json=True)
    structlog.get_logger().info("batch appended")
    assert len(lines(capsys)) == 1


VALUES = st.one_of(
    st.text(), st.integers(), st.booleans(), st.none(), st.lists(st.text()), st.binary(), st.dates()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the fixture only cleans up
@given(st.dictionaries(st.one_of(st.text(), st.sampled_from(sorted(NAMES))), VALUES))
def test_whatever_is_logged_only_listed_names_and_no_sentence_passes(given: dict[str, Any]) -> None:
    passed = let_pass(None, "info", dict(given))
    assert isinstance(passed, dict)
    assert passed.keys() <= NAMES
    texts = [v for name, v in passed.items() if name != "event" and isinstance(v, str)]
    assert not any(c.isspace() for text in texts for c in text)
    json.dumps(passed)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_what_kafkas_library_tells_of_its_connections_is_for_who_asks_for_everything(
    capsys: pytest.CaptureFixture[str], level: str, told: list[str]
) -> None:
    set_up_logging(level, json=True)
    for each in ("debug", "info", "warning", "error"):
        logging.getLogger("kafka.coordinator").log(getattr(logging, each.upper()), "connected")
    assert [line["level"] for line in lines(capsys)] == told


@pytest.mark.parametrize(
    ("level", "told"),
    [("debug", ["debug", "warning", "error"]), ("info", []), ("warning", []), ("error", [])],
)
def test_each_attempt_to_connect_is_told_only_to_who_asks_for_everything(
    capsys: pytest.CaptureFixture[str], level: str, told: list[str]
) -> None:
    importlib.import_module("edge.kafka.clients")  # as in a process that speaks Kafka
    set_up_logging(level, json=True)
    for each in ("debug", "warning", "error"):
        logging.getLogger("kafka.net.manager").log(getattr(logging, each.upper()), "connecting")
    assert [line["level"] for line in lines(capsys)] == told
