"""Money and shares, as stories: whole minor units, one currency, and parts that re-sum."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadMoney, CurrencyMismatch, SharesNotWhole
from domain.money import EXPONENT, MINOR_LIMIT, Money, nil, require_whole, split


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1250.00", "GBP", 125_000),
        ("1250", "GBP", 125_000),
        ("0.1", "GBP", 10),
        ("-3.05", "GBP", -305),
        ("0007.50", "GBP", 750),
        ("1.500000", "GBP", 150),
        ("0", "ZAR", 0),
        ("-0.00", "GBP", 0),
        ("12", "JPY", 12),
        ("12.000", "JPY", 12),
        ("1.234", "KWD", 1_234),
        ("9999999999999.99", "GBP", MINOR_LIMIT - 1),
        ("0" * 24, "GBP", 0),
    ],
)
def test_an_amount_is_read_from_a_plain_decimal(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", ".", "1.2.3", "1e3", "NaN", "Infinity", " 1", "1 ", "+1", "--1", "1,000"),
        *("0x10", "١٢", "½", "1_000", "1\n", "1" * 25, "10000000000000.00", "-10000000000000.00"),
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(BadMoney) as caught:
        Money.parse(text, "GBP", where="terms.damages.gross")
    assert caught.value.field == "terms.damages.gross"


@pytest.mark.parametrize(
    ("text", "currency"), [("1.005", "GBP"), ("1.5", "JPY"), ("1.2345", "KWD")]
)
def test_no_amount_has_more_decimals_than_its_currency(text: str, currency: str) -> None:
    with pytest.raises(BadMoney, match=f"{currency} has {EXPONENT[currency]} decimals"):
        Money.parse(text, currency)


@pytest.mark.parametrize("currency", ["", "gbp", "GB", "XXX", "GBPX", "£"])
def test_a_currency_is_one_of_iso_4217(currency: str) -> None:
    with pytest.raises(BadMoney, match="not an ISO 4217 currency"):
        Money(1, currency)
    with pytest.raises(BadMoney, match="not an ISO 4217 currency"):
        Money.parse("1", currency)


@pytest.mark.parametrize("minor", [True, 1.0, "1", None, Fraction(1)])
def test_an_amount_is_a_whole_number_of_minor_units(minor: object) -> None:
    with pytest.raises(BadMoney, match="whole minor units"):
        Money(minor, "GBP")  # type: ignore[arg-type]  # what the type forbids is what is tested


def test_an_amount_has_a_limit_on_either_side() -> None:
    assert Money(MINOR_LIMIT - 1, "GBP").minor == MINOR_LIMIT - 1
    for minor in (MINOR_LIMIT, -MINOR_LIMIT):
        with pytest.raises(BadMoney, match="largest amount"):
            Money(minor, "GBP")


def test_amounts_of_different_currencies_are_neither_added_nor_compared() -> None:
    pounds, rand = Money(1, "GBP"), Money(1, "ZAR")
    for mix in (
        lambda: pounds + rand,
        lambda: pounds - rand,
        lambda: pounds < rand,
        lambda: pounds <= rand,
        lambda: pounds > rand,
        lambda: pounds >= rand,
    ):
        with pytest.raises(CurrencyMismatch) as caught:
            mix()
        assert {caught.value.expected, caught.value.found} == {"GBP", "ZAR"}
    assert pounds != rand


def test_amounts_are_added_taken_away_and_compared() -> None:
    assert Money(2, "GBP") + Money(3, "GBP") == Money(5, "GBP")
    assert Money(2, "GBP") - Money(3, "GBP") == Money(-1, "GBP")
    assert nil("GBP") < Money(1, "GBP") <= Money(1, "GBP")
    assert not Money(1, "GBP") < Money(1, "GBP")
    assert max(Money(1, "GBP"), Money(2, "GBP")) == Money(2, "GBP")


@given(st.integers(1 - MINOR_LIMIT, MINOR_LIMIT - 1), st.sampled_from(sorted(EXPONENT)))
def test_an_amount_reads_back_from_how_it_is_written(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(money.decimal(), currency) == money
    assert str(money) == f"{currency} {money.decimal()}"


def test_amounts_are_written_with_all_their_decimals() -> None:
    assert [str(Money(minor, "GBP")) for minor in (5, -5, 100)] == [
        "GBP 0.05",
        "GBP -0.05",
        "GBP 1.00",
    ]
    assert str(Money(0, "GBP")) == "GBP 0.00"
    assert str(Money(-7, "JPY")) == "JPY -7"
    assert str(Money(7, "KWD")) == "KWD 0.007"


def test_thirds_do_not_lose_a_penny() -> None:
    third = Fraction(1, 3)
    assert split(100, [third, third, third]) == (34, 33, 33)
    assert split(-100, [third, third, third]) == (-34, -33, -33)
    assert split(0, [third, third, third]) == (0, 0, 0)


@given(st.integers(0, MINOR_LIMIT - 1), st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_each_part_is_its_exact_share_but_for_the_pennies_of_the_largest_remainders(
    minor: int, weights: list[int]
) -> None:
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    exact = [minor * share for share in shares]
    whole = [int(each) for each in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (whole[i] - exact[i], i))
    more = set(by_remainder[: minor - sum(whole)])
    assert split(minor, shares) == tuple(each + (i in more) for i, each in enumerate(whole))


def test_the_penny_goes_to_the_largest_remainder_and_ties_to_the_first() -> None:
    assert split(10, [Fraction(1, 4), Fraction(3, 4)]) == (3, 7)
    assert split(5, [Fraction(3, 10), Fraction(7, 10)]) == (2, 3)
    assert split(1, [Fraction(1, 4), Fraction(3, 4)]) == (0, 1)


def test_shares_that_fall_short_say_by_how_much() -> None:
    with pytest.raises(SharesNotWhole, match="sum to 2/3"):
        require_whole([Fraction(1, 3), Fraction(1, 3)])
    require_whole([Fraction(1)])
