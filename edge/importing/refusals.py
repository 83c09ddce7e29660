"""Every way an import says no: to the whole file, to one row of it, or because it had to stop.

The tree (codes continue E1xx and E6xx of `domain.errors`)::

    FileUnusable                nothing of the file was imported
    ├── E150 FileNotOpened           E151 FileEmpty
    ├── E152 WrongHeader             E153 FileDamaged
    ├── E154 WrongColumnType         E155 ParquetNotInstalled
    └── E156 NoRoomToSort            E157 RejectsNotWritten
    RowUnusable                 the claim that the row belongs to was set aside
    ├── E160 NotUtf8                 E161 HoldsNul
    ├── E162 QuotesBroken            E163 RowTooLong
    ├── E164 WrongNumberOfCells      E165 WrongClaimReference
    ├── E166 NotInList               E167 NotADay
    └── E168 MixedCurrencies         E169 HistoryTooLong
    E606 ImportStopped          the database went away and stayed away, or a process was ended

Amounts, texts and dates that a rule of the ledger refuses keep that rule's code.
"""

from dataclasses import dataclass

from domain.errors import Refused


class FileUnusable(Refused):
    """The file cannot be imported."""


@dataclass(eq=False)
class FileNotOpened(FileUnusable):
    """The file {file} cannot be opened: {why}."""

    code = "E150"
    remedy = "Check the name and who may read it; nothing was imported."
    file: str
    why: str


@dataclass(eq=False)
class FileEmpty(FileUnusable):
    """The file {file} holds no row."""

    code = "E151"
    remedy = "Export it again: a header, then one row a transaction; nothing was imported."
    file: str


@dataclass(eq=False)
class WrongHeader(FileUnusable):
    """The header is not a bordereau's: missing {missing}; unknown {unknown}; twice {twice}."""

    code = "E152"
    remedy = (
        "Write the columns' names in the first row, separated by commas: claim_ref, effective_on,"
        " kind, amount and estimate, and of the optional ones those that are there."
    )
    missing: str
    unknown: str
    twice: str


@dataclass(eq=False)
class FileDamaged(FileUnusable):
    """The file {file} cannot be read past row {row}: {why}."""

    code = "E153"
    remedy = "Fetch or export the file again, whole; nothing of it was imported."
    file: str
    row: int
    why: str


@dataclass(eq=False)
class WrongColumnType(FileUnusable):
    """The column {path} holds {found}; it has to hold {wanted}."""

    code = "E154"
    remedy = "Write amounts as decimals or text, never as floats; days as dates or text."
    path: str
    found: str
    wanted: str


@dataclass(eq=False)
class ParquetNotInstalled(FileUnusable):
    """The file {file} is Parquet, and what reads Parquet is not installed."""

    code = "E155"
    remedy = "Install the extra: pip install 'claims-ledger[parquet]'; or export it as CSV."
    file: str


@dataclass(eq=False)
class NoRoomToSort(FileUnusable):
    """The rows cannot be sorted by claim on disk: {why}."""

    code = "E156"
    remedy = "Make room for a copy of the file where TMPDIR points; nothing was imported."
    why: str


@dataclass(eq=False)
class RejectsNotWritten(FileUnusable):
    """The rejects cannot be written to {file}: {why}."""

    code = "E157"
    remedy = "Name another file for --rejects and run the same import again."
    file: str
    why: str


class RowUnusable(Refused):
    """The row cannot be read, so its claim was set aside."""


@dataclass(eq=False)
class NotUtf8(RowUnusable):
    """The row is not UTF-8 text."""

    code = "E160"
    remedy = "Export the file as UTF-8."


@dataclass(eq=False)
class HoldsNul(RowUnusable):
    """The row holds a NUL character."""

    code = "E161"
    remedy = "Take the NUL characters out; if they are everywhere, export the file as UTF-8."


@dataclass(eq=False)
class QuotesBroken(RowUnusable):
    """The quotes of the row do not match: {rule}."""

    code = "E162"
    remedy = "Close what a quote opens, and write a quote inside a quoted cell twice."
    rule: str


@dataclass(eq=False)
class RowTooLong(RowUnusable):
    """The row is longer than {limit} bytes."""

    code = "E163"
    remedy = "Shorten its cells: a note has at most 4,000 characters, any other cell 64."
    limit: int


@dataclass(eq=False)
class WrongNumberOfCells(RowUnusable):
    """The row has {found} cells and the header has {expected}."""

    code = "E164"
    remedy = "Give every row as many cells as the header; quote a cell that holds a comma."
    found: int
    expected: int


@dataclass(eq=False)
class WrongClaimReference(RowUnusable):
    """The claim's reference cannot be used: {rule}."""

    code = "E165"
    remedy = "Give every row its claim's reference: 1 to 64 printable characters."
    where = "claim_ref"
    rule: str


@dataclass(eq=False)
class NotInList(RowUnusable):
    """The {path} {found} is none of {known}."""

    code = "E166"
    remedy = "Use one of those that are listed, written as they are."
    path: str
    found: str
    known: str


@dataclass(eq=False)
class NotADay(RowUnusable):
    """The {path} {found} is not a day."""

    code = "E167"
    remedy = "Write the day as in 2026-03-31."
    path: str
    found: str


@dataclass(eq=False)
class MixedCurrencies(RowUnusable):
    """The row is in {found} and the claim's earlier rows are in {expected}."""

    code = "E168"
    remedy = "Give all rows of a claim one currency; --currency is that of rows without one."
    where = "currency"
    expected: str
    found: str


@dataclass(eq=False)
class HistoryTooLong(RowUnusable):
    """The claim has more than {limit} rows."""

    code = "E169"
    remedy = "Ask why one claim has so many, and import it as linked claims."
    where = "claim_ref"
    limit: int


@dataclass(eq=False)
class ImportStopped(Refused):
    """The import stopped after {claims} claims: {why}."""

    code = "E606"
    remedy = "Run the same import again: what is in stays as it is, and the rest follows."
    claims: int
    why: str
