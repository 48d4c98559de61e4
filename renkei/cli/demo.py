"""The command that shows it all: demo."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(demo)


def demo() -> None:
    """Try renkei on two fake vendors."""
