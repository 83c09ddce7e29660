"""The command line of the ledger, a door like any other: what it writes goes the one way."""

import io
import sys


def main() -> None:
    """Run the command line; no named error reaches a user as a traceback."""
    from edge.cli.app import app  # noqa: PLC0415 - `import edge.cli` stays cheap

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no such letter shows its code.
            stream.reconfigure(errors="backslashreplace")
    app()
