"""Money is counted in whole minor units of one currency; shares are exact and always re-sum."""

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Self

from domain.errors import BadMoney, CurrencyMismatch, SharesNotWhole
from domain.value import Value

# ISO 4217 active codes, by the number of digits of their minor unit. Source: ISO 4217 list one.
_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    2: """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
    PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
    TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG""",
}
EXPONENT = {code: digits for digits, codes in _EXPONENTS.items() for code in codes.split()}
_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?", re.ASCII)
MINOR_LIMIT = 10**15  # ten trillion pounds: far above any claim, far inside a 64-bit integer


class Money(Value, frozen=True):
    """An amount: `minor` whole minor units (pence) of an ISO 4217 `currency`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        minor = self.minor
        # A bool is an int to isinstance, and no amount of money.
        if type(minor) is int and -MINOR_LIMIT < minor < MINOR_LIMIT and self.currency in EXPONENT:
            return
        if type(minor) is not int:
            raise BadMoney("amount", "whole minor units only")
        if self.currency not in EXPONENT:
            raise BadMoney("currency", f"{self.currency[:8]!r} is not an ISO 4217 currency")
        raise BadMoney("amount", "it is beyond the largest amount the ledger keeps")

    @classmethod
    def parse(cls, text: str, currency: str, where: str = "amount") -> Self:
        """Read a decimal string such as "1250.00"; no exponent, no more decimals than exist."""
        if currency not in EXPONENT:
            raise BadMoney("currency", f"{currency[:8]!r} is not an ISO 4217 currency")
        found = _DECIMAL.fullmatch(text) if len(text) <= 24 else None
        if found is None:
            raise BadMoney(where, "a plain decimal number is expected, such as 1250.00")
        sign, whole, part = found.groups("")
        digits = EXPONENT[currency]
        if len(part) != digits:
            part = part.rstrip("0").ljust(digits, "0")
        if len(part) > digits:
            raise BadMoney(where, f"{currency} has {digits} decimals")
        minor = int(
            sign + whole + part
        )  # not by Decimal, whose answers depend on a context outside
        if abs(minor) >= MINOR_LIMIT:
            raise BadMoney(where, "it is beyond the largest amount the ledger keeps")
        return cls(minor, currency)

    def decimal(self) -> str:
        """The amount as a decimal string, with all the decimals of its currency."""
        return decimal(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal()}"

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(expected=self.currency, found=other.currency)


def decimal(minor: int, currency: str) -> str:
    """Whole minor units of a currency as a decimal string, with all the decimals it has."""
    digits = EXPONENT[currency]
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).zfill(digits + 1)
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


@cache
def nil(currency: str) -> Money:
    """No money, in a currency."""
    return Money(0, currency)


def require_whole(shares: Sequence[Fraction]) -> None:
    """Shares are each above nothing and at most everything, and sum to exactly one."""
    total = sum(shares, Fraction(0))
    if total != 1 or any(share <= 0 for share in shares):
        raise SharesNotWhole(total=str(total))


def split(minor: int, shares: Sequence[Fraction]) -> tuple[int, ...]:
    """Split whole minor units by shares that sum to one, by the largest remainder.

    Ties go to the party named first. The parts always re-sum to `minor`; a negative amount is
    split as its positive is, so that a reversal restores exactly what was split.
    """
    if minor < 0:
        return tuple(-part for part in split(-minor, shares))
    whole = lcm(*(share.denominator for share in shares))  # in whole numbers: fractions are slow
    exact = [minor * share.numerator * (whole // share.denominator) for share in shares]
    parts = [each // whole for each in exact]
    left = minor - sum(parts)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-(exact[i] % whole), i))
    for i in by_remainder[:left]:
        parts[i] += 1
    return tuple(parts)
