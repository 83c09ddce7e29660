"""What the house asks of every file, where import-linter and ruff cannot see it."""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("domain", "commands", "projections", "consumers", "replay", "edge")
CODE = (*ROOMS, "bench", "tests")
TOP_LEVEL = {
    *CODE,
    *("docs", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("Dockerfile", "docker-compose.yml", ".ci"),
    *(".dockerignore", ".editorconfig", ".gitattributes", ".gitignore"),
}
STRUCTS = {"domain/value.py", "domain/schema.py"}  # the only ones of the domain that name msgspec
SAYS_NOTHING = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
REASON_CHARACTERS_MIN = 10

OUTSIDE_WORLD = {
    *("asyncio", "io", "locale", "os", "pathlib", "random", "secrets", "socket"),
    *("subprocess", "tempfile", "threading", "time"),
}
CLOCKS = {"now", "today", "utcnow"}
CHANCE = {"getnode", "uuid1", "uuid4", "uuid7"}
# Written in parts, so that this file does not name what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape("".join(parts))
        for parts in (
            ("py", "pi.org"),
            ("python", "hosted.org"),
            ("npm", "js.org"),
            ("npm", "js.com"),
            ("repo1", ".maven"),
            ("repo", ".maven"),
            ("maven.ap", "ache"),
            ("crates", ".io"),
            ("proxy.go", "lang"),
            ("deb.deb", "ian"),
        )
    )
)
LOCKED = re.compile(r"#.*|[a-z0-9-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    #.*")
IGNORE = re.compile(
    r"#\s*(?:type:\s*ignore|pyright:\s*ignore|noqa)(?:\[[^]]*\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?"
    r"(?P<reason>.*)"
)


@cache
def listed() -> tuple[Path, ...]:
    """The files git knows and those it would take, so that a slip shows before it is committed."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  the git on the path is the one meant
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout, so nothing says which files are the project's")
    names = [name for name in done.stdout.split("\0") if name]
    return tuple(path for name in names if (path := ROOT / name).is_file())


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_top_level_name_is_one_the_house_knows() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in listed()} - TOP_LEVEL == set()


def test_no_name_says_nothing() -> None:
    parts = {
        (part, place(path))
        for path in modules(*CODE)
        for part in path.relative_to(ROOT).with_suffix("").parts
    }
    assert [where for part, where in parts if part in SAYS_NOTHING] == []


def test_every_module_opens_with_a_sentence() -> None:
    bad = [
        place(path)
        for path in modules(*CODE)
        if not re.match(r"[^a-z\s].*\.$", (ast.get_docstring(parsed(path)) or "").split("\n")[0])
    ]
    assert bad == []


def test_files_are_short() -> None:
    files = [path for path in listed() if path.suffix in {".py", ".sql"}]
    lengths = {place(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {where: lines for where, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_can_be_seen_whole() -> None:
    lengths = {
        f"{place(path, node.lineno)} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules(*CODE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {where: lines for where, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}


def test_every_ignore_carries_its_reason() -> None:
    bad = [
        place(path, line)
        for path in modules(*CODE)
        for line, comment in comments(path)
        if (found := IGNORE.search(comment))
        and len(found["reason"].strip(" #-:")) < REASON_CHARACTERS_MIN
    ]
    assert bad == []


def test_the_domain_imports_only_python() -> None:
    bad = [
        f"{where} {name}"
        for path in modules("domain")
        for where, name in imports(path)
        if name not in sys.stdlib_module_names
        and name != "domain"
        and not (name == "msgspec" and path.relative_to(ROOT).as_posix() in STRUCTS)
    ]
    assert bad == []


def test_the_domain_has_no_clock_no_chance_no_float_and_no_outside_world() -> None:
    bad = [found for path in modules("domain") for found in impurities(path)]
    assert bad == []


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from time import monotonic",
        "import random as r",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid4()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.date.today()",
        "share = 0.5",
        "def f(x: float) -> None: ...",
    ],
)
def test_an_impurity_is_found(source: str, tmp_path: Path) -> None:
    path = tmp_path / "claim.py"
    path.write_text(source)
    assert list(impurities(path, tmp_path)) != []


def test_no_file_names_a_package_registry() -> None:
    bad = [
        place(path)
        for path in listed()
        if REGISTRIES.search(path.read_text("utf-8", errors="replace"))
    ]
    assert bad == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert [line for line in lines if not LOCKED.fullmatch(line)] == []


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """The comments of a file by line; what stands in a string is none."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def imports(path: Path, root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Where a file imports what, by top-level name."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                names = [node.module or ""]
            case _:
                continue
        for name in names:
            yield f"{path.relative_to(root)}:{node.lineno}", name.split(".")[0]


def impurities(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Every use of a clock, of chance, of a float or of the world outside."""
    for where, name in imports(path, root):
        if name in OUTSIDE_WORLD:
            yield f"{where} imports {name}"
    for node in ast.walk(parsed(path)):
        match node:
            case (
                ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name)
                | ast.Attribute(value=ast.Attribute(attr="datetime" | "date"), attr=name)
            ) if name in CLOCKS:
                yield f"{path.name}:{node.lineno} reads the clock"
            case ast.Attribute(attr=name) | ast.alias(name=name) if name in CHANCE:
                yield f"{path.name}:{node.lineno} takes a chance"
            case ast.Constant(value=float() | complex()) | ast.Name(id="float" | "complex"):
                yield f"{path.name}:{node.lineno} has a float"
            case _:
                pass
