"""The loop crashed, moved and cut off at any step: each effect once, and nothing unanswered."""

import json
from collections import defaultdict
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from commands.sources import Source
from consumers.answering import Message, Partition
from consumers.command_messages import COMMAND, Arrived, Dead, read_command
from consumers.commanding import Loop
from consumers.dead_letters import read_dead
from consumers.messages import Record, header_of
from consumers.topics import DEAD, RECEIPTS, commands_topic, source_of
from tests.commands.bodies import ROLES, matter
from tests.consumers.members import DAMAGED, Crash, Member, Place
from tests.consumers.records import TRACE, headed

SOURCES = (Source.DESK, Source.CRM)
PARTITIONS = 2  # of each source's topic
CLAIMS = ("C1", "C2", "C3", DAMAGED.removeprefix("claim-"))
MEMBERS_MAX = 3
STEPS_MAX = 14  # of one turn: what is done to it happens before any of them
STEPS = st.none() | st.integers(0, STEPS_MAX)
TURNS_MAX = 200  # far more than it takes to answer everything
NOT_KEPT = {"E702", "E803"}  # answers that another answer to the same id may stand beside


def notify(number: int, claim: str) -> dict[str, Any]:
    return {
        "type": "notify-matter",
        "command_id": f"q-{number}",
        "actor": {"person": "bob", "role": ROLES["bob"]},
        "claim": claim,
        **matter(),
    }


def carrying(body: dict[str, Any], raw: bytes | None = None) -> Record:
    """The record by which an application sends a body, or in its place what is none."""
    stream = f"claim-{body['claim']}"
    told = {
        "ce_specversion": "1.0",
        "ce_id": str(body["command_id"]),
        "ce_source": "urn:test",
        "ce_type": f"{COMMAND}{body['type']}.1",
        "ce_subject": stream,
        "ce_traceparent": TRACE,
    }
    headers = tuple((name, value.encode()) for name, value in told.items())
    return Record(stream.encode(), json.dumps(body).encode() if raw is None else raw, headers)


class Transport(RuleBasedStateMachine):
    """A group of up to three loops on one ledger, and everything that was ever sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self.loops: dict[int, tuple[Member, Loop]] = {}
        self.sent: list[Message] = []
        self.bodies: list[dict[str, Any]] = []

    @initialize()
    def there_are_partitions(self) -> None:
        for source in SOURCES:
            for number in range(PARTITIONS):
                self.place.partitions[Partition(commands_topic(source), number)] = []
        self.one_joins()

    # --- what is sent ----------------------------------------------------------------------------

    def put(self, body: dict[str, Any], source: Source, record: Record) -> None:
        number = CLAIMS.index(body["claim"]) % PARTITIONS
        place = Partition(commands_topic(source), number)
        self.sent.append(self.place.put(place, record))

    @rule(
        source=st.sampled_from(SOURCES),
        claims=st.lists(st.sampled_from(CLAIMS), min_size=1, max_size=4),
    )
    def commands_are_sent(self, source: Source, claims: list[str]) -> None:
        for claim in claims:
            body = notify(len(self.bodies), claim)
            self.bodies.append(body)
            self.put(body, source, carrying(body))

    @rule(data=st.data(), source=st.sampled_from(SOURCES), other=st.booleans())
    def one_is_sent_again(self, data: st.DataObject, source: Source, *, other: bool) -> None:
        """Under its id the same, or another one."""
        if self.bodies:
            body = data.draw(st.sampled_from(self.bodies))
            changed = {**body, "rationale": "another"} if other else body
            self.put(body, source, carrying(changed))

    @rule(
        kind=st.sampled_from(
            ["bytes", "nan", "type", "version", "key", "header", "no id", "not its own"]
        ),
        claim=st.sampled_from(CLAIMS),
    )
    def poison_is_sent(self, kind: str, claim: str) -> None:
        body = notify(len(self.bodies), claim)
        self.bodies.append(body)
        whole = carrying(body)
        record = {
            "bytes": whole._replace(value=b"\x00\xff"),
            "nan": carrying(body, raw=b'{"n": NaN}'),
            "type": headed(whole, ce_type=b"claims.command.unheard.1"),
            "version": headed(whole, ce_type=f"{COMMAND}notify-matter.2".encode()),
            "key": whole._replace(key=None),
            "header": headed(whole, ce_specversion=None),
            "no id": Record(None, None, (("odd", None),)),
            "not its own": carrying({**body, "type": "approve-payment", "payment_id": "p"}),
        }[kind]
        self.bodies.pop()
        self.bodies.append({**body, "command_id": f"never-{len(self.bodies)}"})
        self.put(body, Source.CRM, record)

    # --- what happens to the processes ------------------------------------------------------------

    @rule()
    def one_joins(self) -> None:
        if len(self.loops) < MEMBERS_MAX:
            member = self.place.join()
            self.loops[member.number] = (member, member.loop())

    @rule(data=st.data(), crash_in=STEPS, move_in=STEPS)
    def one_turns(self, data: st.DataObject, crash_in: int | None, move_in: int | None) -> None:
        """And may end before any of its steps, or lose its partitions while it works."""
        number = data.draw(st.sampled_from(sorted(self.loops)))
        self.turn(number, crash_in, move_in)

    @rule(state=st.sampled_from(["away", "in doubt", "half"]), crash_in=STEPS)
    def all_turn_without_a_database(self, state: str, crash_in: int | None) -> None:
        self.place.database = state
        self.all_turn(crash_in, None)
        self.place.database = "there"

    @rule(state=st.sampled_from(["away", "dead"]), crash_in=STEPS)
    def all_turn_without_the_topics(self, state: str, crash_in: int | None) -> None:
        self.place.topics = state
        self.all_turn(crash_in, None)
        self.place.topics = "there"

    @rule(crash_in=STEPS, move_in=STEPS)
    def all_turn_without_offsets(self, crash_in: int | None, move_in: int | None) -> None:
        self.place.offsets = "away"
        self.all_turn(crash_in, move_in)
        self.place.offsets = "there"

    @rule(crash_in=STEPS, move_in=STEPS)
    def all_turn(self, crash_in: int | None, move_in: int | None) -> None:
        for number in sorted(self.loops):
            self.turn(number, crash_in, move_in)

    def turn(self, number: int, crash_in: int | None, move_in: int | None) -> None:
        member, loop = self.loops[number]
        self.place.crash_in, self.place.move_in = crash_in, move_in
        try:
            loop.turn()
        except Crash:
            del self.loops[number]
            self.place.leave(member)
            if not self.loops:
                self.one_joins()
        self.place.crash_in = self.place.move_in = None

    @rule(turn=st.integers(0, 3))
    def partitions_move(self, turn: int) -> None:
        self.place.rebalance(turn)

    @rule()
    def everything_is_delivered_again(self) -> None:
        self.place.committed.clear()
        self.place.rebalance()

    @rule()
    def the_file_is_mended(self) -> None:
        self.place.mended = True

    # --- what has to hold when all is well again --------------------------------------------------

    def teardown(self) -> None:
        if not self.loops:
            return
        self.place.database = self.place.topics = "there"
        for _ in range(TURNS_MAX):
            for _, loop in self.loops.values():
                loop.turn()
            if not self.place.lag():
                break
        assert self.place.lag() == 0
        self.receipts = defaultdict[str, list[Record]](list)
        self.letters = defaultdict[tuple[str, int, int], list[Any]](list)
        for topic, record in self.place.stored:
            if topic == DEAD:
                letter = read_dead(record)
                self.letters[letter.topic, letter.partition, letter.offset].append(letter)
            else:
                assert topic == RECEIPTS
                self.receipts[header_of(record, "ce_id")].append(record)
        for message in self.sent:
            self.it_was_answered(message)
        self.each_effect_came_once()
        self.each_file_kept_its_order()

    def it_was_answered(self, message: Message) -> None:
        (topic, number), offset, record = message
        found = read_command(record, source_of(topic))
        letters = self.letters[topic, number, offset]
        codes = {code_of(each) for each in self.receipts[id_of(found)]}
        if isinstance(found, Dead):
            assert letters
            assert {letter.code for letter in letters} == {found.error.code}
            assert not found.command_id or found.error.code in codes
        else:
            assert codes
            assert bool(letters) <= (found.command.stream == DAMAGED)
            assert letters or codes - {"E803"}
        assert all(letter.record == record for letter in letters)

    def kept(self, command_id: str) -> list[Record]:
        return [each for each in self.receipts[command_id] if code_of(each) not in NOT_KEPT]

    def each_effect_came_once(self) -> None:
        """Every position of the log is told of by the one receipt of one command."""
        told: list[int] = []
        for command_id in sorted({id_of(found) for found in self.commands()}):
            receipts = set(self.kept(command_id))
            assert len(receipts) <= 1, "two answers to one command"
            for receipt in receipts:
                said = json.loads(receipt.value or b"")
                told += [each["position"] for each in said.get("facts", [])] or [said["position"]]
        last = self.place.desk.store.recorder.max_notification_id() or 0
        assert sorted(told) == list(range(1, last + 1))

    def each_file_kept_its_order(self) -> None:
        latest: dict[tuple[Partition, str], int] = {}
        seen = set[str]()
        for message in self.sent:
            found = read_command(message.record, source_of(message.partition.topic))
            if isinstance(found, Dead) or found.command.command_id in seen:
                continue
            seen.add(found.command.command_id)
            place = (message.partition, found.command.stream)
            for receipt in self.kept(found.command.command_id)[:1]:
                position = json.loads(receipt.value or b"")["position"]
                if found.command.stream != DAMAGED and self.alone(found.command.command_id):
                    assert latest.get(place, 0) < position
                    latest[place] = position

    def alone(self, command_id: str) -> bool:
        """No other message had this id, by another application's topic for instance."""
        return [id_of(found) for found in self.commands()].count(command_id) == 1

    def commands(self) -> list[Arrived]:
        found = [read_command(each.record, source_of(each.partition.topic)) for each in self.sent]
        return [each for each in found if isinstance(each, Arrived)]


def id_of(found: Arrived | Dead) -> str:
    return found.command.command_id if isinstance(found, Arrived) else found.command_id


def code_of(receipt: Record) -> str:
    return str(json.loads(receipt.value or b"").get("code", ""))


TestTransport = Transport.TestCase
TestTransport.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
