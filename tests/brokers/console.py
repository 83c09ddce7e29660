"""Kafka's own console producer and consumer: clients that are not ours, and not Python."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from edge.settings import Settings
from tests.brokers.broker import as_properties
from tests.brokers.java import java

PROGRAM_S_MAX = 60  # a JVM that starts, and says or hears a few messages
BETWEEN, WITHIN = "\t", ","  # headers and key and value; two headers


class ProgramFailed(Exception):
    """The program ended with a failure; what it said is in the message."""


def produce(run: Path, settings: Settings, topic: str, lines: Iterable[str]) -> None:
    """Send messages, a line each: `header:value,...`, the key and the value, tabs between them."""
    said = _run(
        run,
        "org.apache.kafka.tools.ConsoleProducer",
        [
            *("--bootstrap-server", str(settings.kafka_bootstrap), "--topic", topic),
            *("--command-config", str(_login(run, settings))),
            *("--reader-property", "parse.headers=true", "--reader-property", "parse.key=true"),
        ],
        stdin="".join(f"{line}\n" for line in lines),
    )
    if "ERROR" in said:  # it ends well also where nothing was stored
        raise ProgramFailed(said)


def consume(run: Path, settings: Settings, topic: str, count: int, group: str) -> list[list[str]]:
    """The first messages of a topic: headers, key and value of each, as text."""
    said = _run(
        run,
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        [
            *("--bootstrap-server", str(settings.kafka_bootstrap), "--topic", topic),
            *("--command-config", str(_login(run, settings)), "--group", group),
            *("--from-beginning", "--max-messages", str(count)),
            *("--timeout-ms", str(PROGRAM_S_MAX * 1_000 // 2)),
            *("--formatter-property", "print.headers=true"),
            *("--formatter-property", "print.key=true"),
        ],
    )
    return [line.split(BETWEEN) for line in said.splitlines() if BETWEEN in line]


def _run(run: Path, main: str, arguments: list[str], stdin: str = "") -> str:
    done = subprocess.run(
        java(run, main, *arguments),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PROGRAM_S_MAX,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(done.stdout + done.stderr)
    return done.stdout + done.stderr


def _login(run: Path, settings: Settings) -> Path:
    """The settings as these programs take them, in a file."""
    user, password = settings.kafka_user, settings.kafka_password
    told: dict[str, str] = {"security.protocol": settings.kafka_security}
    if user and password:
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        secret = password.get_secret_value()
        told["sasl.mechanism"] = "SCRAM-SHA-512"
        told["sasl.jaas.config"] = f'{module} required username="{user}" password="{secret}";'
    path = run / f"client-{user or 'nobody'}.properties"
    path.write_text(as_properties(told))
    return path
