"""The command line asked by tests, in this process or as one of its own, and what it answers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from edge.cli.app import app

PROCESS_S_MAX = 120
CLAIMS = Path(sys.executable).parent / "claims"


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it wrote; a traceback is never an answer."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()

    @property
    def data(self) -> Any:
        """The one JSON document of the answer."""
        return json.loads(self.stdout)

    @property
    def receipts(self) -> list[dict[str, Any]]:
        """The JSON lines of the answer."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def codes(self) -> list[str]:
        """The refusal of each receipt, "" where the command was accepted."""
        return [receipt.get("code", "") for receipt in self.receipts]

    def refused(self, code: str, exit_code: int) -> dict[str, Any]:
        """The one refusal that the answer is, as data."""
        return self._refused(self.data, code, exit_code)

    def refused_last(self, code: str, exit_code: int) -> dict[str, Any]:
        """The same of JSON lines, of which the refusal is the last."""
        return self._refused(self.receipts[-1], code, exit_code)

    def _refused(self, told: dict[str, Any], code: str, exit_code: int) -> dict[str, Any]:
        assert (told["code"], self.code) == (code, exit_code), self.out
        assert told["outcome"] == "refused"
        assert told["message"]
        assert told["remedy"]
        return told


@dataclass(frozen=True)
class Line:
    """The command line with its settings."""

    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """Ask in this process."""
        done = CliRunner().invoke(app, list(arguments), input=stdin, env=self._changes())
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return _answer(done.exit_code, done.stdout_bytes, done.stderr_bytes)

    def apart(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """Ask in a process of its own, the installed program."""
        done = subprocess.run(
            [str(CLAIMS), *arguments],
            input=stdin,
            capture_output=True,
            env=self.whole_environment(),
            timeout=PROCESS_S_MAX,
            check=False,
        )
        return _answer(done.returncode, done.stdout, done.stderr)

    def with_settings(self, **settings: str) -> "Line":
        return Line({**self.environment, **settings})

    def whole_environment(self) -> dict[str, str]:
        """The environment of a process: this one's, with the settings in the place of its own."""
        whole: dict[str, str | None] = {**os.environ, **self._changes()}
        return {name: value for name, value in whole.items() if value is not None}

    def _changes(self) -> dict[str, str | None]:
        """What the tests themselves set for their run is no setting of the ledger.

        Nor is Python's of a machine that lets every line out at once: the ledger sees to that.
        """
        foreign = ("CLAIMS_", "PYTHONUNBUFFERED")
        others = {name: None for name in os.environ if name.startswith(foreign)}
        return {**others, "COLUMNS": "80", "NO_COLOR": "1", **self.environment}


def _answer(code: int, stdout: bytes, stderr: bytes) -> Answer:
    assert b"Traceback" not in stdout + stderr, stderr.decode()
    return Answer(code, stdout, stderr)
