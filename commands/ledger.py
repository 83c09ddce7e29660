"""The one way to write: commands in, receipts out, whatever door they came through.

A batch is judged in order against the state its predecessors in it have left, and stored in one
transaction with its facts, receipts and refusals. If another writer moved what some of them read,
those are judged again one by one, after the others.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, cast

from commands.cache import CACHE_BYTES_MAX, Cache
from commands.claim_handlers import HANDLERS as CLAIM
from commands.door import Unread, body_sha256
from commands.file import Decided, File
from commands.history_import import ImportHistory, import_history
from commands.mandate_handlers import HANDLERS as MANDATE
from commands.mandate_models import MandateCommand
from commands.models import NotifyMatter
from commands.parts import ClaimCommand, Command
from commands.ports import Answered, Moved, Store
from commands.receipt import Receipt, not_kept
from commands.ruling import Ask, Ruling
from commands.workspace import Workspace
from domain.authority import Holding, Scope, by_approval, judge, require_in_force, scope_of
from domain.claim import Claim, lifecycle
from domain.claim.escalation import ApprovalAsk, use_approval
from domain.claim.soundness import require_after_incident, require_sound
from domain.dating import require_not_future, require_within_window
from domain.envelope import BY_SOURCE, NOT_NEEDED, Judgement, recorded_day
from domain.errors import (
    BadValue,
    CommandIdReused,
    LedgerError,
    Refused,
    StoreUnavailable,
    StreamTooLong,
    TooContended,
    Unreadable,
    VersionConflict,
)
from domain.refusals.state import CorrectionBreaksFile
from domain.value import replace

STREAM_FACTS_MAX = 2_000  # the tested limit of one file; a typical one has 12-40
TRIES_MAX = 20  # judgements of one command while others keep writing what it reads
DELEGATIONS_MAX = 5  # mandates above one another: more is a mistake, and never a need

Asked = Command | Unread
Handler = Callable[[File[Claim], Any, date], Ruling]


class Ledger:
    """Judges commands and stores what they come to.

    `clock` gives the moment (UTC) at which something is recorded; no caller can set it. `tell`
    hears of each command and its receipt once it is answered.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        tell: Callable[[Asked, Receipt], None] | None = None,
        cache_bytes_max: int = CACHE_BYTES_MAX,
    ) -> None:
        self._store = store
        self._cache = Cache(store.load, cache_bytes_max)
        self._clock = clock
        self._tell = tell

    def handle(self, command: Asked) -> Receipt:
        """One command is a batch of one."""
        return self.handle_many([command])[0]

    def handle_many(self, commands: Sequence[Asked]) -> list[Receipt]:
        """Judge and store commands; a receipt for each, in their order.

        A command that was answered before gets the same receipt, byte for byte. Never raises for
        what a command says; when the database does not answer, each receipt says so (E603), and
        that of a command on a file that cannot be read says that (E8xx, E9xx). These are not kept,
        so that the same command can be sent again.
        """
        receipts = self._receipts(commands)
        if self._tell is not None:
            for command, receipt in zip(commands, receipts, strict=True):
                self._tell(command, receipt)
        return receipts

    def _receipts(self, commands: Sequence[Asked]) -> list[Receipt]:
        receipts: dict[int, Receipt] = {}
        together, alone = list(range(len(commands))), list[int]()
        try:
            while together:
                try:
                    stored = self._stored([commands[place] for place in together])
                except _Overtaken as overtaken:
                    # What is judged again comes after the others, and so it does on each file.
                    alone += [together.pop(at) for at in reversed(overtaken.places)]
                except Unreadable:
                    alone, together = list(range(len(commands))), []  # the others may be stored
                else:
                    receipts.update(zip(together, stored, strict=True))
                    break
            contended = set[str]()
            for place in sorted(alone):
                together = [place]
                receipts[place] = self._one(commands[place], contended)
                if receipts[place].code == TooContended.code:
                    contended.add(commands[place].stream)
        except StoreUnavailable as error:
            self._cache.clear()
            for place in together:
                receipts[place] = _unkept(commands[place], error)
            away = StoreUnavailable(error.why)  # the others were not tried: they are in no doubt
            for place in alone:
                receipts.setdefault(place, _unkept(commands[place], away))
        return [receipts[place] for place in range(len(commands))]

    def _one(self, command: Asked, contended: Collection[str]) -> Receipt:
        # Where an earlier one on the file was given up, this one would be done before it.
        for _ in range(0 if command.stream in contended else TRIES_MAX):
            try:
                return self._stored([command])[0]
            except _Overtaken:
                continue
            except Unreadable as error:
                return _unkept(command, error)
        return _unkept(command, TooContended(command.stream, TRIES_MAX))

    def _stored(self, commands: Sequence[Asked]) -> list[Receipt]:
        """Judge commands and store what they come to; raises `_Overtaken` if nothing was stored."""
        bodies = [_body(command) for command in commands]
        answered = dict(self._store.answered({each.command_id for each in commands} - {""}))
        work = Workspace(self._store, self._cache, self._clock())
        try:
            work.prepare(_streams([each for each in commands if each.command_id not in answered]))
            for command, body in zip(commands, bodies, strict=True):
                key = command.command_id
                if key and key not in answered and key not in work.uses:
                    work.begin(key)
                    _judge(work, command, body)
            if work.answers:
                known = work.known()  # which may read, and after the commit nothing may fail
                kept = self._store.append(work.batch())
                for answer, receipt in zip(work.answers, kept, strict=True):
                    answered[answer.command_id] = Answered(answer.body_sha256, receipt)
                self._cache.keep(known)
        except Moved as moved:
            self._cache.drop(moved.streams or work.read)
            raise _Overtaken(work.touched(commands, moved)) from moved
        receipts, untold = list[Receipt](), set(work.uses)
        for command, body in zip(commands, bodies, strict=True):
            repeated = command.command_id not in untold
            untold.discard(command.command_id)
            receipts.append(_receipt(command, body, answered, repeated=repeated))
        return receipts


class _Overtaken(Exception):
    """Another writer was quicker; `places` are those of the commands that this may change."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = places


def _receipt(
    command: Asked, body: bytes, answered: dict[str, Answered], *, repeated: bool
) -> Receipt:
    known = answered.get(command.command_id)
    if known is None:  # without an id nothing can be kept or repeated
        return _unkept(command, cast("Unread", command).error)
    if known.body_sha256 != body:
        return _unkept(command, CommandIdReused(command.command_id))
    return Receipt(known.receipt, repeated)


def _unkept(command: Asked, error: LedgerError) -> Receipt:
    return not_kept(command.command_id, command.stream, error)


def _body(command: Asked) -> bytes:
    return command.body_sha256 if isinstance(command, Unread) else body_sha256(command)


def _streams(commands: Sequence[Asked]) -> set[str]:
    """What a batch certainly reads: the subject of each command, and its actor's mandate."""
    readable = [command for command in commands if isinstance(command, Command)]
    subjects = {command.stream for command in readable}
    return subjects | {f"mandate-{command.actor.person}" for command in readable}


def _judge(work: Workspace, command: Asked, body: bytes) -> None:
    """Judge one command; what it comes to is in the workspace, an acceptance or a refusal."""
    today = recorded_day(work.moment(command.stream))
    try:
        if isinstance(command, Unread):
            raise command.error
        if isinstance(command, ClaimCommand):
            ruling, judgement = _rule_on_claim(work, command, today)
        else:
            ruling, judgement = _rule_on_mandate(work, command, today), NOT_NEEDED
        _require_room(work, command.stream, ruling)
    except StoreUnavailable:
        raise  # says nothing about the command, and is no answer to keep
    except Refused as error:
        work.refuse(command, body, error, today)
    else:
        work.accept(command, body, ruling, judgement)


def _rule_on_mandate(work: Workspace, command: Command, today: date) -> Ruling:
    file = work.mandate(command.stream)
    on = _effective(command, today)
    _require_version(command, file.version)
    handler = MANDATE[type(cast("MandateCommand", command))]
    ruling = handler(file, command, on, work.holding)
    for decided in ruling.decided[:1]:
        require_within_window(decided.fact, decided.effective_on, today)
    return ruling


def _rule_on_claim(work: Workspace, command: ClaimCommand, today: date) -> tuple[Ruling, Judgement]:
    file = work.claim(command.stream)
    on = _effective(command, today)
    _require_version(command, file.version)
    if isinstance(command, ImportHistory):
        return import_history(file, command, today), BY_SOURCE
    if not isinstance(command, NotifyMatter):
        lifecycle.require_known(file.state.lifecycle, command.claim)
    handler = CLAIM[type(command)]
    ruling = handler(file, command, on)
    _require_dated(file, ruling, today)
    dated_back = file.latest is not None and on < file.latest and not ruling.rewrites
    if dated_back:
        ruling = _of_that_day(file, handler, command, on, ruling.asks)
        _require_dated(file, ruling, today)
    scopes = [scope_of(file.state)]
    if ruling.decided and (dated_back or ruling.rewrites):
        imagined = file.imagined(ruling.decided, ruling.corrects, ruling.voids)
        require_sound(imagined.history)
        scopes.append(scope_of(imagined.state))  # a correction may not leave the mandate's reach
    return _with_authority(work, command, ruling, file.state, scopes, today)


def _of_that_day(
    file: File[Claim], handler: Handler, command: ClaimCommand, on: date, asks: Ask | None
) -> Ruling:
    """What a command dated back comes to on the file as it is held to have been that day.

    That it is possible today was judged before; the larger authority of the two days is asked.
    """
    try:
        ruling = handler(replace(file, state=file.as_of(on)), command, on)
    except Refused as error:
        raise CorrectionBreaksFile(on, str(error).removesuffix(".")) from error
    if asks is None or (ruling.asks and asks.measured < ruling.asks.measured):
        return ruling
    return replace(ruling, asks=asks)


def _require_dated(file: File[Claim], ruling: Ruling, today: date) -> None:
    """The day of what the command leads with lies within the file and its kind's window."""
    for decided in ruling.decided[:1]:
        require_not_future(decided.effective_on, today)
        if not ruling.rewrites:
            require_after_incident(file.state, decided.effective_on)
            require_within_window(decided.fact, decided.effective_on, today)


def _with_authority(
    work: Workspace,
    command: ClaimCommand,
    ruling: Ruling,
    claim: Claim,
    scopes: Sequence[Scope],
    today: date,
) -> tuple[Ruling, Judgement]:
    """Judge the authority that the ruling asks for, by mandate or by the approval named."""
    ask, person = ruling.asks, command.actor.person
    if ask is None or not ruling.decided:
        if command.approval:
            raise BadValue("approval", "this command needs no authority, so it uses no approval")
        return ruling, NOT_NEEDED
    chain = _chain(work, person)
    if command.approval:
        require_in_force(chain[0], today)
        return _by_approval(command, ruling, ask, claim, today)
    judgements = [judge(chain, ask.decision, ask.measured, scope, today) for scope in scopes]
    return ruling, judgements[0]


def _by_approval(
    command: ClaimCommand, ruling: Ruling, ask: Ask, claim: Claim, today: date
) -> tuple[Ruling, Judgement]:
    """Use up the approval in the same transaction as the facts that rest on it."""
    person = command.actor.person
    use = ApprovalAsk(ask.decision, ask.measured, ask.terms_digest)
    consumed, maximum = use_approval(claim.escalations, command.approval, use, person, today)
    on = ruling.decided[0].effective_on
    judgement = by_approval(ask.decision, ask.measured, maximum, person, command.approval)
    return replace(ruling, decided=(*ruling.decided, Decided(consumed, on))), judgement


def _chain(work: Workspace, person: str) -> list[Holding]:
    """A person's mandate, then each that it was delegated from."""
    chain = [work.holding(person)]
    while chain[-1].mandate.delegated_by:
        if len(chain) > DELEGATIONS_MAX:
            raise BadValue("actor", f"the mandate stands on more than {DELEGATIONS_MAX} others")
        chain.append(work.holding(chain[-1].mandate.delegated_by))
    return chain


def _effective(command: Command, today: date) -> date:
    """The effective day: what the command says, never after the day of recording."""
    if command.effective_on is None:
        return today
    require_not_future(command.effective_on, today)
    return command.effective_on


def _require_version(command: Command, version: int) -> None:
    if command.expected_version is not None and command.expected_version != version:
        raise VersionConflict(expected=command.expected_version, actual=version)


def _require_room(work: Workspace, stream: str, ruling: Ruling) -> None:
    length = work.version(stream) + len(ruling.decided)
    if length > STREAM_FACTS_MAX:
        raise StreamTooLong(stream, length, STREAM_FACTS_MAX)
