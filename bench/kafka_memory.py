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
FILES = 20_000
STEP = 50_000  # messages between two looks, each when nothing is under way
CHUNK = 5_000  # are made and put on the topic while those before them are answered
SEED = 9


def measure(cluster: Cluster, messages: int, watch: Watch) -> dict[str, Any]:
    """Send so many commands through; what both programs have resident every `STEP` of them."""
    watch("setting up")
    conninfo = cluster.ledger("p9_memory")
    logs.desk_files(conninfo, FILES)
    begin_behind(conninfo)
    chance = random.Random(SEED)
    looks: dict[str, list[int]] = {}
    sent = 0
    with (
        own_broker() as beside,
        working({"conninfo": conninfo, **beside}) as processes,
        lane.counting(beside["bootstrap"], beside["topics"][1:]) as count,
    ):
        while sent < messages:
            step_end = min(messages, sent + STEP)
            while sent < step_end:
                numbers = chance.choices(range(FILES), k=min(CHUNK, step_end - sent))
                made = list(commands(numbers, chance, f"memory-{sent}"))
                lane.put(beside["bootstrap"], beside["topics"][0], made)
                sent += len(made)
                watch(f"{min(count()):,} of {messages:,} messages")
            lane.wait_until(count, [sent, sent], POLL_S)
            for name, process in processes.items():
                looks.setdefault(name, []).append(resident_mb(process))
        peaks = {name: peak_mb(process) for name, process in processes.items()}
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
