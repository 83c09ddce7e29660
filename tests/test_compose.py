"""The container files name only settings the code knows and only files that exist."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.cli.app import app
from edge.health_door import HEALTH
from edge.settings import PREFIX, setting_names

ROOT = Path(__file__).resolve().parent.parent
SETTING = re.compile(rf"\b{PREFIX}[A-Z0-9_]+")


def named(file: str) -> set[str]:
    return set(SETTING.findall((ROOT / file).read_text("utf-8")))


@pytest.mark.parametrize("file", ["docker-compose.yml", "Dockerfile"])
def test_every_setting_named_is_a_field_of_the_settings(file: str) -> None:
    assert named(file) - set(setting_names()) == set()


def test_the_ledger_is_told_where_its_database_is() -> None:
    assert f"{PREFIX}DSN" in named("docker-compose.yml")


def test_the_views_are_kept_level_by_a_command_that_exists_and_is_started_again() -> None:
    services = re.split(
        r"^  (?=\w)", (ROOT / "docker-compose.yml").read_text("utf-8"), flags=re.MULTILINE
    )
    (views,) = [service for service in services if service.startswith("views:\n")]
    (command,) = re.findall(r"command: (\[.*\])", views)
    name, option, port = json.loads(command)
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert option in told.output
    assert f"http://127.0.0.1:{port}{HEALTH}" in views
    assert "restart: unless-stopped" in views


def test_the_relay_is_a_command_that_exists_and_is_started_again() -> None:
    services = re.split(
        r"^  (?=\w)", (ROOT / "docker-compose.yml").read_text("utf-8"), flags=re.MULTILINE
    )
    (relay,) = [service for service in services if service.startswith("relay:\n")]
    (command,) = re.findall(r"command: (\[.*\])", relay)
    assert CliRunner().invoke(app, [*json.loads(command), "--help"]).exit_code == 0
    assert "restart: unless-stopped" in relay


def test_the_image_is_made_of_files_that_the_builder_is_given() -> None:
    given = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert {name for name in given if not (ROOT / name).exists()} == set()
    assert {"pyproject.toml", "requirements.lock", "requirements-dev.lock", "edge"} <= given
