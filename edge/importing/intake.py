"""What becomes of some claims of a file: each made out, judged and sent, or left out.

A claim's command_id is made of what its rows say, so that the same history again is the same
command: what is answered already is not sent again, and an import that was killed goes on where it
was when it is run again. A claim is judged before it is sent, and one that fails is not sent at
all: its answer would be kept, and repeated on a later day, when it may be allowed.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from commands.fields import ActorIn, Reference
from commands.history_import import ImportHistory, RowRefused
from commands.ports import Answered, Head
from commands.receipt import Receipt
from domain.errors import BadValue, StoreUnavailable
from domain.money import EXPONENT
from domain.refusals.state import ClaimAlreadyNotified
from edge.importing.histories import History, command_of, history_of, judged
from edge.importing.outcome import Outcome
from edge.importing.staging import Packed, Reject, reject
from edge.store.errors import NOT_KEPT

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)  # between tries while the database is away

T = TypeVar("T")
_references: TypeAdapter[str] = TypeAdapter(Reference)


class Kept(Protocol):
    """What the ledger holds already; `commands.ports.Store` has more."""

    def answered(self, command_ids: Collection[str]) -> Mapping[str, Answered]:
        """The answers already kept, by command_id."""
        ...

    def heads(self, streams: Collection[str]) -> Mapping[str, Head]:
        """The last fact of each stream that has one."""
        ...


Send = Callable[[Sequence[ImportHistory]], Sequence[Receipt]]
Claims = Sequence[tuple[str, Sequence[Packed]]]  # by their references, with all of their rows


@dataclass(frozen=True, slots=True)
class Plan:
    """What is imported as what: `currency` is that of rows that name none.

    `today` is the day of recording. With `dry_run` everything is judged and nothing is sent.
    Raises `BadValue` (E102) for a source or a currency that is none.
    """

    source: str
    actor: ActorIn
    today: date
    currency: str = "GBP"
    dry_run: bool = False

    def __post_init__(self) -> None:
        require_source(self.source)
        if self.currency not in EXPONENT:
            raise BadValue("--currency", "an ISO 4217 currency, such as GBP")


def require_source(name: str) -> None:
    """A source is named as any other reference is; raises `BadValue` (E102)."""
    try:
        _references.validate_python(name)
    except ValidationError:
        rule = "1 to 64 printable characters, and no space at either end"
        raise BadValue("--source", rule) from None


@dataclass(slots=True)
class Taken:
    """What became of some claims, and every fault that left one of them out."""

    outcome: Outcome
    rejects: list[Reject] = field(default_factory=list[Reject])

    def leave_out(self, history: History, *faults: Reject) -> None:
        """A claim, or rows that name none, stay out."""
        self.rejects += faults
        named = bool(history.claim_ref)
        self.outcome.left_out.add(history.count, history.money.figures, claims=int(named))
        if not named:
            self.outcome.rows_without_claim += history.count


class Intake:
    """Takes claims in, as many as one transaction holds at a time.

    `send` is `Ledger.handle_many`; `pause` waits, in seconds, while the database is away.
    """

    def __init__(
        self, plan: Plan, kept: Kept, send: Send, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._plan = plan
        self._kept = kept
        self._send = send
        self._pause = pause

    def take(self, claims: Claims) -> Taken:
        """Import claims in one transaction; those that fail are left out whole.

        Raises `StoreUnavailable` when the database stays away, with no half of any claim imported.
        """
        plan = self._plan
        taken = Taken(Outcome(plan.source, plan.dry_run))
        waiting: list[tuple[History, ImportHistory]] = []
        for claim_ref, found in claims:
            history = history_of(claim_ref, found, plan.currency, taken.rejects.append)
            if history.faults:
                taken.leave_out(history)
            else:
                waiting.append((history, command_of(history, plan.source, plan.actor)))
        fresh = self._fresh(waiting, taken)
        if plan.dry_run:
            self._only_look(fresh, taken)
        else:
            self._import(fresh, taken)
        return taken

    def _fresh(
        self, waiting: Sequence[tuple[History, ImportHistory]], taken: Taken
    ) -> list[tuple[History, ImportHistory]]:
        """The claims that are not answered yet, and that a new file could have."""
        ids = [command.command_id for _, command in waiting]
        answers = self._patiently(lambda _: self._kept.answered(ids))
        fresh: list[tuple[History, ImportHistory]] = []
        for history, command in waiting:
            answer = answers.get(command.command_id)
            if answer is not None:
                _answered(history, Receipt(answer.receipt).data, taken, known=True)
                continue
            judgement = judged(command, self._plan.today)
            if isinstance(judgement, Reject):
                taken.leave_out(history, judgement)
            else:
                history.facts = judgement
                fresh.append((history, command))
        return fresh

    def _import(self, fresh: Sequence[tuple[History, ImportHistory]], taken: Taken) -> None:
        commands = [command for _, command in fresh]
        answers = self._patiently(lambda first: self._sent(commands, first=first))
        for (history, _), (known, told) in zip(fresh, answers, strict=True):
            _answered(history, told, taken, known=known)

    def _only_look(self, fresh: Sequence[tuple[History, ImportHistory]], taken: Taken) -> None:
        streams = [command.stream for _, command in fresh]
        there = self._patiently(lambda _: self._kept.heads(streams))
        for history, command in fresh:
            if command.stream in there:
                row = command.rows[0].row
                error = ClaimAlreadyNotified(command.claim)
                taken.leave_out(history, reject(command.claim, row, error, "claim_ref"))
            else:
                imported = taken.outcome.imported
                imported.add(history.count, history.money.figures, history.facts)

    def _sent(
        self, commands: Sequence[ImportHistory], *, first: bool
    ) -> list[tuple[bool, dict[str, Any]]]:
        """The answers, each with whether another import was quicker to ask for it.

        What the second try finds answered was most likely the first one's.
        """
        if not commands:
            return []
        receipts = self._send(commands)
        answers = [(receipt.repeated and first, receipt.data) for receipt in receipts]
        for _, told in answers:
            if told.get("code") in NOT_KEPT:
                raise StoreUnavailable(str(told["message"]))
        return answers

    def _patiently(self, call: Callable[[bool], T]) -> T:
        """The answer, when the database is only away for moments; `call` hears if it is first."""
        first = True
        for pause in PAUSES_S:
            try:
                return call(first)
            except StoreUnavailable:
                self._pause(pause)
                first = False
        return call(first)


def _answered(history: History, told: dict[str, Any], taken: Taken, *, known: bool) -> None:
    if told["outcome"] != "accepted":
        taken.leave_out(history, _refused(history, told))
        return
    share = taken.outcome.already_there if known else taken.outcome.imported
    share.add(history.count, history.money.figures, len(told["facts"]))


def _refused(history: History, told: dict[str, Any]) -> Reject:
    """The ledger's refusal; of a row, the rule that the row broke."""
    if told["code"] == RowRefused.code:
        why: dict[str, str] = told["evidence"]
        rule = (why["path"], why["code_of_rule"], why["rule"], why["remedy_of_rule"])
        return Reject(history.claim_ref, int(why["row"]), *rule)
    rule = ("claim_ref", told["code"], told["message"], told["remedy"])
    return Reject(history.claim_ref, 0, *rule)
