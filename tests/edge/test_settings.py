"""A setting is read once, and one that cannot be meant is refused by name."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge.settings import (
    HOME_OF_ROOT,
    PREFIX,
    Settings,
    UnknownSetting,
    WrongSetting,
    read_settings,
    setting_names,
)

SECRET = "correct-horse"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_nothing_has_to_be_set() -> None:
    settings = read_settings()
    assert (settings.dsn, settings.log_json, settings.log_level) == (None, False, "info")
    assert settings.home.is_absolute()


def test_each_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_DSN", "host=db dbname=claims")
    monkeypatch.setenv("CLAIMS_HOME", "/srv/claims")
    monkeypatch.setenv("CLAIMS_LOG_JSON", "true")
    monkeypatch.setenv("CLAIMS_LOG_LEVEL", "WARNING")
    assert read_settings() == Settings(
        dsn="host=db dbname=claims", home=Path("/srv/claims"), log_json=True, log_level="warning"
    )


def test_the_names_are_those_of_the_fields() -> None:
    assert {"CLAIMS_DSN", "CLAIMS_HOME", "CLAIMS_LOG_JSON"} <= set(setting_names())


@pytest.mark.parametrize("name", ["CLAIMS_DNS", "claims_dns"])
def test_a_misspelt_setting_is_refused_and_the_nearest_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(UnknownSetting, match="the nearest one is CLAIMS_DSN") as refused:
        read_settings()
    assert refused.value.code == "E631"
    assert SECRET not in str(refused.value)


def test_a_value_that_cannot_be_meant_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLAIMS_LOG_LEVEL", SECRET)
    with pytest.raises(WrongSetting, match=r"CLAIMS_LOG_LEVEL cannot be used: .*'warning'") as no:
        read_settings()
    assert SECRET not in str(no.value)
    assert no.value.__cause__ is None
    assert no.value.__suppress_context__


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_DSN", "")
    assert read_settings().dsn is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().log_json = True


def test_the_database_s_secret_is_not_shown() -> None:
    assert SECRET not in repr(Settings(dsn=f"host=db password={SECRET}"))


def test_home_is_the_same_folder_wherever_a_command_is_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAIMS_HOME", "data")
    assert read_settings().home == tmp_path / "data"
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("CLAIMS_HOME", "~/data")
    assert read_settings().home == Path("/home/ann/data")


def test_root_s_home_is_one_that_the_database_s_account_can_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read_settings().home == HOME_OF_ROOT


def test_a_person_s_home_follows_the_data_folder_they_chose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_settings().home == tmp_path / "claims-ledger"
