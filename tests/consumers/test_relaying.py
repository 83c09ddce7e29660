"""The relay in a world of its own: what it publishes, outlasts and says, with no time passing."""

import itertools
from collections.abc import Sequence

import pytest

from consumers import relaying
from consumers.messages import Record
from consumers.pace import POLL_S, STUCK_S_MAX, SUMMARY_S_MIN
from consumers.relaying import (
    PAGE_FACTS,
    Back,
    CaughtUp,
    Lost,
    NotAcknowledged,
    Published,
    Pulse,
    RelayAtWork,
    Started,
    Stopping,
    Waiting,
    Working,
)
from domain.errors import DamagedFact
from tests.consumers.relays import TOPIC, Book, Killed, Shelf, Stage, Topic, Turn, rows
from tests.projections.ledgers import ledger

LOG = rows(ledger(facts=PAGE_FACTS + 50))
END = LOG[-1].position


def files(stored: int = len(LOG)) -> dict[str, list[int]]:
    """The versions of each file among the first facts."""
    found: dict[str, list[int]] = {}
    for row in LOG[:stored]:
        found.setdefault(row.stream, []).append(row.version)
    return found


def test_once_it_publishes_the_whole_log_in_order_and_ends() -> None:
    stage = Stage(Shelf(LOG))
    stage.relay().run(once=True)
    assert stage.topic.files() == files()
    assert stage.book.position == END
    first = stage.told[2]
    assert isinstance(first, Published)
    assert first.position == LOG[first.facts - 1].position
    assert stage.told == [
        Started(TOPIC),
        Working(0),
        first,
        CaughtUp(len(LOG), END),
        Stopping(len(LOG), END),
    ]


def test_every_message_is_the_fact_at_its_position() -> None:
    stage = Stage(Shelf(LOG[:40]))
    stage.relay().run(once=True)
    found = {each.position: each for each in stage.topic.followed()}
    assert [(p, found[p].stream, found[p].version, found[p].body) for p in sorted(found)] == [
        (row.position, row.stream, row.version, row.state) for row in LOG[:40]
    ]


def test_what_was_published_is_not_published_again() -> None:
    stage = Stage(Shelf(LOG[:30]))
    stage.relay().run(once=True)
    stage.shelf.rows = LOG[:40]
    again = stage.relay()
    again.run(once=True)
    assert again.facts == 10
    assert sum(map(len, stage.topic.partitions.values())) == 40


def test_what_comes_later_is_published_at_the_next_look() -> None:
    stage = Stage(Shelf(LOG[:5]))
    stage.script = {3: lambda: stage.shelf.rows.extend(LOG[5:9]), 5: stage.stop}
    stage.shelf.rows = list(LOG[:5])
    stage.run()
    assert stage.topic.files() == files(9)
    assert stage.now_s == 5 * POLL_S


def test_level_it_says_nothing_and_sums_up_what_it_published_meanwhile() -> None:
    stage = Stage(Shelf(list(LOG[:5])))
    rest = iter(LOG[5:])
    stage.script = {
        second: lambda: stage.shelf.rows.extend(itertools.islice(rest, 1)) for second in range(60)
    }
    stage.waits_max = 120
    stage.run()
    sums = [each for each in stage.told if isinstance(each, CaughtUp)]
    assert sum(each.facts for each in sums) == 64
    assert 2 < len(sums) <= 60 / SUMMARY_S_MIN + 1


def test_a_page_that_was_not_acknowledged_is_sent_again_from_its_beginning() -> None:
    fates = iter(["stored", "lost", "lost", "lost"])
    stage = Stage(Shelf(LOG[:40]), Topic(fate=lambda: next(fates, "stored")))
    stage.relay().run(once=True)
    assert stage.topic.files() == files(40)
    assert stage.book.position == LOG[39].position
    assert len(stage.sleeps) == 2
    assert [type(each) for each in stage.told] == [
        *(Started, Working, Lost, Back, Published, CaughtUp, Stopping),
    ]
    assert stage.told[2] == Lost(database=False, code="E776", why="no answer")
    back = stage.told[3]
    assert isinstance(back, Back)
    assert (back.tries, back.away_s) == (3, sum(stage.sleeps))


@pytest.mark.parametrize(("bytes_max", "most"), [(5_000, 6), (1, 1)], ids=["some", "one"])
def test_large_facts_go_a_few_at_a_time_and_each_time_the_position_moves(
    monkeypatch: pytest.MonkeyPatch, bytes_max: int, most: int
) -> None:
    monkeypatch.setattr(relaying, "SEND_BYTES_MAX", bytes_max)
    stage = Stage(Shelf(LOG[:40]))
    relay, send, sent = stage.relay(), stage.topic.send, 0

    def send_slowly(records: Sequence[Record]) -> None:
        nonlocal sent
        assert 0 < len(records) <= most
        assert stage.book.position == (LOG[sent - 1].position if sent else 0)
        assert relay.pulse.seen_s == stage.now_s
        send(records)
        sent += len(records)
        stage.now_s += 30

    stage.topic.send = send_slowly  # type: ignore[method-assign]  # the stage's world, replaced
    relay.run(once=True)
    assert stage.topic.files() == files(40)
    assert stage.book.position == LOG[39].position


def test_nothing_is_kept_that_was_not_acknowledged() -> None:
    stage = Stage(Shelf(LOG[:40]), Topic(fate=lambda: "lost"))
    stage.waits_max = 20
    stage.run()
    assert stage.book.position == 0
    assert [type(each) for each in stage.told] == [Started, Working, Lost, Stopping]
    assert stage.sleeps[0] < stage.sleeps[3] <= stage.sleeps[-1] <= 1.0


def test_a_database_that_is_away_is_waited_for() -> None:
    stage = Stage(Shelf(LOG[:40], away=True))

    def back() -> None:
        stage.shelf.away = False

    stage.script = {6: back, 8: stage.stop}
    stage.run()
    assert stage.topic.files() == files(40)
    assert Lost(database=True, code="E603", why="connection refused") in stage.told


def test_after_a_position_that_could_not_be_kept_the_page_is_sent_again() -> None:
    stage = Stage(Shelf(LOG[:40]))
    send = stage.topic.send

    def send_and_lose(records: object) -> None:
        send(records)  # type: ignore[arg-type]  # handed through
        stage.topic.send = send  # type: ignore[method-assign]  # the stage's world, replaced
        stage.turn.lose()

    stage.topic.send = send_and_lose  # type: ignore[method-assign]  # the stage's world, replaced
    stage.relay().run(once=True)
    assert stage.topic.files() == files(40)
    assert sum(map(len, stage.topic.partitions.values())) == 80
    assert stage.book.position == LOG[39].position


def test_a_fact_that_cannot_be_read_stops_it_there_with_all_before_it_published() -> None:
    broken = LOG[20]._replace(state=b"{")
    stage = Stage(Shelf([*LOG[:20], broken, *LOG[21:40]]))
    with pytest.raises(DamagedFact) as caught:
        stage.relay().run()
    assert (caught.value.stream, caught.value.version) == (broken.stream, broken.version)
    assert caught.value.__notes__ == [
        f"It is at position {broken.position}; {TOPIC} has all before it."
    ]
    assert stage.topic.files() == files(20)
    assert stage.book.position == LOG[19].position
    with pytest.raises(DamagedFact):
        stage.relay().run()
    assert sum(map(len, stage.topic.partitions.values())) == 20


def test_a_second_relay_waits_and_takes_over_where_the_first_was() -> None:
    book, topic = Book(), Topic()
    first = Stage(Shelf(LOG[:20]), topic, book)
    first.relay().run(once=True)  # and holds the lock still
    second = Stage(Shelf(LOG[:40]), topic, book)
    second.script = {5: first.turn.lose, 7: second.stop}
    second.run()
    assert second.told[:3] == [Started(TOPIC), Waiting(), Working(LOG[19].position)]
    assert topic.files() == files(40)
    assert sum(map(len, topic.partitions.values())) == 40


def test_asked_for_once_it_does_not_wait_for_another() -> None:
    book = Book(holder=Turn(Book()))
    with pytest.raises(RelayAtWork):
        Stage(Shelf(LOG[:20]), book=book).relay().run(once=True)


def test_a_stop_ends_it_after_what_is_under_way() -> None:
    stage = Stage(Shelf(LOG))
    send = stage.topic.send

    def send_and_stop(records: object) -> None:
        send(records)  # type: ignore[arg-type]  # handed through
        stage.stop()

    stage.topic.send = send_and_stop  # type: ignore[method-assign]  # the stage's world, replaced
    stage.run()
    stopping = stage.told[-1]
    assert isinstance(stopping, Stopping)
    assert 0 < stopping.facts < len(LOG)
    assert stopping.position == stage.book.position == LOG[stopping.facts - 1].position


def test_killed_between_publishing_and_keeping_it_leaves_nothing_out() -> None:
    stage = Stage(Shelf(LOG[:40]))
    move = stage.turn.move

    def kill(position: int) -> None:
        raise Killed

    stage.turn.move = kill  # type: ignore[method-assign]  # the stage's world, replaced
    with pytest.raises(Killed):
        stage.relay().run()
    stage.turn.move = move  # type: ignore[method-assign]  # and put back
    stage.shelf.rows = LOG[:45]
    stage.relay().run(once=True)
    assert stage.topic.files() == files(45)
    assert sum(map(len, stage.topic.partitions.values())) == 85


def test_what_was_not_acknowledged_names_the_topic_and_why() -> None:
    assert "claims.events was not acknowledged" in str(NotAcknowledged(TOPIC, "silence"))


# --- its pulse ------------------------------------------------------------------------------------


def test_its_pulse_says_whose_turn_it_is_and_what_is_lost_since_when() -> None:
    stage = Stage(Shelf(list(LOG[:5])), book=Book(holder="another"))
    relay = stage.relay()
    seen: list[Pulse] = []

    def look() -> None:
        seen.append(relay.pulse)

    def lose() -> None:
        look()
        stage.book.holder = None
        stage.shelf.away = True

    def back() -> None:
        look()
        stage.shelf.away = False

    stage.script = {1: lose, 2: look, 3: back, 4: stage.stop}
    before = relay.pulse
    relay.run()
    waiting, lost, still = seen
    assert (before.working, before.lost) == (None, None)
    assert (waiting.working, waiting.lost) == (False, None)
    assert lost.lost is not None
    assert (lost.lost.code, lost.since_s, lost.seen_s) == ("E603", POLL_S, POLL_S)
    assert (lost.lost.database, lost.working) == (True, None)  # the lock is lost with it
    assert still.lost == lost.lost
    assert (still.since_s, still.seen_s > lost.seen_s) == (lost.since_s, True)
    assert (relay.pulse.working, relay.pulse.lost, relay.facts) == (True, None, 5)


def test_without_the_broker_the_work_is_still_this_relay_s() -> None:
    stage = Stage(Shelf(LOG[:5]), Topic(fate=lambda: "lost"))
    stage.waits_max = 3
    relay = stage.run()
    assert relay.pulse.lost == Lost(database=False, code="E776", why="no answer")
    assert relay.pulse.working


def test_a_relay_that_gives_no_sign_of_life_is_stuck() -> None:
    pulse = Pulse(10.0)
    assert not pulse.stuck(10.0 + STUCK_S_MAX)
    assert pulse.stuck(11.0 + STUCK_S_MAX)
