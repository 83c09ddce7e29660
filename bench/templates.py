"""Files made by the real decisions, taken down as forms of which any number of copies are printed.

A form is the stored bytes with a mark where a copy differs: its reference, the moment, the digest
of the fact before it and, in a receipt, the positions. Printed, they are what the ledger would have
stored for a file of that reference: chains and receipts verify.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from commands.ledger import Ledger
from commands.parts import Command
from commands.ports import Batch, ToStore
from commands.receipt import Receipt
from domain.schema import chain_start, digest
from edge.store.memory_store import MemoryStore
from replay.portfolio import Ask, portfolio

STARTED = date(2019, 1, 7)  # the portfolio's four years end before the first copy is recorded
FACTS_OF_A_REPLAY = 30
FILE, THIRTY = "F", "T"  # kinds of templates, which the references of their copies begin with
REFERENCE = "{ref}"  # where a stream's name has the copy's reference
NOWHERE = "\0"  # the reference of what is stored once and never copied: no text holds it
_MOMENT = re.compile(rb'"recorded_at":"[^"]*"')
_POSITION = re.compile(rb'"position":([1-9][0-9]*)')


@dataclass(frozen=True, slots=True)
class FactForm:
    """One fact: `state` has the marks `ref`, `at` and `previous`."""

    stream: str
    version: int
    name: str
    state: bytes


@dataclass(frozen=True, slots=True)
class Unit:
    """What one command came to; `receipt` has the marks `ref`, `at`, `head`, and `p0`, `p1` ..."""

    command_id: str
    stream: str
    head_of: str  # the stream whose head the receipt tells
    body_sha256: bytes
    receipt: bytes
    facts: tuple[FactForm, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A file as the units that made it, in order."""

    kind: str
    units: tuple[Unit, ...]

    @property
    def length(self) -> int:
        """How many facts the file has, without the refusals kept beside it."""
        subject = self.units[0].stream
        return sum(fact.stream == subject for unit in self.units for fact in unit.facts)


class Tape(MemoryStore):
    """A store in memory that remembers what was stored together."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[tuple[Batch, Sequence[bytes]]] = []

    def append(self, batch: Batch) -> Sequence[bytes]:
        receipts = super().append(batch)
        self.stored.append((batch, receipts))
        return receipts


@dataclass
class Scene:
    """A ledger in memory under a clock that is turned, and what each command came to."""

    now: datetime = datetime(STARTED.year, 1, 1, tzinfo=UTC)
    tape: Tape = field(default_factory=Tape)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.tape, lambda: self.now)
        self._heads: dict[str, str] = {}

    def ask(self, command: Command, reference: str, intended: str = "") -> Unit:
        """What one command comes to, as a form in which `reference` is marked."""
        assert reference in (NOWHERE, *command.command_id.split("/")), "copies need their own ids"
        receipt = self.ledger.handle(command)
        assert receipt.code == intended, receipt.body
        ((batch, receipts),) = self.tape.stored[-1:]
        assert receipts == [receipt.body], "the command stored nothing of its own"
        return self._unit(batch, receipt, reference)

    def _unit(self, batch: Batch, receipt: Receipt, reference: str) -> Unit:
        (answer,) = batch.answers
        facts = tuple(self._fact(fact, reference) for fact in batch.facts)
        told = receipt.data
        head_of = str(told.get("kept_in") or told["stream"])
        assert told["digest"] == self._heads[head_of]
        form = _form(receipt.body, reference, b"+00:00")
        form = form.replace(self._heads[head_of].encode(), b"%(head)s")
        return Unit(
            answer.command_id.replace(reference, REFERENCE),
            answer.stream.replace(reference, REFERENCE),
            head_of.replace(reference, REFERENCE),
            answer.body_sha256,
            _positions_marked(form),
            facts,
        )

    def _fact(self, fact: ToStore, reference: str) -> FactForm:
        previous = self._heads.get(fact.stream) or chain_start(fact.stream)
        self._heads[fact.stream] = digest(fact.state)
        form = _form(fact.state, reference, b"Z")
        assert form.count(previous.encode()) == 1
        return FactForm(
            fact.stream.replace(reference, REFERENCE),
            fact.version,
            fact.name,
            form.replace(previous.encode(), b"%(previous)s"),
        )


def _form(stored: bytes, reference: str, zone: bytes) -> bytes:
    """The bytes with the copy's reference and moment marked; a `%` of their own is doubled."""
    escaped = stored.replace(b"%", b"%%").replace(reference.encode(), b"%(ref)s")
    return _MOMENT.sub(b'"recorded_at":"%(at)s' + zone + b'"', escaped, count=1)


def _positions_marked(receipt: bytes) -> bytes:
    """The receipt with its positions counted from the first of its facts."""
    found = [int(each) for each in _POSITION.findall(receipt)]
    first = min(found, default=0)
    return _POSITION.sub(lambda hit: b'"position":%%(p%d)d' % (int(hit[1]) - first), receipt)


def of_portfolio(scene: Scene, seed: int, files: int) -> tuple[Template, list[Template]]:
    """The mandates of a synthetic portfolio, and its files; those of 30 facts are named so."""
    asks: dict[str, list[Ask]] = defaultdict(list)
    for ask in portfolio(seed, files, STARTED):
        asks[getattr(ask.command, "claim", NOWHERE)].append(ask)
    mandates = template(scene, "mandates", NOWHERE, asks.pop(NOWHERE))
    made = [template(scene, FILE, reference, of_file) for reference, of_file in asks.items()]
    return mandates, [
        replace(each, kind=THIRTY) if each.length == FACTS_OF_A_REPLAY else each for each in made
    ]


def template(scene: Scene, kind: str, reference: str, asks: Iterable[Ask]) -> Template:
    """What these commands come to, one after the other."""
    units: list[Unit] = []
    for ask in asks:
        scene.now = ask.at
        units.append(scene.ask(ask.command, reference, ask.intended))
    return Template(kind, tuple(units))
