"""Labels and refusals kept, as stories: who may see a fact, and which refusals are near misses."""

import pytest

from domain.claim.lifecycle import ClaimNotified
from domain.envelope import DataClass, Labels, Privilege
from domain.labels import labels_of
from domain.refusal_log import CommandRefused, stream_of_refusals
from domain.schema import NAMES
from domain.terms import OfferType
from domain.value import replace
from tests.domain.samples import SAMPLES
from tests.facts import (
    asked,
    contractual,
    decided,
    estimated,
    notified,
    offered,
    part36,
    received,
    strategy_set,
)


def test_an_offer_is_shown_to_nobody_who_may_not_see_it() -> None:
    """CPR 36.16: a Part 36 offer is without prejudice save as to costs."""
    shown = {
        OfferType.PART36: Privilege.WPSATC,
        OfferType.CALDERBANK: Privilege.WPSATC,
        OfferType.WP_OFFER: Privilege.WITHOUT_PREJUDICE,
        OfferType.OPEN: Privilege.NONE,
    }
    for kind, privilege in shown.items():
        terms = part36() if kind is OfferType.PART36 else contractual(kind)
        assert labels_of(offered(terms)).privilege is privilege
        assert labels_of(received(terms)).privilege is privilege


def test_what_we_think_is_privileged() -> None:
    consumed = SAMPLES["approval-consumed.1"].fact
    for fact in (strategy_set(), asked(), decided(), consumed):
        assert labels_of(fact) == Labels(privilege=Privilege.LITIGATION)


@pytest.mark.parametrize(
    ("command", "privilege"),
    [
        ("make-offer", Privilege.WPSATC),
        ("accept-offer", Privilege.WPSATC),
        ("decide-escalation", Privilege.LITIGATION),
        ("agree-settlement", Privilege.WPSATC),
        ("correct-fact", Privilege.LITIGATION),
        ("set-estimate", Privilege.NONE),
        ("of-another-day", Privilege.NONE),
    ],
)
def test_a_refusal_is_as_privileged_as_what_it_may_quote(
    command: str, privilege: Privilege
) -> None:
    refusal = SAMPLES["command-refused.1"].fact
    assert isinstance(refusal, CommandRefused)
    assert labels_of(replace(refusal, command=command)) == Labels(privilege=privilege)


def test_allegations_are_clinical_and_money_is_ordinary() -> None:
    alleged = SAMPLES["claim-notified.1"].fact
    assert isinstance(alleged, ClaimNotified)
    assert labels_of(alleged).data_class is DataClass.CLINICAL
    assert labels_of(notified()) == labels_of(estimated(5)) == Labels()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_fact_has_labels(name: str) -> None:
    assert isinstance(labels_of(SAMPLES[name].fact), Labels)


@pytest.mark.parametrize(("code", "near"), [("E301", True), ("E204", False), ("E130", False)])
def test_a_refusal_for_want_of_authority_is_a_near_miss(code: str, near: bool) -> None:
    kept = CommandRefused("make-offer", code, "Name", "message", "remedy", "", "claim-1", 3, {})
    assert kept.near_miss is near


def test_refusals_are_kept_beside_what_they_are_about() -> None:
    assert stream_of_refusals("claim-1") == "refusals-claim-1"
