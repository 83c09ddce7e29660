"""stub."""

import typer


def import_histories(context: typer.Context) -> None:
    """Stub."""
