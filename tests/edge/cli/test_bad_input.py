"""A bad line is refused by code, field, rule and remedy, and kept; the other lines go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.edge.cli.bad_lines import BAD, Bad, estimate
from tests.edge.cli.conftest import Made, line_of, tell
from tests.edge.cli.invoking import Answer, Line
from tests.edge.cli.story import as_lines

Receipt = dict[str, Any]


@dataclass(frozen=True)
class Submitted:
    """The bad lines as sent, a sound one after each."""

    claims: Line
    answer: Answer
    facts_before: int

    @property
    def of_bad(self) -> dict[str, Receipt]:
        names = [each.name for each in BAD]
        return dict(zip(names, self.answer.receipts[::2], strict=True))

    @property
    def of_sound(self) -> list[Receipt]:
        return self.answer.receipts[1::2]


@pytest.fixture(scope="module")
def submitted(made: Made) -> Iterator[Submitted]:
    lines = b"".join(
        each.line + b"\n" + as_lines([estimate(f"sound-{number}", f"18000.{number:02d}")])
        for number, each in enumerate(BAD)
    )
    with made("bad") as database:
        tell(database)
        claims = line_of(database)
        before = claims("file", "A-1", "--json").data["facts_known"]
        yield Submitted(claims, claims("submit", "-", stdin=lines), before)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_line_is_refused_by_code_and_field(submitted: Submitted, bad: Bad) -> None:
    receipt = submitted.of_bad[bad.name]
    assert receipt["outcome"] == "refused"
    assert (receipt["code"], receipt["field"]) == (bad.code, bad.field)
    assert receipt["message"]
    assert receipt["remedy"]
    assert bool(receipt["kept_in"]) == bool(receipt["position"]) == bad.kept
    assert receipt["command_id"] == (f"bad-{bad.name}" if bad.kept else "")


def test_no_refusal_repeats_what_is_longer_than_a_line_or_cannot_be_shown(
    submitted: Submitted,
) -> None:
    for receipt in submitted.of_bad.values():
        told = [receipt["message"], receipt["field"], *receipt["evidence"].values()]
        assert all(text.isprintable() and len(text) < 500 for text in told), told


def test_the_lines_between_are_accepted(submitted: Submitted) -> None:
    assert {receipt["outcome"] for receipt in submitted.of_sound} == {"accepted"}
    assert submitted.answer.code == 1
    assert submitted.answer.err == ""


def test_nothing_is_written_but_the_refusals(submitted: Submitted) -> None:
    file = submitted.claims("file", "A-1", "--json").data
    assert file["facts_known"] == submitted.facts_before + len(BAD)
    assert file["lines"][0]["estimate"] == f"18000.{len(BAD) - 1:02d}"
    kept = [bad for bad in BAD if bad.kept]
    verified = submitted.claims("verify", "--json").data
    facts = [fact for receipt in submitted.of_sound for fact in receipt["facts"]]
    written = {receipt["position"] for receipt in submitted.of_bad.values()} - {0}
    assert len(written) == len(kept)
    assert {fact["position"] for fact in facts}.isdisjoint(written)
    assert verified["broken"] == []


def test_every_view_reads_on_past_them(submitted: Submitted) -> None:
    """What is refused is kept, and must not stop a reader that cannot store it."""
    status = submitted.claims("views", "status", "--json").data
    submitted.claims("run", "--once", "--json")
    status = submitted.claims("views", "status", "--json").data
    assert {each["lag"] for each in status} == {0}
    entries = submitted.claims("history", "A-1", "--json").data["entries"]
    codes = {entry["command_id"]: entry["code"] for entry in entries if entry["code"]}
    assert codes["bad-nul-in-a-name"] == "E106"
    drawn = submitted.claims("history", "A-1")
    assert drawn.code == 0
    assert "\x1b" not in drawn.out


def test_a_refusal_is_repeated_like_any_receipt(submitted: Submitted) -> None:
    lines = b"\n".join(each.line for each in BAD)
    again = submitted.claims("submit", "-", stdin=lines)
    assert again.receipts == list(submitted.of_bad.values())
