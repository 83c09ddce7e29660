"""The loop of commands, one story at a time: what it waits for, what it says, what it commits."""

from typing import Any

import pytest

from commands.sources import Source
from consumers.answering import Partition
from consumers.command_messages import read_receipt
from consumers.commanding import (
    POLL_S,
    Answered,
    Ended,
    Event,
    Loop,
    Need,
    NotCommitted,
    PutAside,
    ReadingOn,
    Revoked,
    Waiting,
)
from consumers.dead_letters import read_dead
from consumers.messages import Record
from consumers.pace import PAUSE_S_MAX, PAUSE_S_MIN, STUCK_S_MAX
from consumers.topics import DEAD, RECEIPTS, commands_topic
from tests.consumers.members import DAMAGED, Member, Place
from tests.consumers.test_commanding_machine import carrying, notify

DESK = Partition(commands_topic(Source.DESK), 0)
CRM = Partition(commands_topic(Source.CRM), 0)


class Scene:
    """One member of a group on one ledger, with a partition of each of two applications."""

    def __init__(self) -> None:
        self.place = Place(partitions={DESK: [], CRM: []})
        self.member: Member = self.place.join()
        self.loop: Loop = self.member.loop()

    def sends(self, number: int, claim: str, to: Partition = DESK, **changed: Any) -> Record:
        return self.place.put(to, carrying({**notify(number, claim), **changed})).record

    def told(self, kind: type[Event]) -> list[Event]:
        return [each for each in self.member.events if isinstance(each, kind)]

    def out(self, topic: str) -> list[Record]:
        return [each.record for each in self.place.stored if each.topic == topic]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_one_poll_brings_of_all_applications_is_one_batch(scene: Scene) -> None:
    scene.sends(1, "C1")
    scene.sends(2, "C1")
    scene.sends(3, "C2", CRM)
    wrong = scene.sends(4, "C2", CRM, type="approve-payment")
    scene.loop.turn()
    (answered,) = scene.told(Answered)
    assert isinstance(answered, Answered)
    assert (answered.accepted, answered.refused, answered.dead) == (2, 1, 1)
    assert scene.told(PutAside) == [PutAside(CRM.topic, 0, 1, "E101")]
    assert [read_dead(each).record for each in scene.out(DEAD)] == [wrong]
    assert len(scene.out(RECEIPTS)) == 4
    assert scene.place.lag() == 0


def test_with_nothing_to_do_it_polls_and_says_nothing(scene: Scene) -> None:
    for _ in range(5):
        scene.loop.turn()
    assert scene.member.polls == [POLL_S] * 5
    assert scene.member.events == []


def test_with_the_database_away_nothing_leaves_and_it_tries_ever_less_often(scene: Scene) -> None:
    scene.place.database = "away"
    scene.sends(1, "C1")
    for _ in range(8):
        scene.loop.turn()
    assert scene.place.stored == []
    assert scene.place.committed == {}
    (waiting,) = scene.told(Waiting)
    assert isinstance(waiting, Waiting)
    assert (waiting.for_what, waiting.code, waiting.held) == (Need.DATABASE, "E603", 1)
    pauses = scene.member.polls[1:]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (PAUSE_S_MIN, PAUSE_S_MAX)


def test_what_comes_meanwhile_is_not_taken_in_before_what_waits(scene: Scene) -> None:
    scene.place.database = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    scene.sends(2, "C2")
    scene.loop.turn()
    assert scene.member.paused
    scene.place.database = "there"
    scene.loop.turn()
    assert [read_receipt(each).command_id for each in scene.out(RECEIPTS)] == ["q-1"]
    (on,) = scene.told(ReadingOn)
    assert isinstance(on, ReadingOn)
    assert on.tries == 3
    scene.loop.turn()
    assert [read_receipt(each).command_id for each in scene.out(RECEIPTS)] == ["q-1", "q-2"]


def test_what_was_stored_without_a_word_is_answered_as_a_repeat(scene: Scene) -> None:
    scene.place.database = "in doubt"
    scene.sends(1, "C1")
    scene.loop.turn()
    assert scene.place.stored == []
    scene.place.database = "there"
    scene.loop.turn()
    (answered,) = scene.told(Answered)
    assert isinstance(answered, Answered)
    assert (answered.accepted, answered.repeated) == (1, 1)


def test_no_offset_is_committed_past_a_message_that_is_not_finished(scene: Scene) -> None:
    scene.place.database = "half"
    for number, claim in enumerate(("C1", "C2", "C3", "C1")):
        scene.sends(number, claim)
    scene.loop.turn()
    assert len(scene.out(RECEIPTS)) == 2
    assert scene.place.committed == {DESK: 2}


@pytest.mark.parametrize("state", ["away", "dead"])
def test_with_the_topics_away_nothing_is_dropped_and_nothing_judged_twice(
    scene: Scene, state: str
) -> None:
    scene.place.topics = state
    scene.sends(1, "C1")
    scene.sends(2, "C1", type="approve-payment", payment_id="p")
    for _ in range(3):
        scene.loop.turn()
    assert scene.place.committed == {}
    (waiting,) = scene.told(Waiting)
    assert isinstance(waiting, Waiting)
    assert (waiting.for_what, waiting.code) == (Need.TOPICS, "E711")
    scene.place.topics = "there"
    scene.loop.turn()
    assert scene.place.lag() == 0
    assert {read_receipt(each).command_id for each in scene.out(RECEIPTS)} == {"q-1", "q-2"}
    assert len(scene.out(DEAD)) == 1


def test_a_command_on_a_file_that_cannot_be_read_goes_aside_and_says_so(scene: Scene) -> None:
    broken = scene.sends(1, DAMAGED.removeprefix("claim-"))
    scene.sends(2, "C2")
    scene.loop.turn()
    (letter,) = map(read_dead, scene.out(DEAD))
    assert (letter.record, letter.code, letter.partition, letter.offset) == (broken, "E803", 0, 0)
    codes = {read_receipt(each).command_id: read_receipt(each) for each in scene.out(RECEIPTS)}
    assert (codes["q-1"].receipt.code, codes["q-2"].receipt.code) == ("E803", "")
    assert scene.place.lag() == 0


def test_what_is_taken_away_is_let_go_and_never_committed(scene: Scene) -> None:
    scene.place.database = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    other = scene.place.join()
    scene.loop.turn()
    (revoked,) = scene.told(Revoked)
    assert isinstance(revoked, Revoked)
    assert revoked.let_go == 1
    scene.place.database = "there"
    for each in (scene.loop, other.loop()):
        each.turn()
        each.turn()
    assert scene.place.lag() == 0
    assert len({each.value for each in scene.out(RECEIPTS)}) == 1


def test_a_commit_that_the_group_refuses_is_said_and_the_message_comes_again(scene: Scene) -> None:
    scene.sends(1, "C1")
    scene.place.move_in = 3  # after the batch was judged
    scene.loop.turn()
    assert scene.told(NotCommitted) == [NotCommitted(1)]
    scene.loop.turn()
    assert scene.place.lag() == 0
    assert len(scene.out(RECEIPTS)) == 2
    assert len(set(scene.out(RECEIPTS))) == 1


def test_an_offset_that_is_not_kept_is_tried_again_though_nothing_comes(scene: Scene) -> None:
    scene.place.offsets = "away"
    scene.sends(1, "C1")
    for _ in range(3):
        scene.loop.turn()
    assert scene.member.polls == [POLL_S] * 3
    assert scene.told(NotCommitted) == [NotCommitted(1)]  # once, however often it is tried
    scene.place.offsets = "there"
    scene.loop.turn()
    assert scene.place.committed == {DESK: 1}
    assert len(scene.out(RECEIPTS)) == 1


def test_an_offset_that_is_not_kept_does_not_carry_one_past_what_waits(scene: Scene) -> None:
    scene.place.offsets = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    scene.place.database, scene.place.offsets = "away", "there"
    scene.sends(2, "C1")
    scene.sends(3, "C2", CRM)
    scene.loop.turn()
    assert scene.place.committed == {DESK: 1}


def test_an_offset_that_is_not_kept_goes_with_its_partition(scene: Scene) -> None:
    scene.place.offsets = "away"
    scene.sends(1, "C1", CRM)
    scene.loop.turn()
    scene.place.join()
    scene.place.rebalance(turn=1)
    scene.place.offsets = "there"
    scene.loop.turn()  # the member itself asserts that it commits only what it has
    assert scene.member.held == {DESK}
    assert scene.place.committed == {}


def test_a_stop_finishes_the_turn_and_says_what_is_left(scene: Scene) -> None:
    scene.place.database = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    scene.member.stopping = True
    scene.loop.run()
    assert scene.member.events[-1] == Ended(1)


# --- its pulse ------------------------------------------------------------------------------------


def test_its_pulse_says_what_it_waits_for_and_since_when(scene: Scene) -> None:
    scene.loop.turn()
    assert (scene.loop.pulse.waiting, scene.loop.pulse.held) == (None, 0)
    scene.place.database = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    since_s = scene.place.now_s
    scene.place.database = "in doubt"
    scene.loop.turn()
    pulse = scene.loop.pulse
    assert (pulse.since_s, pulse.seen_s, pulse.held) == (since_s, scene.place.now_s, 1)
    assert pulse.waiting is not None
    assert pulse.waiting.code == "E605"  # the latest, though it was told of the first only
    assert len(scene.told(Waiting)) == 1
    scene.place.database = "there"
    scene.loop.turn()
    assert (scene.loop.pulse.waiting, scene.loop.pulse.held) == (None, 0)


def test_what_it_waits_for_next_is_waited_for_since_then(scene: Scene) -> None:
    scene.place.database = "away"
    scene.sends(1, "C1")
    scene.loop.turn()
    began_s = scene.place.now_s
    scene.loop.turn()
    scene.place.database, scene.place.topics = "there", "away"
    scene.loop.turn()
    turned_s = scene.place.now_s
    scene.loop.turn()
    assert scene.loop.pulse.since_s == turned_s
    scene.place.topics = "there"
    scene.loop.turn()
    (on,) = scene.told(ReadingOn)
    assert on == ReadingOn(5, scene.place.now_s - began_s)


def test_a_file_that_others_keep_changing_is_not_a_database_that_is_away(scene: Scene) -> None:
    scene.place.database = "half"
    scene.sends(1, "C1")
    scene.loop.turn()
    (waiting,) = scene.told(Waiting)
    assert isinstance(waiting, Waiting)
    assert (waiting.for_what, waiting.code) == (Need.FILE, "E604")


def test_a_loop_that_ends_no_turn_is_stuck(scene: Scene) -> None:
    scene.loop.turn()
    pulse = scene.loop.pulse
    assert not pulse.stuck(pulse.seen_s + STUCK_S_MAX)
    assert pulse.stuck(pulse.seen_s + STUCK_S_MAX + 1)


def test_an_answer_says_how_long_it_took_and_counts_each_refusal_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(leaving: Any) -> None:
        del leaving
        scene.place.now_s += 3

    monkeypatch.setattr(scene.member, "send", send)
    scene.sends(1, "C1")
    scene.sends(2, "C1")
    scene.sends(3, "C1", type="approve-payment")
    scene.loop.turn()
    (answered,) = scene.told(Answered)
    assert isinstance(answered, Answered)
    assert answered.took_s == 3
    assert answered.codes == {"E411": 1}  # the one put aside is told by itself
