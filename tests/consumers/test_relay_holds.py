"""Whatever relays do, wherever they are killed, who follows meets each file whole and in order."""

from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumers.relaying import NotAcknowledged, Relay, RelayAtWork
from domain.errors import StoreUnavailable
from tests.consumers.relays import Book, Killed, Shelf, Stage, Topic, rows
from tests.projections.ledgers import ledger

LOG = rows(ledger(facts=200))
RELAYS = 3
POINTS = ("before sending", "before keeping", "after keeping")
FATES = st.lists(st.sampled_from(["stored", "lost", "late"]), max_size=6)


class Relays(RuleBasedStateMachine):
    """Several relays on one log, one topic and one book, each killed and cut off as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf, self.topic, self.book = Shelf(), Topic(), Book()
        self.stages: list[Stage] = []

    @initialize(facts=st.integers(0, 20))
    def begin(self, facts: int) -> None:
        self.shelf.rows = LOG[:facts]
        self.stages = [Stage(self.shelf, self.topic, self.book) for _ in range(RELAYS)]

    @precondition(lambda self: len(self.shelf.rows) < len(LOG))
    @rule(facts=st.integers(1, 15))
    def record(self, facts: int) -> None:
        self.shelf.rows = LOG[: len(self.shelf.rows) + facts]

    @rule(relay=st.integers(0, RELAYS - 1), fates=FATES)
    def relay_while_the_broker_is_as_it_is(self, relay: int, fates: list[str]) -> None:
        following = iter(fates)
        self.topic.fate = lambda: next(following, "stored")
        self.attempt(self.stages[relay])
        self.topic.fate = lambda: "stored"

    @rule(relay=st.integers(0, RELAYS - 1), point=st.sampled_from(POINTS), late=st.booleans())
    def kill_one_at_work(self, relay: int, point: str, late: bool) -> None:
        stage = self.stages[relay]
        send, move = self.topic.send, stage.turn.move

        def sending(records: Any) -> None:
            if point == "before sending":
                raise Killed
            if late:  # nobody is there to hear of it
                self.topic.fate = lambda: "late"
            try:
                send(records)
            except NotAcknowledged as error:
                raise Killed from error

        def moving(position: int) -> None:
            if point == "after keeping":
                move(position)
            raise Killed

        self.topic.send = sending  # type: ignore[method-assign]  # killed on the way
        stage.turn.move = moving  # type: ignore[method-assign]  # killed on the way, too
        try:
            self.attempt(stage)
        finally:
            self.topic.send = send  # type: ignore[method-assign]  # and put back
            self.topic.fate = lambda: "stored"
        stage.turn.lose()
        self.stages[relay] = Stage(self.shelf, self.topic, self.book)

    @rule(relay=st.integers(0, RELAYS - 1))
    def cut_its_session(self, relay: int) -> None:
        self.stages[relay].turn.lose()

    @rule()
    def what_was_under_way_arrives(self) -> None:
        self.topic.let_in()

    @rule(relay=st.integers(0, RELAYS - 1))
    def two_at_once(self, relay: int) -> None:
        """One's session is cut while it sends, another takes over, and then comes what it sent."""
        first, second = self.stages[relay], self.stages[(relay + 1) % RELAYS]
        send = self.topic.send

        def overtaken(records: Any) -> None:
            self.topic.send = send  # type: ignore[method-assign]  # the second's is as it was
            first.turn.lose()
            self.attempt(second)
            send(records)

        self.topic.send = overtaken  # type: ignore[method-assign]  # of the first
        try:
            self.attempt(first)
        finally:
            self.topic.send = send  # type: ignore[method-assign]  # and put back

    @invariant()
    def each_file_is_met_in_order_and_without_a_hole(self) -> None:
        written = self.files(self.shelf.rows)
        for stream, versions in self.topic.files().items():
            assert versions == written[stream][: len(versions)]

    @invariant()
    def nothing_before_the_position_is_missing(self) -> None:
        kept = [row for row in self.shelf.rows if row.position <= self.book.position]
        there = {(stream, v) for stream, vs in self.topic.files().items() for v in vs}
        assert {(row.stream, row.version) for row in kept} <= there

    def teardown(self) -> None:
        for stage in self.stages:
            stage.turn.lose()
        last = Stage(self.shelf, self.topic, self.book)
        last.relay().run(once=True)
        self.topic.let_in()
        assert self.topic.files() == self.files(self.shelf.rows)

    def attempt(self, stage: Stage) -> None:
        """One turn of a relay, as far as it comes."""
        relay: Relay = stage.relay()
        stage.stopping, stage.waits, stage.waits_max = False, 0, 1
        with suppress(Killed, RelayAtWork, StoreUnavailable):
            relay.run(once=True)

    @staticmethod
    def files(stored: Any) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in stored:
            found.setdefault(row.stream, []).append(row.version)
        return found


Relays.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestRelays = Relays.TestCase
