"""`python -m bench.side MODULE:NAME`: one side of a measurement, in a process of its own.

Reads what it is given and then a line for each turn, which it answers with what the turn took, all
as JSON; see `bench.pairs`.
"""

import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.turns import Side

PEAK = re.compile(r"^VmHWM:\s+([0-9]+) kB$", re.MULTILINE)


def peak_mb(process: int | str = "self") -> int:
    """The most memory that a process ever had resident; 0 where /proc does not tell.

    Not `ru_maxrss`, which a process begins with at what the one that started it had.
    """
    status = Path(f"/proc/{process}/status")
    told = PEAK.search(status.read_text()) if status.exists() else None
    return int(told[1]) // 1024 if told else 0


def main(arguments: Sequence[str]) -> int:
    """Answer until told to end."""
    module, _, name = arguments[0].partition(":")
    given = json.loads(sys.stdin.readline())
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is not an answer
    side: Side = getattr(importlib.import_module(f"bench.{module}"), name)
    with side(given) as turn:
        for asked in sys.stdin:
            told = json.loads(asked)
            ends = "end" in told
            answer = (
                json.dumps({"rss_mb": peak_mb()})
                if ends
                else json.dumps(asdict(turn(told["turn"])))
            )
            answers.write(answer + "\n")
            answers.flush()
            if ends:
                break
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
