"""Each rule of a row and of a history, and the code, row and column under which it is refused."""

from datetime import date

import pytest

from domain.claim.lifecycle import ClaimAllocated, ClaimClosed, ClaimNotified, HandlerChanged
from domain.claim.payments import PaymentIssued
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.envelope import Grounds, Imported
from domain.money import Money
from domain.terms import (
    Basis,
    ClosureCode,
    CostType,
    Head,
    Jurisdiction,
    Line,
    MatterType,
    Pathway,
    RecoveryCategory,
    Trigger,
)
from edge.importing.rows import row_of, values_of
from edge.importing.source import COLUMNS
from tests.edge.importing.desk import HISTORY_FACTS, Desk, Row, history, row

# --- One cell ------------------------------------------------------------------------------------

CELLS = [
    ("effective_on", "", "E101"),
    ("effective_on", "01/02/2020", "E167"),
    ("effective_on", "2020-02-30", "E167"),
    ("effective_on", "20200201", "E167"),
    ("effective_on", "2020-W05-6", "E167"),
    ("effective_on", "2020-02-01T00:00:00", "E167"),
    ("effective_on", "1899-12-31", "E102"),
    ("effective_on", "2026-03-03", "E501"),  # tomorrow
    ("kind", "", "E101"),
    ("kind", "paid", "E166"),
    ("kind", "Payment", "E166"),
    ("line", "damage", "E166"),
    ("line", "damages/xyz", "E166"),
    ("line", "damages our share", "E166"),
    ("line", "damages/", "E166"),
    ("line", "expert_fees/psla", "E102"),
    ("amount", "", "E101"),
    ("amount", "1e5", "E103"),
    ("amount", "NaN", "E103"),
    ("amount", "inf", "E103"),
    ("amount", "1,250.00", "E103"),
    ("amount", " 1.00", "E103"),
    ("amount", "£1.00", "E103"),
    ("amount", "\u0661\u0662", "E103"),  # digits, and not ours
    ("amount", "10.005", "E103"),
    ("amount", "1" + "0" * 30, "E103"),
    ("amount", "1" + "0" * 15, "E103"),
    ("amount", "0", "E213"),
    ("amount", "-1.00", "E213"),
    ("amount", "1000.01", "E204"),  # more than is estimated
    ("estimate", "-0.01", "E214"),
    ("estimate", "1.5e3", "E103"),
    ("estimate", "9.99", "E204"),
    ("currency", "gbp", "E103"),
    ("currency", "ABC", "E103"),
    ("currency", "EUR", "E168"),
    ("handler", "x" * 65, "E102"),
    ("handler", "h.one ", "E102"),
    ("pathway", "veterinary", "E166"),
    ("pathway", "dental", "E102"),  # without a handler
    ("jurisdiction", "utopia", "E166"),
    ("jurisdiction", "scotland", "E102"),  # not what the row that opened the file says
    ("event_date", "2020-1-1", "E167"),
    ("event_date", "2019-12-31", "E102"),
    ("notified_on", "2020-01-16", "E102"),
    ("note", "x" * 4_001, "E102"),
    ("note", "bell \a", "E102"),
]


@pytest.mark.parametrize(("column", "cell", "code"), CELLS)
def test_a_cell_that_breaks_a_rule_sets_its_claim_aside(
    desk: Desk, column: str, cell: str, code: str
) -> None:
    payment = row("C1", "2020-02-01", "payment", amount="10.00") | {column: cell}
    opened = row("C1", "2020-01-15", "opened", estimate="1000.00")
    ran = desk.takes([opened, payment, *history("C2")])
    expected = "amount" if column == "estimate" and code == "E204" else column
    assert ran.told == [("C1", 2, expected, code)]
    assert (desk.names("C1"), len(desk.names("C2"))) == ([], HISTORY_FACTS)
    assert all(each.message and each.remedy for each in ran.faults)
    assert not any(len(each.message) > 300 for each in ran.faults)


def test_every_fault_of_every_row_is_named(desk: Desk) -> None:
    ran = desk.takes(
        [
            row("C1", "soon", "opened", estimate="1e3", line="damage"),
            row("C1", "2020-02-01", "paid", amount="NaN", currency="XXX"),
        ]
    )
    assert ran.told == [
        ("C1", 1, "effective_on", "E167"),
        ("C1", 1, "line", "E166"),
        ("C1", 1, "estimate", "E103"),
        ("C1", 2, "currency", "E103"),
        ("C1", 2, "kind", "E166"),
    ]


LINES = {
    "": Line(CostType.DAMAGES, "GBP"),
    "damages": Line(CostType.DAMAGES, "GBP"),
    "damages/psla": Line(CostType.DAMAGES, "GBP", Head.PSLA),
    "damages/psla our_share": Line(CostType.DAMAGES, "GBP", Head.PSLA, Basis.OUR_SHARE),
    "defence_costs our_share": Line(CostType.DEFENCE_COSTS, "GBP", None, Basis.OUR_SHARE),
    "expert_fees": Line(CostType.EXPERT_FEES, "GBP"),
}


@pytest.mark.parametrize("written", LINES)
def test_a_line_is_its_cost_type_its_head_and_its_share(written: str) -> None:
    cells = row("C1", "2020-01-01", "opened", line=written)
    values, faults = values_of(tuple(cells.get(column, "") for column in COLUMNS), "GBP")
    assert (values["line"], faults) == (LINES[written], [])
    assert row_of(1, values).line == LINES[written]


def test_a_currency_has_the_decimals_it_has(desk: Desk) -> None:
    rows = [row("Y1", "2020-01-01", "opened", estimate="500", currency="JPY")]
    rows += [row("K1", "2020-01-01", "opened", estimate="1.125", currency="KWD")]
    rows += [row("Y2", "2020-01-01", "opened", estimate="500.5", currency="JPY")]
    ran = desk.takes(rows)
    assert ran.told == [("Y2", 3, "estimate", "E103")]
    assert desk.facts("K1")[1].fact.amount == Money(1_125, "KWD")
    assert {code: part.incurred for code, part in ran.outcome.imported.money.items()} == {
        "JPY": 500,
        "KWD": 1_125,
    }


# --- A whole history -----------------------------------------------------------------------------

OPENED = row("C1", "2020-01-01", "opened", estimate="100.00")
PAID_UP = row("C1", "2020-02-01", "payment", amount="100.00")
CLOSED = row("C1", "2020-03-01", "closed")
HISTORIES: dict[str, tuple[list[Row], int, str, str]] = {
    "it does not begin with opened": ([PAID_UP], 1, "kind", "E141"),
    "it is opened twice": ([OPENED, OPENED], 2, "kind", "E401"),
    "dates run backwards": (
        [OPENED, row("C1", "2019-12-31", "estimate", estimate="5")],
        2,
        "effective_on",
        "E105",
    ),
    "it is opened before it was notified": (
        [OPENED | {"notified_on": "2020-01-02"}],
        1,
        "effective_on",
        "E105",
    ),
    "it was notified before it happened": (
        [OPENED | {"event_date": "2019-02-01", "notified_on": "2019-01-01"}],
        1,
        "notified_on",
        "E105",
    ),
    "more is paid than is estimated": (
        [OPENED, PAID_UP, row("C1", "2020-02-02", "payment", amount="0.01")],
        3,
        "amount",
        "E204",
    ),
    "a payment on a line without an estimate": (
        [OPENED, PAID_UP | {"line": "defence_costs"}],
        2,
        "amount",
        "E204",
    ),
    "an estimate falls below what was paid": (
        [OPENED, PAID_UP, row("C1", "2020-03-01", "estimate", estimate="99.99")],
        3,
        "estimate",
        "E203",
    ),
    "an estimate row without an estimate": (
        [OPENED, row("C1", "2020-03-01", "estimate")],
        2,
        "estimate",
        "E101",
    ),
    "an estimate row with an amount": (
        [OPENED, row("C1", "2020-03-01", "estimate", estimate="5", amount="5")],
        2,
        "amount",
        "E102",
    ),
    "a recovery on a line that is not there": (
        [OPENED, row("C1", "2020-03-01", "recovery", amount="5", line="expert_fees")],
        2,
        "line",
        "E412",
    ),
    "it is closed with something outstanding": ([OPENED, CLOSED], 2, "estimate", "E207"),
    "a payment after it was closed": (
        [OPENED, PAID_UP, CLOSED, row("C1", "2020-04-01", "payment", amount="1", estimate="101")],
        4,
        "kind",
        "E402",
    ),
    "it is closed twice": ([OPENED, PAID_UP, CLOSED, CLOSED], 4, "kind", "E402"),
    "it is reopened while open": (
        [OPENED, row("C1", "2020-04-01", "reopened", estimate="500")],
        2,
        "kind",
        "E401",
    ),
    "it is reopened without a fresh estimate": (
        [OPENED, PAID_UP, CLOSED, row("C1", "2020-04-01", "reopened")],
        4,
        "estimate",
        "E418",
    ),
    "estimates of damages that together are beyond what can be kept": (
        [
            OPENED | {"estimate": "9000000000000"},
            row("C1", "2020-02-01", "estimate", estimate="9000000000000", line="damages/psla"),
        ],
        2,
        "amount",
        "E103",
    ),
    "rows of two currencies": (
        [OPENED, PAID_UP | {"currency": "ZAR"}],
        2,
        "currency",
        "E168",
    ),
}


@pytest.mark.parametrize("story", HISTORIES)
def test_a_history_that_breaks_a_rule_is_set_aside_whole(desk: Desk, story: str) -> None:
    rows, number, column, code = HISTORIES[story]
    ran = desk.takes([*rows, *history("C2")])
    assert ran.told == [("C1", number, column, code)]
    assert desk.names("C1") == []
    assert len(desk.names("C2")) == HISTORY_FACTS


@pytest.mark.parametrize("rows", [1_001, 3_000])
def test_a_claim_of_too_many_rows_is_set_aside(desk: Desk, rows: int) -> None:
    more = [row("C1", "2020-02-01", "payment", amount="0.01")] * (rows - 1)
    ran = desk.takes([OPENED, *more])
    assert ran.told == [("C1", 0, "claim_ref", "E169")]
    assert ran.outcome.left_out.rows == rows


def test_a_claim_of_more_facts_than_a_file_holds_is_set_aside(desk: Desk) -> None:
    opened = OPENED | {"handler": "h.one", "pathway": "dental"}
    more = [
        row("C1", "2020-02-01", "payment", amount="0.01", estimate=str(200 + number))
        for number in range(999)
    ]
    assert desk.takes([opened, *more]).told == [("C1", 0, "claim_ref", "E602")]


# --- What becomes of each kind of row ------------------------------------------------------------


LIFE = [
    row(
        "C1",
        "2020-01-15",
        "opened",
        estimate="1000.00",
        line="damages/psla",
        handler="h.one",
        pathway="dental",
        jurisdiction="scotland",
        event_date="2018-05-04",
        notified_on="2020-01-10",
        note="a crown",
    ),
    row("C1", "2020-02-01", "payment", amount="5", estimate="5", line="expert_fees"),
    row("C1", "2020-02-02", "recovery", amount="2.50", line="expert_fees"),
    row("C1", "2020-02-03", "estimate", estimate="0", line="damages/psla", handler="h.two"),
    row("C1", "2020-02-04", "closed", note="struck out"),
]


def test_a_rows_note_is_the_reason_of_its_facts(desk: Desk) -> None:
    desk.takes(LIFE)
    told = [record.envelope.rationale for record in desk.facts("C1")]
    assert told[:3] == ["a crown"] * 3
    assert told[-1] == "struck out"
    assert set(told[3:-1]) == {""}


def test_a_handler_without_a_pathway_has_the_file_all_the_same(desk: Desk) -> None:
    desk.takes([OPENED | {"handler": "h.one"}])
    assert HandlerChanged("", "h.one", "imported") in [each.fact for each in desk.facts("C1")]


def test_rows_become_the_facts_that_the_same_events_would_have_been(desk: Desk) -> None:
    desk.takes(LIFE)
    facts = desk.facts("C1")
    fees, psla = LINES["expert_fees"], LINES["damages/psla"]
    assert [record.fact for record in facts] == [
        ClaimNotified(
            matter_type=MatterType.CLAIM,
            jurisdiction=Jurisdiction.SCOTLAND,
            currency="GBP",
            event_date=date(2018, 5, 4),
            notified_on=date(2020, 1, 10),
            pathway_hint=Pathway.DENTAL,
        ),
        ClaimAllocated(Pathway.DENTAL, "dental-imported", "h.one"),
        EstimateSet(psla, Money(0, "GBP"), Money(100_000, "GBP"), Trigger.SOURCE),
        EstimateSet(fees, Money(0, "GBP"), Money(500, "GBP"), Trigger.SOURCE),
        PaymentIssued("legacy/2", fees, Money(500, "GBP")),
        RecoveryReceived("legacy/3", fees, RecoveryCategory.BY_SOURCE, Money(250, "GBP")),
        HandlerChanged("h.one", "h.two", "dental-imported"),
        EstimateSet(psla, Money(100_000, "GBP"), Money(0, "GBP"), Trigger.SOURCE),
        ClaimClosed(ClosureCode.BY_SOURCE, "struck out"),
    ]


def test_facts_say_when_they_were_true_and_which_row_said_so(desk: Desk) -> None:
    desk.takes(LIFE)
    told = [record.envelope for record in desk.facts("C1")]
    days = [date(2020, 1, 10), date(2020, 1, 15), date(2020, 1, 15), date(2020, 2, 1)]
    assert [each.effective_on for each in told[:4]] == days
    rows = [Imported("legacy", number) for number in (1, 1, 1, 2, 2, 3, 4, 4, 5)]
    assert [each.imported for each in told] == rows
    assert {each.judgement.grounds for each in told} == {Grounds.SOURCE}


def test_why_the_source_closed_a_file_is_not_guessed(desk: Desk) -> None:
    desk.takes([row("C1", "2020-01-01", "opened"), row("C1", "2020-02-01", "closed", estimate="0")])
    assert desk.facts("C1")[-1].fact.closure is ClosureCode.BY_SOURCE


def test_a_closed_file_is_reopened_and_paid_again(desk: Desk) -> None:
    again = row("C1", "2020-04-01", "reopened", estimate="150.00", note="an appeal")
    more = row("C1", "2020-05-01", "payment", amount="50.00")
    ran = desk.takes(
        [OPENED, PAID_UP, CLOSED, again, more, CLOSED | {"effective_on": "2020-06-01"}]
    )
    assert ran.outcome.all_in
    assert ran.outcome.imported.money["GBP"].paid == 150_00
    assert desk.names("C1")[4:6] == ["claim-reopened.1", "estimate-set.1"]


def test_a_row_may_repeat_who_has_the_file_and_what_it_is_about(desk: Desk) -> None:
    same = {"handler": "h.one", "pathway": "medical", "jurisdiction": "ireland"}
    same |= {"event_date": "2019-01-01", "notified_on": "2020-01-01"}
    desk.takes([each | same for each in (OPENED, PAID_UP, CLOSED)])
    assert desk.names("C1").count("claim-allocated.1") == 1
    assert len(desk.names("C1")) == 5


def test_a_file_goes_to_another_pathway(desk: Desk) -> None:
    to_dental = {"handler": "h.one", "pathway": "dental"}
    to_medical = {"handler": "h.two", "pathway": "medical"}
    desk.takes([OPENED | to_dental, PAID_UP | to_medical, CLOSED | {"pathway": "medical"}])
    moved = [each.fact for each in desk.facts("C1") if isinstance(each.fact, ClaimAllocated)]
    assert [each.pathway for each in moved] == [Pathway.DENTAL, Pathway.MEDICAL]
