"""What the cycles of a soak came to, to be drawn and to be told as JSON."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rich.table import Table

from tests.faults.checks import Finding
from tests.faults.cycle import Outcome
from tests.faults.over_kafka.cycle import Outcome as OutcomeOverKafka


class Part(StrEnum):
    """What a cycle is about."""

    ENGINE = "engine"  # the ledger itself, its views and its readers
    KAFKA = "kafka"  # commands, receipts and facts over Kafka


@dataclass
class Total:
    """What all cycles came to. `canaries`: how much each part's canary made the checks find."""

    seed: int
    minutes: float
    canaries: dict[Part, int] = field(default_factory=dict[Part, int])
    cycles: Counter[Part] = field(default_factory=Counter[Part])
    sent: int = 0
    acknowledged: int = 0
    facts: int = 0
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    messages: int = 0
    receipts: int = 0
    dead_letters: int = 0
    published: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    unkept: Counter[str] = field(default_factory=Counter[str])
    writes_back_s: list[float] = field(default_factory=list[float])
    views_back_s: list[float] = field(default_factory=list[float])
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, outcome: Outcome) -> None:
        """Add a cycle of the engine."""
        self.sent += outcome.sent
        self.acknowledged += outcome.acknowledged
        self.facts += outcome.facts
        self.unkept += outcome.unkept
        self.writes_back_s += outcome.writes_back_s
        self.views_back_s += outcome.views_back_s
        self._add(Part.ENGINE, outcome.seed, outcome.faults, outcome.findings)

    def add_over_kafka(self, outcome: OutcomeOverKafka) -> None:
        """Add a cycle over Kafka."""
        self.asked += outcome.asked
        self.outcomes += outcome.outcomes
        self.messages += outcome.messages
        self.receipts += outcome.receipts
        self.dead_letters += outcome.dead_letters
        self.facts += outcome.facts
        self.published += outcome.published
        self._add(Part.KAFKA, outcome.seed, outcome.faults, outcome.findings)

    def _add(self, part: Part, seed: str, faults: Counter[str], findings: list[Finding]) -> None:
        self.cycles[part] += 1
        self.faults += faults
        self.findings += [
            Finding(each.kind, f"seed {seed}, {part}: {each.what}") for each in findings
        ]

    def data(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "canaries": {str(part): found for part, found in self.canaries.items()},
            "cycles": {str(part): count for part, count in self.cycles.items()},
            "commands_sent": self.sent,
            "commands_acknowledged": self.acknowledged,
            "facts": self.facts,
            "messages_asked": self.asked,
            "outcomes": dict(self.outcomes),
            "messages": self.messages,
            "receipts": self.receipts,
            "dead_letters": self.dead_letters,
            "facts_published": self.published,
            "faults": {str(kind): count for kind, count in self.faults.most_common()},
            "answers_not_kept": dict(self.unkept.most_common()),
            "writes_back_s": _spread(self.writes_back_s),
            "views_back_s": _spread(self.views_back_s),
            "found": dict(Counter(str(each.kind) for each in self.findings)),
            "findings": [f"{each.kind}: {each.what}" for each in self.findings],
        }

    def drawn(self, now: str, faults: Counter[str] | None = None) -> Table:
        """The totals so far, and what is going on."""
        table = Table(title=f"Soak, {now}", show_header=False, title_justify="left")
        told: dict[str, object] = {"seed of the first cycle": self.seed}
        told |= {f"found by the {part} canary": found for part, found in self.canaries.items()}
        told |= {f"cycles, {part}": count for part, count in self.cycles.items()}
        if self.sent:
            told |= self._of_the_engine()
        if self.messages:
            told |= self._over_kafka()
        told["facts"] = f"{self.facts:,}"
        told |= dict((self.faults + (faults or Counter())).most_common())
        told |= {f"FOUND {kind}": n for kind, n in Counter(e.kind for e in self.findings).items()}
        for name, value in told.items():
            table.add_row(name, str(value))
        return table

    def _of_the_engine(self) -> dict[str, object]:
        return {
            "commands sent": f"{self.sent:,}",
            "acknowledged": f"{self.acknowledged:,}",
            "writes back, s (median, most)": "{median} {most}".format(
                **_spread(self.writes_back_s)
            ),
            "views back, s (median, most)": "{median} {most}".format(**_spread(self.views_back_s)),
        }

    def _over_kafka(self) -> dict[str, object]:
        return {
            "commands and poison": f"{self.asked:,}",
            **{f"of them {name}": f"{count:,}" for name, count in self.outcomes.items()},
            "messages": f"{self.messages:,}",
            "receipts": f"{self.receipts:,}",
            "dead letters": f"{self.dead_letters:,}",
            "facts published": f"{self.published:,}",
        }


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"median": 0.0, "most": 0.0}
    return {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)}
