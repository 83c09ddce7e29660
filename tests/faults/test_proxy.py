"""The proxy knows a COMMIT when it sees one, in either protocol, and nothing else for one."""

import pytest

from tests.faults.proxy import Commits


def sees(*messages: tuple[bytes, bytes]) -> list[bool]:
    commits = Commits()
    return [commits.sees(*message) for message in messages]


@pytest.mark.parametrize("text", [b"COMMIT\0", b"commit;\0", b"INSERT ...; COMMIT\0"])
def test_a_simple_query_that_commits(text: bytes) -> None:
    assert sees((b"Q", text)) == [True]


@pytest.mark.parametrize(
    "text", [b"BEGIN\0", b"SET LOCAL synchronous_commit = off\0", b"COMMIT PREPARED 'x'\0"]
)
def test_a_query_that_does_not(text: bytes) -> None:
    assert sees((b"Q", text)) == [False]


def test_a_prepared_one_commits_when_it_is_executed_and_each_time() -> None:
    parse = (b"P", b"_pg3_1\0COMMIT\0\0\0")
    bind, execute = (b"B", b"\0_pg3_1\0\0\0"), (b"E", b"\0\0\0\0\0")
    assert sees(parse, bind, execute, bind, execute) == [False, False, True, False, True]


def test_another_statement_in_its_place_does_not() -> None:
    parse = (b"P", b"_pg3_1\0COMMIT\0\0\0")
    another = (b"P", b"_pg3_1\0SELECT 1\0\0\0")
    bind, execute = (b"B", b"\0_pg3_1\0\0\0"), (b"E", b"\0\0\0\0\0")
    assert not any(sees(parse, another, bind, execute))
