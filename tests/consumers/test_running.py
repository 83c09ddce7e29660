"""The loop in a world of its own: its polls, its pauses and what it says, with no time passing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.pace import (
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    POLL_S,
    PROGRESS_S_MIN,
    STUCK_S_MAX,
    SUMMARY_S_MIN,
    World,
    pause_s,
)
from consumers.projector import Progress
from consumers.quarantine import TooManyParked
from consumers.running import (
    AGAIN_S,
    Back,
    CaughtUp,
    Event,
    Hopeless,
    LeftOut,
    Loop,
    Lost,
    Pulse,
    Started,
    Stopping,
    TakenIn,
)
from domain.errors import DamagedFact, StoreUnavailable
from projections.view import View, ViewOutdated

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGE_FACTS = 10
PAGE_S = 0.3


def view(name: str) -> View:
    return View(name, 1, {}, lambda _: [])


VIEWS = [view("audit"), view("caseload")]


@dataclass
class Stage:
    """A log that grows, a database that comes and goes, and a clock that moves when it is used."""

    head: int = 0
    now_s: float = 0.0
    away: bool = False
    hinting: bool = True  # whether an append wakes who waits
    outdated: dict[str, Hopeless] = field(default_factory=dict[str, Hopeless])
    script: dict[int, Callable[[], None]] = field(default_factory=dict[int, Callable[[], None]])
    stopping: bool = False
    at: dict[str, int] = field(default_factory=dict[str, int])
    turns: int = 0
    read: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    waits: list[float] = field(default_factory=list[float])
    sleeps: list[float] = field(default_factory=list[float])
    told: list[Event] = field(default_factory=list[Event])
    unheard: bool = False

    def loop(self, tell: Callable[[Event], None] | None = None) -> Loop:
        world = World(
            lambda: NOON + timedelta(seconds=self.now_s),
            lambda: self.now_s,
            self.wait,
            self.sleep,
            lambda: 0.0,
            lambda: self.stopping,
        )
        return Loop(VIEWS, self, world, tell or self.told.append)

    def append(self, facts: int = 1) -> None:
        self.head += facts
        self.unheard = True

    def catch_up(self, views: Sequence[View], progress: Callable[[Progress], None]) -> int:
        self.turns += 1
        self.script.pop(self.turns, lambda: None)()
        if self.away:
            raise StoreUnavailable("connection refused")
        for each in views:
            if each.name in self.outdated:
                raise self.outdated[each.name]
        names, facts = tuple(each.name for each in views), 0
        self.read.append(names)
        self.unheard = False
        while (position := min(self.at.get(name, 0) for name in names)) < self.head:
            page = min(PAGE_FACTS, self.head - position)
            self.now_s += PAGE_S
            self.at.update(dict.fromkeys(names, position + page))
            facts += page
            progress(Progress(names, position + page, page))
        return facts

    def position(self, views: Sequence[View]) -> int:
        return min(self.at.get(each.name, 0) for each in views)

    def wait(self, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        heard = self.hinting and self.unheard
        self.now_s += 0.0 if heard else timeout_s
        return heard

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_s += seconds

    def stop(self) -> None:
        self.stopping = True


def test_once_it_says_what_it_did_and_ends() -> None:
    stage = Stage(head=25)
    stage.loop().run(once=True)
    assert stage.told == [
        Started(("audit", "caseload")),
        Progress(("audit", "caseload"), 10, 10),
        CaughtUp(25, 25),
        Stopping(25),
    ]
    assert stage.waits == []


def test_level_it_polls_each_second_and_says_nothing() -> None:
    stage = Stage(head=5)
    stage.script = {60: stage.stop}
    stage.loop().run()
    assert stage.waits == [POLL_S] * 59
    assert stage.told[2:] == [CaughtUp(5, 5), Stopping(5)]


def test_what_was_never_hinted_is_read_at_the_next_poll() -> None:
    stage = Stage(hinting=False)
    loop = stage.loop()
    stage.script = {3: lambda: stage.append(4), 5: stage.stop}
    before = stage.now_s
    loop.run()
    assert stage.at == {"audit": 4, "caseload": 4}
    assert stage.now_s - before >= 4 * POLL_S  # each wait was waited out


def test_a_hint_wakes_it_before_the_poll() -> None:
    stage = Stage()
    heard = list[bool]()
    wait = stage.wait

    def wait_and_append(timeout_s: float) -> bool:
        stage.append()
        heard.append(wait(timeout_s))
        return heard[-1]

    stage.wait = wait_and_append  # type: ignore[method-assign]  # the stage's world, replaced
    stage.script = {20: stage.stop}
    stage.loop().run()
    assert heard == [True] * 19
    assert stage.head == stage.at["audit"] == 19
    assert stage.now_s == pytest.approx(19 * PAGE_S)  # no second was waited out


def test_progress_and_summaries_are_told_at_intervals_and_leave_no_fact_out() -> None:
    stage = Stage(hinting=False)
    stage.script = {turn: lambda: stage.append(3 * PAGE_FACTS) for turn in range(1, 101)}
    stage.script[101] = stage.stop
    stage.loop().run()
    pages = [each for each in stage.told if isinstance(each, Progress)]
    levels = [each for each in stage.told if isinstance(each, CaughtUp)]
    assert 1 < len(pages) <= stage.now_s / PROGRESS_S_MIN + 1
    assert 1 < len(levels) <= stage.now_s / SUMMARY_S_MIN + 1
    told = sum(level.facts for level in levels)
    assert told == levels[-1].position
    assert levels == sorted(levels, key=lambda level: level.position)


def test_a_lost_database_is_told_once_and_tried_with_growing_pauses_until_it_is_back() -> None:
    stage = Stage(head=5)
    loop = stage.loop()

    def lose() -> None:
        stage.away = True

    def find() -> None:
        assert loop.pulse.why_away == "connection refused"
        stage.away = False
        stage.append(2)

    stage.script = {2: lose, 9: find, 12: stage.stop}
    loop.run()
    assert stage.sleeps == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert [type(each) for each in stage.told[3:]] == [Lost, Progress, Back, CaughtUp, Stopping]
    back = stage.told[5]
    assert isinstance(back, Back)
    assert back.tries == 8
    assert back.away_s == pytest.approx(sum(stage.sleeps) + PAGE_S)
    assert stage.told[6] == CaughtUp(2, 7)
    assert loop.pulse.why_away is None


def test_the_pulse_says_since_when_the_database_is_away() -> None:
    stage = Stage()
    loop = stage.loop()

    def lose() -> None:
        stage.away = True

    stage.script = {4: lose, 9: stage.stop}
    loop.run()
    assert loop.pulse.since == NOON + timedelta(seconds=3)
    assert loop.pulse.turn_ended_at is not None
    assert loop.pulse.turn_ended_at > loop.pulse.since
    assert loop.pulse.turns == 9


def test_an_outdated_view_is_left_out_while_the_others_go_on_and_taken_in_when_it_is_built() -> (
    None
):
    stage = Stage(head=3, outdated={"audit": ViewOutdated("audit", 1, 2)})
    loop = stage.loop()

    def rebuilt() -> None:
        assert set(loop.pulse.left_out) == {"audit"}
        stage.outdated.clear()
        stage.append(2)

    stage.script = {9: rebuilt, 12: stage.stop}
    loop.run()
    assert [each for each in stage.told if not isinstance(each, Progress)] == [
        Started(("audit", "caseload")),
        LeftOut("audit", "E641"),
        CaughtUp(3, 3),
        TakenIn("audit"),
        CaughtUp(5, 5),
        Stopping(5),
    ]
    assert stage.at == {"audit": 5, "caseload": 5}
    assert loop.pulse.left_out == {}


def test_a_view_that_stops_at_too_many_files_is_tried_again_only_after_a_while() -> None:
    stage = Stage(head=3, outdated={"audit": TooManyParked("audit", 100, "claim-1", "no")})
    tried = list[float]()
    loop = stage.loop()
    catch_up = stage.catch_up

    def counted(views: Sequence[View], progress: Callable[[Progress], None]) -> int:
        if len(views) == len(VIEWS):
            tried.append(stage.now_s)
        return catch_up(views, progress)

    stage.catch_up = counted  # type: ignore[method-assign]  # the stage's world, replaced
    stage.script = {200: stage.stop}
    loop.run()
    assert len(tried) > 2
    assert all(later - earlier >= AGAIN_S for earlier, later in pairwise(tried))
    assert stage.told.count(LeftOut("audit", "E644")) == 1
    assert stage.at == {"caseload": 3}


def test_with_every_view_outdated_it_still_waits_for_one_to_be_built() -> None:
    outdated: dict[str, Hopeless] = {v.name: ViewOutdated(v.name, 1, 2) for v in VIEWS}
    stage = Stage(head=3, outdated=outdated)
    stage.script = {30: stage.stop}
    stage.loop().run()
    assert stage.read == []
    assert set(stage.waits) == {POLL_S}


def test_a_stop_ends_a_long_catch_up_after_the_page_under_way() -> None:
    stage = Stage(head=10_000)

    def stop_at_the_second_line(event: Event) -> None:
        stage.told.append(event)
        if isinstance(event, Progress) and event.position > PAGE_FACTS:
            stage.stop()

    stage.loop(stop_at_the_second_line).run()
    last = stage.told[-1]
    assert last == Stopping(stage.at["audit"])
    assert PAGE_FACTS < stage.at["audit"] < 100
    assert not any(isinstance(each, CaughtUp) for each in stage.told)


def test_what_cannot_be_read_ends_the_loop_by_name() -> None:
    stage = Stage()

    def break_it() -> None:
        raise DamagedFact("claim-1", 2, "offer-made.1", "cut short")

    stage.script = {3: break_it}
    with pytest.raises(DamagedFact):
        stage.loop().run()


def test_a_loop_without_a_sign_of_life_is_stuck_and_one_that_reads_is_not() -> None:
    stage = Stage(head=100_000)
    stuck = list[bool]()

    def look(_: Event) -> None:
        stuck.append(loop.pulse.stuck(stage.now_s))

    loop = stage.loop(look)
    loop.run(once=True)
    assert stage.now_s > STUCK_S_MAX  # one turn, that long
    assert stuck == [False] * len(stuck)
    assert loop.pulse.stuck(stage.now_s + STUCK_S_MAX + 1)


def test_a_pulse_is_replaced_and_never_changed() -> None:
    stage = Stage(head=5)
    loop = stage.loop()
    first = loop.pulse
    loop.run(once=True)
    assert (first.turns, first.facts) == (0, 0)
    assert loop.pulse == Pulse(
        NOON,
        stage.now_s,
        NOON,
        None,
        NOON + timedelta(seconds=stage.now_s),
        turns=1,
        facts=5,
        position=5,
    )


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_has_a_bound_and_chance_takes_up_to_half_of_it(
    failures: int, chance: float
) -> None:
    whole = pause_s(failures, 0.0)
    assert PAUSE_S_MIN <= whole <= PAUSE_S_MAX
    assert whole / 2 <= pause_s(failures, chance) <= whole <= pause_s(failures + 1, 0.0)
