"""Records pass through kafka-python with their bytes untouched, also those that it would refuse.

It fails at a header whose name is not UTF-8, and would never read past a message that has one. It
sends no header without a value, and no message without both a key and a value. Other clients do.
"""

from typing import Any, cast

from consumers.messages import Record
from edge.kafka.library import DefaultRecordBatch, Serializer

_ESCAPED = "surrogateescape"  # a byte that is no UTF-8 is half a character, and that byte again


class HeaderName(str):
    """A header's name as text; encoded, it is the bytes that it was."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del errors
        return super().encode(encoding, _ESCAPED)


class _Escaping(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, place: Any) -> Any:
        found = cast("int | bytearray", super().__getitem__(place))
        return _Escaping(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        del errors
        return HeaderName(super().decode(encoding, _ESCAPED))


_read_strictly = DefaultRecordBatch._read_msg  # the one place that decodes names


def _read_msg(batch: Any) -> Any:
    try:
        return _read_strictly(batch)
    except UnicodeDecodeError:
        batch._buffer = _Escaping(batch._buffer)  # for what is left of the batch
        return _read_strictly(batch)


def read_any_header_name() -> None:
    """Let every consumer of this process read messages whose headers have any name."""
    DefaultRecordBatch._read_msg = _read_msg  # it is not made to be handed in


class _Headers(list[tuple[str, bytes | None]]):
    """Headers that the library does not add up the bytes of, where it fails at one without a value.

    It asks whether there are any before it does, and nowhere else.
    """

    def __bool__(self) -> bool:
        return False


class _Whole(Serializer):  # type: ignore[misc]  # the library has no types
    """Fills in a record's headers once the library has checked them, and hands on its value."""

    def serialize(
        self, topic: str, headers: list[tuple[str, bytes | None]], data: Record
    ) -> bytes | None:
        del topic
        headers.extend(data.headers)
        return data.value


WHOLE_RECORDS = {"value_serializer": _Whole()}  # how to make a producer that `send_record` can use


def send_record(producer: Any, topic: str, record: Record) -> Any:
    """Send a record as it is; what the library answers with."""
    return producer.send(topic, record, key=record.key, headers=_Headers())


def record_of(message: Any) -> Record:
    """What the library read, as the record that it is."""
    return Record(message.key, message.value, tuple(message.headers))
