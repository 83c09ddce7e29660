"""Each check over Kafka finds what it is there for, and nothing where all is well."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from consumers.answering import Partition
from consumers.dead_letters import DeadLetter, write_dead
from consumers.messages import Record
from consumers.topics import DEAD, EVENTS, RECEIPTS
from edge.wiring import system_clock
from tests.faults.checks import Finding, Kind
from tests.faults.over_kafka import checks
from tests.faults.over_kafka.asks import Ask
from tests.faults.over_kafka.checks import Fact, Left, Placed
from tests.faults.over_kafka.sending import COPIES
from tests.faults.over_kafka.witness import Seen

CRM = Partition("claims.commands.crm", 0)
OUT, ASIDE, FACTS = Partition(RECEIPTS, 0), Partition(DEAD, 0), Partition(EVENTS, 0)
GOOD = Ask("good", CRM.topic, Record(b"claim-1", b"{}", (("ce_id", b"good"),)))
BAD = Ask("bad", CRM.topic, Record(b"claim-1", b"\xff", (("ce_id", b"bad"),)), "E108")
KEPT = '{"outcome":"accepted"}'
STREAM = "claim-1"


def receipt(ask: Ask, body: str = KEPT, trace: bytes = b"t") -> Record:
    headers = (("ce_id", ask.key.encode()), ("ce_traceparent", trace))
    return Record(b"claim-1", body.encode(), headers)


def refusal(code: str) -> str:
    return json.dumps({"outcome": "refused", "code": code})


def letter(offset: int, record: Record = BAD.record, code: str = "E108") -> Record:
    return write_dead(DeadLetter(record, CRM.topic, 0, offset, code, "why", system_clock()))


def published(version: int, body: bytes, position: int, **more: str) -> Record:
    told = {"ce_id": f"{STREAM}/{version}", "ce_sequence": f"{position:020d}", **more}
    return Record(b"claim-1", body, tuple((name, text.encode()) for name, text in told.items()))


def placed(place: Partition, records: Iterable[Record]) -> list[Placed]:
    return [Placed(place, offset, record) for offset, record in enumerate(records)]


LOG = [
    Fact(STREAM, 1, "opened.1", b'{"fact": 1, "envelope": {"version": 1, "labels": {}}}', 3),
    Fact(
        *(STREAM, 2, "told.1"),
        b'{"fact": 2, "envelope": {"version": 2, "labels": {"privilege": "litigation"}}}',
        7,
    ),
]
STUB = b'{"name": "told.1", "envelope": {"version": 2}, "withheld": "litigation"}'
# The good one ten times, then the bad one, each answered as often; facts, one of them a stub.
ANSWERS = [receipt(GOOD)] * COPIES + [receipt(BAD, refusal("E108"))] * COPIES
PUBLISHED = [published(1, LOG[0].state, 3), published(2, STUB, 7, ce_withheld="litigation")]
WHOLE = Left(
    asks={"good": GOOD, "bad": BAD},
    stored=[("good", 0, 3), ("bad", 0, COPIES)],
    inputs=placed(CRM, [GOOD.record] * COPIES + [BAD.record] * COPIES),
    receipts=placed(OUT, ANSWERS),
    letters=placed(ASIDE, [letter(offset) for offset in range(COPIES, 2 * COPIES)]),
    events=placed(FACTS, PUBLISHED),
    log=LOG,
    answers={"good": KEPT},
    seen=[
        Seen({}, {}),
        Seen({CRM: 4}, {OUT: 4, ASIDE: 0}),
        Seen({CRM: COPIES + 1}, {OUT: COPIES, ASIDE: 1}),
    ],
    committed={CRM: 2 * COPIES},
    ends={CRM: 2 * COPIES},
)
Check = Callable[[Left], Iterator[Finding]]


def kinds(check: Check, left: Left) -> set[Kind]:
    return {finding.kind for finding in check(left)}


@pytest.mark.parametrize(
    "check",
    [
        checks.of_sending,
        checks.of_outcomes,
        checks.of_letters,
        checks.of_receipts,
        checks.of_facts,
        checks.of_offsets,
    ],
)
def test_nothing_is_found_where_all_is_well(check: Check) -> None:
    assert list(check(WHOLE)) == []


def test_ids_are_counted_by_what_they_came_to() -> None:
    assert checks.outcomes(WHOLE) == {"accepted": 1, "refused": 0, "dead": 1}


def test_a_message_that_nobody_sent_and_one_that_was_not_sent_ten_times_are_found() -> None:
    odd = placed(CRM, [*(each.record for each in WHOLE.inputs), Record(b"k", b"v", ())])
    assert kinds(checks.of_sending, replace(WHOLE, inputs=odd)) == {Kind.INVENTED}
    assert kinds(checks.of_sending, replace(WHOLE, inputs=WHOLE.inputs[1:])) == {Kind.UNSEEN}


def test_a_message_that_was_acknowledged_and_is_not_there_is_found() -> None:
    elsewhere = replace(WHOLE, stored=[("bad", 0, 0)])
    assert kinds(checks.of_sending, elsewhere) == {Kind.LOST}


def test_what_was_neither_judged_nor_put_aside_and_what_was_both_is_found() -> None:
    assert kinds(checks.of_outcomes, replace(WHOLE, answers={})) == {Kind.LOST}
    both = {"good": KEPT, "bad": KEPT}
    assert kinds(checks.of_outcomes, replace(WHOLE, answers=both)) == {Kind.INVENTED}


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ([letter(offset) for offset in range(COPIES + 1, 2 * COPIES)], Kind.LOST),
        ([letter(offset) for offset in range(2 * COPIES)], Kind.INVENTED),
        ([letter(each, code="E102") for each in range(COPIES, 2 * COPIES)], Kind.CHANGED),
        ([letter(each, GOOD.record) for each in range(COPIES, 2 * COPIES)], Kind.CHANGED),
    ],
)
def test_a_dead_letter_that_is_lost_odd_or_changed_is_found(
    letters: list[Record], found: Kind
) -> None:
    assert kinds(checks.of_letters, replace(WHOLE, letters=placed(ASIDE, letters))) == {found}


@pytest.mark.parametrize(
    ("receipts", "found"),
    [
        (ANSWERS[1:], Kind.LOST),
        (ANSWERS[COPIES:], Kind.LOST),
        ([*ANSWERS, receipt(GOOD, refusal("E604"))], Kind.DOUBLED),
        ([*ANSWERS, receipt(GOOD, trace=b"another")], Kind.CHANGED),
        ([receipt(GOOD, "{}")] * COPIES + ANSWERS[COPIES:], Kind.CHANGED),
        (ANSWERS[:COPIES] + [receipt(BAD, refusal("E102"))] * COPIES, Kind.CHANGED),
        ([*ANSWERS, receipt(replace(GOOD, key="odd"))], Kind.INVENTED),
    ],
)
def test_a_receipt_that_is_lost_doubled_changed_or_odd_is_found(
    receipts: list[Record], found: Kind
) -> None:
    assert found in kinds(checks.of_receipts, replace(WHOLE, receipts=placed(OUT, receipts)))


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (PUBLISHED[:1], Kind.LOST),
        (PUBLISHED[::-1], Kind.SKIPPED),
        ([*PUBLISHED, published(2, LOG[1].state, 7)], Kind.CHANGED),
        ([published(1, LOG[0].state, 4), PUBLISHED[1]], Kind.CHANGED),
        ([published(1, b"{}", 3), PUBLISHED[1]], Kind.CHANGED),
        ([PUBLISHED[0], published(2, LOG[1].state, 7, ce_withheld="litigation")], Kind.CHANGED),
        ([PUBLISHED[0], published(2, LOG[1].state, 7)], Kind.CHANGED),
        ([PUBLISHED[0], published(2, STUB, 7)], Kind.CHANGED),
        ([*PUBLISHED, published(3, b"{}", 9)], Kind.INVENTED),
    ],
)
def test_a_topic_that_is_not_the_log_is_found(events: list[Record], found: Kind) -> None:
    assert found in kinds(checks.of_facts, replace(WHOLE, events=placed(FACTS, events)))


def test_a_fact_that_comes_again_harms_nobody() -> None:
    again = placed(FACTS, [*PUBLISHED, *PUBLISHED])
    assert list(checks.of_facts(replace(WHOLE, events=again))) == []


@pytest.mark.parametrize(
    "seen",
    [
        Seen({CRM: 4}, {OUT: 3, ASIDE: 0}),  # three receipts of a message that came four times
        Seen({CRM: COPIES + 1}, {OUT: COPIES, ASIDE: 0}),  # a dead letter that came later
    ],
)
def test_an_offset_that_was_committed_before_its_answer_was_there_is_found(seen: Seen) -> None:
    assert kinds(checks.of_offsets, replace(WHOLE, seen=[seen])) == {Kind.EARLY}


def test_offsets_that_are_set_back_are_no_finding() -> None:
    back = [*WHOLE.seen, Seen({CRM: 0}, WHOLE.seen[-1].ends), WHOLE.seen[-1]]
    assert list(checks.of_offsets(replace(WHOLE, seen=back))) == []


def test_a_group_that_has_not_read_to_the_end_is_found() -> None:
    assert kinds(checks.of_offsets, replace(WHOLE, committed={CRM: 1})) == {Kind.LOST}
