"""What must hold after a storm, as questions to plain data: nothing lost, doubled or skipped."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from tests.faults.exchanges import Exchanges
from tests.faults.reader import Place

SHOWN_MAX = 5  # of one kind: the journals have the rest


class Kind(StrEnum):
    """What went wrong."""

    LOST = "lost"  # acknowledged, and not there
    DOUBLED = "doubled"  # there more than once
    HALVED = "half done"  # some of it there
    CHANGED = "changed"  # not what was acknowledged
    INVENTED = "invented"  # there, and never asked for
    SKIPPED = "skipped"  # passed by a reader without being seen
    DISORDERED = "out of order"
    BROKEN = "chain broken"
    UNEQUAL = "view unlike the fold"
    PARKED = "file set aside"
    MONEY = "money unlike the model"
    ANSWERS = "another answer elsewhere"
    EARLY = "committed before it was answered"
    HUNG = "never ended"
    CRASHED = "crashed"
    UNSEEN = "fault that never came"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that went wrong."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored fact, as far as the checks look at it."""

    place: Place
    name: str
    command_id: str


@dataclass(frozen=True)
class Evidence:
    """All that is left after a storm: the log, the answers kept, and what the writers say."""

    log: Sequence[Stored]  # in the order of positions
    answers: Mapping[str, str]  # the receipt kept, by command_id
    told: Exchanges
    by_command: Mapping[str, list[Stored]] = field(init=False)

    def __post_init__(self) -> None:
        found: defaultdict[str, list[Stored]] = defaultdict(list)
        for stored in self.log:
            found[stored.command_id].append(stored)
        object.__setattr__(self, "by_command", dict(found))


def of_acknowledged(evidence: Evidence) -> Iterator[Finding]:
    """Every kept receipt that a writer holds is the one the ledger keeps, and the only one."""
    for command_id, receipts in evidence.told.acknowledged.items():
        if len(receipts) > 1:
            yield Finding(Kind.DOUBLED, f"{command_id} was answered in {len(receipts)} ways")
        stored = evidence.answers.get(command_id)
        if stored is None:
            yield Finding(Kind.LOST, f"the receipt of {command_id}, which was acknowledged")
        elif stored not in receipts:
            yield Finding(Kind.CHANGED, f"the receipt of {command_id}")


def of_effects(evidence: Evidence) -> Iterator[Finding]:
    """Every answer has exactly the facts it tells of, and every fact an answer: all or nothing."""
    for command_id, receipt in evidence.answers.items():
        if command_id not in evidence.told.sent:
            yield Finding(Kind.INVENTED, f"{command_id}, which nobody sent")
        wanted = Counter(told_by(json.loads(receipt)))
        there = Counter(each.place for each in evidence.by_command.get(command_id, ()))
        for place in wanted - there:
            yield Finding(Kind.HALVED, f"{command_id} without its fact {tuple(place)}")
        for place in there - wanted:
            yield Finding(Kind.DOUBLED, f"{command_id} has a fact too many, {tuple(place)}")
    for command_id in evidence.by_command.keys() - evidence.answers.keys():
        yield Finding(Kind.HALVED, f"{command_id} has facts and no answer")


def told_by(receipt: Mapping[str, Any]) -> list[Place]:
    """Where a receipt says that its facts are; a refusal has the one that tells of it."""
    if receipt["outcome"] == "accepted":
        stream = receipt["stream"]
        return [Place(each["position"], stream, each["version"]) for each in receipt["facts"]]
    return [Place(receipt["position"], receipt["kept_in"], receipt["kept_version"])]


def of_redelivery(evidence: Evidence) -> Iterator[Finding]:
    """Once everything was sent again, everything has an answer."""
    for command_id in evidence.told.sent.keys() - evidence.answers.keys():
        yield Finding(Kind.LOST, f"{command_id}, which was sent again in calm")


def of_order(log: Sequence[Stored]) -> Iterator[Finding]:
    """Positions grow, and each stream's versions are 1..n in their order."""
    versions: Counter[str] = Counter()
    last = 0
    for stored in log:
        position, stream, version = stored.place
        if position <= last:
            yield Finding(Kind.DISORDERED, f"position {position} after {last}")
        if version != versions[stream] + 1:
            yield Finding(Kind.DISORDERED, f"{stream} {version} after {versions[stream]}")
        versions[stream], last = version, position


def of_reader(read: Sequence[Place], log: Sequence[Place]) -> Iterator[Finding]:
    """What a reader of the log has passed is complete, and was read once, in order, as it is."""
    passed = read[-1].position if read else 0
    seen, there = set(read), {place for place in log if place.position <= passed}
    for place in sorted(there - seen):
        yield Finding(Kind.SKIPPED, f"{tuple(place)}, passed by a reader that came to {passed}")
    for place in sorted(seen - there):
        yield Finding(Kind.LOST, f"{tuple(place)}, which a reader had read")
    for earlier, later in pairwise(read):
        if later.position <= earlier.position:
            yield Finding(Kind.DISORDERED, f"read {later.position} after {earlier.position}")


def shown(findings: Sequence[Finding]) -> str:
    """The findings for a person: how many of each kind, and the first few."""
    lines: list[str] = []
    for kind, count in Counter(each.kind for each in findings).items():
        lines.append(f"{count} {kind}:")
        some = [each.what for each in findings if each.kind is kind]
        lines += [f"    {what}" for what in some[:SHOWN_MAX]]
    return "\n".join(lines)
