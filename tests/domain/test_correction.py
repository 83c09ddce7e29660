"""Correction and void, as stories: named, never edited, and the file stays possible throughout."""

from collections.abc import Sequence
from datetime import date

import pytest

from domain.claim import Claim, Fact, evolve
from domain.claim.correction import (
    CORRECTABLE,
    VOIDABLE,
    Correctable,
    FactVoided,
    require_correctable,
    require_voidable,
)
from domain.claim.lifecycle import ClaimNotified, HandlerChanged
from domain.claim.offers import OfferSuperseded
from domain.claim.soundness import require_after_incident, require_sound
from domain.envelope import Recorded
from domain.errors import BadValue, CurrencyMismatch
from domain.history import Coordinate, fold
from domain.money import MINOR_LIMIT, Money
from domain.refusals.dates import EffectiveBeforeIncident
from domain.refusals.money import AmountNegative, AmountNotPositive
from domain.refusals.state import CorrectionBreaksFile, NotCorrectable
from domain.schema import NAMES
from domain.value import replace
from tests.facts import (
    DAMAGES,
    DAY,
    DEFENCE,
    after,
    allocated,
    approved,
    closed,
    estimated,
    issued,
    notified,
    offered,
    part36,
    recovered,
    requested,
    settled,
    strategy_set,
    voided,
)
from tests.scribe import ANN, Clock, Scribe

History = list[Recorded[Fact]]


def history(*dated: tuple[int, Fact], corrects: dict[int, int] | None = None) -> History:
    """Facts, each with its day as days after DAY; `corrects` maps a version to the one it names."""
    pattern = Scribe("DC-1", Clock()).envelope(DAY, ANN)
    amended = corrects or {}
    return [
        Recorded(
            replace(
                pattern,
                version=version,
                effective_on=after(days),
                corrects=None if isinstance(fact, FactVoided) else amended.get(version),
                voids=amended.get(version) if isinstance(fact, FactVoided) else None,
            ),
            fact,
        )
        for version, (days, fact) in enumerate(dated, start=1)
    ]


def broken_on(day: date, records: History) -> str:
    with pytest.raises(CorrectionBreaksFile) as caught:
        require_sound(records)
    assert caught.value.on == day
    return caught.value.rule


HANDED = HandlerChanged("ann", "bob", "dental-1")
SAMPLES: Sequence[Correctable] = (
    notified(),
    HANDED,
    strategy_set(),
    estimated(5),
    recovered(5),
)


@pytest.mark.parametrize("fact", SAMPLES)
def test_what_nothing_else_rests_on_may_be_corrected_by_its_own_kind(fact: Correctable) -> None:
    require_correctable(2, fact, fact)
    other = next(each for each in SAMPLES if type(each) is not type(fact))
    with pytest.raises(NotCorrectable, match=f"by a {type(other).__name__}"):
        require_correctable(2, fact, other)


def test_what_others_rest_on_is_neither_corrected_nor_voided() -> None:
    for fact in (allocated(), requested(5), approved(), issued(5), offered(part36()), settled()):
        with pytest.raises(NotCorrectable, match="other facts rest on it"):
            require_correctable(2, fact, estimated(5))
        with pytest.raises(NotCorrectable, match="other facts rest on it"):
            require_voidable(2, fact)


def test_a_notification_may_be_corrected_and_not_voided() -> None:
    with pytest.raises(NotCorrectable) as caught:
        require_voidable(1, notified())
    assert (caught.value.name, caught.value.asked) == ("ClaimNotified", "voided")
    assert set(VOIDABLE) == set(CORRECTABLE) - {ClaimNotified}
    assert set(VOIDABLE) <= set(NAMES.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (recovered(5), replace(recovered(5), recovery_id="R2")),
        (estimated(5), estimated(5, DEFENCE)),
        (notified(), notified(currency="ZAR")),
    ],
    ids=["recovery_id", "line", "currency"],
)
def test_a_correction_keeps_the_identity_of_the_fact(old: Correctable, new: Correctable) -> None:
    with pytest.raises(NotCorrectable):
        require_correctable(2, old, new)


@pytest.mark.parametrize(
    ("new", "refusal"),
    [
        (estimated(-1), AmountNegative),
        (replace(estimated(5), amount=Money(500, "ZAR")), CurrencyMismatch),
        (replace(estimated(5), probability_bp=50), BadValue),
        (recovered(0), AmountNotPositive),
        (replace(recovered(5), amount=Money(500, "ZAR")), CurrencyMismatch),
    ],
)
def test_a_correction_is_as_valid_as_what_it_corrects(
    new: Correctable, refusal: type[Exception]
) -> None:
    old = estimated(5) if isinstance(new, type(estimated(5))) else recovered(5)
    with pytest.raises(refusal):
        require_correctable(2, old, new)


# --- soundness -----------------------------------------------------------------------------------


def test_a_file_that_was_possible_on_every_day_is_sound() -> None:
    require_sound(history())
    require_sound(history((0, notified()), (0, estimated(500)), (3, issued(500)), (4, closed())))


def test_within_a_day_the_order_of_versions_decides_and_the_evening_counts() -> None:
    require_sound(history((0, notified()), (1, issued(500)), (1, estimated(500))))


def test_nothing_is_dated_before_the_notification() -> None:
    assert broken_on(after(-1), history((0, notified()), (-1, estimated(500)))) == (
        "it had not been notified"
    )


def test_a_payment_dated_before_its_estimate_is_not_possible() -> None:
    records = history((0, notified()), (2, estimated(500)), (1, issued(300)))
    assert "above its estimate" in broken_on(after(1), records)


def test_an_estimate_is_not_corrected_below_what_was_paid() -> None:
    records = history(
        (0, notified()), (0, estimated(500)), (1, issued(300)), (0, estimated(299)), corrects={4: 2}
    )
    assert "above its estimate" in broken_on(after(1), records)
    records[-1] = replace(records[-1], fact=estimated(300))
    require_sound(records)


def test_an_estimate_is_not_corrected_below_what_is_on_its_way() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (1, requested(300)),
        (0, estimated(299)),
        corrects={4: 2},
    )
    assert "asked to pay" in broken_on(after(1), records)


def test_an_estimate_that_was_paid_on_is_not_voided() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (1, issued(300)),
        (0, FactVoided("x")),
        corrects={4: 2},
    )
    assert str(DAMAGES) in broken_on(after(1), records)


def test_an_estimate_that_somebody_asked_to_pay_on_is_not_voided() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (1, requested(300)),
        (0, FactVoided("x")),
        corrects={4: 2},
    )
    assert str(DAMAGES) in broken_on(after(1), records)


def test_no_money_is_outstanding_on_a_closed_file() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (1, issued(500)),
        (2, closed()),
        (0, estimated(501)),
        corrects={5: 2},
    )
    assert "closed file" in broken_on(after(2), records)


def test_no_more_comes_back_than_the_ledger_can_keep() -> None:
    half = MINOR_LIMIT // 200
    records = history((0, notified()), (0, estimated(5)), (1, recovered(half)))
    require_sound([*records])
    records = history(
        (0, notified()),
        (0, estimated(5)),
        (1, recovered(half)),
        (2, recovered(half, DAMAGES, "R2")),
    )
    assert "more than can be kept" in broken_on(after(2), records)


def test_no_offer_is_open_on_a_settled_claim() -> None:
    records = history(
        (0, notified()), (2, offered(part36())), (1, settled()), (1, OfferSuperseded("O1"))
    )
    assert "offer O1" in broken_on(after(2), records)


def test_a_void_dated_after_its_payment_restores_and_one_dated_before_is_not_possible() -> None:
    void = voided(5)
    require_sound(history((0, notified()), (0, estimated(5)), (1, issued(5)), (2, void)))
    records = history((0, notified()), (0, estimated(5)), (2, issued(5)), (1, void))
    assert "less than nothing" in broken_on(after(1), records)


def test_nothing_is_recorded_as_of_before_the_incident_or_the_notification() -> None:
    claim = fold(history((0, notified())), evolve, Claim())
    require_after_incident(claim, after(-20))
    with pytest.raises(EffectiveBeforeIncident, match="notification"):
        require_after_incident(claim, after(-21))
    with pytest.raises(EffectiveBeforeIncident, match="notification"):
        require_after_incident(claim, after(-200))
    with pytest.raises(EffectiveBeforeIncident, match="incident"):
        require_after_incident(claim, after(-201))
    require_after_incident(Claim(), date(1950, 1, 1))


# --- what a correction and a void come to --------------------------------------------------------


def test_a_correction_takes_the_place_of_its_fact_from_when_it_was_recorded() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (5, estimated(900)),
        (0, estimated(400)),
        corrects={4: 2},
    )
    before = fold(records, evolve, Claim(), Coordinate(version=3, as_of=DAY))
    now = fold(records, evolve, Claim(), Coordinate(as_of=DAY))
    assert before.reserves.on(DAMAGES).estimate == 50_000
    assert now.reserves.on(DAMAGES).estimate == 40_000
    assert fold(records, evolve, Claim()).reserves.on(DAMAGES).estimate == 90_000


def test_a_correction_of_a_correction_names_the_first_fact_again() -> None:
    records = history(
        (0, notified()),
        (0, estimated(500)),
        (0, estimated(400)),
        (0, estimated(300)),
        corrects={3: 2, 4: 2},
    )
    assert fold(records, evolve, Claim()).reserves.on(DAMAGES).estimate == 30_000


def test_a_void_takes_a_fact_out_with_its_corrections() -> None:
    records = history(
        (0, notified()),
        (0, estimated(100)),
        (1, estimated(500)),
        (1, estimated(400)),
        (1, FactVoided("never said")),
        corrects={4: 3, 5: 3},
    )
    assert fold(records, evolve, Claim()).reserves.on(DAMAGES).estimate == 10_000
    known_before = Coordinate(version=4)
    assert fold(records, evolve, Claim(), known_before).reserves.on(DAMAGES).estimate == 40_000


def test_a_correction_may_move_a_fact_to_another_day() -> None:
    records = history((0, notified()), (5, estimated(500)), (2, estimated(500)), corrects={3: 2})
    on_day_3 = Coordinate(as_of=after(3))
    assert fold(records, evolve, Claim(), on_day_3).reserves.on(DAMAGES).estimate == 50_000
    known_before = Coordinate(as_of=after(3), version=2)
    assert fold(records, evolve, Claim(), known_before).reserves.lines == {}
