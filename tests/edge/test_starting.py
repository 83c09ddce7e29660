"""Only who does not answer is waited for; what only a person can mend ends a start at once."""

from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.errors import LedgerError, StoreUnavailable
from edge.kafka.errors import BrokerDidNotAnswer, LoginRefused, NotAuthorised, TopicMissing
from edge.keeping import Stop
from edge.postgres.errors import SchemaBehind, ServerDidNotAnswer
from edge.postgres.server import may_answer_later
from edge.starting import Absent, Event, Present, Starting, StopAsked
from edge.wiring import LoginLacksRights
from tests.postgres_fixtures import Database

REFUSED = "connection to server at 127.0.0.1, port 1 failed: Connection refused"
SILENT = ServerDidNotAnswer("host=db", 5, REFUSED)
WRONG_PASSWORD = ServerDidNotAnswer("host=db", 5, "FATAL: password authentication failed")
NO_BROKER = BrokerDidNotAnswer("kafka:9092", "no answer")


@dataclass
class Scene:
    """A start that meets these errors one after another, and then succeeds."""

    errors: list[LedgerError]
    stop: Stop = field(default_factory=Stop)
    told: list[Event] = field(default_factory=list[Event])
    pauses: list[float] = field(default_factory=list[float])
    before_a_pause: Callable[[], None] = lambda: None

    def open(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "opened"

    def pause(self, seconds: float) -> None:
        self.before_a_pause()
        self.pauses.append(seconds)

    def starting(self, *, patience: bool = True) -> Starting:
        return Starting(self.stop, self.told.append, patience, lambda: 0.0, self.pause)


def test_who_is_there_is_not_waited_for_and_nothing_is_said() -> None:
    scene = Scene([])
    assert scene.starting().there(scene.open) == "opened"
    assert (scene.told, scene.pauses) == ([], [])


def test_who_does_not_answer_is_tried_again_ever_less_often_and_named_once() -> None:
    scene = Scene([SILENT, SILENT, StoreUnavailable(REFUSED), NO_BROKER, NO_BROKER])
    starting = scene.starting()
    assert starting.there(scene.open) == "opened"
    assert scene.pauses == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert [(type(each), getattr(each, "code", "")) for each in scene.told] == [
        *((Absent, "E617"), (Absent, "E603"), (Absent, "E771")),
        (Present, ""),
    ]
    assert [each.database for each in scene.told if isinstance(each, Absent)] == [True, True, False]
    last = scene.told[-1]
    assert isinstance(last, Present)
    assert last.tries == 6
    assert starting.absent is None


def test_while_it_waits_others_can_see_for_what() -> None:
    scene = Scene([SILENT])
    starting = scene.starting()
    seen: list[Absent | None] = []
    scene.before_a_pause = lambda: seen.append(starting.absent)
    starting.there(scene.open)
    assert seen == [Absent(True, "E617", REFUSED)]


@pytest.mark.parametrize(
    "error",
    [
        WRONG_PASSWORD,
        StoreUnavailable("FATAL: permission denied to set role"),
        SchemaBehind(1, 2),
        LoginLacksRights("no member"),
        LoginRefused("kafka:9092", "ledger"),
        NotAuthorised("ledger", "the group"),
        TopicMissing("kafka:9092", "claims.receipts"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_only_a_person_can_mend_is_raised_at_once(error: LedgerError) -> None:
    scene = Scene([error])
    with pytest.raises(type(error)):
        scene.starting().there(scene.open)
    assert (scene.told, scene.pauses) == ([], [])


def test_who_is_to_end_by_itself_waits_for_nobody() -> None:
    scene = Scene([SILENT])
    with pytest.raises(ServerDidNotAnswer):
        scene.starting(patience=False).there(scene.open)
    assert scene.pauses == []


def test_a_stop_is_heard_between_two_tries() -> None:
    scene = Scene([SILENT] * 9)

    def ask_to_stop() -> None:
        scene.stop.asked = True

    scene.before_a_pause = ask_to_stop
    with pytest.raises(StopAsked):
        scene.starting().there(scene.open)
    assert len(scene.pauses) == 1


@pytest.mark.parametrize(
    "why",
    [
        REFUSED,
        "connection timeout expired",
        'connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory',
        "failed to resolve host 'postgres': [Errno -2] Name or service not known",
        "connection failed: FATAL: the database system is starting up",
        "connection failed: FATAL: sorry, too many clients already: remaining connection slots",
        "server closed the connection unexpectedly",
    ],
)
def test_who_is_not_there_yet_may_answer_later(why: str) -> None:
    assert may_answer_later(why)


@pytest.mark.parametrize(
    "why",
    [
        "FATAL: password authentication failed for user x",
        'FATAL: database "absent" does not exist',
        "Connection refused; and at the second address: FATAL: no pg_hba.conf entry for host",
        "fe_sendauth: no password supplied",
        'root certificate file "/x" does not exist',
        "server does not support SSL, but SSL was required",
    ],
)
def test_who_says_no_will_say_no_again(why: str) -> None:
    assert not may_answer_later(why)


@pytest.mark.parametrize(
    ("changed", "later"),
    [
        ({"port": "1"}, True),
        ({"host": "/nowhere/at/all"}, True),
        ({"host": "no-such-host.invalid", "hostaddr": None}, True),
        ({"dbname": "absent"}, False),
        ({"user": "nobody"}, False),
        ({"options": "-c role=absent"}, False),
    ],
    ids=str,
)
def test_the_words_are_those_that_the_drivers_use(
    database: Database, changed: dict[str, str | None], later: bool
) -> None:
    wrong = make_conninfo(database.conninfo(), **changed)
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(wrong, connect_timeout=5)
    assert may_answer_later(" ".join(str(raised.value).split())) is later
