"""What must hold for the money of a file, whatever happens to it and however it is read."""

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from domain.claim import Claim, Fact, decisions, evolve, evolve_all
from domain.claim.exposure import NONE, Amounts, Cell, Moves, cells, difference, step, timeline
from domain.claim.offers import OfferMade, OfferReceived
from domain.claim.payments import PaymentIssued, PaymentRequested, PaymentVoided
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.claim.settlement import SettlementAgreed
from domain.envelope import Recorded
from domain.history import NOW, Coordinate, fold, standing
from domain.money import Money
from domain.terms import CostType, PaymentKind
from tests.strategies import days, histories, logs, moments, some

History = list[Recorded[Fact]]


def at(history: Iterable[Recorded[Fact]], where: Coordinate = NOW) -> Claim:
    return fold(history, evolve, Claim(), where)


def somewhere(data: DataObject, history: History) -> Coordinate:
    return Coordinate(known_at=data.draw(moments(history)), as_of=data.draw(days(history)))


def summed(moves: Moves, upto: date = date.max) -> dict[Cell, Amounts]:
    """The cells that movements up to a day add up to; cells of nothing left out."""
    total: dict[Cell, Amounts] = {}
    for (day, cell), moved in moves.items():
        if day <= upto:
            total[cell] = total.get(cell, NONE).plus(moved)
    return {cell: amounts for cell, amounts in total.items() if amounts != NONE}


def something(held: dict[Cell, Amounts]) -> dict[Cell, Amounts]:
    return {cell: amounts for cell, amounts in held.items() if amounts != NONE}


@some
@given(histories())
def test_every_amount_is_whole_minor_units_in_the_currency_of_its_line(history: History) -> None:
    """I1."""
    for record in history:
        match record.fact:
            case EstimateSet(line=line, amount=amount) | RecoveryReceived(line=line, amount=amount):
                assert amount.currency == line.currency
                assert type(amount.minor) is int
            case (
                PaymentRequested(line=line, amount=amount)
                | PaymentIssued(line=line, amount=amount)
                | PaymentVoided(line=line, amount=amount)
            ):
                assert amount.currency == line.currency
                assert amount.minor > 0
            case _:
                pass


@some
@given(histories(), st.data())
def test_nothing_is_ever_paid_above_its_estimate_as_known_then_or_as_held_now(
    history: History, data: DataObject
) -> None:
    """I2, I3, I6: at every moment of knowing and every day of the world."""
    for _ in range(4):
        claim = at(history, somewhere(data, history))
        asked = {each.line for each in claim.payments.by_id.values() if each.in_progress}
        for line in asked | set(claim.reserves.lines):
            state = claim.reserves.on(line)
            assert 0 <= state.paid <= state.estimate
            assert state.outstanding == state.estimate - state.paid
            assert state.outstanding >= claim.payments.in_progress_on(line) >= 0
            assert state.incurred == state.paid + state.outstanding == state.estimate
            assert state.recovered >= 0


@some
@given(histories(), st.data())
def test_a_closed_file_has_nothing_outstanding_on_any_day_it_was_closed(
    history: History, data: DataObject
) -> None:
    """I10."""
    for _ in range(4):
        claim = at(history, somewhere(data, history))
        if claim.lifecycle.closed_on is not None:
            assert {state.outstanding for state in claim.reserves.lines.values()} <= {0}
            assert not any(payment.in_progress for payment in claim.payments.by_id.values())


@some
@given(histories(), st.data())
def test_the_movements_up_to_a_day_are_what_the_file_held_on_that_day(
    history: History, data: DataObject
) -> None:
    """I4, and I5 on the axis of effective days."""
    known = data.draw(moments(history))
    moves = timeline(history, Coordinate(known_at=known))
    for day in [data.draw(days(history)), data.draw(days(history)), date.max]:
        held = cells(at(history, Coordinate(known_at=known, as_of=day)))
        assert summed(moves, day) == something(held)


@some
@given(histories())
def test_a_step_moves_what_the_file_holds_after_it_and_did_not_before(history: History) -> None:
    """However much of the file the two states share."""
    claim = Claim()
    for _, record in standing(history):
        day = record.envelope.effective_on
        after = evolve(claim, record.fact, day)
        old, new = cells(claim), cells(after)
        moved = {(day, cell): new.get(cell, NONE).minus(old.get(cell, NONE)) for cell in old | new}
        assert step(claim, after, day) == {
            key: amounts for key, amounts in moved.items() if amounts != NONE
        }
        claim = after


@some
@given(histories(), st.data())
def test_what_was_known_then_and_what_was_learned_since_is_what_is_known_now(
    history: History, data: DataObject
) -> None:
    """I5 on the axis of recording."""
    first, second = sorted([data.draw(moments(history)), data.draw(moments(history))])
    before = timeline(history, Coordinate(known_at=first))
    after = timeline(history, Coordinate(known_at=second))
    together = dict(before)
    for key, moved in difference(before, after).items():
        together[key] = together.get(key, NONE).plus(moved)
    assert {key: moved for key, moved in together.items() if moved != NONE} == {
        key: moved for key, moved in after.items() if moved != NONE
    }


@some
@given(histories(), st.data())
def test_our_share_is_never_more_than_the_whole_and_net_never_more_than_gross(
    history: History, data: DataObject
) -> None:
    """I7."""
    for amounts in cells(at(history, somewhere(data, history))).values():
        assert 0 <= amounts.our_estimate <= amounts.estimate
        assert 0 <= amounts.our_paid <= amounts.paid
        assert 0 <= amounts.our_recovered <= amounts.recovered
    for record in history:
        match record.fact:
            case SettlementAgreed(damages=damages):
                assert damages.net <= damages.gross
            case OfferMade(terms=terms) | OfferReceived(terms=terms):
                assert terms.damages.net <= terms.damages.gross
            case _:
                pass


@some
@given(logs(), st.data())
def test_the_files_together_are_the_ledger_at_any_moment(log: History, data: DataObject) -> None:
    """I8: a total kept up to date fact by fact is the sum over the files, each read afresh."""
    known = data.draw(moments(log))
    seen: dict[str, History] = {}
    total: dict[tuple[date, Cell], Amounts] = {}
    for record in log:
        if record.envelope.recorded_at > known:
            continue
        history = seen.setdefault(record.envelope.stream, [])
        before = timeline(history)
        history.append(record)
        for key, moved in difference(before, timeline(history)).items():
            total[key] = total.get(key, NONE).plus(moved)
    afresh: dict[Cell, Amounts] = {}
    for stream in seen:
        file = [record for record in log if record.envelope.stream == stream]
        for cell, amounts in cells(at(file, Coordinate(known_at=known))).items():
            afresh[cell] = afresh.get(cell, NONE).plus(amounts)
    assert summed(total) == something(afresh)


@some
@given(histories(), st.data())
def test_voiding_a_payment_restores_exactly_what_was_outstanding(
    history: History, data: DataObject
) -> None:
    """I9."""
    claim = at(history)
    free = [
        (line, state.outstanding - claim.payments.in_progress_on(line))
        for line, state in claim.reserves.lines.items()
    ]
    payable = [(line, minor) for line, minor in free if minor > 0]
    if not payable or claim.lifecycle.closed_on is not None:
        return
    line, most = data.draw(st.sampled_from(payable))
    amount = Money(data.draw(st.integers(1, most)), line.currency)
    asked = PaymentRequested("a-new-one", line, amount, PaymentKind.FINAL, "party-9", "ann")
    on = max(record.envelope.effective_on for record in history) + timedelta(days=1)
    paid = evolve_all(claim, decisions.request_payment(claim, asked), on)
    paid = evolve_all(paid, decisions.approve_payment(paid, "a-new-one", "bob"), on)
    paid = evolve_all(paid, decisions.issue_payment(paid, "a-new-one"), on)
    assert paid.reserves.on(line).outstanding == claim.reserves.on(line).outstanding - amount.minor
    voided = evolve_all(paid, decisions.void_payment(paid, "a-new-one", "bounced"), on)
    assert voided.reserves == claim.reserves
    assert cells(voided) == cells(claim)


@some
@given(histories())
def test_damages_are_the_damages_lines_and_no_other(history: History) -> None:
    claim = at(history)
    for currency in {line.currency for line in claim.reserves.lines}:
        lines = [
            state
            for line, state in claim.reserves.lines.items()
            if line.cost_type is CostType.DAMAGES and line.currency == currency
        ]
        assert claim.damages_estimated(currency).minor == sum(each.estimate for each in lines)
        assert claim.damages_paid(currency).minor == sum(each.paid for each in lines)
        assert claim.damages_paid(currency) <= claim.damages_committed(currency)
        assert claim.damages_committed(currency) <= claim.damages_estimated(currency)
