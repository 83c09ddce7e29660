"""How the store says that it cannot answer: to a caller always as a `StoreUnavailable`."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError

from domain.errors import StoreUnavailable, TooContended


@dataclass(eq=False)
class CommitInDoubt(StoreUnavailable):
    """The ledger's database was lost while it stored this command, which may be stored: {why}."""

    code = "E605"
    remedy = "Send the same command, with the same command_id, again: it is stored at most once."


@dataclass(eq=False)
class DiskFull(StoreUnavailable):
    """The ledger's database has no room left, and nothing of this command is stored: {why}."""

    code = "E625"
    remedy = "Make room where the database keeps its data, then send the same command again."


# What these say of a command is not kept: nothing was judged for good, and it may be sent again.
NOT_KEPT = frozenset(
    kind.code for kind in (StoreUnavailable, TooContended, CommitInDoubt, DiskFull)
)


class CommitLost(OperationalError):
    """The connection broke between the commit and its confirmation: it is stored, or it is not.

    Not for callers of the store: it asks for the answers by command_id and tells.
    """


@contextmanager
def away_by_name() -> Generator[None]:
    """Turn a database that does not answer, in the library's words or psycopg's, into ours."""
    try:
        yield
    except CommitLost:
        raise
    except (
        OperationalError,
        InterfaceError,
        psycopg.OperationalError,
        psycopg.InterfaceError,
    ) as error:
        if isinstance(error.__cause__ or error, psycopg.errors.DiskFull):
            raise DiskFull(in_one_line(error)) from error
        raise StoreUnavailable(in_one_line(error)) from error


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
