"""Reserve totals and movements: how much was held on what, known when, as of which day.

A row is a signed movement in two dimensions: recorded at, and effective on. The total known at T
and as of D is the sum of the rows recorded by T and effective by D, for every T and D; the
movements of a period are the same rows, so they tie at both ends. No two currencies are added up.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, LiteralString

from psycopg import Connection, sql

from domain.claim import Claim
from domain.claim.apportionment import ApportionmentAgreed
from domain.claim.correction import FactVoided
from domain.claim.exposure import Amounts, Moves, along, difference, step
from domain.claim.lifecycle import ClaimAllocated, ClaimReopened, HandlerChanged
from domain.claim.payments import PaymentIssued, PaymentVoided
from domain.claim.reserves import EstimateSet, RecoveryReceived
from domain.terms import Basis
from projections.view import Change, Copy, Step, View, Write, typed

TABLE: LiteralString = """
CREATE TABLE reserves (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    estimate bigint NOT NULL,
    paid bigint NOT NULL,
    recovered bigint NOT NULL,
    our_estimate bigint NOT NULL,
    our_paid bigint NOT NULL,
    our_recovered bigint NOT NULL,
    version int NOT NULL,
    part int NOT NULL,  -- one fact may move several lines, on several days
    effective_on date NOT NULL,
    claim text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    cost_type text COLLATE "C" NOT NULL,
    head text COLLATE "C" NOT NULL,  -- empty outside damages
    basis text COLLATE "C" NOT NULL,
    pathway text COLLATE "C" NOT NULL,
    handler text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (position, part)
) WITH (fillfactor = 100);
CREATE INDEX reserves_claim ON reserves (claim);
-- Rows arrive as they were recorded, so a few pages of this index tell which pages hold a period.
CREATE INDEX reserves_recorded ON reserves USING brin (recorded_at);
CREATE INDEX reserves_effective ON reserves (effective_on);
"""
MONEY: LiteralString = """
SELECT concat_ws(' ', cost_type, NULLIF(head, ''), basis), currency,
       sum(estimate) AS estimate, sum(paid) AS paid, sum(recovered) AS recovered,
       sum(our_estimate) AS our_estimate, sum(our_paid) AS our_paid,
       sum(our_recovered) AS our_recovered
FROM reserves GROUP BY cost_type, head, basis, currency
"""
COLUMNS = typed(
    (
        *("position", "part", "claim", "version", "recorded_at", "effective_on", "currency"),
        *("cost_type", "head", "basis", "pathway", "handler", "reason", *Amounts._fields),
    ),
    int8=("position", *Amounts._fields),
    int4=("part", "version"),
    timestamptz=("recorded_at",),
    date=("effective_on",),
)


class Reason(StrEnum):
    """Why totals moved: one reason a movement, read off the fact that moved them.

    A closure has none: a file closes only when nothing is outstanding on it, so it moves nothing.
    """

    OPENED = "opened"  # the first estimate of a line
    INCREASED = "increased"
    DECREASED = "decreased"
    REOPENED = "reopened"  # the fresh estimates of a file that was reopened by the same command
    PAID = "paid"
    PAYMENT_VOIDED = "payment_voided"
    RECOVERED = "recovered"
    TRANSFERRED = "transferred"  # to another pathway or handler: nil in all
    APPORTIONED = "apportioned"  # our share became another
    CORRECTED = "corrected"
    VOIDED = "voided"


def fold(changes: Sequence[Change]) -> list[Write]:
    """The movements of a page of changes."""
    rows: list[tuple[Any, ...]] = []
    for change in changes:
        moves = _moves(change)
        if moves:
            rows += _rows(change, moves)
    return [Copy("reserves", COLUMNS, rows)]


VIEW = View("reserves", 1, {"reserves": TABLE}, fold, MONEY)


def _moves(change: Change) -> Moves:
    before, after = change.before, change.after
    if not (isinstance(before, Claim) and isinstance(after, Claim)):
        return {}
    if change.in_order:
        return step(before, after, change.record.envelope.effective_on)
    start = next((claim for _, claim in _claims(change.common)), Claim())
    return difference(along(start, _claims(change.was)), along(start, _claims(change.became)))


def _claims(course: Sequence[Step]) -> Iterator[tuple[date, Claim]]:
    return ((day, state) for day, state in course if isinstance(state, Claim))


def _rows(change: Change, moves: Moves) -> Iterator[tuple[Any, ...]]:
    record, envelope = change.record, change.record.envelope
    reason = str(_reason(change))
    by_day = sorted(moves.items(), key=lambda move: move[0][0])
    for part, ((day, cell), amounts) in enumerate(by_day):
        line = cell.line
        yield (
            *(record.position, part, envelope.stream, envelope.version, envelope.recorded_at, day),
            *(line.currency, str(line.cost_type), str(line.head or ""), str(line.basis)),
            *(cell.pathway, cell.handler, reason, *amounts),
        )


def _reason(change: Change) -> Reason:
    if change.record.envelope.corrects is not None:
        return Reason.CORRECTED
    match change.record.fact:
        case EstimateSet() as fact:
            return _of_estimate(change, fact)
        case PaymentIssued():
            return Reason.PAID
        case PaymentVoided():
            return Reason.PAYMENT_VOIDED
        case RecoveryReceived():
            return Reason.RECOVERED
        case ClaimAllocated() | HandlerChanged():
            return Reason.TRANSFERRED
        case ApportionmentAgreed():
            return Reason.APPORTIONED
        case FactVoided():
            return Reason.VOIDED
        case fact:
            raise AssertionError(f"{type(fact).__name__} moved money and has no reason for it")


def _of_estimate(change: Change, fact: EstimateSet) -> Reason:
    before = change.before
    if isinstance(before, Claim):
        if before.lifecycle.reopened and _reopened_together(change):
            return Reason.REOPENED
        if fact.line not in before.reserves.lines:
            return Reason.OPENED
    return Reason.DECREASED if fact.amount < fact.previous else Reason.INCREASED


def _reopened_together(change: Change) -> bool:
    """The same command reopened the file."""
    return any(isinstance(earlier, ClaimReopened) for earlier in change.together)


class By(StrEnum):
    """What totals can be grouped by; their currency always parts them."""

    LINE = "line"
    COST_TYPE = "cost_type"
    HEAD = "head"
    CURRENCY = "currency"
    PATHWAY = "pathway"
    HANDLER = "handler"
    CLAIM = "claim"


class Axis(StrEnum):
    """Which of the two days of a movement puts it into a period."""

    RECORDED = "recorded"  # the books: what was entered in the period
    EFFECTIVE = "effective"  # the world: what was true in the period, as known at a moment


@dataclass(frozen=True, slots=True)
class Figures:
    """Whole minor units of one currency."""

    estimate: int = 0
    paid: int = 0
    recovered: int = 0

    @property
    def outstanding(self) -> int:
        """What is still expected to be paid."""
        return self.estimate - self.paid


NIL = Figures()


@dataclass(frozen=True, slots=True)
class Total:
    """A group's figures in one currency; `group` is empty for all of a currency.

    `claims` counts the files with a figure there that is not nil, summed over their lines: a file
    in two groups counts in both, and once in all.
    """

    group: Mapping[str, str]
    currency: str
    claims: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals by group, and of each currency in all; a group without any figure is left out."""

    groups: Sequence[Total]
    in_all: Sequence[Total]


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved for one reason, and which part of it lies before the period by effective day."""

    figures: Figures
    prior_period: Figures


@dataclass(frozen=True, slots=True)
class Movements:
    """A group's period in one currency: opening + the sum of its movements = closing."""

    group: Mapping[str, str]
    currency: str
    opening: Figures
    by_reason: Mapping[Reason, Movement]
    closing: Figures


_LINE = sql.SQL(
    "concat_ws(' ', cost_type, NULLIF(head, ''), currency,"
    " CASE basis WHEN 'our_share' THEN 'our share' END)"
)
_TOTALS = sql.SQL("""
WITH of_claims AS MATERIALIZED (
    SELECT {named}, claim AS of_claim, currency AS of_currency,
           sum({estimate}) AS estimate, sum({paid}) AS paid, sum({recovered}) AS recovered
    FROM views.reserves
    WHERE (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
      AND (%(as_of)s::date IS NULL OR effective_on <= %(as_of)s)
    GROUP BY {keys}, claim, currency
), in_all AS (
    SELECT of_claim, of_currency,
           sum(estimate) AS estimate, sum(paid) AS paid, sum(recovered) AS recovered
    FROM of_claims GROUP BY of_claim, of_currency
)
SELECT false, {names}, of_currency, count(*), sum(estimate), sum(paid), sum(recovered)
FROM of_claims WHERE estimate <> 0 OR paid <> 0 OR recovered <> 0
GROUP BY {names}, of_currency
UNION ALL
SELECT true, {blanks}, of_currency, count(*), sum(estimate), sum(paid), sum(recovered)
FROM in_all WHERE estimate <> 0 OR paid <> 0 OR recovered <> 0
GROUP BY of_currency ORDER BY of_currency, {names}
""")
_MOVEMENTS = sql.SQL("""
WITH known AS (
    SELECT {named}, currency AS of_currency, {estimate} AS estimate, {paid} AS paid,
           {recovered} AS recovered, effective_on,
           CASE WHEN {axis} >= %(first)s THEN reason END AS reason
    FROM views.reserves
    WHERE {axis} < %(after)s
      AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
      AND (%(as_of)s::date IS NULL OR effective_on <= %(as_of)s)
)
SELECT {names}, of_currency, grouping(reason) = 1, reason,
       sum(estimate), sum(paid), sum(recovered),
       sum(estimate) FILTER (WHERE prior), sum(paid) FILTER (WHERE prior),
       sum(recovered) FILTER (WHERE prior)
FROM (SELECT *, reason IS NOT NULL AND effective_on < %(opens)s AS prior FROM known) AS told
GROUP BY GROUPING SETS (({names}, of_currency, reason), ({names}, of_currency))
ORDER BY of_currency, {names}
""")


def totals(
    connection: Connection[Any],
    by: Sequence[By] = (),
    *,
    known_at: datetime | None = None,
    as_of: date | None = None,
    basis: Basis = Basis.GROSS,
) -> Totals:
    """The totals as known at a moment and as of a day; what is None does not limit.

    `basis` GROSS is the whole claim; a line that is kept for our share counts with what is kept.
    """
    query = _TOTALS.format(**_parts(by, basis))
    groups: list[Total] = []
    in_all: list[Total] = []
    for row in connection.execute(query, {"known_at": known_at, "as_of": as_of}):
        overall, *group, currency, claims, estimate, paid, recovered = row
        figures = Figures(int(estimate), int(paid), int(recovered))
        key = {} if overall else _group(by, group)
        (in_all if overall else groups).append(Total(key, currency, claims, figures))
    return Totals(groups, in_all)


def movements(
    connection: Connection[Any],
    first: date,
    last: date,
    by: Sequence[By] = (),
    *,
    axis: Axis = Axis.RECORDED,
    known_at: datetime | None = None,
    as_of: date | None = None,
    basis: Basis = Basis.GROSS,
) -> list[Movements]:
    """What moved from `first` to `last`, both included (UTC days), and the totals at both ends.

    On the recorded axis both ends are as known then, and what was entered in the period and
    effective before it is its prior-period part; on the effective axis they are as of then.
    """
    after, recorded = last + timedelta(days=1), axis is Axis.RECORDED
    column = sql.Identifier("recorded_at" if recorded else "effective_on")
    query = _MOVEMENTS.format(**_parts(by, basis), axis=column)
    parameters = {
        "known_at": known_at,
        "as_of": as_of,
        "first": start_of(first) if recorded else first,
        "after": start_of(after) if recorded else after,
        "opens": first,
    }
    return _reports(connection.execute(query, parameters).fetchall(), by)


def start_of(day: date) -> datetime:
    """The first moment of a day (UTC)."""
    return datetime.combine(day, time(), UTC)


def _reports(rows: Sequence[tuple[Any, ...]], by: Sequence[By]) -> list[Movements]:
    opening: dict[tuple[str, ...], Figures] = {}
    closing: dict[tuple[str, ...], Figures] = {}
    moved: defaultdict[tuple[str, ...], dict[Reason, Movement]] = defaultdict(dict)
    for row in rows:
        *keys, is_closing, reason = row[:-6]
        key, sums = tuple(keys), [int(each or 0) for each in row[-6:]]
        figures = Figures(*sums[:3])
        if is_closing:
            closing[key] = figures
        elif reason is None:
            opening[key] = figures
        else:
            moved[key][Reason(reason)] = Movement(figures, Figures(*sums[3:]))
    return [
        Movements(
            group=_group(by, key[:-1]),
            currency=key[-1],
            opening=opening.get(key, NIL),
            by_reason={each: moved[key][each] for each in Reason if each in moved[key]},
            closing=closing[key],
        )
        for key in closing
        if moved[key] or opening[key] != NIL
    ]


def _parts(by: Sequence[By], basis: Basis) -> dict[str, sql.Composable]:
    """The figures' columns, and what to group by, named g0, g1, ...: the currency if nothing."""
    keys = [_LINE if each is By.LINE else sql.Identifier(each) for each in by or (By.CURRENCY,)]
    names = [sql.Identifier(f"g{number}") for number in range(len(keys))]
    named = [sql.SQL("{} AS {}").format(*pair) for pair in zip(keys, names, strict=True)]
    blanks = [sql.NULL] * len(keys)
    lists: Mapping[str, Sequence[sql.Composable]]
    lists = {"keys": keys, "names": names, "named": named, "blanks": blanks}
    ours = "our_" if basis is Basis.OUR_SHARE else ""
    return {
        **{name: sql.SQL(", ").join(each) for name, each in lists.items()},
        **{name: sql.Identifier(ours + name) for name in ("estimate", "paid", "recovered")},
    }


def _group(by: Sequence[By], values: Sequence[str]) -> dict[str, str]:
    """The group by name, empty where none was asked for."""
    return {each.value: value for each, value in zip(by, values, strict=False)}
