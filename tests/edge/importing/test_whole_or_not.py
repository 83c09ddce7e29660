"""A claim goes in whole or not at all, once, however its rows lie and however often they come."""

import csv
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commands.fields import ActorIn
from commands.history_import import ImportHistory, RowKind
from commands.history_import import Row as Taken
from commands.ledger import Ledger
from commands.receipt import Receipt
from domain.errors import BadValue, StoreUnavailable
from domain.terms import Jurisdiction, Pathway, Role
from edge.importing import importer
from edge.importing.histories import History, command_of
from edge.importing.histories import said as spelt
from edge.importing.intake import Plan
from edge.importing.outcome import Figures, Rejects
from edge.importing.refusals import ImportStopped, RejectsNotWritten
from edge.importing.rows import row_of, values_of
from edge.importing.source import COLUMNS
from edge.importing.staging import Reject
from edge.store.memory_store import MemoryStore
from tests.edge.importing.desk import (
    CLERK,
    HISTORY_FACTS,
    NOW,
    Desk,
    Row,
    history,
    imported,
    row,
    said,
    text,
)

BAD = row("C2", "2020-03-01", "payment", amount="1e5")
MANY = [each for number in range(40) for each in history(f"M{number:02d}")]


def shares(ran: Any) -> tuple[tuple[int, int], ...]:
    outcome = ran.outcome
    parts = (outcome.imported, outcome.already_there, outcome.left_out)
    return tuple((part.claims, part.rows) for part in parts)


# --- Whole or not --------------------------------------------------------------------------------


def test_a_bad_row_sets_its_whole_claim_aside_and_the_rest_goes_on(desk: Desk) -> None:
    ran = desk.takes([*history("C1"), *history("C2")[:3], BAD, *history("C3")])
    assert shares(ran) == ((2, 10), (0, 0), (1, 4))
    assert ran.told == [("C2", 9, "amount", "E103")]
    assert [desk.names(f"C{n}") == [] for n in (1, 2, 3)] == [False, True, False]


def test_a_bad_row_far_from_the_others_sets_its_claim_aside_too(desk: Desk) -> None:
    ran = desk.takes([*history("C2"), *MANY, BAD])
    assert shares(ran) == ((40, 200), (0, 0), (1, 6))
    assert desk.names("C2") == []


def test_what_was_left_out_is_counted_in_money(desk: Desk) -> None:
    euros = [each | {"currency": "EUR"} for each in history("C3")]
    euros[-1]["kind"] = "done"
    ran = desk.takes([*history("C1"), *history("C2"), BAD, *euros])
    assert ran.outcome.imported.money == {"GBP": Figures(paid=950_00, incurred=950_00)}
    assert ran.outcome.left_out.money == {
        "GBP": Figures(paid=950_00, incurred=950_00),
        "EUR": Figures(paid=950_00, incurred=950_00),
    }


def test_rows_that_name_no_claim_are_left_out_and_counted_apart(desk: Desk) -> None:
    total = row("", "", "", amount="950.00", note="Total")
    ran = desk.takes([*history("C1"), total])
    assert shares(ran) == ((1, 5), (0, 0), (0, 1))
    assert (ran.outcome.rows_without_claim, ran.outcome.all_in) == (1, False)
    assert ran.told == [("", 6, "claim_ref", "E165")]


def test_a_row_whose_reference_is_nearly_a_claims_sets_that_claim_aside(desk: Desk) -> None:
    ran = desk.takes([*history("C1"), row(" C1", "2021-01-01", "recovery", amount="5")])
    assert shares(ran) == ((0, 0), (0, 0), (1, 6))


def test_a_claim_that_is_on_the_ledger_already_is_set_aside(desk: Desk) -> None:
    desk.takes(history("C1"), source="one")
    facts = desk.names("C1")
    for dry_run in (True, False):
        ran = desk.takes([*history("C1"), *history("C2")], source="two", dry_run=dry_run)
        assert ran.told == [("C1", 1, "claim_ref", "E411")]
        assert shares(ran) == ((1, 5), (0, 0), (1, 5))
    assert desk.names("C1") == facts


# --- Again ---------------------------------------------------------------------------------------


def test_the_same_file_again_adds_nothing(desk: Desk) -> None:
    rows = [*history("C1"), *history("C2"), BAD, *MANY]
    first = desk.takes(rows)
    head = desk.head
    again = desk.takes(rows)
    assert desk.head == head
    assert shares(first) == ((41, 205), (0, 0), (1, 6))
    assert shares(again) == ((0, 0), (41, 205), (1, 6))
    assert again.outcome.already_there == first.outcome.imported
    assert again.faults == first.faults


def test_not_even_another_person_or_a_longer_file_adds_to_what_is_there(desk: Desk) -> None:
    desk.takes(history("C2"))
    head, facts = desk.head, said(desk.facts("C2"))
    other = ActorIn(person="other", role=Role.PATHWAY_LEAD)
    ran = desk.takes([*history("C1"), *history("C2")], actor=other)
    assert shares(ran) == ((1, 5), (1, 5), (0, 0))
    assert said(desk.facts("C2")) == facts
    assert desk.head == head + HISTORY_FACTS


def test_a_claim_that_was_mended_goes_in(desk: Desk) -> None:
    assert desk.takes([*history("C2")[:3], BAD]).outcome.imported.claims == 0
    assert desk.takes(history("C2")).outcome.all_in


def test_what_was_refused_for_its_day_goes_in_when_the_day_has_come(desk: Desk) -> None:
    tomorrow = [*history("C1"), row("C1", "2026-03-03", "recovery", amount="5")]
    assert desk.takes(tomorrow).told == [("C1", 6, "effective_on", "E501")]
    assert desk.head == 0
    assert desk.takes(tomorrow, now=NOW + timedelta(days=1)).outcome.all_in


def test_a_file_that_is_only_tried_writes_nothing_and_tells_the_same(desk: Desk) -> None:
    rows = [*history("C1"), *history("C2"), BAD, row("C3", "2020-01-01", "payment", amount="1")]
    tried = desk.takes(rows, dry_run=True)
    assert desk.head == 0
    ran = desk.takes(rows)
    assert (tried.told, shares(tried)) == (ran.told, shares(ran))
    assert tried.outcome.imported == ran.outcome.imported
    assert ran.told == [("C2", 11, "amount", "E103"), ("C3", 12, "kind", "E141")]


def test_the_id_of_a_history_is_a_promise() -> None:
    """Were it another, every claim that was ever imported would look like a new one."""
    full = row(
        "C1",
        "2020-01-15",
        "opened",
        estimate="1000.5",
        line="damages/psla our_share",
        handler="h.one",
        pathway="dental",
        jurisdiction="scotland",
        event_date="2018-05-04",
        notified_on="2020-01-10",
        note="a crown",
    )
    values, _ = values_of(tuple(full.get(column, "") for column in COLUMNS), "GBP")
    told = History("C1", rows=[row_of(7, values)], currency="GBP")
    command = command_of(told, "legacy", CLERK)
    promised = "1ac8d56dba56b23ef27f90ed68f7834d0b08ff8b59513974be3dd38dea2cfd4a"
    assert command.command_id == f"import:{promised}"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
CELLS = st.fixed_dictionaries(
    {
        "effective_on": st.dates(date(1900, 1, 1), date(2200, 1, 1)).map(str),
        "kind": st.sampled_from(RowKind),
    },
    optional={
        "amount": st.sampled_from(["1", "0.10", "12345.6"]),
        "estimate": st.sampled_from(["0", "0.00", "99.99"]),
        "line": st.sampled_from(["damages/psla", "expert_fees our_share"]),
        "handler": TEXTS,
        "pathway": st.sampled_from(Pathway),
        "jurisdiction": st.sampled_from(Jurisdiction),
        "event_date": st.just("2019-01-01"),
        "notified_on": st.just("2019-01-02"),
        "note": TEXTS,
    },
)


@given(source=TEXTS, rows=st.lists(CELLS, min_size=1, max_size=3))
def test_the_id_of_a_history_rests_on_plain_json(source: str, rows: list[dict[str, str]]) -> None:
    """Written by hand for speed, it has to be what any other program would write."""
    cells = [tuple(each.get(column, "") for column in COLUMNS) for each in rows]
    read = [values_of(each, "GBP") for each in cells]
    assume(not any(faults for _, faults in read))
    taken = [row_of(1, values) for values, _ in read]
    told = [plainly(each) for each in taken]
    expected = json.dumps([source, "C1", "GBP", *told], separators=(",", ":"), sort_keys=True)
    assert spelt(source, "C1", "GBP", taken) == expected


def plainly(taken: Taken) -> dict[str, str]:
    line = f"{taken.line.cost_type}/{taken.line.head or ''}/{taken.line.basis}"
    days = {"effective_on": taken.effective_on, "event_date": taken.event_date}
    days["notified_on"] = taken.notified_on
    amounts = {"amount": taken.amount, "estimate": taken.estimate}
    told = {
        **{name: day.isoformat() for name, day in days.items() if day},
        **{name: amount.decimal() for name, amount in amounts.items() if amount},
        "kind": taken.kind.value,
        "line": line,
        "handler": taken.handler,
        "note": taken.note,
        "pathway": taken.pathway or "",
        "jurisdiction": taken.jurisdiction or "",
    }
    return {name: value for name, value in told.items() if value}


# --- In whatever order ---------------------------------------------------------------------------


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Some claims, one after the other, and the same rows mixed, each claim's in their order."""
    claims = [history(f"C{n}", 2000 + n) for n in range(draw(st.integers(1, 5)))]
    grouped = [each for claim in claims for each in claim]
    turns = draw(st.permutations([n for n, claim in enumerate(claims) for _ in claim]))
    rows = [iter(claim) for claim in claims]
    return grouped, [next(rows[n]) for n in turns]


@given(both=interleavings())
def test_interleaved_claims_equal_grouped_ones(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[list[Row], list[Row]]
) -> None:
    folder = tmp_path_factory.mktemp("desk")
    told: list[list[Any]] = []
    for name, rows in zip(("grouped", "mixed"), both, strict=True):
        path = folder / f"{name}.csv"
        path.write_text(text(rows))
        store = MemoryStore()
        assert imported(path, store).outcome.all_in
        streams = store.load([f"claim-C{n}" for n in range(5)])
        # The numbers of rows differ, and with them the ids of payments.
        told.append(
            [
                (version, fact_name, re.sub(r"legacy/\d+", "legacy", str(fact)), day)
                for records in streams.values()
                for version, fact_name, fact, day, _ in said(records)
            ]
        )
    assert told[0] == told[1]


# --- When something fails on the way -------------------------------------------------------------


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH_CLAIMS", 3)


@pytest.mark.usefixtures("small_batches")
def test_a_database_that_is_away_for_moments_is_waited_for(desk: Desk) -> None:
    ledger = Ledger(desk.store, lambda: NOW)
    calls, waited = 0, list[float]()

    def send(commands: Sequence[ImportHistory]) -> list[Receipt]:
        nonlocal calls
        calls += 1
        if calls % 2:  # stored and not said, or not stored: the next try finds out
            receipts = ledger.handle_many(commands) if calls % 4 == 1 else []
            assert calls % 4 == 3 or all(each.accepted for each in receipts)
            raise StoreUnavailable("it restarts")
        return ledger.handle_many(commands)

    ran = desk.takes(MANY, send=send, pause=waited.append)
    assert shares(ran) == ((40, 200), (0, 0), (0, 0))
    assert desk.head == 40 * HISTORY_FACTS
    assert waited == [0.5] * 14


@pytest.mark.usefixtures("small_batches")
def test_a_database_that_stays_away_stops_the_import_which_can_be_run_again(desk: Desk) -> None:
    ledger = Ledger(desk.store, lambda: NOW)
    waited: list[float] = []

    def send(commands: Sequence[ImportHistory]) -> list[Receipt]:
        if desk.head >= 6 * HISTORY_FACTS:
            raise StoreUnavailable("it is gone")
        return ledger.handle_many(commands)

    with pytest.raises(ImportStopped) as stopped:
        desk.takes(MANY, send=send, pause=waited.append)
    assert (stopped.value.code, stopped.value.claims) == ("E606", 6)
    assert sum(waited) == 23.5
    again = desk.takes(MANY)
    assert shares(again) == ((34, 170), (6, 30), (0, 0))
    assert desk.head == 40 * HISTORY_FACTS


def test_what_the_ledger_refuses_on_the_way_is_set_aside(desk: Desk) -> None:
    ledger = Ledger(desk.store, lambda: NOW)

    def send(commands: Sequence[ImportHistory]) -> list[Receipt]:
        for command in commands:  # somebody else is quicker
            ledger.handle(command.model_copy(update={"command_id": "x", "source": "x"}))
        return ledger.handle_many(commands)

    ran = desk.takes(history("C1"), send=send)
    assert ran.told == [("C1", 1, "claim_ref", "E411")]
    assert desk.takes(history("C1")).told == ran.told


def test_what_another_import_of_the_same_file_brought_in_meanwhile_is_there_already(
    desk: Desk,
) -> None:
    ledger = Ledger(desk.store, lambda: NOW)

    def send(commands: Sequence[ImportHistory]) -> list[Receipt]:
        ledger.handle_many(commands[:1])
        return ledger.handle_many(commands)

    ran = desk.takes([*history("C1"), *history("C2")], send=send)
    assert shares(ran) == ((1, 5), (1, 5), (0, 0))
    assert desk.head == 2 * HISTORY_FACTS


# --- What is said of it --------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["", "x" * 65, "two\nlines", " legacy"])
def test_a_source_has_a_name_that_can_be_kept(source: str) -> None:
    with pytest.raises(BadValue):
        Plan(source, CLERK, date(2026, 3, 2))


def test_the_currency_is_one() -> None:
    with pytest.raises(BadValue):
        Plan("legacy", CLERK, date(2026, 3, 2), "POUNDS")


def test_all_faults_are_written_and_the_first_are_held(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with Rejects(path) as rejects:
        for number in range(50):
            rejects.add(Reject(f'C"{number}', number, "amount", "E103", "a, b", "c\nd"))
    assert (rejects.count, len(rejects.first)) == (50, 20)
    with path.open(encoding="utf-8", newline="") as written:
        lines = list(csv.reader(written))
    assert lines[0] == ["claim_ref", "row", "column", "code", "message", "remedy"]
    assert lines[50] == ['C"49', "49", "amount", "E103", "a, b", "c\nd"]


def test_rejects_that_cannot_be_written_stop_the_import_at_once(tmp_path: Path) -> None:
    with pytest.raises(RejectsNotWritten), Rejects(tmp_path / "none" / "rejects.csv"):
        pass
