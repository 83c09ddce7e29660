"""Kafka's clients, each made in one place: with the settings' login, and every limit by name."""

import ssl
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kafka.errors import (
    AuthorizationError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MetadataEmptyBrokerList,
    NodeNotReadyError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)

from edge.kafka.errors import (
    BrokerDidNotAnswer,
    BrokerRefused,
    KafkaSettingMissing,
    LoginRefused,
    NotAuthorised,
    TopicMissing,
)
from edge.kafka.library import KafkaAdminClient, KafkaConsumer, KafkaNetClient, KafkaProducer
from edge.kafka.topics import DEAD_LETTER_BYTES_MAX
from edge.kafka.verbatim import read_any_header_name
from edge.settings import KAFKA_MECHANISM, PREFIX, Settings, WrongSetting

REQUEST_MS_MAX = 10_000  # a broker that answers at all takes milliseconds; a silent one is left
RECONNECT_MS_MAX = 1_000  # between two attempts, so that work resumes within 2 s of its return
# From the send to its last attempt. An idempotent producer has then lost its place: make a new one.
DELIVERY_MS_MAX = 30_000
BLOCK_MS_MAX = 10_000  # a sender waits so long for a topic's partitions, then hears of it
# A broker that refuses a login hangs up, and the library often sees that before it reads why.
HANG_UPS_MAX = 3
LINGER_MS = 2  # what is sent within it travels together; a receipt can wait so long
BATCH_BYTES_MAX = 131_072  # for one partition in one request: some hundred receipts
# Messages of one poll, and so commands of one batch: past it none costs less.
POLL_MESSAGES_MAX = 500
# A consumer that is dead or stopped keeps its partitions so long; its files wait for it.
SESSION_MS_MAX = 10_000
HEARTBEAT_MS = 3_000  # three to a session, so that one lost does not end it
# Between two polls, of which one batch takes a second at most; a database away is no pause in them.
POLL_MS_MAX = 60_000
# Added partitions, or a topic made anew, are found within it; the library waits 5 minutes.
METADATA_MS_MAX = 30_000
CLOSE_S_MAX = 5.0  # of a producer: what has not left by then is sent again, by whoever is next
_CA_FILE = f"{PREFIX}KAFKA_CA_FILE"


class _Client(KafkaNetClient):  # type: ignore[misc]  # the library has no types
    """The library's client, which gives up at once when the broker refuses the login.

    kafka-python 3.0 means to, and forgets: while it bootstraps it tries the wrong password again
    and again until the time is over, and then says only that.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)  # pyright: ignore[reportUnknownMemberType] - the library has no types
        self._connect = self._manager.get_connection
        self._manager.get_connection = self._connection
        self._refused: KafkaError | None = None
        self._hung_up = 0

    def _connection(self, node: str | int, **how: Any) -> Any:
        if self._manager.bootstrapped:
            return self._connect(node, **how)
        if self._refused is not None:
            raise self._refused
        connection = self._connect(node, **how)
        connection.init_future.add_errback(self._remember, connection)
        return connection

    def _remember(self, connection: Any, error: Exception) -> None:
        if isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError):
            self._refused = error
        elif connection.sasl_enabled and connection.broker_version_data is not None:
            self._hung_up += 1  # it had said its version: a Kafka is there, and wants no more
            if self._hung_up == HANG_UPS_MAX:
                self._refused = SaslAuthenticationFailedError("hung up on")


def admin(settings: Settings) -> Any:
    """A `KafkaAdminClient`, which makes and describes topics.

    Raises a `BrokerUnavailable`, as all of them do.
    """
    return _made(KafkaAdminClient, settings, {})


def producer(settings: Settings, **chosen: Any) -> Any:
    """A `KafkaProducer` that repeats until a message is stored, by all its brokers, just once."""
    limits = {
        "acks": "all",
        "enable_idempotence": True,
        "delivery_timeout_ms": DELIVERY_MS_MAX,
        "max_block_ms": BLOCK_MS_MAX,
        "linger_ms": LINGER_MS,
        "batch_size": BATCH_BYTES_MAX,
        "max_request_size": DEAD_LETTER_BYTES_MAX,
        "allow_auto_create_topics": False,
    }
    return _made(KafkaProducer, settings, limits | chosen)


def consumer(settings: Settings, group: str | None, **chosen: Any) -> Any:
    """A `KafkaConsumer` of a group, or of none, that commits only what it is told to.

    It starts at the beginning of a partition nobody has read, and reads nothing of a transaction
    that its sender took back.
    """
    read_any_header_name()
    limits = {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "max_poll_records": POLL_MESSAGES_MAX,
        "session_timeout_ms": SESSION_MS_MAX,
        "heartbeat_interval_ms": HEARTBEAT_MS,
        "max_poll_interval_ms": POLL_MS_MAX,
        "metadata_max_age_ms": METADATA_MS_MAX,
        "allow_auto_create_topics": False,
    }
    return _made(KafkaConsumer, settings, limits | chosen)


def subscribe(client: Any, settings: Settings, topics: Iterable[str], listener: Any = None) -> None:
    """Let a consumer read these topics. Raises `TopicMissing` for one that it cannot.

    The library would wait, in silence, for a topic that is not there or may not be read.
    """
    asked = list(topics)
    with broker_errors(settings):
        for topic in asked:
            if not client.partitions_for_topic(topic):
                raise TopicMissing(settings.kafka_bootstrap or "", topic)
        client.subscribe(asked, listener=listener)


def leave(client: Any) -> None:
    """Close a producer, whose thread ends with it even where what it holds cannot be sent."""
    try:
        client.close(CLOSE_S_MAX)
    except KafkaError:
        abandon(client)  # it gives up closing then, and would leave its thread behind


def abandon(client: Any) -> None:
    """Close a producer that is to send nothing more of what it holds."""
    client._sender.force_close()  # the library has no other way
    with suppress(KafkaError):
        client.close(CLOSE_S_MAX)


@contextmanager
def broker_errors(settings: Settings) -> Generator[None]:
    """Turn what Kafka says no with into a refusal of ours."""
    try:
        yield
    except KafkaError as error:
        raise _named(error, settings) from error


def require_settings(settings: Settings) -> None:
    """Require what it takes to reach a broker. Raises `KafkaSettingMissing`, `WrongSetting`."""
    _reaching(settings)


def _made(kind: Callable[..., Any], settings: Settings, limits: dict[str, Any]) -> Any:
    """A client that has reached the cluster."""
    begun: list[_Client] = []

    def begin(**config: Any) -> _Client:
        begun.append(_Client(**config))
        return begun[-1]

    with broker_errors(settings):
        try:
            return kind(kafka_client=begin, **_reaching(settings), **limits)
        except BaseException:
            for client in begun:
                with suppress(KafkaError):
                    client.close()  # the library leaves its thread and its sockets open
            raise


def _reaching(settings: Settings) -> dict[str, Any]:
    """Where the brokers are, who asks, and how long an answer may take."""
    bootstrap = settings.kafka_bootstrap
    if bootstrap is None:
        raise KafkaSettingMissing(f"{PREFIX}KAFKA_BOOTSTRAP")
    told: dict[str, Any] = {
        "bootstrap_servers": [each.strip() for each in bootstrap.split(",")],
        "security_protocol": settings.kafka_security,
        "client_id": settings.kafka_client_id,
        "bootstrap_timeout_ms": settings.kafka_wait_s * 1_000,
        "request_timeout_ms": REQUEST_MS_MAX,
        "reconnect_backoff_max_ms": RECONNECT_MS_MAX,
    }
    if settings.kafka_security.endswith("SSL"):
        told["ssl_context"] = _trusting(settings.kafka_ca_file)
    if settings.kafka_security.startswith("SASL"):
        if not settings.kafka_user:
            raise KafkaSettingMissing(f"{PREFIX}KAFKA_USER")
        if settings.kafka_password is None:
            raise KafkaSettingMissing(f"{PREFIX}KAFKA_PASSWORD")
        told["sasl_mechanism"] = KAFKA_MECHANISM
        told["sasl_plain_username"] = settings.kafka_user
        told["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return told


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    """A context that trusts the authorities in a file, or the public ones."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise WrongSetting(_CA_FILE, "the file holds no certificate") from None
    except OSError as error:
        raise WrongSetting(_CA_FILE, f"the file cannot be read: {error.strerror}") from None


def _named(error: KafkaError, settings: Settings) -> Exception:
    bootstrap, user = settings.kafka_bootstrap or "", settings.kafka_user or "anonymous"
    why = " ".join(str(error).split()) or type(error).__name__
    match error:
        case SaslAuthenticationFailedError():
            return LoginRefused(bootstrap, user)
        case AuthorizationError():
            return NotAuthorised(user, why)
        case UnknownTopicOrPartitionError():
            return TopicMissing(bootstrap, why)
        case KafkaTimeoutError() | KafkaConnectionError() | NodeNotReadyError():
            return BrokerDidNotAnswer(bootstrap, why)
        case MetadataEmptyBrokerList():
            return BrokerDidNotAnswer(bootstrap, why)
        case _:
            return BrokerRefused(bootstrap, why)
