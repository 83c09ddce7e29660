"""What an answer leaves out, said with it: files past its position, and files that were parked."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from consumers.standing import Status
from edge.cli.output import amount


def left_out(found: Status) -> dict[str, Any]:
    """Files with facts past the view's position, and the parked ones with what waits in them."""
    return {
        "files": found.left_out_files,
        "parked_files": len(found.parked),
        "parked_facts": sum(file.waiting for file in found.parked),
        "unread_facts": found.unread,
        "money": [
            {
                "currency": currency,
                "estimate": amount(sums.estimate, currency),
                "paid": amount(sums.paid, currency),
                "recovered": amount(sums.recovered, currency),
            }
            for currency, sums in found.money
        ],
    }


def said_of(told: Mapping[str, Any], position: int) -> Iterator[str]:
    """The same in words, a line each; none when nothing is left out."""
    if told["files"]:
        yield f"what {told['files']} files have past position {position}"
    if told["parked_files"]:
        unread = f", {told['unread_facts']} of them unreadable" if told["unread_facts"] else ""
        yield f"{told['parked_files']} parked files with {told['parked_facts']} facts{unread}"
    for money in told["money"]:
        figures = (f"{name} {Decimal(money[name]):,}" for name in ("estimate", "paid", "recovered"))
        yield f"in parked files {money['currency']} {', '.join(figures)}"
