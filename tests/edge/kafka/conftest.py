"""Here too each command sets the log of its process up, and they share one."""

from tests.edge.cli.conftest import _log_as_before as log_as_before

__all__ = ["log_as_before"]
