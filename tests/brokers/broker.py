"""One node of Apache Kafka: formatted, started, killed and stopped as a test likes."""

import base64
import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals
from typing import Any, NamedTuple

from commands.sources import Source
from edge.kafka.errors import BrokerUnavailable
from edge.settings import KAFKA_MECHANISM, Settings
from tests.brokers.java import java
from tests.brokers.ports import free_ports

START_S_MAX = 60  # 3 s as a rule; 4 s after a SIGKILL, when its old registration has to lapse
STOP_S_MAX = 30
LOOK_S = 0.1
LOG_SHOWN = 2_000  # characters of the end of a log
ADMIN = "admin"
STRANGER = "stranger"  # may log in, and nothing else
USERS = (ADMIN, STRANGER, "ledger", "follower", *Source)

# What a broker of the ledger's is set to, here and where it runs for good.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "auto.create.topics.enable": "false",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "sasl.enabled.mechanisms": KAFKA_MECHANISM,
    "controller.listener.names": "CONTROLLER",
    # One node keeps its own topics alone.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a SIGKILL it waits for its old registration to lapse: 4 s with these, 12 without.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}
# With a plain door beside the other, it needs no login of its own.
ALONE = {
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "super.users": f"User:{ADMIN};User:ANONYMOUS",
}
_CHILDREN: dict[Path, "subprocess.Popen[bytes]"] = {}  # of this process, which has to bury them


class Ports(NamedTuple):
    """Where its doors are. The broker sends those who come by `behind` to `before`, always: there a
    test may put a proxy, which passes on to `behind`.
    """

    plain: int
    sasl: int
    before: int
    behind: int
    controller: int


class NotStarted(Exception):
    """The broker did not come up; what it said last is in the message."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker in a folder of its own, with a plain listener and one that asks who is there.

    Whoever comes to the plain listener may do everything: it is the loopback, and a test's own.
    So may `admin` on the other; every other user may do what the broker was told. What is known of
    it is in its folder, so that every process of a run can use it, and the next run end it.
    """

    run: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.run / self.name

    @property
    def plain(self) -> str:
        """Host and port of the listener that asks for nothing."""
        return f"127.0.0.1:{self.ports().plain}"

    @property
    def sasl(self) -> str:
        """Host and port of the listener that asks for a name and a password."""
        return f"127.0.0.1:{self.ports().sasl}"

    def settings(self, user: str = "", **others: Any) -> Settings:
        """How to reach it: as a user, or as nobody by the plain listener."""
        if not user:
            return Settings.model_validate({"kafka_bootstrap": self.plain, **others})
        named: dict[str, Any] = {
            "kafka_bootstrap": self.sasl,
            "kafka_security": "SASL_PLAINTEXT",
            "kafka_user": user,
            "kafka_password": password_of(user),
        }
        return Settings.model_validate(named | others)

    def start(self) -> None:
        """Start it, the first time after formatting its folder; return when it answers.

        Raises `NotStarted`, with what it said.
        """
        if not (self.folder / "ports").exists():
            self.format(SETTINGS | ALONE, {user: password_of(user) for user in USERS})
        with self._log.open("ab") as said:
            # The broker inherits the lock with the log, and so holds it for as long as it lives.
            fcntl.flock(said.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                java(self.run, "kafka.Kafka", str(self.folder / "server.properties")),
                stdout=said,
                stderr=said,
                env=os.environ | {"LOG_DIR": str(self.folder)},
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(process.pid))
        _CHILDREN[self.folder] = process
        self.wait()

    def wait(self) -> None:
        """Return when it answers. Raises `NotStarted`."""
        until = time.monotonic() + START_S_MAX
        while not self._answers():
            if not self.alive or time.monotonic() > until:
                self.kill()
                raise NotStarted(self._log.read_text("utf-8", "replace")[-LOG_SHOWN:])
            time.sleep(LOOK_S)

    @property
    def alive(self) -> bool:
        """It runs, whoever started it; one that is stopped runs too."""
        return _locked(self._log)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(SIGKILL)

    def signal(self, number: Signals) -> None:
        """Send it a signal, such as SIGSTOP and SIGCONT."""
        if self.alive:
            os.kill(int((self.folder / "pid").read_text()), number)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def ports(self) -> Ports:
        return Ports(*json.loads((self.folder / "ports").read_text()))

    def _end(self, number: Signals) -> None:
        self.signal(number)
        self.signal(SIGCONT)  # one that is stopped hears of nothing else
        until = time.monotonic() + STOP_S_MAX
        while self.alive:
            if time.monotonic() > until:
                self.signal(SIGKILL)
            time.sleep(LOOK_S)
        if child := _CHILDREN.pop(self.folder, None):
            child.wait()

    def _answers(self) -> bool:
        """An open port is not readiness: ask it who is in the cluster."""
        from edge.kafka.clients import admin  # noqa: PLC0415 - tests without a broker start sooner

        try:
            admin(self.settings(kafka_wait_s=1)).close()
        except BrokerUnavailable:
            return False
        return True

    def format(self, settings: Mapping[str, str], passwords: Mapping[str, str]) -> None:
        """Make its folder, with these settings at ports of its own, and with these users.

        Raises `NotStarted`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = Ports(*free_ports(len(Ports._fields)))
        config = self.folder / "server.properties"
        here = _here(ports, self.folder / "data")
        config.write_text(as_properties({**settings, **here}))
        scram = [
            part
            for user, password in passwords.items()
            for part in ("--add-scram", f"{KAFKA_MECHANISM}=[name={user},password={password}]")
        ]
        cluster = base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
        asked = ["format", "--standalone", "-t", cluster, "-c", str(config), *scram]
        done = subprocess.run(
            java(self.run, "kafka.tools.StorageTool", *asked),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStarted((done.stdout + done.stderr)[-LOG_SHOWN:])
        (self.folder / "ports").write_text(json.dumps(ports))


def password_of(user: str) -> str:
    """A user's password, for as long as the broker lives."""
    return f"only-{user}-knows"


def as_properties(settings: dict[str, str]) -> str:
    """Settings in the form that Java reads."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _here(ports: Ports, data: Path) -> dict[str, str]:
    """Where it listens, and keeps what it is given."""
    at = "127.0.0.1"
    doors = f"PLAINTEXT://{at}:{ports.plain},SASL_PLAINTEXT://{at}:{ports.sasl}"
    return {
        "controller.quorum.bootstrap.servers": f"{at}:{ports.controller}",
        "listeners": f"{doors},BEHIND://{at}:{ports.behind},CONTROLLER://{at}:{ports.controller}",
        "advertised.listeners": f"{doors},BEHIND://{at}:{ports.before}",
        "listener.security.protocol.map": (
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,"
            "BEHIND:PLAINTEXT"
        ),
        "log.dirs": str(data),
    }


def _locked(log: Path) -> bool:
    """Whether a process has the log open: a process number does not tell a living from a dead."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
