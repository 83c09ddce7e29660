"""A refusal is evidence: it is recorded in a stream of its own beside the file it was about."""

from domain.value import Value


class CommandRefused(Value, frozen=True):
    """A command was refused; nothing but this was written.

    `command` is its type, `code` and `message` are the refusal's, `field` is the field it was
    about, and `evidence` holds what the refusal rested on, as text. `version` is the version of
    the subject's stream that was judged.
    """

    command: str
    code: str
    name: str
    message: str
    remedy: str
    field: str
    subject: str
    version: int
    evidence: dict[str, str]

    @property
    def near_miss(self) -> bool:
        """Refused for want of authority (E3xx): somebody will want to see it."""
        return self.code.startswith("E3")


def stream_of_refusals(subject: str) -> str:
    """The stream in which refusals about a stream are kept."""
    return f"refusals-{subject}"
