"""A connection for the statements that the ledger sends all day: prepared once, bytes both ways.

A cursor of psycopg looks anew at the types of all parameters and columns each time, and waits for
the answer to one statement before it sends the next: for a small file as long as the server takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, pq
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute, fetch_many, send
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import DictRow, RowFactory, dict_row

# Of a prepared statement: there is none of that name, there is one already, its rows have changed.
_STALE = (b"26000", b"42P05", b"0A000")
_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with $1, $2 and so on in it; what has no name is not prepared."""

    text: str
    name: str = ""


class LedgerConnection(Connection[DictRow]):
    """A connection that knows what it has prepared, and when it was last in use.

    Parameters and columns are in PostgreSQL's binary format. Make it with `prepare_threshold` None:
    when a transaction fails, psycopg forgets all that is prepared if any of it is its own.
    """

    used_at = 0.0
    trusted = False  # it was given out unchecked
    stale = False  # what it had prepared was not there any more, or not as it was

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[DictRow] = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self._known = set[Statement]()
        self._reader = Transformer(self)

    @property
    def lost_unnoticed(self) -> bool:
        """It is closed, for a reason that no check finds or that nobody looked for."""
        return self.closed and (self.trusted or self.stale)

    def ask(self, statement: Statement, *values: bytes) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        self._prepare(statement)
        self._send(statement, values)
        results = self.wait(execute(self.pgconn))
        self._require_fresh(results)
        require_done(results)
        return self.rows(results[0])

    def ask_together(self, *steps: tuple[Statement, Sequence[bytes]]) -> list[PGresult]:
        """Send all, then read the answers: for each its own, an error, or that one came before it.

        Raises when the connection ends meanwhile, and is closed then.
        """
        for statement, _ in steps:
            self._prepare(statement)
        self.pgconn.enter_pipeline_mode()
        try:
            for statement, values in steps:
                self._send(statement, values)
            self.pgconn.pipeline_sync()
            results = self.wait(_answers(self.pgconn, len(steps)))
            self.pgconn.exit_pipeline_mode()
        except BaseException:
            self.close()  # nobody could tell what of it is still under way
            raise
        self._require_fresh(results)
        return results

    def rows(self, result: PGresult) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        self._reader.set_pgresult(result)
        rows = self._reader.load_rows(0, result.ntuples, tuple)
        self._reader.set_pgresult(None)  # which may be megabytes
        return rows

    def _prepare(self, statement: Statement) -> None:
        if statement.name and statement not in self._known:
            self.pgconn.send_prepare(statement.name.encode(), statement.text.encode())
            results = self.wait(execute(self.pgconn))
            self._require_fresh(results)
            require_done(results)
            self._known.add(statement)

    def _require_fresh(self, results: Sequence[PGresult]) -> None:
        """Close a connection that somebody else's DISCARD or ALTER has made useless."""
        for result in results:
            if result.error_field(pq.DiagnosticField.SQLSTATE) in _STALE:
                self.stale = True
                self.close()
                raise psycopg.OperationalError("what was prepared is not there as it was")

    def _send(self, statement: Statement, values: Sequence[bytes]) -> None:
        formats = [pq.Format.BINARY] * len(values)
        if statement.name:
            self.pgconn.send_query_prepared(
                statement.name.encode(), values, formats, pq.Format.BINARY
            )
        else:
            self.pgconn.send_query_params(
                statement.text.encode(), values, None, formats, pq.Format.BINARY
            )


def ended(results: Sequence[PGresult]) -> psycopg.Error:
    """What it is to get no more answers: the connection's last words, if it had any."""
    for result in results:
        if result.status not in _DONE:
            return error_from_result(result)
    return psycopg.OperationalError("the connection ended without an answer")


def require_done(results: Sequence[PGresult]) -> None:
    """Raise the first error there is among these answers."""
    for result in results:
        if result.status not in _DONE:
            raise error_from_result(result)
    if not results:
        raise ended(results)


def _answers(pgconn: PGconn, steps: int) -> PQGen[list[PGresult]]:
    """One answer for each step, and then the end of the pipeline."""
    yield from send(pgconn)
    results: list[PGresult] = []
    for _ in range(steps):
        results += yield from fetch_many(pgconn)
    yield from fetch_many(pgconn)
    if len(results) < steps:
        raise ended(results)
    return results
