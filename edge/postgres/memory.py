"""How much memory an embedded server takes for pages of its own: a part of what there is."""

import os
from collections.abc import Sequence
from pathlib import Path

# PostgreSQL's own default, for small machines and where more is not to be had.
BUFFERS_MB_MIN = 128
# The facts of a file lie on as many pages as it has facts: those that are worked on, of four
# million, fit in. A stop writes out what was changed of it, which ends the sooner the less it is.
BUFFERS_MB_MAX = 2_048
PARTS = 4  # one of them, as PostgreSQL's manual advises: the system caches files too
# What a container may have, in either version of Linux's control groups; elsewhere they are not.
OF_A_CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def buffers_mb() -> int:
    """How many MiB a server takes on this machine; only what it uses of them is ever resident."""
    return max(BUFFERS_MB_MIN, min(BUFFERS_MB_MAX, memory_bytes() // PARTS // 2**20))


def memory_bytes(of_a_container: Sequence[Path] = OF_A_CONTAINER) -> int:
    """The memory of the machine, or of the container where it may have less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    texts = [path.read_text().strip() for path in of_a_container if path.is_file()]
    return min([machine, *(int(text) for text in texts if text.isdecimal())])
