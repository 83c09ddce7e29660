"""What is left to chance comes from the seed, and what must come comes whatever the seed."""

import random
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from commands.door import Unread, read
from tests.faults.asking import Asker, as_sent
from tests.faults.exchanges import exchanges, note_sent
from tests.faults.journal import Journal
from tests.faults.storm import AT_LEAST, plan

DAY = date(2026, 3, 2)


@given(seed=st.integers(), seconds=st.floats(5, 120))
def test_every_fault_is_planned_within_the_time_and_the_same_seed_plans_the_same(
    seed: int, seconds: float
) -> None:
    planned = list(plan(random.Random(seed), seconds))
    assert planned == list(plan(random.Random(seed), seconds))
    hurts = [hurt for _, hurt in planned]
    assert all(hurts.count(hurt) >= times for hurt, times in AT_LEAST.items())
    assert [at for at, _ in planned] == sorted(at for at, _ in planned)
    assert all(0 < at <= seconds for at, _ in planned)


@given(seed=st.integers())
def test_the_same_seed_asks_the_same(seed: int) -> None:
    first, second = (Asker("w", random.Random(seed), DAY, ["again"]) for _ in range(2))
    for tenths in range(30):
        assert first.batch(tenths / 10) == second.batch(tenths / 10)


@given(seed=st.integers())
def test_what_is_asked_of_a_file_can_be_read(seed: int) -> None:
    asker = Asker("w", random.Random(seed), DAY, ())
    for number in range(30):
        for body in (asker.action(f"C{number}"), *asker.next_steps()):
            command = read(as_sent(body).encode())
            assert not isinstance(command, Unread), command.error


def test_a_line_that_a_kill_has_torn_is_not_told_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "writer-0.jsonl"
    note_sent(Journal(path), ['{"command_id": "a"}'])
    with path.open("ab") as file:
        file.write(b'{"sent": ["{\\"command_id\\": \\"b')
    note_sent(Journal(path), ['{"command_id": "c"}'])
    assert exchanges([path]).sent.keys() == {"a", "c"}
