"""The same log gives the same answer, byte for byte, in a process set up quite otherwise."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.faults.checks import Finding, Kind

ROOT = Path(__file__).parents[2]
ANSWER_S_MAX = 120
REPLAYED = 3  # files

# The arguments are the questions, and the environment says what the process is like.
ASK = """
import decimal, os, sys
from edge.cli import main
context = decimal.getcontext()
context.prec = int(os.environ.get("ODD_PRECISION", context.prec))
context.rounding = os.environ.get("ODD_ROUNDING", context.rounding)
for question in sys.argv[1:]:
    print("#", question, flush=True)
    sys.argv = ["claims", *question.split()]
    try:
        main()
    except SystemExit as end:
        print("#", end.code, flush=True)
"""
PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
ODD = {
    "PYTHONHASHSEED": "4711",
    "TZ": "Pacific/Apia",
    "LC_ALL": "tr_TR.UTF-8",
    "ODD_PRECISION": "3",
    "ODD_ROUNDING": "ROUND_UP",
}


def questions(known_at: str, as_of: str, files: Sequence[str]) -> list[str]:
    """Totals, caseload, movements and files, at one coordinate."""
    at = f"--known-at {known_at} --as-of {as_of} --json"
    return [
        f"reserves --by claim --by line {at}",
        f"reserves --basis our_share {at}",
        f"caseload {at}",
        f"caseload --by handler --by status {at}",
        *(f"replay file {file} {at}" for file in files[:REPLAYED]),
    ]


def of_answers(conninfo: str, home: Path, asked: Sequence[str]) -> Iterator[Finding]:
    """Ask here and there; a byte that differs is a finding."""
    here, there = (_answers(conninfo, home, asked, world) for world in (PLAIN, ODD))
    if here == there:
        return
    for ours, theirs in zip(here.splitlines(), there.splitlines(), strict=False):
        if ours != theirs:
            yield Finding(Kind.ANSWERS, f"{ours[:200]!r} is elsewhere {theirs[:200]!r}")
            return
    yield Finding(Kind.ANSWERS, "one answer is longer")


def _answers(conninfo: str, home: Path, asked: Sequence[str], world: Mapping[str, str]) -> bytes:
    environment = {
        "PATH": os.environ["PATH"],
        "CLAIMS_DSN": conninfo,
        "CLAIMS_HOME": str(home),
        **world,
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, *asked],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=ANSWER_S_MAX,
        check=False,
    )
    # A file that a fast clock began is not known yet, and says so: that is an answer as well.
    if done.returncode != 0 or b"# 0\n" not in done.stdout:
        raise RuntimeError(f"the reports were not given: {done.stdout[-2_000:].decode()}")
    return done.stdout
