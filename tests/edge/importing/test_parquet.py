"""A Parquet file is read as the CSV file of the same rows, or refused where it could lose some."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refused
from edge.importing import parquet
from edge.importing.source import COLUMNS, read
from edge.store.memory_store import MemoryStore
from tests.edge.importing.desk import Desk, Row, history, imported, said

pa: Any = pytest.importorskip("pyarrow")  # an extra, without types
pq: Any = pytest.importorskip("pyarrow.parquet")

ROWS = [*history("C1"), *history("C2", 2021)]
DAYS = ("effective_on", "event_date", "notified_on")
TEXT = [
    pytest.param(pa.string(), id="string"),
    pytest.param(pa.large_string(), id="large string"),
    pytest.param(pa.dictionary(pa.int32(), pa.string()), id="dictionary"),
]


def written(path: Path, rows: list[Row], types: dict[str, Any], text: Any = None) -> Path:
    """The rows as a Parquet file, missing cells as nulls."""
    schema = pa.schema([(name, types.get(name, text or pa.string())) for name in COLUMNS])
    table = pa.Table.from_pylist(
        [
            {name: _value(each.get(name), schema.field(name).type) for name in COLUMNS}
            for each in rows
        ],
        schema,
    )
    pq.write_table(table, path)
    return path


def _value(cell: str | None, kind: Any) -> Any:
    if not cell:
        return None
    if pa.types.is_date(kind):
        return date.fromisoformat(cell)
    if pa.types.is_decimal(kind):
        return Decimal(cell)
    if pa.types.is_integer(kind):
        return int(Decimal(cell))
    return float(cell) if pa.types.is_floating(kind) else cell


def _refused(path: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        list(read(path, lambda _done, _total: None))
    return caught.value


@pytest.mark.parametrize("text", TEXT)
def test_parquet_equals_csv(desk: Desk, text: Any) -> None:
    types = {"amount": pa.decimal128(18, 4), "estimate": pa.decimal128(18, 2)}
    types |= dict.fromkeys(DAYS, pa.date32())
    path = written(desk.folder / "bordereau.parquet", ROWS, types, text)
    columnar = MemoryStore()
    assert imported(path, columnar).outcome == desk.takes(ROWS).outcome
    for claim_ref in ("C1", "C2"):
        stream = f"claim-{claim_ref}"
        assert said(columnar.load([stream])[stream]) == said(desk.facts(claim_ref))
    assert imported(path, desk.store).outcome.already_there.claims == 2


def test_whole_numbers_and_text_are_amounts_too(desk: Desk) -> None:
    types = {"amount": pa.int64()}
    path = written(desk.folder / "bordereau", ROWS, types)  # told by its content, not its name
    assert imported(path, desk.store).outcome.imported.money["GBP"].paid == 2 * 950_00


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("amount", pa.float64()),
        ("estimate", pa.float32()),
        ("effective_on", pa.timestamp("us")),
        ("claim_ref", pa.int64()),
        ("note", pa.binary()),
    ],
)
def test_a_column_that_could_lose_something_is_refused(
    tmp_path: Path, column: str, kind: Any
) -> None:
    path = tmp_path / "bordereau.parquet"
    pq.write_table(
        pa.schema([(n, kind if n == column else pa.string()) for n in COLUMNS]).empty_table(), path
    )
    error = _refused(path)
    assert (error.code, error.field) == ("E154", column)


def test_another_header_or_no_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bordereau.parquet"
    pq.write_table(pa.table({"claim_ref": ["C1"], "loss": ["x"]}), path)
    assert _refused(path).code == "E152"
    assert _refused(written(path, [], {})).code == "E151"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole", ROWS * 100, {}).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: len(whole) // 2])
    assert _refused(cut).code == "E153"
    cut.write_bytes(whole[:200] + b"\xff" * 200 + whole[400:])
    assert _refused(cut).code == "E153"


def test_what_a_cell_may_not_hold_is_refused_as_in_csv(desk: Desk) -> None:
    long = history("C1")
    long[0]["note"] = "x" * 1_000_000
    nul = history("C2")
    nul[0]["note"] = "a\0b"
    path = written(desk.folder / "bordereau.parquet", [*long, *nul, *history("C3")], {})
    ran = imported(path, desk.store)
    assert ran.told == [("C1", 1, "note", "E163"), ("C2", 6, "note", "E161")]
    assert ran.outcome.imported.claims == 1


def test_without_pyarrow_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    path = written(tmp_path / "bordereau.parquet", ROWS, {})
    monkeypatch.setattr(parquet, "import_module", missing)
    error = _refused(path)
    assert error.code == "E155"
    assert "claims-ledger[parquet]" in error.remedy
