"""What the ledger reads from its environment: each `CLAIMS_` setting, checked once and frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import Refused

PREFIX = "CLAIMS_"
PARTITIONS_MAX = 1_000  # of one topic; past it a broker's own work on them outgrows the messages
REPLICATION_MAX = 9  # brokers that keep each message; nobody has more
KAFKA_S_MAX = 300.0  # past it nobody waits any longer, they look what is wrong
FOLDER = "claims-ledger"
KAFKA_MECHANISM = "SCRAM-SHA-512"  # how a user shows Kafka that it knows its password
# As root PostgreSQL runs under an account of its own, which cannot pass through root's home.
HOME_OF_ROOT = Path("/var/lib") / FOLDER


class SettingsUnfit(Refused):
    """The environment's settings cannot be used."""


@dataclass(eq=False)
class UnknownSetting(SettingsUnfit):
    """The environment sets {name}, which is not a setting; the nearest one is {nearest}."""

    code = "E631"
    remedy = "Correct the name, or unset it."
    name: str
    nearest: str


@dataclass(eq=False)
class WrongSetting(SettingsUnfit):
    """The setting {name} cannot be used: {rule}."""

    code = "E632"
    remedy = "Correct it in the environment, or unset it to take the default."
    name: str
    rule: str


def _default_home() -> Path:
    return HOME_OF_ROOT if os.geteuid() == 0 else user_data_path(FOLDER, appauthor=False)


def _absolute(value: object) -> object:
    """The path without `~` and independent of the folder that a later command is called from."""
    return Path(value).expanduser().absolute() if isinstance(value, str | Path) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _names(value: object) -> object:
    """Names as a person writes several in one setting, with commas between them."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


# A name that reads the same in Kafka's rules, where `*` is everybody, and in a list with commas.
KafkaUser = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]


class Settings(BaseSettings):
    """The settings, each from the environment variable `CLAIMS_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    # Never shown: it may hold a password. Without it the ledger starts a PostgreSQL of its own.
    dsn: str | None = Field(default=None, repr=False)
    home: Annotated[Path, BeforeValidator(_absolute)] = Field(default_factory=_default_home)
    # What other programs know this ledger by, as the source of all it says.
    ledger_uri: str = Field(default="urn:claims-ledger", pattern=r"^[!-~]{1,200}$")
    log_json: bool = False
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = (
        "info"
    )

    # Kafka is used only by what speaks it; where it is, nobody can guess.
    kafka_bootstrap: str | None = None
    kafka_security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(_upper)
    ] = "PLAINTEXT"
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Annotated[Path | None, BeforeValidator(_absolute)] = None
    kafka_client_id: str = Field(default="claims-ledger", min_length=1)
    kafka_wait_s: float = Field(default=10.0, gt=0, le=KAFKA_S_MAX)
    kafka_partitions: int = Field(default=6, ge=1, le=PARTITIONS_MAX)
    kafka_replication: int = Field(default=1, ge=1, le=REPLICATION_MAX)
    kafka_ledger: KafkaUser = "ledger"
    kafka_followers: Annotated[tuple[KafkaUser, ...], NoDecode, BeforeValidator(_names)] = (
        "follower",
    )


def setting_names() -> list[str]:
    """Every environment variable that is a setting, in the order of the fields."""
    return [PREFIX + field.upper() for field in Settings.model_fields]


def read_settings() -> Settings:
    """The settings of this process's environment.

    Raises `UnknownSetting` for a `CLAIMS_` variable that is no setting, because a misspelt one
    would silently leave the default in place, and `WrongSetting` for a value that cannot be used.
    """
    _require_known(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        # pydantic's own text repeats the value, which may be a secret; its rule does not.
        first = error.errors(include_input=False, include_url=False)[0]
        raise WrongSetting(PREFIX + str(first["loc"][0]).upper(), first["msg"]) from None


def _require_known(environ: Mapping[str, str]) -> None:
    known = setting_names()
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise UnknownSetting(name, *get_close_matches(name.upper(), known, n=1, cutoff=0.0))
