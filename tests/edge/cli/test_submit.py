"""Commands in, receipts out: one a line, in their order, the same however often they are sent."""

import contextlib
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.edge.cli.invoking import CLAIMS, PROCESS_S_MAX, Line
from tests.edge.cli.story import NAMES, STORY, Body, Writer, as_lines, damages

HERE = "n.ames:negotiator"


def unknown(number: int) -> Body:
    """A command that is refused."""
    return {
        "command_id": f"unknown-{number}",
        "type": "set-strategy",
        "actor": NAMES,
        "claim": f"Z-{number}",
        "objective": "None.",
        "review_on": "2026-12-01",
    }


@pytest.fixture
def mandates() -> list[Body]:
    return list(STORY[0].bodies)


def test_receipts_come_one_a_line_in_the_order_of_the_commands(
    claims: Line, mandates: list[Body], tmp_path: Path
) -> None:
    bodies = [*mandates, *(unknown(number) for number in range(300))]
    file = tmp_path / "commands.jsonl"
    file.write_bytes(as_lines(bodies))
    answer = claims("submit", str(file))
    assert [each["command_id"] for each in answer.receipts] == [
        body["command_id"] for body in bodies
    ]
    assert answer.codes == [""] * len(mandates) + ["E410"] * 300
    assert (answer.code, answer.err) == (1, "")


def test_the_same_file_again_is_answered_with_the_same_bytes_and_writes_nothing(
    claims: Line, mandates: list[Body], tmp_path: Path
) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_bytes(as_lines([*mandates, unknown(1)]))
    first = claims("submit", str(file), "--json")
    before = claims("verify", "--json").data
    assert claims("submit", str(file)) == first
    assert claims("submit", "-", stdin=file.read_bytes()) == first
    assert claims("verify", "--json").data == before


def test_a_repeat_within_one_file_is_one_command(claims: Line, mandates: list[Body]) -> None:
    twice = as_lines(mandates) * 2
    receipts = claims("submit", "-", stdin=twice).stdout.splitlines()
    assert receipts[: len(mandates)] == receipts[len(mandates) :]
    assert claims("verify", "--json").data["facts"] == len(mandates)


def test_an_id_that_is_used_again_for_something_else_is_refused(
    claims: Line, mandates: list[Body]
) -> None:
    another = mandates[0] | {"valid_from": "2024-02-01"}
    answer = claims("submit", "-", stdin=as_lines([*mandates, another]))
    assert answer.codes[-1] == "E702"
    assert answer.receipts[-1]["kept_in"] == ""
    assert answer.code == 1


def test_all_accepted_ends_with_nought(claims: Line, mandates: list[Body]) -> None:
    assert claims("submit", "-", stdin=as_lines(mandates)).code == 0


def test_empty_lines_and_windows_line_ends_say_nothing(claims: Line, mandates: list[Body]) -> None:
    lines = b"\n \r\n" + as_lines(mandates).replace(b"\n", b"\r\n\r\n\t\n")
    answer = claims("submit", "-", stdin=lines.rstrip())
    assert answer.codes == [""] * len(mandates)


def test_totals_are_what_was_submitted(claims: Line, mandates: list[Body]) -> None:
    amounts = ["1000.00", "0.01", "999999.99"]
    writer = Writer("sum")
    for number, amount in enumerate(amounts):
        writer.notified(f"S-{number}", "2026-01-01")
        writer.bodies[-1] |= {"notified_on": _today(claims)}
        writer.allocated(f"S-{number}")
        writer.estimated(f"S-{number}", (damages(), amount))
    answer = claims("submit", "-", stdin=as_lines([*mandates, *writer.bodies]))
    assert [code for code in answer.codes if code] == ["E301"]  # above the limit of 500,000
    [gbp] = claims("reserves", "--json").data["totals"]
    assert (gbp["claims"], gbp["estimate"], gbp["outstanding"]) == (2, "1000.01", "1000.01")


def _today(claims: Line) -> str:
    return str(claims("reserves", "--json").data["as_of"])


# --- what a person sees meanwhile ----------------------------------------------------------------


def drawn_beside(claims: Line, source: str, stdin: bytes = b"") -> tuple[list[str], str]:
    """The codes of the receipts on stdout, and what was drawn on a terminal on stderr."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [str(CLAIMS), "submit", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=end,
        env={**claims.whole_environment(), "TERM": "xterm"},
    ) as process:
        os.close(end)
        receipts, _ = process.communicate(stdin, timeout=PROCESS_S_MAX)
    drawn = bytearray()
    with contextlib.suppress(OSError):  # as a terminal ends once nobody holds its other side
        while read := os.read(terminal, 65_536):
            drawn += read
    os.close(terminal)
    return [json.loads(line).get("code", "") for line in receipts.splitlines()], drawn.decode()


def test_how_far_a_file_is_read_is_drawn_on_a_terminal(claims: Line, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_bytes(as_lines([unknown(number) for number in range(450)]))
    codes, drawn = drawn_beside(claims, str(file))
    assert codes == ["E410"] * 450
    assert "450 commands" in drawn
    assert "/s" in drawn
    size = file.stat().st_size / 1000
    assert f"{size:.1f}/{size:.1f} kB" in drawn


def test_what_comes_as_it_comes_is_counted_without_an_end(claims: Line) -> None:
    codes, drawn = drawn_beside(claims, "-", as_lines([unknown(number) for number in range(3)]))
    assert codes == ["E410"] * 3
    assert "3 commands" in drawn
    assert "kB" not in drawn


# --- who sends -----------------------------------------------------------------------------------


def test_as_fills_in_the_actor(claims: Line) -> None:
    body = {key: value for key, value in unknown(1).items() if key != "actor"}
    claims("--as", f"{HERE}:dental-north", "submit", "-", stdin=as_lines([body]))
    [entry] = claims("history", "Z-1", "--json").data["entries"]
    assert entry["person"] == "n.ames"
    assert (entry["role"], entry["team"]) == ("negotiator", "dental-north")


def test_as_refuses_a_command_of_another_person_in_the_senders_name(claims: Line) -> None:
    answer = claims("--as", "m.allory:negotiator", "submit", "-", stdin=as_lines([unknown(1)]))
    [receipt] = answer.receipts
    assert (receipt["code"], receipt["field"], answer.code) == ("E109", "actor", 1)
    assert receipt["evidence"] == {"named": "n.ames", "sender": "m.allory"}
    [entry] = claims("history", "Z-1", "--json").data["entries"]
    assert entry["person"] == "m.allory"


def test_as_takes_a_command_that_names_the_same_person(claims: Line) -> None:
    answer = claims("--as", HERE, "submit", "-", stdin=as_lines([unknown(1)]))
    assert answer.codes == ["E410"]


def test_without_anybody_named_a_command_says_who_asks(claims: Line) -> None:
    body = {key: value for key, value in unknown(1).items() if key != "actor"}
    [receipt] = claims("submit", "-", stdin=as_lines([body])).receipts
    assert (receipt["code"], receipt["field"]) == ("E101", "actor")


@pytest.mark.parametrize(
    "who",
    [
        "",
        ":negotiator",
        "n.ames:wizard",
        "a:negotiator:b:c",
        " n.ames",
        "n\x1bames",
        "n:negotiator: t",
    ],
)
def test_a_sender_that_cannot_be_one_is_refused_before_anything_is_sent(
    claims: Line, who: str
) -> None:
    answer = claims("--as", who, "submit", "-", "--json", stdin=as_lines([unknown(1)]))
    assert answer.refused("E102", 2)["field"] == "--as"
    assert claims("verify", "--json").data["facts"] == 0


# --- what is no file of commands -----------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n"])
def test_a_file_without_a_command_is_refused(claims: Line, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_bytes(content)
    for answer in (
        claims("submit", str(file), "--json"),
        claims("submit", "-", "--json", stdin=content),
    ):
        refusal = answer.refused("E102", 2)
        assert refusal["field"] == "FILE"
        assert "no command" in refusal["message"]


def test_a_folder_or_a_missing_file_is_refused_by_name(claims: Line, tmp_path: Path) -> None:
    for path, why in ((tmp_path, "directory"), (tmp_path / "absent", "No such file")):
        refusal = claims("submit", str(path), "--json").refused("E102", 2)
        assert refusal["field"] == "FILE"
        assert why in refusal["message"]


def test_binary_rubbish_is_refused_line_by_line_and_not_kept(claims: Line, tmp_path: Path) -> None:
    file = tmp_path / "rubbish"
    rubbish = bytes(range(256)) * 40
    file.write_bytes(rubbish)
    answer = claims("submit", str(file))
    assert set(answer.codes) == {"E108"}
    assert len(answer.receipts) == len([line for line in rubbish.split(b"\n") if line.strip()])
    assert claims("verify", "--json").data["facts"] == 0


def test_a_refusal_is_also_drawn_for_people(claims: Line, tmp_path: Path) -> None:
    answer = claims("submit", str(tmp_path / "absent"))
    assert (answer.code, answer.out) == (2, "")
    assert "E102" in answer.err
    assert "FILE" in answer.err


def test_a_file_of_lines_of_a_megabyte_is_taken_batch_by_batch(claims: Line) -> None:
    long: dict[str, Any] = unknown(1) | {"rationale": "x" * 990_000}
    lines = [json.dumps(long | {"command_id": f"long-{number}"}) for number in range(12)]
    answer = claims("submit", "-", stdin="\n".join(lines).encode())
    assert answer.codes == ["E102"] * 12
