"""Apache Kafka's jars, by name and SHA-256, from the Maven repository of who runs the tests."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

LOCKED = Path(__file__).with_name("jars.lock")  # a line each: group:artifact:version sha256
REPOSITORY = Path.home() / ".m2" / "repository"  # where Maven itself keeps what it fetched
FETCH_S_MAX = 60  # for one jar; the largest has 12 MB


class WrongJar(Exception):
    """What a registry gave is not what was locked."""


def class_path(run: Path) -> str:
    """The jars as Java takes them, fetched where they are missing, and each as it was locked.

    Looked at once a run: `run` is a folder that all its processes share and that ends with it.
    Raises `WrongJar`.
    """
    verified = run / "jars.verified"
    REPOSITORY.mkdir(parents=True, exist_ok=True)
    with (REPOSITORY / ".claims-tests.lock").open("ab") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        if not verified.exists():
            path = os.pathsep.join(map(str, _each(LOCKED.read_text("utf-8"), REPOSITORY)))
            verified.write_text(path, "utf-8")
        return verified.read_text("utf-8")


def _each(locked: str, repository: Path) -> Iterator[Path]:
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=FETCH_S_MAX)
    for line in locked.splitlines():
        name, sha256 = line.split()
        group, artifact, version = name.split(":")
        jar = context.project(group, artifact).at_version(version).artifact()
        path = jar.cached_path
        if path is not None and path.exists() and _digest(path) != sha256:
            path.unlink()  # a fetch that was cut short
            path = None
        if path is None or not path.exists():
            path = jar.resolve()
            if _digest(path) != sha256:
                path.unlink()
                raise WrongJar(f"{name} is not the one that was locked")
        yield path


def _digest(path: Path) -> str:
    with path.open("rb") as jar:
        return hashlib.file_digest(jar, "sha256").hexdigest()
