"""`claims dead list`, `show` and `retry`: what was put aside, why, and what becomes of it now."""

import base64
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any

import typer
from rich.text import Text

from commands.receipt import Receipt
from consumers.answering import Answer, Message, NotYet, Partition
from consumers.dead_letters import DeadLetter, read_dead
from consumers.messages import Record
from consumers.topics import RECEIPTS, source_of
from domain.errors import BadValue, Refused
from edge.cli.asking import OK, REFUSED, UNAVAILABLE, Caller, Json, answering, sources_named
from edge.cli.output import console, print_json, table, told_moment
from edge.kafka.consuming import answering_of
from edge.kafka.dead import Place, dead_record, dead_records
from edge.kafka.outgoing import KafkaOutgoing

_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,19})")
_SHOWN = "backslashreplace"  # bytes that are no text show their numbers

PlaceText = Annotated[str, typer.Argument(metavar="PLACE", help="As `dead list` names it: 0:17.")]


@answering
def dead_list(
    context: typer.Context,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help="Only what this refused.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Only of this application.")
    ] = None,
    json: Json = False,
) -> int:
    """Name what was put aside: its place, when and why, and where it came from."""
    caller: Caller = context.obj
    sources_named([source] if source is not None else [])
    found = [
        told
        for place, record in dead_records(caller.settings)
        if _is_of(told := _told(place, record), code, source)
    ]
    if json:
        print_json({"dead": found})
        return OK
    rows = [
        [each["place"], each["at"], each["source"], each["code"], each["why"]] for each in found
    ]
    columns = ["place", "put aside at", "source", "code", "why"]
    console.print(table(f"{len(found):,} dead letters", columns, rows))
    return OK


@answering
def dead_show(context: typer.Context, place: PlaceText, json: Json = False) -> int:
    """Show one whole: where it came from, why it is dead, its headers, and its bytes."""
    caller: Caller = context.obj
    at = _place(place)
    record = dead_record(caller.settings, at)
    told = _told(at, record)
    if json:
        headers = [{"name": _name(name), **_bytes(value)} for name, value in record.headers]
        whole = {"key": _bytes(record.key), "headers": headers, "value": _bytes(record.value)}
        print_json({**told, **whole})
        return OK
    for name in ("place", "at", "code", "why", "topic", "partition", "offset"):
        console.print(Text.assemble((f"{name}: ", "bold"), str(told[name])))
    console.print(Text.assemble(("key: ", "bold"), _text(record.key)))
    for name, value in record.headers:
        console.print(Text.assemble((f"{_name(name)}: ", "cyan"), _text(value)))
    sys.stdout.flush()
    sys.stdout.buffer.write((record.value or b"") + b"\n")
    return OK


@answering
def dead_retry(
    context: typer.Context,
    places: Annotated[list[str], typer.Argument(metavar="PLACE...", help="As `list` names them.")],
    json: Json = False,
) -> int:
    """Read messages again, as if they had come now, and answer those that are commands.

    What was answered before gets the same answer. A message that is still none stays where it is.
    """
    caller: Caller = context.obj
    asked = [_place(each) for each in places]
    letters = [_letter(at, dead_record(caller.settings, at)) for at in asked]
    with caller.books() as books, closing(KafkaOutgoing(caller.settings)) as outgoing:
        answers = answering_of(books, caller.settings).answers([_message(each) for each in letters])
        settled = [each for each in answers if isinstance(each, Answer) and not each.dead]
        outgoing.send([leaving for answer in settled for leaving in answer.leaving])
    told = [_outcome(at, answer) for at, answer in zip(asked, answers, strict=True)]
    if json:
        print_json({"retried": told})
    else:
        rows = [[each["place"], each["outcome"], each["code"], each["why"]] for each in told]
        console.print(table("Tried again", ["place", "outcome", "code", "why"], rows))
    if any(isinstance(each, NotYet) for each in answers):
        return UNAVAILABLE
    return OK if all(isinstance(each, Answer) and not each.code for each in answers) else REFUSED


def _place(text: str) -> Place:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise BadValue("PLACE", "a partition and an offset, such as 0:17")
    return Place(int(found[1]), int(found[2]))


def _told(place: Place, record: Record) -> dict[str, Any]:
    """A dead letter in a line; one that is none says so in the place of its reason."""
    told: dict[str, Any] = {"place": str(place)}
    try:
        letter = read_dead(record)
    except Refused as error:
        return (
            told
            | dict.fromkeys(("at", "source", "topic", "partition", "offset"), "")
            | {
                "code": error.code,
                "why": str(error),
            }
        )
    return told | {
        "at": told_moment(letter.at),
        "source": _source(letter.topic),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "code": letter.code,
        "why": letter.why,
    }


def _source(topic: str) -> str:
    try:
        return source_of(topic)
    except Refused:
        return ""


def _is_of(told: dict[str, Any], code: str | None, source: str | None) -> bool:
    return (code is None or told["code"] == code) and (source is None or told["source"] == source)


def _letter(place: Place, record: Record) -> DeadLetter:
    try:
        letter = read_dead(record)
        source_of(letter.topic)
    except Refused as error:
        error.add_note(f"It is the dead letter at {place}.")
        raise
    return letter


def _message(letter: DeadLetter) -> Message:
    return Message(Partition(letter.topic, letter.partition), letter.offset, letter.record)


def _outcome(place: Place, answer: Answer | NotYet) -> dict[str, Any]:
    """What became of a message, with its receipt where one was sent."""
    if isinstance(answer, NotYet):
        return {"place": str(place), "outcome": "not yet", "code": answer.code, "why": answer.why}
    told: dict[str, Any] = {"place": str(place), "code": answer.code}
    receipt = next((each for each in _receipts(answer)), None)
    told["why"] = "" if receipt is None else receipt.get("message", "")
    if answer.dead:
        why = told["why"] or read_dead(answer.leaving[0].record).why
        return told | {"outcome": "still dead", "why": why}
    outcome = "refused" if answer.code else "accepted"
    return told | {"outcome": outcome, "receipt": receipt}


def _receipts(answer: Answer) -> Iterator[dict[str, Any]]:
    for topic, record in answer.leaving:
        if topic == RECEIPTS:
            yield Receipt(record.value or b"").data


def _name(name: str) -> str:
    """A header's name, also one whose bytes are no text."""
    return name.encode().decode(errors=_SHOWN)


def _text(value: bytes | None) -> str:
    if value is None:
        return "-"
    text = value.decode(errors=_SHOWN)
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _bytes(value: bytes | None) -> dict[str, str | None]:
    """Bytes as JSON can hold them: as text where they are, else in base 64."""
    if value is None:
        return {"text": None}
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
