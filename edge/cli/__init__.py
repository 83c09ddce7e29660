"""The command line of the ledger, a door like any other: what it writes goes the one way."""

import sys

from domain.errors import LedgerError


def main() -> None:
    """Run the command line; no named error reaches a user as a traceback."""
    from edge.cli.app import app  # noqa: PLC0415 - `import edge.cli` stays cheap
    from edge.cli.asking import exit_code_of  # noqa: PLC0415
    from edge.cli.output import show_error  # noqa: PLC0415

    try:
        app()
    except LedgerError as error:  # raised before a command could answer: the settings, --as
        show_error(error, as_json="--json" in sys.argv)
        sys.exit(exit_code_of(error))
