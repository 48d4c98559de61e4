"""The options that several commands share, each with one spelling and one explanation: what is meant, and whether it
is to be done at all."""

from __future__ import annotations

from typing import Annotated

import typer

OfRoute = Annotated[str, typer.Option("--route", help="only this route")]
Field = Annotated[str, typer.Option("--field", help="only this field of the mapping")]
Limit = Annotated[int, typer.Option("--limit", help="show at most so many", min=1)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be done and do nothing")]
ForecastOnly = Annotated[bool, typer.Option("--dry-run", help="forecast only: read and write nothing")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Reason = Annotated[str, typer.Option("--reason", help="why, for whoever looks at it later")]
KeepBoth = Annotated[bool, typer.Option("--keep-both", help="both sides are agreed to differ from now on")]
