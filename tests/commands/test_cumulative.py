"""A limit is cumulative on the file: what was paid and approved before counts, costs never do."""

from hypothesis import given
from hypothesis import strategies as st

from tests.commands.bodies import DAMAGES, DEFENCE, Desk, estimate, gbp
from tests.strategies import some

LIMIT = 500_000
payments = st.lists(
    st.tuples(st.integers(1, 400_000), st.booleans(), st.booleans()), min_size=1, max_size=8
)


@given(payments)
@some
def test_approved_damages_never_pass_the_limit_however_they_are_cut(
    asked: list[tuple[int, bool, bool]],
) -> None:
    """I15, I18: `asked` is pounds, damages or costs, and issued at once or only approved."""
    desk = Desk()
    desk.employ("ann", LIMIT)
    desk.employ("bob", 10 * LIMIT)
    desk.opened()
    lines = [estimate(4_000_000), estimate(4_000_000, DEFENCE)]
    desk.told("set-estimate", "bob", estimates=lines)
    committed = 0
    for number, (pounds, for_damages, issued) in enumerate(asked):
        key = {"payment_id": f"P{number}"}
        line = DAMAGES if for_damages else DEFENCE
        payment = {"line": line, "amount": gbp(pounds), "kind": "interim", "payee": "party-1"}
        desk.told("request-payment", "bob", **key, **payment)
        added = pounds if for_damages else 0
        code = desk.ask("approve-payment", "ann", **key).code
        assert code == ("" if committed + added <= LIMIT else "E301")
        if code:
            continue
        committed += added
        if issued:
            desk.told("issue-payment", "fin", **key)
    assert desk.claim("C1").damages_committed("GBP").minor == committed * 100
