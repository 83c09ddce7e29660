"""What a process wrote down as it went: append-only, and it outlives a SIGKILL."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]


class Journal:
    """Appends to a file. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        if _torn(self._file):
            os.write(self._file, b"\n")

    def write(self, **entry: Any) -> None:
        """Have it written when this returns: what the kernel has, no kill of this process takes."""
        os.write(self._file, json.dumps(entry, separators=(",", ":")).encode() + b"\n")


def entries(path: Path) -> Iterator[Entry]:
    """What was written; a line that a kill has torn was never written, and is not told."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                entry: Entry = json.loads(line)
            except ValueError:
                continue
            yield entry


def faults_told(folder: Path) -> Counter[str]:
    """What all the processes of a run, whose journals are in this folder, say was done to them."""
    found = Counter[str]()
    for path in folder.glob("*.jsonl"):
        for entry in entries(path):
            if "fault" in entry:
                found[entry["fault"]] += entry.get("times", 1)
    return found


def _torn(file: int) -> bool:
    end = os.lseek(file, 0, os.SEEK_END)
    return end > 0 and os.pread(file, 1, end - 1) != b"\n"
