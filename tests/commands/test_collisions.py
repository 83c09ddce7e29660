"""When another writer is quicker: who is judged again, who is not, and in which order."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from commands.ledger import Ledger
from commands.ports import Moved, ToStore
from commands.receipt import accepted
from domain.errors import StoreUnavailable
from edge.store.errors import CommitInDoubt
from tests.commands.bodies import EVERYWHERE, Body, Desk, estimate, gbp, matter
from tests.commands.other_writers import Watched

CLAIMS = ("C1", "C2", "C3")


@pytest.fixture
def desk() -> Desk:
    """Three files, and a ledger whose store tells what it was asked."""
    made = Desk()
    made.employ("ann", 10_000)
    made.employ("bob", 10_000)
    for claim in CLAIMS:
        made.opened(claim)
    made.ledger = Ledger(Watched(made.store), lambda: made.now)
    return made


def store_of(desk: Desk) -> Watched:
    store = desk.ledger._store  # pyright: ignore[reportPrivateUsage] - the test's own double
    assert isinstance(store, Watched)
    return store


def other(desk: Desk) -> Desk:
    """Another process that writes to the same store."""
    return Desk(desk.now, desk.store, desk.numbers)


def asking(desk: Desk, claim: str, pounds: int, by: str = "ann", /, **fields: object) -> Body:
    """An estimate under an id that says which file and what."""
    body = desk.body("set-estimate", by, claim=claim, estimates=[estimate(pounds)], **fields)
    return {**body, "command_id": f"{claim}-{pounds}"}


def collide(desk: Desk, *bodies: Body, meanwhile: Callable[[], object]) -> list[list[str]]:
    """Send a batch, with something happening right before it is stored; what was to be stored."""
    store = store_of(desk)
    store.before = meanwhile
    for receipt in desk.send(*bodies):
        assert receipt.accepted, receipt.data
    return store.batches


def test_only_those_on_the_file_that_moved_are_judged_again_one_by_one(desk: Desk) -> None:
    bodies = [asking(desk, c, p) for p, c in enumerate(("C1", "C2", "C1", "C3", "C2"), start=501)]
    batches = collide(
        desk, *bodies, meanwhile=lambda: other(desk).told("set-estimate", estimates=[estimate(9)])
    )
    assert batches == [
        ["C1-501", "C2-502", "C1-503", "C3-504", "C2-505"],
        ["C2-502", "C3-504", "C2-505"],
        ["C1-501"],
        ["C1-503"],
    ]
    told = [str(desk.claim(claim).damages_estimated("GBP")) for claim in CLAIMS]
    assert told == ["GBP 503.00", "GBP 505.00", "GBP 504.00"]


def test_those_whose_mandate_moved_are_judged_again_and_what_follows_them(desk: Desk) -> None:
    bodies = [
        asking(desk, "C1", 501, "bob"),
        asking(desk, "C2", 502, "ann"),
        asking(desk, "C2", 503, "bob"),
        asking(desk, "C1", 504, "bob"),
    ]
    suspended = desk.body("suspend-mandate", "hedda", person="ann", why="leave")
    restored = desk.body("restore-mandate", "hedda", person="ann", why="back")
    batches = collide(desk, *bodies, meanwhile=lambda: other(desk).send(suspended, restored))
    assert batches[1:] == [["C1-501", "C1-504"], ["C2-502"], ["C2-503"]]


def test_a_mandate_that_no_decision_rested_on_may_move(desk: Desk) -> None:
    bodies = [
        desk.body("change-handler", "ann", claim="C1", handler="bob"),
        desk.body("change-handler", "ann", claim="C2", handler="bob"),
    ]
    suspended = desk.body("suspend-mandate", "hedda", person="ann", why="leave")
    assert len(collide(desk, *bodies, meanwhile=lambda: other(desk).send(suspended))) == 1


def test_a_command_answered_meanwhile_gets_that_answer_and_the_others_theirs(desk: Desk) -> None:
    bodies = [asking(desk, "C1", 501), asking(desk, "C2", 502)]
    # The other process has another file under the same id first, so that no file moved.
    elsewhere = other(desk)
    same = {**asking(desk, "C3", 501), "command_id": "C1-501"}
    store = store_of(desk)
    store.before = lambda: elsewhere.send(same)
    receipts = desk.send(*bodies)
    assert [receipt.code for receipt in receipts] == ["E702", ""]
    assert store.batches == [["C1-501", "C2-502"], ["C2-502"]]
    assert desk.send(same)[0].data["stream"] == "claim-C3"


def test_a_repeat_in_a_batch_is_judged_after_the_one_it_repeats(desk: Desk) -> None:
    first, near = asking(desk, "C1", 501), {**asking(desk, "C2", 777), "command_id": "C1-501"}
    store = store_of(desk)
    store.before = lambda: other(desk).told("set-estimate", estimates=[estimate(9)])
    assert [each.code for each in desk.send(first, near, first)] == ["", "E702", ""]


def test_refusals_about_a_file_keep_their_order(desk: Desk) -> None:
    bodies = [
        desk.body("set-estimate", claim="C1", estimates=[estimate(pounds)])
        for pounds in (50_000, 60_000)
    ]
    store = store_of(desk)
    store.before = lambda: other(desk).ask("set-estimate", estimates=[estimate(70_000)])
    assert [each.code for each in desk.send(*bodies, asking(desk, "C2", 5))] == ["E301", "E301", ""]
    kept = [record.envelope.command_id for record in desk.history("refusals-claim-C1")]
    assert kept[1:] == [body["command_id"] for body in bodies]
    assert len(kept) == 3


def test_where_the_store_cannot_tell_what_moved_all_are_judged_again(desk: Desk) -> None:
    def moved() -> None:
        raise Moved

    batches = collide(desk, asking(desk, "C1", 501), asking(desk, "C2", 502), meanwhile=moved)
    assert batches == [["C1-501", "C2-502"], ["C1-501"], ["C2-502"]]


@pytest.mark.parametrize(("error", "first"), [(StoreUnavailable, "E603"), (CommitInDoubt, "E605")])
def test_only_those_that_were_being_stored_are_in_doubt(
    desk: Desk, error: type[StoreUnavailable], first: str
) -> None:
    store = store_of(desk)

    def lost() -> None:
        raise error("the connection was lost")

    def overtaken() -> None:
        store.before = lost
        other(desk).told("set-estimate", estimates=[estimate(9)])

    store.before = overtaken
    bodies = [asking(desk, "C1", 501), asking(desk, "C2", 502), asking(desk, "C3", 503)]
    assert [each.code for each in desk.send(*bodies)] == ["E603", first, first]
    assert all(receipt.accepted for receipt in desk.send(*bodies))


def test_a_store_that_fails_while_a_command_is_judged_is_no_answer_to_keep(desk: Desk) -> None:
    limits = [{"decision": "reserve", "maximum": gbp(5_000), **EVERYWHERE}]
    grant = {"role": "pathway_lead", "limits": limits, "valid_from": desk.today.isoformat()}
    signers = (("cat", "holder"), ("mike", "line_manager"), ("hedda", "head_of_department"))
    made = other(desk)
    made.send(
        made.body("grant-mandate", "hedda", person="cat", delegated_by="bob", **grant),
        *(made.body("attest-mandate", who, person="cat", attestor=as_) for who, as_ in signers),
    )
    store, load = store_of(desk), store_of(desk).load

    def away(streams: object) -> object:
        if "mandate-bob" in list(streams):  # type: ignore[call-overload]  # names of streams
            raise StoreUnavailable("it is away")
        return load(streams)  # type: ignore[arg-type]  # names of streams

    body = asking(desk, "C1", 501, "cat")
    store.load = away  # type: ignore[method-assign,assignment]  # for a while
    receipt = desk.send(body)[0]
    assert (receipt.code, receipt.data["kept_in"]) == ("E603", "")
    store.load = load  # type: ignore[method-assign]  # it is back
    assert desk.send(body)[0].accepted


@pytest.mark.parametrize("claim", ["C%d", 'C"1', "C\\1", "C{0}", "\u00c9-\u6b6f"])
def test_a_receipt_is_json_whatever_the_file_is_called(claim: str) -> None:
    stored = [ToStore(f"claim-{claim}", version, "claim-notified.1", b"{}") for version in (1, 2)]
    moment = datetime(2026, 3, 2, 9, 0, 0, 5, tzinfo=UTC)
    receipt = accepted("c-1", f"claim-{claim}", 2, "d" * 64, moment, stored)([7, 8])
    told = {
        "outcome": "accepted",
        "command_id": "c-1",
        "stream": f"claim-{claim}",
        "version": 2,
        "digest": "d" * 64,
        "position": 8,
        "recorded_at": moment.isoformat(),
        "facts": [
            {"name": "claim-notified.1", "version": 1, "position": 7},
            {"name": "claim-notified.1", "version": 2, "position": 8},
        ],
    }
    assert receipt == json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    desk = Desk()
    opened = desk.body("notify-matter", "bob", claim=claim, **matter())
    assert desk.send(opened)[0].data["stream"] == f"claim-{claim}"


def test_a_receipt_of_nothing_new_is_json_too() -> None:
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    receipt = accepted("c-1", "claim-C1", 2, "d" * 64, moment, [])([])
    assert json.loads(receipt)["position"] == 0
    assert json.loads(receipt)["facts"] == []
