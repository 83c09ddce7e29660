"""Who works the files that commands are sent to, and within what: the same for both sides."""

from datetime import date

DESK = "D"  # what the references of these files begin with
HANDLERS = tuple(f"handler-{number:02}" for number in range(20))
PRIOR_FACTS = 5  # of each file: notified, allocated, a strategy, two estimates
OPENED_ON = date(2023, 10, 2)
ESTIMATE_PENCE_MAX = 15_000_000  # on three heads together they stay within the mandate
MANDATE_POUNDS = 500_000
HEADS = ("psla", "future_treatment", "past_treatment")
RATIONALE = "Expert evidence on causation, received today and read."


def reference(number: int) -> str:
    """The reference of the file with this number."""
    return f"{DESK}-{number:08}"


def handler_of(number: int) -> str:
    """Who works that file."""
    return HANDLERS[number % len(HANDLERS)]
