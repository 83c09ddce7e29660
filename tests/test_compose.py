"""The container files name only settings the code knows and only files that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from consumers.commanding import POLL_S
from edge.cli.app import app
from edge.health_door import ANSWER_S_MAX, HEALTH
from edge.kafka import clients, incoming, outgoing
from edge.postgres.connections import KEEPALIVES
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


@pytest.fixture(scope="module")
def services() -> Any:
    reader: Any = YAML(typ="safe")
    return reader.load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


@pytest.mark.parametrize(
    ("service", "command"), [("views", "run"), ("relay", "relay"), ("consume", "consume")]
)
def test_who_works_for_long_says_how_it_does_and_is_started_again(
    services: Any, service: str, command: str
) -> None:
    name, option, port = services[service]["command"]
    told = CliRunner().invoke(app, [name, "--help"])
    assert (name, told.exit_code) == (command, 0)
    assert option in told.output
    check = services[service]["healthcheck"]["test"][-1]
    assert f"http://127.0.0.1:{port}{HEALTH}" in check
    assert float(check.partition("timeout=")[2].rstrip(")")) > ANSWER_S_MAX
    assert services[service]["restart"] == "unless-stopped"


def test_the_loop_of_commands_is_given_the_time_that_its_last_turn_may_take(services: Any) -> None:
    longest_s = (
        incoming.LOOK_MS_MAX / 1_000
        + POLL_S
        + incoming.ASK_MS_MAX / 1_000
        + KEEPALIVES["tcp_user_timeout"] / 1_000  # a database that says nothing
        + outgoing.ANSWER_S_MAX
        + 2 * clients.CLOSE_S_MAX
        + incoming.CLOSE_MS_MAX / 1_000
    )
    given = services["consume"]["stop_grace_period"]
    assert longest_s == 52
    assert int(given.removesuffix("s")) > longest_s


def test_the_image_is_made_of_files_that_the_builder_is_given() -> None:
    given = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert {name for name in given if not (ROOT / name).exists()} == set()
    assert {"pyproject.toml", "requirements.lock", "requirements-dev.lock", "edge"} <= given
