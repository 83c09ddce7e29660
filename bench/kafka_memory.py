"""Whether `claims consume` and `claims relay` take more memory over a million messages."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from bench import lane, logs
from bench.cluster import Cluster
from bench.kafka_home import own_broker
from bench.p9_kafka import begin_behind, commands, working
from bench.pairs import Watch, resident_mb
from bench.side import peak_mb
from consumers.commanding import POLL_S

KEY = "P9 memory"
MESSAGES = 1_000_000
STEP = 50_000  # messages between two looks, each when nothing is under way
# Every step has files of its own: what is looked for grows with messages, and not with files.
FILES_A_STEP = 10_000
CHUNK = 5_000  # are made and put on the topic while those before them are answered
SEED = 9


def measure(cluster: Cluster, messages: int, watch: Watch) -> dict[str, Any]:
    """Send so many commands through; what both programs have resident every `STEP` of them."""
    watch("setting up")
    conninfo = cluster.ledger("p9_memory")
    logs.desk_files(conninfo, -(-messages // STEP) * FILES_A_STEP)
    begin_behind(conninfo)
    chance = random.Random(SEED)
    looks: dict[str, list[int]] = {}
    sent = 0
    with (
        own_broker() as beside,
        working({"conninfo": conninfo, **beside}) as programs,
        lane.counting(beside["bootstrap"], beside["topics"][1:]) as count,
    ):
        while sent < messages:
            first = sent // STEP * FILES_A_STEP
            step_end = min(messages, sent + STEP)
            while sent < step_end:
                files = range(first, first + FILES_A_STEP)
                numbers = chance.choices(files, k=min(CHUNK, step_end - sent))
                made = list(commands(numbers, chance, f"memory-{sent}"))
                lane.put(beside["bootstrap"], beside["topics"][0], made)
                sent += len(made)
                watch(f"{min(count()):,} of {messages:,} messages")
            lane.wait_until(count, [sent, sent], programs.values(), POLL_S)
            for name, program in programs.items():
                looks.setdefault(name, []).append(resident_mb(program.pid))
        peaks = {name: peak_mb(program.pid) for name, program in programs.items()}
    return entry(messages, looks, peaks)


def entry(
    messages: int, looks: Mapping[str, Sequence[int]], peaks: Mapping[str, int]
) -> dict[str, Any]:
    """What is kept: of each program its memory at the first look, the last, the most, and all."""
    return {
        "messages": messages,
        "step": STEP,
        "unit": "MB",
        "programs": {
            name: {
                "first": found[0],
                "last": found[-1],
                "peak": peaks[name],
                "grew": found[-1] - found[0],
                "looks": list(found),
            }
            for name, found in looks.items()
        },
    }
