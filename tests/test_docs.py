"""What README and docs show runs: shell blocks on a ledger of their own, the others as such."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {
    "sh",
    "python",
    "json",
    "sql",
    "console",
    "",
    "text",
}  # console: for a person, on their machine
SCRIPT_S_MAX = 240


def blocks(page: Path, kind: str) -> list[str]:
    return [body for found, body in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def named(pages: list[Path], kind: str) -> list[object]:
    return [
        pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages if blocks(page, kind)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {kind for kind, _ in BLOCK.findall(page.read_text("utf-8"))} <= KINDS


@pytest.mark.parametrize("page", named(PAGES, "sh"))
def test_the_shell_blocks_of_a_page_run_in_order(
    page: Path, server_home: Path, tmp_path: Path
) -> None:
    """On an embedded PostgreSQL of their own, as a reader's would be."""
    tools = Path(sys.executable).parent
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CLAIMS_")},
        "CLAIMS_HOME": str(server_home),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
    }
    script = "set -euo pipefail\n" + "\n".join(blocks(page, "sh"))
    done = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - the reader's own shell
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SCRIPT_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", named(PAGES, "python"))
def test_the_python_blocks_of_a_page_run(page: Path) -> None:
    for number, block in enumerate(blocks(page, "python")):
        exec(compile(block, f"{page.name}[{number}]", "exec"), {"__name__": "docs"})  # noqa: S102 - our own docs


@pytest.mark.parametrize("page", named(PAGES, "json"))
def test_the_json_blocks_of_a_page_are_json(page: Path) -> None:
    for block in blocks(page, "json"):
        for line in block.splitlines():
            assert isinstance(json.loads(line), dict)
