"""Chance, seeded: one generator a file, so that any file can be made again by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from domain.money import EXPONENT, Money

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """The draws of one file, in whatever order its life asks for them."""

    generator: np.random.Generator

    @classmethod
    def of(cls, *seed: int) -> "Chance":
        """A generator that nothing but these numbers decides."""
        return cls(np.random.default_rng(np.random.SeedSequence(seed)))

    def yes(self, probability: float) -> bool:
        """True, so often."""
        return self.generator.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.generator.integers(low, high, endpoint=True))

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self.generator.uniform(low, high))

    def beta(self, a: float, b: float) -> float:
        """A share between nothing and everything."""
        return float(self.generator.beta(a, b))

    def normal(self) -> float:
        """A standard normal number."""
        return float(self.generator.standard_normal())

    def lognormal(self, median: float, sigma: float) -> float:
        """A positive number around its median."""
        return median * math.exp(sigma * self.normal())

    def days(self, median: float, sigma: float, low: int = 0, high: int = 10_000) -> int:
        """A lapse of days."""
        return min(max(round(self.lognormal(median, sigma)), low), high)

    def weibull(self, mean: float, shape: float) -> float:
        """A duration around its mean; a shape of 1.29 has a coefficient of variation of 0.78."""
        return mean / math.gamma(1 + 1 / shape) * float(self.generator.weibull(shape))

    def poisson(self, mean: float) -> int:
        """A count."""
        return int(self.generator.poisson(mean))

    def pick(self, options: Sequence[T], weights: Sequence[float] = ()) -> T:
        """One of several, by weight."""
        left = self.generator.random() * (sum(weights) or len(options))
        for option, weight in zip(options, weights or [1.0] * len(options), strict=True):
            left -= weight
            if left < 0:
                return option
        return options[-1]

    def shares(self, count: int, heaviest: float = 3.0) -> list[float]:
        """Shares of one whole, the first the largest on average."""
        weights = [heaviest, *[1.0] * (count - 1)]
        drawn = [float(self.generator.gamma(weight)) + 0.05 for weight in weights]
        return [each / sum(drawn) for each in drawn]


def units(amount: Money) -> float:
    """An amount in whole units of its currency."""
    return float(amount.minor) / 10.0 ** EXPONENT[amount.currency]


def whole(amount: float, currency: str, step: int = 1) -> Money:
    """An amount in whole units of a currency, to the nearest step and at least one step."""
    units = max(round(amount / step), 1) * step
    return Money(units * 10 ** EXPONENT[currency], currency)


def rounded(amount: float, currency: str) -> Money:
    """An amount as a person would estimate it: two to three figures, never finer than ten."""
    size = max(abs(amount), 1.0)
    step = max(10 ** (math.floor(math.log10(size)) - 1) // 2, 10)
    return whole(amount, currency, step)


def exact(amount: float, currency: str) -> Money:
    """An amount as an invoice would state it, to the minor unit."""
    return Money(max(round(amount * 10 ** EXPONENT[currency]), 1), currency)
