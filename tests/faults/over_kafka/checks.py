"""What must hold after a storm over Kafka, as questions to plain data."""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from consumers.answering import Partition
from consumers.messages import Record
from tests.faults.checks import Finding, Kind
from tests.faults.over_kafka.asks import Ask
from tests.faults.over_kafka.sending import COPIES
from tests.faults.over_kafka.witness import Places, Seen

FREE = (("data_class", "ordinary"), ("privilege", "none"))  # labels with which a fact may leave
ADDED = ("dead_topic", "dead_partition", "dead_offset", "dead_code", "dead_why", "dead_at")


class Placed(NamedTuple):
    """A record, and where it is."""

    place: Partition
    offset: int
    record: Record


class Fact(NamedTuple):
    """A fact as the log keeps it."""

    stream: str
    version: int
    name: str
    state: bytes
    position: int


class Letter(NamedTuple):
    """A dead letter: the place it names, the record it holds, and its code."""

    place: Partition
    offset: int
    record: Record
    code: str


@dataclass(frozen=True)
class Left:
    """All that is left after a storm.

    `asks` are the messages that the senders know of and `stored` what was acknowledged to them;
    `inputs` is what the topics of commands hold. `seen` is what the witness saw meanwhile,
    `committed` and `ends` where the group reads on in the end, and where those topics end.
    """

    asks: Mapping[str, Ask]
    stored: Sequence[tuple[str, int, int]]
    inputs: Sequence[Placed]
    receipts: Sequence[Placed]
    letters: Sequence[Placed]
    events: Sequence[Placed]
    log: Sequence[Fact]
    answers: Mapping[str, str]
    seen: Sequence[Seen]
    committed: Places
    ends: Places
    by_id: Mapping[str, Sequence[Record]] = field(init=False)
    aside: Mapping[tuple[Partition, int], Sequence[Letter]] = field(init=False)
    keys: Mapping[tuple[Partition, int], str] = field(init=False)

    def __post_init__(self) -> None:
        by_id: defaultdict[str, list[Record]] = defaultdict(list)
        for each in self.receipts:
            by_id[header(each.record, "ce_id")].append(each.record)
        aside: defaultdict[tuple[Partition, int], list[Letter]] = defaultdict(list)
        for each in self.letters:
            letter = letter_of(each.record)
            aside[letter.place, letter.offset].append(letter)
        known = {(ask.topic, ask.record): ask.key for ask in self.asks.values()}
        keys = {
            (each.place, each.offset): known.get((each.place.topic, each.record), "")
            for each in self.inputs
        }
        object.__setattr__(self, "by_id", dict(by_id))
        object.__setattr__(self, "aside", dict(aside))
        object.__setattr__(self, "keys", keys)


def of_sending(left: Left) -> Iterator[Finding]:
    """The topics hold what was sent, ten times each at least, and nothing else."""
    for (place, offset), key in left.keys.items():
        if not key:
            yield Finding(Kind.INVENTED, f"the message at {_at(place, offset)}")
    times = Counter(left.keys.values())
    for key in left.asks:
        if times[key] < COPIES:
            yield Finding(Kind.UNSEEN, f"{key} was sent {times[key]} times only")
    for key, number, offset in left.stored:
        place = Partition(left.asks[key].topic, number)
        if left.keys.get((place, offset)) != key:
            yield Finding(Kind.LOST, f"{key}, acknowledged at {_at(place, offset)}")


def outcomes(left: Left) -> Counter[str]:
    """How many ids were accepted, refused and put aside."""
    told = Counter(
        "dead"
        if left.asks[key].code
        else json.loads(left.answers.get(key, "{}")).get("outcome", "")
        for key in set(left.keys.values()) - {""}
    )
    return Counter({name: told[name] for name in ("accepted", "refused", "dead")})


def of_outcomes(left: Left) -> Iterator[Finding]:
    """By id, inputs = accepted + refused + dead: each is one of them, and only one."""
    for key in sorted(set(left.keys.values()) - {""}):
        judged, dead = key in left.answers, bool(left.asks[key].code)
        if judged and dead:
            yield Finding(Kind.INVENTED, f"an answer to {key}, which is no command")
        if not judged and not dead:
            yield Finding(Kind.LOST, f"{key}, of which the ledger knows nothing")


def of_letters(left: Left) -> Iterator[Finding]:
    """What is no command is a dead letter, with its bytes and its code, and nothing else is."""
    for each in left.inputs:
        key, found = left.keys[each.place, each.offset], left.aside.get((each.place, each.offset))
        if key and left.asks[key].code and not found:
            yield Finding(Kind.LOST, f"the dead letter of {key} at {_at(each.place, each.offset)}")
    records = {(each.place, each.offset): each.record for each in left.inputs}
    for at, letters in left.aside.items():
        key = left.keys.get(at, "")
        if not key or not left.asks[key].code:
            yield Finding(Kind.INVENTED, f"a dead letter of {key or 'nothing'} at {_at(*at)}")
            continue
        for letter in letters:
            if letter.record != records[at]:
                yield Finding(Kind.CHANGED, f"the dead letter of {key}")
            if letter.code != left.asks[key].code:
                yield Finding(Kind.CHANGED, f"{key} is dead by {letter.code}")


def of_receipts(left: Left) -> Iterator[Finding]:
    """Every message has a receipt, all of one id are the same to the byte, and say what is so."""
    times = Counter(left.keys.values())
    for key in sorted(times.keys() - {""}):
        ask, found = left.asks[key], left.by_id.get(key, ())
        if ask.told and len(found) < times[key]:
            yield Finding(Kind.LOST, f"{key} came {times[key]} times, its receipt {len(found)}")
        if len({(each.key, each.value) for each in found}) > 1:
            yield Finding(Kind.DOUBLED, f"{key} was answered in several ways")
        elif len(set(found)) > 1:
            yield Finding(Kind.CHANGED, f"the headers of the receipts of {key}")
        for record in set(found):
            if ask.code and json.loads(record.value or b"")["code"] != ask.code:
                yield Finding(Kind.CHANGED, f"the receipt of {key}, which is dead by {ask.code}")
            if not ask.code and (record.value or b"").decode() != left.answers.get(key):
                yield Finding(Kind.CHANGED, f"the receipt of {key}, which the ledger has otherwise")
    for key in left.by_id.keys() - set(left.keys.values()):
        yield Finding(Kind.INVENTED, f"a receipt of {key}, which nobody sent")


def of_facts(left: Left) -> Iterator[Finding]:
    """The topic of each file equals its log: in order, without a gap, to the byte."""
    log = {(fact.stream, fact.version): fact for fact in left.log}
    met: dict[tuple[str, int], Record] = {}
    last: Counter[str] = Counter()
    for _, _, record in left.events:
        stream, _, number = header(record, "ce_id").rpartition("/")
        version = int(number)
        known = met.setdefault((stream, version), record)
        if known != record:
            yield Finding(Kind.CHANGED, f"{stream} {version} was published in two ways")
        if version > last[stream] + 1:
            yield Finding(Kind.SKIPPED, f"{stream} {version} was published after {last[stream]}")
        last[stream] = max(last[stream], version)
        if (stream, version) not in log:
            yield Finding(Kind.INVENTED, f"{stream} {version}, which the log does not have")
    for at, fact in log.items():
        if at not in met:
            yield Finding(Kind.LOST, f"{fact.stream} {fact.version}, which was not published")
        elif not same(met[at], fact):
            yield Finding(Kind.CHANGED, f"{fact.stream} {fact.version} was published otherwise")


def same(record: Record, fact: Fact) -> bool:
    """Whether a message is what is stored, or the stub that its labels make of it."""
    placed = (record.key or b"").decode() == fact.stream
    placed &= int(header(record, "ce_sequence")) == fact.position
    whole = json.loads(fact.state)
    forbidden = any(whole["envelope"]["labels"].get(name, free) != free for name, free in FREE)
    if not forbidden:
        return placed and record.value == fact.state
    stub = json.loads(record.value or b"")
    if not header(record, "ce_withheld") or "fact" in stub or stub["name"] != fact.name:
        return False
    return placed and all(
        whole["envelope"][name] == told for name, told in stub["envelope"].items()
    )


def of_offsets(left: Left) -> Iterator[Finding]:
    """No offset was ever committed past what was not answered by then; in the end all are."""
    inputs: defaultdict[Partition, list[int]] = defaultdict(list)
    for each in left.inputs:
        inputs[each.place].append(each.offset)
    answers = _Answers(left)
    for seen in left.seen:
        for place, committed in seen.committed.items():
            offsets = inputs[place]
            # What was seen to be answered stays so, also when everything is read once more.
            new = offsets[answers.looked_at[place] : bisect_left(offsets, committed)]
            answers.looked_at[place] += len(new)
            for offset in answers.missing(place, new, seen.ends):
                yield Finding(Kind.EARLY, f"{_at(place, offset)}, when {committed} was")
    for place, end in left.ends.items():
        if end and left.committed.get(place) != end:
            at = left.committed.get(place, 0)
            yield Finding(Kind.LOST, f"the group stands at {_at(place, at)} of {end}")


class _Answers:
    """Where answers are, to be counted up to the ends that were seen.

    A message that goes aside has a dead letter of its own. A command's receipts do not say which of
    its messages they answer, but there are as many.
    """

    def __init__(self, left: Left) -> None:
        self._left = left
        self._receipts: defaultdict[str, list[Placed]] = defaultdict(list)
        for each in left.receipts:
            self._receipts[header(each.record, "ce_id")].append(each)
        self._letters: defaultdict[tuple[Partition, int], list[Placed]] = defaultdict(list)
        for each in left.letters:
            letter = letter_of(each.record)
            self._letters[letter.place, letter.offset].append(each)
        self._asked = Counter[str]()
        self.looked_at = Counter[Partition]()

    def missing(self, place: Partition, offsets: Sequence[int], ends: Places) -> Iterator[int]:
        """Which of these messages, looked at for the first time, had no answer by these ends."""
        for offset in offsets:
            key = self._left.keys[place, offset]
            if not key:
                continue  # nobody sent it: told of elsewhere
            self._asked[key] += 1
            if self._left.asks[key].code:
                there, wanted = self._letters[place, offset], 1
            else:
                there, wanted = self._receipts[key], self._asked[key]
            if sum(each.offset < ends.get(each.place, 0) for each in there) < wanted:
                yield offset


def letter_of(record: Record) -> Letter:
    """A dead letter, read from its last headers."""
    own, added = record.headers[: -len(ADDED)], record.headers[-len(ADDED) :]
    told = {name: (value or b"").decode() for name, value in added}
    place = Partition(told["dead_topic"], int(told["dead_partition"]))
    whole = Record(record.key, record.value, tuple(own))
    return Letter(place, int(told["dead_offset"]), whole, told["dead_code"])


def header(record: Record, name: str) -> str:
    """A header of a message of the ledger's, "" where it is not there."""
    return next(((value or b"").decode() for found, value in record.headers if found == name), "")


def _at(place: Partition, offset: int) -> str:
    return f"{place.topic}:{place.number}:{offset}"
