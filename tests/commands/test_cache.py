"""Files that are kept in mind: not read twice, not trusted over the facts, and not too many."""

import pytest

from commands.cache import CACHE_BYTES_MAX, FILE_BYTES, Cache, Earlier, Known
from commands.file import claim_file
from commands.ledger import Ledger
from commands.ports import Moved, head_of
from domain.errors import StoreUnavailable
from tests.commands.bodies import DEFENCE, Desk, estimate
from tests.commands.other_writers import Watched


@pytest.fixture
def desk() -> Desk:
    """A file with an estimate of 500 pounds, in a ledger that has just been started."""
    made = Desk()
    made.employ("ann", 10_000)
    made.opened()
    made.told("set-estimate", estimates=[estimate(500)])
    return made


def watched(desk: Desk, most: int = CACHE_BYTES_MAX) -> Watched:
    """A ledger of the desk's own, whose store tells what it was asked."""
    store = Watched(desk.store)
    desk.ledger = Ledger(store, lambda: desk.now, cache_bytes_max=most)
    return store


def elsewhere(desk: Desk) -> Desk:
    """Another process that writes to the same store."""
    return Desk(desk.now, desk.store, desk.numbers)


def test_a_file_that_is_known_is_not_read_again(desk: Desk) -> None:
    store = watched(desk)
    for pounds in range(501, 505):
        desk.told("set-estimate", estimates=[estimate(pounds)])
    assert store.loaded == ["claim-C1", "mandate-ann"]
    assert [str(desk.claim().damages_estimated("GBP")), len(desk.history("claim-C1"))] == [
        "GBP 504.00",
        8,
    ]


def test_what_another_process_wrote_is_seen_before_anything_rests_on_it(desk: Desk) -> None:
    store = watched(desk)
    desk.told("set-estimate", estimates=[estimate(600)])
    other = elsewhere(desk)
    other.told("set-estimate", estimates=[estimate(700)])
    revoked = other.body("revoke-mandate", "hedda", person="ann", why="left")
    desk.told("set-estimate", estimates=[estimate(700), estimate(5, DEFENCE)])
    assert [len(ids) for ids in store.batches] == [1, 1, 1]
    names = [type(record.fact).__name__ for record in desk.history("claim-C1")]
    assert names.count("EstimateSet") == 4  # the 700 pounds stood already
    assert other.send(revoked)[0].accepted
    assert desk.ask("set-estimate", estimates=[estimate(800)]).code == "E313"


def test_a_file_is_remembered_as_the_batch_left_it(desk: Desk) -> None:
    watched(desk)
    bodies = [
        desk.body("set-estimate", claim="C1", estimates=[estimate(pounds)])
        for pounds in (600, 600, 700)
    ]
    assert [len(each.data["facts"]) for each in desk.send(*bodies)] == [1, 0, 1]
    version = desk.told("set-estimate", estimates=[estimate(800)], expected_version=6)
    assert version.data["version"] == 7


def test_the_past_of_a_known_file_is_read_from_the_store(desk: Desk) -> None:
    store = watched(desk)
    desk.told("set-estimate", estimates=[estimate(600)])
    again = {"kind": "estimate", **estimate(550)}
    desk.told("correct-fact", version=5, replacement=again, why="typo")
    assert store.loaded == ["claim-C1", "mandate-ann", "claim-C1"]
    desk.told("set-estimate", estimates=[estimate(550), estimate(7, DEFENCE)])
    assert str(desk.claim().damages_estimated("GBP")) == "GBP 550.00"
    assert len(desk.history("claim-C1")) == 7


def test_a_past_that_is_not_the_one_remembered_makes_the_file_read_again(desk: Desk) -> None:
    """As when an older backup of the database was restored, and written to."""
    watched(desk)
    desk.told("set-estimate", estimates=[estimate(600)])
    restored = Desk(desk.now)
    restored.employ("ann", 10_000)
    restored.opened()
    for pounds in (500, 650):
        restored.told("set-estimate", estimates=[estimate(pounds)])
    assert len(restored.history("claim-C1")) == len(desk.history("claim-C1"))
    desk.store.__dict__.update(restored.store.__dict__)
    again = {"kind": "estimate", **estimate(640)}
    desk.told("correct-fact", version=5, replacement=again, why="typo")
    standing = desk.history("claim-C1")
    assert standing[-1].envelope.previous == standing[-2].digest


def test_nothing_is_remembered_once_the_database_was_away(desk: Desk) -> None:
    store = watched(desk)
    desk.told("set-estimate", estimates=[estimate(600)])

    def lost() -> None:
        raise StoreUnavailable("it is away")

    store.before = lost
    assert desk.ask("set-estimate", estimates=[estimate(700)]).code == "E603"
    desk.told("set-estimate", estimates=[estimate(800)])
    assert store.loaded == ["claim-C1", "mandate-ann"] * 2


@pytest.mark.parametrize("most", [0, 3 * FILE_BYTES])
def test_a_ledger_that_may_remember_little_works_alike(desk: Desk, most: int) -> None:
    store = watched(desk, most)
    for claim in ("C2", "C3", "C4", "C5"):
        desk.opened(claim)
    for pounds in (600, 700):
        for claim in ("C2", "C3", "C4", "C5"):
            desk.told("set-estimate", "ann", claim, estimates=[estimate(pounds)])
    assert store.loaded.count("claim-C2") > 1
    assert str(desk.claim("C2").damages_estimated("GBP")) == "GBP 700.00"


def known(desk: Desk, claim: str) -> Known:
    """A file as a batch that has just read it knows it."""
    history = desk.history(f"claim-{claim}")
    return Known(claim_file(f"claim-{claim}", history), head_of(history[-1]))


def told(desk: Desk, *claims: str) -> Cache:
    """A cache with just enough room for three of the claims, told of each in turn."""
    stored = [
        sum(len(record.stored) for record in desk.history(f"claim-{claim}")) for claim in claims
    ]
    cache = Cache(desk.store.load, 3 * FILE_BYTES + sum(sorted(stored)[-3:]) + 50)
    for claim in claims:
        cache.keep([known(desk, claim)])
    return cache


def test_a_full_cache_forgets_what_was_used_longest_ago(desk: Desk) -> None:
    for claim in ("C2", "C3", "C4"):
        desk.opened(claim)
    names = ["claim-C1", "claim-C2", "claim-C3", "claim-C4"]
    assert list(told(desk, "C1", "C2", "C3").find(names)) == names[:3]
    assert list(told(desk, "C1", "C2", "C3", "C4").find(names)) == names[1:]
    cache = told(desk, "C1", "C2", "C3")
    cache.find(["claim-C1"])
    cache.keep([known(desk, "C4")])
    assert sorted(cache.find(names)) == ["claim-C1", "claim-C3", "claim-C4"]


def test_a_file_counts_for_what_its_facts_are_stored_in(desk: Desk) -> None:
    cache = told(desk, "C1")
    facts = [len(record.stored) for record in desk.history("claim-C1")]
    assert cache.size == FILE_BYTES + sum(facts)
    store = watched(desk)
    for pounds in (600, 700):
        desk.told("set-estimate", estimates=[estimate(pounds)])
    assert store.loaded.count("claim-C1") == 1
    stored = [len(record.stored) for record in desk.history("claim-C1")]
    assert stored[:4] == facts
    assert min(stored) > 300
    found = desk.ledger._cache.find(["claim-C1"])  # pyright: ignore[reportPrivateUsage] - what it remembers
    assert found["claim-C1"].size == FILE_BYTES + sum(stored)


def test_a_file_known_later_is_not_forgotten_for_one_known_earlier(desk: Desk) -> None:
    cache, earlier = told(desk, "C1"), known(desk, "C1")
    desk.told("set-estimate", estimates=[estimate(600)])
    cache.drop(["claim-C1", "claim-unknown"])
    assert (cache.find(["claim-C1"]), cache.size) == ({}, 0)
    cache.keep([known(desk, "C1")])
    cache.keep([earlier])
    assert cache.find(["claim-C1"])["claim-C1"].file.version == 5


def test_a_file_that_has_just_begun_is_not_remembered(desk: Desk) -> None:
    store = watched(desk)
    desk.opened("C2")
    assert store.loaded == ["claim-C2", "mandate-bob", "claim-C2", "mandate-ann"]


def test_that_a_person_has_no_mandate_is_known_until_they_have(desk: Desk) -> None:
    store = watched(desk)
    for _ in range(2):
        assert desk.ask("set-estimate", "bob", estimates=[estimate(600)]).code == "E313"
    assert store.loaded == ["claim-C1", "mandate-bob"]
    elsewhere(desk).employ("bob", 10_000)
    desk.told("set-estimate", "bob", estimates=[estimate(600)])


def test_a_known_file_holds_on_to_none_of_its_facts(desk: Desk) -> None:
    file = told(desk, "C1").find(["claim-C1"])["claim-C1"].file
    assert file.added == ()
    assert file.version == len(file.history) == 4


def test_facts_that_a_refused_command_read_are_let_go(desk: Desk) -> None:
    cache = told(desk, "C1")
    assert desk.ask("void-fact", version=1, why="mistaken").code == "E416"
    earlier = cache.find(["claim-C1"])["claim-C1"].file.earlier
    assert isinstance(earlier, Earlier)
    assert earlier.facts is None


def test_facts_that_are_gone_are_not_made_up(desk: Desk) -> None:
    file = told(desk, "C1").find(["claim-C1"])["claim-C1"].file
    desk.store.__dict__.update(Desk().store.__dict__)
    with pytest.raises(Moved):
        _ = file.history
