"""A file that cannot be read is refused whole; a row that cannot be read sets its claim aside."""

import gzip
import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refused
from edge.importing import lines, refusals
from edge.importing.lines import LINE_BYTES_MAX
from edge.importing.source import COLUMNS, REQUIRED, Found, read
from tests.edge.importing.desk import Desk, history, row, text

HEADER = ",".join(REQUIRED)


def found(desk: Desk, content: str | bytes) -> list[Found]:
    return list(read(desk.file(content), lambda _done, _total: None))


def refusal_of(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.remedy
    return caught.value


# --- The whole file ------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "\n", HEADER, HEADER + "\n"])
def test_an_empty_file_is_refused(desk: Desk, content: str) -> None:
    assert refusal_of(lambda: found(desk, content)).code == "E151"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    error = refusal_of(lambda: list(read(tmp_path / "none.csv", lambda _d, _t: None)))
    assert (error.code, "none.csv" in str(error)) == ("E150", True)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal_of(lambda: list(read(tmp_path, lambda _d, _t: None))).code == "E150"


def test_another_header_is_refused_and_its_columns_named(desk: Desk) -> None:
    content = "claim_ref,effective_on,kind,amount,date_of_loss,kind\nC1,,,,,\n"
    error = refusal_of(lambda: found(desk, content))
    assert error.code == "E152"
    assert error.evidence() == {"missing": "estimate", "unknown": "date_of_loss", "twice": "kind"}


def test_a_header_with_semicolons_is_refused(desk: Desk) -> None:
    assert refusal_of(lambda: found(desk, HEADER.replace(",", ";") + "\n")).code == "E152"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_header_that_is_not_utf8_is_refused(desk: Desk, encoding: str) -> None:
    error = refusal_of(lambda: found(desk, text(history("C1")).encode(encoding)))
    assert error.code in {"E160", "E161"}


@pytest.mark.parametrize("percent", [5, 50, 99])
def test_a_truncated_gzip_is_refused(desk: Desk, percent: int) -> None:
    packed = gzip.compress(text(history("C1") * 200).encode())
    error = refusal_of(lambda: desk.takes(packed[: len(packed) * percent // 100]))
    assert error.code == "E153"
    assert desk.head == 0


def test_a_damaged_gzip_is_refused(desk: Desk) -> None:
    packed = bytearray(gzip.compress(random.Random(1).randbytes(4_000).hex().encode()))
    packed = bytearray(gzip.compress((HEADER + "\n" + packed.hex()).encode()))
    packed[len(packed) // 2] ^= 0xFF
    assert refusal_of(lambda: found(desk, bytes(packed))).code == "E153"


def test_no_refusal_of_an_import_shares_its_code(desk: Desk) -> None:
    kinds = [
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type) and issubclass(kind, Refused) and kind.code != "E000"
    ]
    assert len({kind.code for kind in kinds}) == len(kinds) > 10
    assert all(f"{kind.code} {kind.__name__}" in (refusals.__doc__ or "") for kind in kinds)
    assert all(kind.remedy for kind in kinds)


# --- What is a row -------------------------------------------------------------------------------


def test_columns_may_come_in_any_order_and_optional_ones_may_be_missing(desk: Desk) -> None:
    content = "kind,estimate,note,claim_ref,amount,effective_on\nopened,5,hello,C1,,2020-01-01\n"
    (only,) = found(desk, content)
    assert dict(zip(COLUMNS, only.cells, strict=True)) == dict.fromkeys(COLUMNS, "") | {
        "claim_ref": "C1",
        "effective_on": "2020-01-01",
        "kind": "opened",
        "estimate": "5",
        "note": "hello",
    }


def test_what_a_spreadsheet_writes_is_read(desk: Desk) -> None:
    plain = text(history("C1"))
    bom = b"\xef\xbb\xbf" + plain.replace("\r\n", "\n").encode()
    assert found(desk, bom) == found(desk, plain) == found(desk, gzip.compress(bom))


def test_a_line_without_content_is_no_row_and_counts(desk: Desk) -> None:
    content = f"{HEADER}\n\nC1,a,b,,\n,,,,\nC2,a,b,,\n\n"
    assert [(each.row, each.claim_ref) for each in found(desk, content)] == [(2, "C1"), (4, "C2")]


def test_a_last_line_needs_no_end(desk: Desk) -> None:
    assert [each.claim_ref for each in found(desk, f"{HEADER}\nC1,a,b,c,d")] == ["C1"]


def test_a_quoted_cell_may_hold_commas_quotes_and_line_breaks(desk: Desk) -> None:
    note = 'said "no",\nthen,\r\n\n"yes"'
    (first, second) = found(desk, text([row("C1", "a", "b", note=note), row("C2", "a", "b")]))
    assert first.cells[COLUMNS.index("note")] == note.replace("\r\n", "\n")
    assert (first.row, second.row, second.claim_ref) == (1, 2, "C2")


def test_a_quote_inside_an_unquoted_cell_is_a_character(desk: Desk) -> None:
    (only,) = found(desk, f'{HEADER},note\nC1,a,b,,,5" pipe\n')
    assert only.cells[COLUMNS.index("note")] == '5" pipe'


BROKEN = [
    pytest.param(b"C2,a,b,c", "E164", "C2", id="too few cells"),
    pytest.param(b"C2,a,b,c,d,e", "E164", "C2", id="too many cells"),
    pytest.param(b"C2,a,b\xe9,c,d", "E160", "C2", id="latin-1"),
    pytest.param(b"C2,a,\xed\xa0\x80,c,d", "E160", "C2", id="half a character"),
    pytest.param(b"C2,a,b\0,c,d", "E161", "C2", id="NUL"),
    pytest.param(b"C\x002,a,b,c,d", "E161", "C2", id="NUL in the reference"),
    pytest.param(b'C2,a,"b,c,d', "E162", "C2", id="a quote that is not closed"),
    pytest.param(b'C2,a,"b"c,c,d', "E162", "C2", id="text behind a closing quote"),
    pytest.param(b"C2,a,b\rb,c,d", "E162", "C2", id="a line break outside quotes"),
    pytest.param(b"C2,a,b,c," + b"x" * 1_000_000, "E163", "C2", id="a cell of 1 MB"),
    pytest.param(b'C2,a,b,c,"' + b"x\n" * 50_000 + b'"', "E162", "C2", id="many lines in quotes"),
    pytest.param(b"C2,a,b,c," + b"x" * 20_000, "E163", "C2", id="a cell of 20 kB"),
    pytest.param(b",a,b,c,d", "E165", "", id="no reference"),
    pytest.param(b" C2,a,b,c,d", "E165", "C2", id="a space before the reference"),
    pytest.param("C2\u200b,a,b,c,d".encode(), "E165", "C2", id="a space of no width"),
    pytest.param(b"C" * 65 + b",a,b,c,d", "E165", "C" * 63 + " \u2026", id="65 characters"),
]


@pytest.mark.parametrize(("line", "code", "claim_ref"), BROKEN)
def test_a_broken_row_is_named_with_its_claim_and_breaks_no_other(
    desk: Desk, line: bytes, code: str, claim_ref: str | None
) -> None:
    before, after = b"C1,a,b,c,d\n", b"\nC3,a,b,c,d\n"
    rows = found(desk, HEADER.encode() + b"\n" + before + line + after)
    assert rows[0].claim_ref == "C1"
    assert rows[-1].claim_ref == "C3"
    assert rows[0].broken is rows[-1].broken is None
    broken = rows[1]
    assert broken.row == 2
    assert broken.broken is not None
    assert broken.broken.code == code
    assert str(broken.broken)
    assert len(broken.claim_ref) <= 65
    assert claim_ref in (None, broken.claim_ref)


def test_a_stray_quote_swallows_no_row_of_another_claim(desk: Desk) -> None:
    content = f'{HEADER},note\nC1,a,b,,,"oh\nC2,a,b,,,fine\nC3,a,b,,,"quoted"\nC4,a,b,,,\n'
    rows = found(desk, content)
    assert [(each.claim_ref, each.broken is None) for each in rows] == [
        ("C1", False),
        ("C2", True),
        ("C3", True),
        ("C4", True),
    ]


def test_a_line_as_long_as_allowed_is_read(desk: Desk) -> None:
    start = b"C1,a,b,c,"
    long = start + b"x" * (LINE_BYTES_MAX - len(start))
    for end in (b"", b"\n", b"\r\n"):
        rows = found(desk, HEADER.encode() + b"\n" + long + end + b"C2,a,b,c,d" * bool(end))
        assert [each.claim_ref for each in rows] == ["C1", "C2"][: 1 + bool(end)]


# --- Anything at all -----------------------------------------------------------------------------

SPECIAL = st.sampled_from(
    [b'"', b'""', b",", b"\r", b"\0", b"\xff", b"C1", b" ", b"\xc3\xa9", b"x"]
)
GARBAGE = st.lists(SPECIAL | st.binary(max_size=4), max_size=12).map(b"".join)


@given(garbage=GARBAGE)
def test_no_line_whatever_it_holds_harms_the_lines_around_it(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    line = garbage.replace(b"\n", b"")
    rows = found(desk, HEADER.encode() + b"\nA1,a,b,c,d\n" + line + b"\nA2,a,b,c,d\nA3,a,b,c,d\n")
    sound = [each.claim_ref for each in rows if each.broken is None]
    assert sound[0] == "A1"
    assert sound[-2:] == ["A2", "A3"]


def no_plain_line(_page: object, _width: int) -> tuple[()]:
    """Every line is read for itself."""
    return ()


@given(content=st.lists(GARBAGE, max_size=8).map(b"\n".join))
def test_rows_do_not_depend_on_how_many_lines_are_looked_at_together(content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        told = str(list(lines.rows(io.BytesIO(content), 3)))
        patch.setattr(lines, "PAGE_LINES", 2)
        assert str(list(lines.rows(io.BytesIO(content), 3))) == told
        patch.setattr(lines, "_plain", no_plain_line)
        assert str(list(lines.rows(io.BytesIO(content), 3))) == told


@given(content=st.binary(max_size=60) | GARBAGE.map(lambda each: HEADER.encode() + b"\n" + each))
def test_any_file_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    for each in (content, gzip.compress(content), b"\x1f\x8b" + content, b"PAR1" + content):
        try:
            desk.takes(each)
        except Refused as error:
            assert str(error)  # noqa: PT017 - that it can be said is what is tested
        assert desk.head == 0


# In a process of its own, because a limit of what may be written holds for a whole process.
FULL_DISK = """
import resource, sys
from pathlib import Path
from domain.errors import Refused
from edge.importing.source import read
from edge.importing.staging import Staging

resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with Staging() as staging:
        staging.take(read(Path(sys.argv[1]), lambda done, total: None))
        print(sum(1 for _, rows in staging.claims() for _ in rows))
except Refused as error:
    print(error.code, error)
"""


def test_a_full_disk_is_named(desk: Desk) -> None:
    path = desk.file(f"{HEADER}\n" + f"C1,2020-01-01,estimate,,{'9' * 200}\n" * 100_000)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("E156 The rows cannot be sorted by claim on disk: ")
