"""The command line: a thin face. Importing it costs an import of click; each command imports the rest
when it runs."""

from __future__ import annotations

from fooling.cli.app import main

__all__ = ["main"]
