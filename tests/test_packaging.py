"""Each top-level package is ours by name, typed and shipped, wherever the program is asked."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHERE_IS = """
import json, sys
from importlib.util import find_spec
print(json.dumps({name: find_spec(name).origin for name in sys.argv[1:]}))
"""


def shipped() -> list[str]:
    """The packages that the wheel is made of."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return packages


def test_each_name_is_our_folder_for_the_installed_program(tmp_path: Path) -> None:
    # Isolated and elsewhere: neither the folder we stand in nor pytest's path helps it.
    done = subprocess.run(
        [sys.executable, "-I", "-c", WHERE_IS, *shipped()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {name: Path(origin) for name, origin in json.loads(done.stdout).items()}
    assert found == {name: ROOT / name / "__init__.py" for name in shipped()}


def test_no_other_installed_package_has_one_of_our_names() -> None:
    owners = packages_distributions()
    taken = {name: set(owners.get(name, [])) - {"claims-ledger"} for name in shipped()}
    assert {name: others for name, others in taken.items() if others} == {}


@pytest.mark.parametrize("name", shipped())
def test_each_package_says_that_it_is_typed(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()


def test_everything_with_code_that_is_not_a_bench_or_a_test_is_shipped() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert rooms == set(shipped())
